//! G5: all devices of all members come to the same list.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{change, conversation, history, message, public, say};
use crate::harness::{fault_proxy::Fault, sequences, socket::Socket};

#[tokio::test]
async fn g5_members_see_the_same_in_the_same_order_from_where_they_came() {
    let app = public(&["bob"]).await;
    for number in 0..20 {
        say(&app, if number % 2 == 0 { "alice" } else { "bob" }, &number.to_string(), 0).await;
    }
    change(&app, "join-group", "carol", "carol comes", json!({})).await;
    for number in 20..30 {
        say(&app, "carol", &number.to_string(), 0).await;
    }
    let all = history(&app, "alice").await;
    assert_eq!(sequences(&all), (1..=32).collect::<Vec<u64>>());
    assert_eq!(history(&app, "bob").await, all[1 - 1..], "who was added sees the tip of it");
    let carols = history(&app, "carol").await;
    assert_eq!(carols, all[21..], "behind what was said before");
    assert_eq!(carols[0]["payload"]["operationType"], 1);
    let range = json!({ "conversationID": conversation(), "fromSequence": 1 });
    let range = app.ask("get-message-list", "carol", range).await;
    assert_eq!(sequences(range["messageList"].as_array().unwrap()), sequences(&carols));
    let ranges =
        json!({ "ranges": [{ "conversationID": conversation(), "fromSequence": 20, "toSequence": 23 }] });
    let ranges = app.ask("get-message-list", "carol", ranges).await;
    assert_eq!(sequences(ranges["rangeList"][0]["messageList"].as_array().unwrap()), [22, 23]);
    assert_eq!(ranges["rangeList"][0]["conversationID"], conversation());
}

#[tokio::test]
async fn g5_all_devices_of_all_members_converge_though_pushes_are_lost_doubled_and_late() {
    let app = public(&["bob", "dave"]).await;
    let mut devices = Vec::new();
    for (user, platform) in [
        ("alice", "iOS"),
        ("alice", "Web"),
        ("bob", "iOS"),
        ("bob", "Web"),
        ("carol", "iOS"),
        ("carol", "Web"),
    ] {
        devices.push((user, Socket::connect(&app.url(user, platform, None)).await.unwrap()));
    }
    // A third of the pushes is refused. Of another third the function does not learn that they have
    // arrived, which makes the SDK send them again.
    let mut count = 0;
    app.management.break_calls(move |_, _| {
        count += 1;
        [Fault::None, Fault::Refuse(403, "ForbiddenException"), Fault::ResetAfter][count % 3].clone()
    });
    let send = async |users: &[&str], round: &str| {
        let names: Vec<String> = (0..9).map(|number| format!("{round}-{number}")).collect();
        let sends = names
            .iter()
            .enumerate()
            .map(|(number, name)| app.invoke("send-message", users[number % users.len()], message(name, 0)));
        for reply in join_all(sends).await {
            assert_eq!(reply["code"], 0, "{reply}");
        }
        app.advance(std::time::Duration::from_secs(4));
    };
    send(&["alice", "bob"], "before").await;
    change(&app, "join-group", "carol", "comes", json!({})).await;
    send(&["alice", "bob", "carol"], "with carol").await;
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["dave"] })).await;
    send(&["carol"], "after").await;
    let last = say(&app, "bob", "last", 0).await;

    let (mut lists, mut lost, mut doubled) = (Vec::new(), 0, 0);
    for (user, device) in &mut devices {
        let page = device.ask("getConversationList", json!({ "conversationIDList": [conversation()] })).await;
        let listed = &page["conversationList"][0];
        assert_eq!(listed["lastSequence"], last);
        let joined = listed["joinedSequence"].as_u64().unwrap_or_default();
        let mut list: BTreeMap<u64, Value> = BTreeMap::new();
        while let Some(push) = device.pushed() {
            if push["event"] != "onMessageReceived" {
                continue;
            }
            for message in push["data"].as_array().unwrap() {
                let number = message["sequence"].as_u64().unwrap();
                doubled += usize::from(list.insert(number, message.clone()).is_some());
            }
        }
        // What was pushed to who was not there yet would be seen here.
        assert!(list.keys().all(|number| *number > joined), "{user}: {list:?}");
        for number in joined + 1..=last {
            if list.contains_key(&number) {
                continue;
            }
            lost += 1;
            let range =
                json!({ "conversationID": conversation(), "fromSequence": number, "toSequence": number });
            let pulled = device.ask("getMessageList", range).await;
            list.insert(number, pulled["messageList"][0].clone());
        }
        lists.push((*user, joined, list));
    }
    assert!(lost > 0 && doubled > 0, "{lost} lost, {doubled} doubled");
    let all = &lists[0].2;
    assert_eq!(all.len() as u64, last);
    for (user, joined, list) in &lists {
        assert_eq!(*joined > 0, *user == "carol");
        assert!(list.iter().eq(all.range(joined + 1..)), "{user}");
    }
    let carols = &lists[4].2;
    let first = carols.values().next().unwrap();
    assert_eq!((&first["payload"]["operationType"], &first["from"]), (&json!(1), &json!("carol")));
}
