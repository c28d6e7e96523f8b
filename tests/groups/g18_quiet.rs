//! G18: who sends to a quiet group waits for one read more than who sends to one user, at the most.

use std::time::Duration;

use serde_json::Value;

use super::{message, public, say};
use crate::harness::{fault_proxy::round_trips, sandbox::Sandbox, text_message};

#[tokio::test]
async fn g18_a_quiet_groups_send_makes_no_more_round_trips_than_one_to_one_but_for_an_unknown_roster() {
    for others in [1, 5, 110] {
        let others: Vec<String> = (0..others).map(|number| format!("user-{number:03}")).collect();
        let app = public(&others.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let _device = app.connect("user-000").await;
        app.send("alice", "user-000", "1", 0).await;
        let last = say(&app, "alice", "1", 0).await;
        let rounds = async |sandbox: &Sandbox, data: Value| {
            app.advance(Duration::from_secs(60));
            app.calls();
            let reply = app.invoke_in(sandbox, "send-message", "alice", data).await;
            assert_eq!(reply["code"], 0, "{reply}");
            let calls = app.calls();
            assert!(calls.iter().any(|call| call.operation == "POST"), "it is pushed");
            round_trips(&calls)
        };
        let to_one = rounds(&app.sandbox(app.sandbox.settings), text_message("user-000", "2", 1)).await;
        let sandbox = app.sandbox(app.sandbox.settings);
        let unknown = rounds(&sandbox, message("2", last)).await;
        let known = rounds(&sandbox, message("3", last)).await;
        assert!(
            unknown <= to_one + 1 && known <= to_one,
            "{to_one}, {unknown}, {known}: {} others",
            others.len()
        );
    }
}
