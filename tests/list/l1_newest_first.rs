//! L1: after any page, a client knows from when on no conversation is missing from what it has.

use std::{collections::BTreeMap, time::Duration};

use hongyan_functions::clock::Clock;
use serde_json::{Value, json};

use crate::harness::{
    TestApp,
    fault_proxy::Fault,
    random_numbers,
    sandbox::{Sandbox, Setup},
    text_message,
};

/// How many users alice talks with.
const PEERS: u64 = 12;

/// The second of the last message of each of alice's conversations, but for those that were deleted since.
async fn last_messages(app: &TestApp) -> BTreeMap<String, u64> {
    let rows = app.dump("Messages").await;
    let number =
        |row: &Value, name: &str| row[name]["N"].as_str().map_or(0, |text| text.parse::<u64>().unwrap());
    let mut last = BTreeMap::new();
    for row in &rows {
        let (key, sort_key) = (row["p"]["S"].as_str().unwrap(), row["s"]["S"].as_str().unwrap());
        let cleared = rows.iter().find(|other| other["p"] == row["p"] && other["s"]["S"] == "R#alice");
        let cleared = cleared.map_or(0, |row| number(row, "cn"));
        let sequence = sort_key.strip_prefix('M').map_or(0, |digits| digits.parse::<u64>().unwrap());
        if let (Some(peer), true) = (key.strip_prefix("alice·"), sequence > cleared) {
            let entry = last.entry(format!("C2C{peer}")).or_default();
            *entry = (number(row, "t") / 1000).max(*entry);
        }
    }
    last
}

/// Pages through the list, and holds every page to what it says. Returns how many there were.
async fn check(app: &TestApp, count: u64) -> usize {
    let last = last_messages(app).await;
    let (mut seen, mut before) = (Vec::new(), u64::MAX);
    let pages =
        app.pages("get-conversation-list", "alice", json!({ "count": count }), "nextReqConversationID").await;
    for page in &pages {
        for conversation in page["conversationList"].as_array().unwrap() {
            seen.push(conversation["conversationID"].as_str().unwrap().to_owned());
        }
        let complete_from = page["completeFrom"].as_u64().unwrap();
        assert!(complete_from <= before, "it falls");
        before = complete_from;
        for (conversation, time) in &last {
            assert!(
                *time < complete_from || seen.contains(conversation),
                "{conversation} has a message of {time} and is missing, though all is there from {complete_from} on"
            );
        }
    }
    assert_eq!(before, 0, "the last one has all that is left");
    pages.len()
}

#[tokio::test]
async fn l1_no_page_lacks_what_is_newer_than_it_says_whatever_clocks_say_and_who_is_killed() {
    let app = TestApp::without_limits().await;
    let clock = app.clock.clone();
    let ahead = Sandbox::new(Setup { clock: Clock::new(move || clock.now() + 5_000), ..app.setup() });
    let mut random = random_numbers();
    let (mut killed, mut pages) = (0, 0);
    for step in 0..220 {
        let peer = format!("peer-{}", random(PEERS));
        let (from, to) = if random(2) == 0 { ("alice", &*peer) } else { (&*peer, "alice") };
        // Some are cut off before or behind one of their calls.
        if random(4) == 0 {
            let (mut calls, fault) =
                (random(9), if random(2) == 0 { Fault::LoseCall } else { Fault::LoseAnswer });
            app.dynamodb.break_calls(move |_, _| {
                calls = calls.wrapping_sub(1);
                if calls == u64::MAX { fault.clone() } else { Fault::None }
            });
        }
        let base = stored(&app, &peer).await;
        let data = text_message(to, &step.to_string(), base);
        let sandbox = if random(2) == 0 { &ahead } else { &app.sandbox };
        tokio::select! {
            reply = app.invoke_in(sandbox, "send-message", from, data) => assert_eq!(reply["code"], 0, "{reply}"),
            () = app.dynamodb.lost() => killed += 1,
        }
        app.dynamodb.mend();
        if random(20) == 0 {
            let delete = json!({ "conversationID": format!("C2C{peer}") });
            app.invoke("delete-conversation", "alice", delete).await;
        }
        app.advance(Duration::from_millis(random(5) * random(5) * random(60_000)));
        if step % 5 == 0 {
            pages += check(&app, 1 + random(5)).await;
        }
    }
    assert!(killed > 20 && pages > 150, "{killed} {pages}");
}

/// The newest number of alice's conversation with a peer.
async fn stored(app: &TestApp, peer: &str) -> u64 {
    let rows = app.dump("Messages").await;
    let of_it = rows.iter().filter(|row| row["p"]["S"] == format!("alice·{peer}"));
    let numbers = of_it.filter_map(|row| row["s"]["S"].as_str().unwrap().strip_prefix('M')?.parse().ok());
    numbers.max().unwrap_or(0)
}
