//! P4: server time never decreases along the numbers.

use std::time::Duration;

use super::slow;
use crate::harness::{TestApp, text_message};

#[tokio::test]
async fn p4_time_never_decreases_though_clocks_are_five_minutes_apart() {
    let app = TestApp::new().await;
    let slow = slow(&app, Duration::from_secs(300));
    for base in 0..6 {
        let sandbox = if base % 2 == 0 { &app.sandbox } else { &slow };
        let data = text_message("bob", &base.to_string(), base);
        assert_eq!(app.invoke_in(sandbox, "send-message", "alice", data).await["code"], 0);
        app.advance(Duration::from_secs(1));
    }
    let times: Vec<u64> =
        app.history("alice", "bob").await.iter().map(|message| message["time"].as_u64().unwrap()).collect();
    assert!(times.windows(2).all(|two| two[0] <= two[1]), "{times:?}");
}
