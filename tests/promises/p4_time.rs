//! P4: server time never decreases along the numbers.

use std::time::Duration;

use super::slow;
use crate::harness::{World, text_message};

#[tokio::test]
async fn p4_time_never_decreases_though_clocks_are_five_minutes_apart() {
    let world = World::new().await;
    let slow = slow(&world, Duration::from_secs(300));
    for base in 0..6 {
        let app = if base % 2 == 0 { &world.app } else { &slow };
        let data = text_message("bob", &base.to_string(), base);
        assert_eq!(world.invoke_in(app, "send-message", "alice", data).await["code"], 0);
        world.later(Duration::from_secs(1));
    }
    let times: Vec<u64> =
        world.history("alice", "bob").await.iter().map(|message| message["time"].as_u64().unwrap()).collect();
    assert!(times.windows(2).all(|two| two[0] <= two[1]), "{times:?}");
}
