//! G1: what was acknowledged is in the history of the group once.

use super::{history, log, message, public, say};
use crate::harness::fault_proxy::Fault;

#[tokio::test]
async fn g1_a_send_that_is_cut_off_anywhere_is_there_once_when_it_comes_again() {
    let app = public(&["bob"]).await;
    // Read the group, read the roster, write, note, look up, push: cut off at each call.
    for cut in 0..8 {
        let name = format!("cut-{cut}");
        let mut left = cut;
        app.dynamodb.break_calls(move |_, _| {
            left -= 1;
            if left == -1 { Fault::LoseAnswer } else { Fault::None }
        });
        let sending = app.invoke("send-message", "bob", message(&name, 1));
        tokio::select! {
            _ = sending => {}
            () = app.dynamodb.lost() => {}
        }
        app.dynamodb.mend();
        let number = say(&app, "bob", &name, 1).await;
        let found = log(&app).await.into_iter().filter(|(_, _, client_id, _)| *client_id == name).count();
        assert_eq!(found, 1, "{cut}");
        assert!(history(&app, "alice").await.iter().any(|shown| shown["sequence"] == number));
        assert_eq!(
            super::listed(&app, "bob").await.unwrap()["unreadCount"],
            1,
            "their coming, and nothing of their own: {cut}"
        );
    }
}
