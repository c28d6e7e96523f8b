//! P5: all devices of both users come to the same list in the same order.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{TestApp, fault_proxy::Fault, socket::Socket, text_message};

#[tokio::test]
async fn p5_all_devices_of_both_users_are_told_but_for_the_one_that_has_sent() {
    let app = TestApp::new().await;
    let connect = async |user, platform| Socket::connect(&app.url(user, platform, None)).await.unwrap();
    let mut sender = connect("alice", "iOS").await;
    let mut devices = Vec::new();
    for user in ["alice", "bob"] {
        for platform in ["Web", "Android", "Mac"] {
            devices.push(connect(user, platform).await);
        }
    }
    for base in 0..3 {
        let sent = sender.ask("sendMessage", text_message("bob", &base.to_string(), base)).await;
        for device in &mut devices {
            let push = device.push().await;
            assert_eq!(push, json!({ "event": "onMessageReceived", "data": [sent["message"]] }));
        }
    }
    assert!(sender.is_quiet().await);
}

#[tokio::test]
async fn p5_all_devices_converge_though_pushes_are_lost_doubled_and_late() {
    let app = TestApp::new().await;
    let mut devices = Vec::new();
    for (user, platform) in [("alice", "iOS"), ("alice", "Web"), ("bob", "iOS"), ("bob", "Web")] {
        devices.push((user, Socket::connect(&app.url(user, platform, None)).await.unwrap()));
    }
    // A third of the pushes is refused. Of another third the function does not learn that they have
    // arrived, which makes the SDK send them again.
    let mut count = 0;
    app.management.break_calls(move |_, _| {
        count += 1;
        [Fault::None, Fault::Refuse(403, "ForbiddenException"), Fault::ResetAfter][count % 3].clone()
    });
    let sends = (0..12_u64).map(|n| {
        let (from, to) = if n % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let app = &app;
        async move { app.send(from, to, &n.to_string(), 0).await }
    });
    join_all(sends).await;

    let (mut lists, mut lost, mut doubled) = (Vec::new(), 0, 0);
    for (user, device) in &mut devices {
        // The reply to this request comes behind all pushes.
        device.request("x", json!({})).await;
        let mut list: BTreeMap<u64, Value> = BTreeMap::new();
        while let Some(push) = device.pushed() {
            for message in push["data"].as_array().unwrap() {
                doubled += usize::from(
                    list.insert(message["sequence"].as_u64().unwrap(), message.clone()).is_some(),
                );
            }
        }
        // A client that finds a gap, or wants to be sure of the end, asks for just that.
        let peer = if *user == "alice" { "bob" } else { "alice" };
        let missing: Vec<u64> = (1..=12).filter(|number| !list.contains_key(number)).collect();
        for number in missing {
            lost += 1;
            let range = json!({ "conversationID": format!("C2C{peer}"), "fromSequence": number, "toSequence": number });
            let pulled = device.ask("getMessageList", range).await;
            list.insert(number, pulled["messageList"][0].clone());
        }
        lists.push(list);
    }
    assert!(lost > 0 && doubled > 0, "{lost} lost, {doubled} doubled");
    assert_eq!(lists[0].len(), 12);
    assert!(lists.windows(2).all(|two| two[0] == two[1]));
}
