//! G4: time never decreases along the numbers.

use std::time::Duration;

use hongyan_local::clock::Clock;
use serde_json::json;

use super::{history, message, public, try_change};
use crate::harness::sandbox::{Sandbox, Setup};

#[tokio::test]
async fn g4_time_never_decreases_though_clocks_are_minutes_apart_and_nobody_is_kept_from_speaking_by_that() {
    let app = public(&["bob"]).await;
    let clocks = [300_000, 0, -300_000].map(|ms| Clock::manual(app.clock.now().saturating_add_signed(ms)));
    let sandboxes =
        clocks.each_ref().map(|clock| Sandbox::new(Setup { clock: clock.reader(), ..app.setup() }));
    for number in 0..30 {
        for clock in &clocks {
            clock.advance(Duration::from_secs(1));
        }
        let sandbox = &sandboxes[number % 3];
        let reply = if number % 5 == 4 {
            let data = json!({ "userID": "bob", "muteTime": number });
            try_change(&app, sandbox, "set-group-member", "alice", &number.to_string(), data).await
        } else {
            app.invoke_in(sandbox, "send-message", "alice", message(&number.to_string(), 0)).await
        };
        assert_eq!(reply["code"], 0, "{number}: {reply}");
    }
    let times: Vec<u64> =
        history(&app, "alice").await.iter().map(|shown| shown["time"].as_u64().unwrap()).collect();
    assert!(times.len() == 31 && times.is_sorted(), "{times:?}");
}
