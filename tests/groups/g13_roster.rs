//! G13: a change was allowed by the roster that it is applied to.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Ask, ask, code, create,
    state::{State, state},
};
use crate::harness::{TestApp, replica::is_write, steps::Side};

/// Two changes at once come to what they come to one after the other, in one of the two orders, whatever the order of their
/// calls. Reads do not see one another, so it is enough that one of the two overtakes the other behind any of its
/// calls.
async fn assert_serializable(kind: &str, one: Ask, other: Ask) {
    let app = TestApp::without_limits().await;
    let mut allowed: BTreeSet<(i64, i64, State)> = BTreeSet::new();
    for one_is_first in [true, false] {
        let group = format!("serial-{one_is_first}");
        create(&app, kind, &group).await;
        let (mut codes, mut asks) = ([0, 0], [(0, "one", &one), (1, "other", &other)]);
        if !one_is_first {
            asks.reverse();
        }
        for (place, name, wanted) in asks {
            codes[place] = code(&ask(&app, &app.sandbox, &group, name, wanted).await);
        }
        allowed.insert((codes[0], codes[1], state(&app, &group).await));
    }
    let sides = (Side::of(&app).await, Side::of(&app).await);
    let mut seen = BTreeSet::new();
    for one_is_slow in [true, false] {
        for calls in 0.. {
            let group = format!("group-{one_is_slow}-{calls}");
            create(&app, kind, &group).await;
            let mut first = sides.0.begin(ask(&app, &sides.0.sandbox, &group, "one", &one));
            let mut second = sides.1.begin(ask(&app, &sides.1.sandbox, &group, "other", &other));
            let slow = if one_is_slow { &mut first } else { &mut second };
            let made = slow.make(calls).await;
            // It was faster, and that is the other order.
            if made.last().is_some_and(|call| is_write(&call.operation) && call.has_succeeded) {
                break;
            }
            let (first, second) = if one_is_slow {
                let second = second.reply().await;
                (first.reply().await, second)
            } else {
                (first.reply().await, second.reply().await)
            };
            let found = (code(&first), code(&second), state(&app, &group).await);
            assert!(allowed.contains(&found), "{group}: {found:?}, and not one of {allowed:?}");
            seen.insert(found);
        }
    }
    assert_eq!(seen, allowed);
}

fn role(user: &str, role: &str) -> Ask {
    ("set-group-member", "alice", json!({ "userID": user, "role": role }))
}

fn hand_over(user: &str) -> Ask {
    ("change-group-owner", "alice", json!({ "newOwnerID": user }))
}

fn kick(by: &'static str, user: &str) -> Ask {
    ("delete-group-member", by, json!({ "userIDList": [user] }))
}

fn says(by: &'static str, more: Value) -> Ask {
    ("update-group-profile", by, more)
}

#[tokio::test]
async fn g13_who_loses_a_role_does_nothing_with_it_in_any_order_of_calls() {
    assert_serializable("Public", role("bob", "Member"), kick("bob", "carol")).await;
    assert_serializable("Public", role("bob", "Member"), says("bob", json!({ "muteAllMembers": true })))
        .await;
    assert_serializable("Public", role("carol", "Admin"), kick("bob", "carol")).await;
}

#[tokio::test]
async fn g13_who_hands_a_group_over_does_nothing_with_it_in_any_order_of_calls() {
    assert_serializable("Public", hand_over("carol"), ("dismiss-group", "alice", json!({}))).await;
    assert_serializable("Public", hand_over("carol"), hand_over("dave")).await;
    assert_serializable("Public", hand_over("carol"), kick("alice", "bob")).await;
}

#[tokio::test]
async fn g13_who_goes_becomes_nothing_any_more_in_any_order_of_calls() {
    let quit = || ("quit-group", "carol", json!({}));
    for kind in ["Public", "ChatRoom"] {
        assert_serializable(kind, hand_over("carol"), quit()).await;
    }
    assert_serializable("Public", role("carol", "Admin"), quit()).await;
    assert_serializable("Public", kick("bob", "carol"), quit()).await;
    assert_serializable("Public", hand_over("carol"), kick("bob", "carol")).await;
}

#[tokio::test]
async fn g13_who_comes_comes_into_the_group_as_it_says_of_itself_in_any_order_of_calls() {
    let join = || ("join-group", "erin", json!({}));
    let add = || ("add-group-member", "bob", json!({ "userIDList": ["erin"] }));
    for kind in ["Public", "ChatRoom"] {
        assert_serializable(kind, says("alice", json!({ "maxMemberNum": 4 })), join()).await;
    }
    assert_serializable("Public", says("alice", json!({ "maxMemberNum": 4 })), add()).await;
    assert_serializable("Public", says("alice", json!({ "joinOption": "DisableApply" })), join()).await;
    assert_serializable("Public", add(), join()).await;
}
