//! G12: every change that was answered has one tip, wherever it was cut off. Who else writes it is in `gaps`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    GROUP, ask, change, code,
    conflicts::{changes, prepare, undisturbed},
    history, kick_up_to_the_tip, members, public, say,
    state::state,
};
use crate::harness::{TestApp, fault_proxy::Fault};

#[tokio::test]
async fn g12_a_change_that_is_cut_off_behind_any_call_is_made_once_when_it_comes_again() {
    let app = TestApp::without_limits().await;
    let expected = undisturbed(&app).await;
    for (number, wanted) in changes().iter().enumerate() {
        for cut in 0.. {
            let group = format!("change-{number}-{cut}");
            prepare(&app, &group, wanted).await;
            let mut left = cut;
            app.dynamodb.break_calls(move |_, _| {
                left -= 1;
                if left == -1 { Fault::LoseAnswer } else { Fault::None }
            });
            let is_over = tokio::select! {
                reply = ask(&app, &app.sandbox, &group, "name", wanted) => code(&reply) == 0,
                () = app.dynamodb.lost() => false,
            };
            app.dynamodb.mend();
            if is_over {
                assert!(cut > 2, "{wanted:?}");
                break;
            }
            let reply = ask(&app, &app.sandbox, &group, "name", wanted).await;
            assert_eq!(reply["code"], 0, "{wanted:?}, cut off behind {cut}: {reply}");
            assert_eq!(state(&app, &group).await, expected[number], "{wanted:?}, cut off behind {cut}");
        }
    }
}

#[tokio::test]
async fn g12_a_message_of_the_same_name_that_comes_in_between_is_no_tip() {
    let app = Arc::new(public(&["bob", "carol"]).await);
    let kicking = kick_up_to_the_tip(&app, "same").await;
    assert_eq!(say(&app, "alice", "same", 1).await, 2);
    app.dynamodb.release();
    assert_eq!(kicking.await.unwrap()["userIDList"], json!(["carol"]));
    assert_eq!(state(&app, GROUP).await.tips, [(1, "alice".to_owned()), (3, "alice".to_owned())]);
    // Nor is one that was there before a change that was not made.
    assert_eq!(say(&app, "alice", "other", 1).await, 4);
    change(&app, "delete-group-member", "alice", "other", json!({ "userIDList": ["bob"] })).await;
    assert_eq!(members(&app).await, ["alice"]);
    for (name, number) in [("same", 2), ("other", 4)] {
        assert_eq!(say(&app, "alice", name, 1).await, number);
    }
}

#[tokio::test]
async fn g12_a_tip_says_all_that_a_group_says_anew_and_so_do_the_answer_and_the_group() {
    let app = public(&[]).await;
    let wanted = json!({
        "name": "new", "avatar": "https://example.com/a.png", "introduction": "about", "notification": "know",
        "joinOption": "DisableApply", "inviteOption": "FreeAccess", "maxMemberNum": 150, "muteAllMembers": true,
    });
    let answer = change(&app, "update-group-profile", "alice", "all of it", wanted).await["group"].clone();
    let mut said = json!({
        "name": "new", "avatar": "https://example.com/a.png", "introduction": "about", "notification": "know",
        "joinOption": "DisableApply", "inviteOption": "FreeAccess", "maxMemberCount": 150, "muteAllMembers": true,
    });
    let seen = app.ask("get-group-profile", "alice", json!({ "groupIDList": [GROUP] })).await;
    for (name, value) in said.as_object().unwrap() {
        assert_eq!([&answer[name], &seen["groupList"][0][name]], [value, value], "{name}");
    }
    // A tip has another name for the name, and the picture under two.
    let fields = said.as_object_mut().unwrap();
    let (name, avatar): (Value, Value) = (fields.remove("name").unwrap(), fields["avatar"].clone());
    fields.extend([("groupName".to_owned(), name), ("faceUrl".to_owned(), avatar)]);
    assert_eq!(history(&app, "alice").await.last().unwrap()["payload"]["newGroupProfile"], said);
}
