//! G12: every change that was answered has one tip, wherever it is cut off.

use std::time::Duration;

use serde_json::json;

use super::{change, log, members, public, row, say, try_change};
use crate::harness::fault_proxy::Fault;

#[tokio::test]
async fn g12_a_change_that_is_cut_off_anywhere_is_made_once_with_one_tip_when_it_comes_again() {
    let app = public(&["bob"]).await;
    // Read the group, the roster, the log, announce, write, append, note, look up, forget: cut off at each.
    for cut in 0..14 {
        let user = format!("user-{cut:02}");
        let mut left = cut;
        app.dynamodb.break_calls(move |_, _| {
            left -= 1;
            if left == -1 { Fault::LoseAnswer } else { Fault::None }
        });
        let joining = try_change(&app, &app.sandbox, "join-group", &user, &user, json!({}));
        tokio::select! {
            _ = joining => {}
            () = app.dynamodb.lost() => {}
        }
        app.dynamodb.mend();
        let joined = change(&app, "join-group", &user, &user, json!({})).await;
        assert!(["JoinedSuccess", "AlreadyInGroup"].contains(&joined["status"].as_str().unwrap()), "{cut}");
        let tips = log(&app).await.into_iter().filter(|(_, _, name, _)| *name == user).count();
        assert_eq!(tips, 1, "{cut}");
        assert!(members(&app).await.contains(&user));
        assert_eq!(row(&app).await["ob"]["M"], json!({}), "{cut}: nothing is left promised");
    }
    let log = log(&app).await;
    assert!(log.iter().map(|(seq, ..)| *seq).eq(1..=log.len() as u64));
}

#[tokio::test]
async fn g12_a_tip_whose_author_never_comes_back_is_written_by_who_sends_next() {
    let app = public(&["bob", "carol"]).await;
    app.dynamodb.break_calls(|operation, request| {
        let is_tip = operation == "PutItem" && request["Item"]["y"]["S"] == "TIMGroupTipElem";
        if is_tip { Fault::LoseCall } else { Fault::None }
    });
    let kicking = try_change(
        &app,
        &app.sandbox,
        "delete-group-member",
        "alice",
        "kick",
        json!({ "userIDList": ["carol"] }),
    );
    tokio::select! {
        _ = kicking => unreachable!("its tip does not get through"),
        () = app.dynamodb.lost() => {}
    }
    app.dynamodb.mend();
    assert_eq!(members(&app).await, ["alice", "bob"]);
    say(&app, "bob", "at once", 0).await;
    assert_eq!(log(&app).await.len(), 2, "who has promised it may still be there");
    app.advance(Duration::from_secs(3));
    say(&app, "bob", "later", 0).await;
    let log = log(&app).await;
    let names: Vec<&str> = log.iter().map(|(_, _, name, _)| name.as_str()).collect();
    assert_eq!(names, ["add-0", "at once", "kick", "later"]);
    assert_eq!(log[2].1, "alice");
    assert_eq!(row(&app).await["ob"]["M"], json!({}));
}
