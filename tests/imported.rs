//! History that was imported: messages without a number, before all that have one. `docs/decisions/0021` says how they lie.

use std::time::Duration;

use futures_util::future::join_all;
use hongyan_functions::{
    actions::import_message::{World, import_message},
    config::Settings,
};
use hongyan_shared::{
    Result,
    model::{Elem, Imported, Pair, UserId},
    protocol::to_raw,
};
use serde_json::{Value, json};

use crate::harness::{
    START_MS, TestApp,
    fault_proxy::{Fault, round_trips},
    sequences, text_message,
};

/// The second in which every test begins.
const NOW_S: u64 = START_MS / 1000;

const DAY_S: u64 = 24 * 60 * 60;

const RETENTION_S: u64 = 100 * DAY_S;

fn with_retention() -> Settings {
    Settings { retention: Some(RETENTION_S), ..Settings::default() }
}

fn pair(from: &str, to: &str) -> Pair {
    let [from, to] = [from, to].map(|name| UserId::parse("user", name).unwrap());
    Pair::of(&from, &to).unwrap()
}

fn place(second: u64, seq: u32, random: u32) -> Imported {
    Imported { second, seq, random }
}

fn text(text: &str) -> Elem {
    Elem::parse("TIMTextElem", &to_raw(&json!({ "text": text })), None).unwrap()
}

fn world(app: &TestApp) -> World {
    World::new(&app.setup().config()).unwrap()
}

/// A user has said this to another one then.
async fn import(app: &TestApp, from: &str, to: &str, at: Imported, said: &str) {
    import_message(&world(app), &pair(from, to), at, text(said)).await.unwrap();
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["payload"]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_run_from_the_numbers_into_what_was_imported_whatever_its_order() {
    let app = TestApp::new().await;
    for number in 0..18 {
        app.send("alice", "bob", &number.to_string(), number).await;
    }
    // Newest first, from both users, and in one second by the numbers of their sender.
    let long_ago = NOW_S - 365 * DAY_S;
    for minute in (0..20).rev() {
        let (from, to) = if minute % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        import(&app, from, to, place(long_ago + 60 * minute, 9, 0), &format!("minute {minute}")).await;
    }
    for (seq, random) in [(3, 1), (2, 9), (2, 1)] {
        import(&app, "bob", "alice", place(long_ago - 1, seq, random), &format!("{seq} {random}")).await;
    }
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        let history = app.history(me, peer).await;
        let (old, new) = history.split_at(23);
        let mut expected: Vec<String> = vec!["2 1".into(), "2 9".into(), "3 1".into()];
        expected.extend((0..20).map(|minute| format!("minute {minute}")));
        assert_eq!(texts(old), expected);
        assert!(old.iter().all(|message| message["sequence"] == 0 && message["onlineUserOnly"].is_null()));
        assert_eq!(old[3]["time"], long_ago);
        assert_eq!((&old[3]["from"], &old[4]["from"]), (&json!("alice"), &json!("bob")));
        assert_eq!(sequences(new), (1..=18).collect::<Vec<_>>(), "the numbers have no hole");
        let range = json!({ "conversationID": format!("C2C{peer}"), "fromSequence": 1 });
        let range = app.ask("get-message-list", me, range).await;
        assert_eq!(range["messageList"], json!(new), "nothing that was imported fills a gap");
    }
    assert_eq!(app.send("bob", "alice", "next", 18).await, 19);
}

#[tokio::test]
async fn a_message_has_the_name_that_its_client_gives_it_and_no_other_has_that() {
    let app = TestApp::new().await;
    import(&app, "alice", "bob", place(7, 5, 9), "x").await;
    import(&app, "alice", "bob", place(7, 6, 9), "x").await;
    import(&app, "alice", "carol", place(7, 5, 9), "x").await;
    let mut names = Vec::new();
    for peer in ["bob", "carol"] {
        let history = app.history("alice", peer).await;
        names.extend(history.iter().map(|message| message["clientID"].as_str().unwrap().to_owned()));
    }
    for name in &names {
        let parts: Vec<u128> = name.split('-').map(|part| part.parse().unwrap()).collect();
        assert_eq!(parts[1..], [7, 9], "{name}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[tokio::test]
async fn what_is_imported_twice_is_there_once_as_it_was_the_first_time() {
    let app = TestApp::new().await;
    let at = place(NOW_S - DAY_S, 1, 2);
    import(&app, "alice", "bob", at, "first").await;
    let before = app.dump("Messages").await;
    import(&app, "alice", "bob", at, "first").await;
    // In the other direction too: that is what Tencent tells messages apart by.
    import(&app, "bob", "alice", at, "second").await;
    assert_eq!(app.dump("Messages").await, before);
    assert_eq!(texts(&app.history("bob", "alice").await), ["first"]);
}

#[tokio::test]
async fn a_list_shows_what_was_imported_where_there_is_nothing_else_to_show() {
    let app = TestApp::new().await;
    import(&app, "bob", "alice", place(NOW_S - 40 * DAY_S, 1, 1), "old").await;
    import(&app, "bob", "alice", place(NOW_S - 30 * DAY_S, 1, 1), "newer").await;
    import(&app, "alice", "carol", place(NOW_S - 2 * DAY_S, 1, 1), "newest").await;
    import(&app, "dave", "alice", place(NOW_S - 400 * DAY_S, 1, 1), "oldest").await;
    let shown = |list: &Value| -> Vec<(String, String)> {
        let list = list["conversationList"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list.iter()
            .map(|one| (text(&one["conversationID"]), text(&one["lastMessage"]["payload"]["text"])))
            .collect()
    };
    let of = |peer: &str, said: &str| (format!("C2C{peer}"), said.to_owned());
    let list = app.ask("get-conversation-list", "alice", json!({})).await;
    assert_eq!(shown(&list), [of("carol", "newest"), of("bob", "newer"), of("dave", "oldest")]);
    for one in list["conversationList"].as_array().unwrap() {
        assert_eq!((&one["unreadCount"], &one["lastSequence"]), (&json!(0), &json!(0)));
        assert_eq!(one["lastMessage"]["sequence"], 0);
    }
    // Newest first in the store as well: a page of one has it.
    let first = app.ask("get-conversation-list", "alice", json!({ "count": 1 })).await;
    assert_eq!(shown(&first), [of("carol", "newest")]);

    let mut excluded = text_message("bob", "excluded", 0);
    excluded["messageControlInfo"] = json!({ "excludedFromLastMessage": true });
    app.ask("send-message", "alice", excluded).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"]["payload"]["text"], "newer");
    app.send("bob", "alice", "shown", 1).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"]["sequence"], 2);
    // And who hides that again sees what was before it.
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": [2] })).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"]["payload"]["text"], "newer");
}

#[tokio::test]
async fn who_clears_a_conversation_clears_what_was_imported_and_the_other_one_keeps_it() {
    let app = TestApp::new().await;
    import(&app, "bob", "alice", place(NOW_S - 9 * DAY_S, 1, 1), "old").await;
    let clear = json!({ "conversationID": "C2Cbob" });
    app.ask("delete-conversation", "alice", clear.clone()).await;
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"], Value::Null);
    assert_eq!(texts(&app.history("bob", "alice").await), ["old"]);
    // It leaves the list, a while later.
    app.advance(Duration::from_secs(61));
    app.conversation("alice", "bob").await;
    assert_eq!(app.conversation("alice", "bob").await, None);

    // What is younger was not there, and what is older belongs to what is gone.
    import(&app, "bob", "alice", place(NOW_S - 10 * DAY_S, 1, 1), "older").await;
    import(&app, "bob", "alice", place(NOW_S - 8 * DAY_S, 1, 1), "younger").await;
    assert_eq!(texts(&app.history("alice", "bob").await), ["younger"]);
    app.ask("delete-conversation", "alice", clear.clone()).await;
    assert!(app.history("alice", "bob").await.is_empty(), "a second time it goes farther");

    // With a number all that was imported is gone, whenever it comes.
    app.send("bob", "alice", "1", 0).await;
    app.ask("delete-conversation", "alice", clear).await;
    import(&app, "bob", "alice", place(NOW_S, 1, 1), "late").await;
    app.send("bob", "alice", "2", 1).await;
    assert_eq!(sequences(&app.history("alice", "bob").await), [2]);
    assert_eq!(app.history("bob", "alice").await.len(), 6);
}

#[tokio::test]
async fn who_deletes_an_imported_message_by_its_client_id_hides_that_one_from_themselves() {
    let app = TestApp::new().await;
    let at = |seq| place(NOW_S - DAY_S, seq, 7);
    for (seq, said) in [(1, "one"), (2, "two"), (3, "three")] {
        import(&app, "bob", "alice", at(seq), said).await;
    }
    app.send("alice", "bob", "x", 0).await;
    let old = app.history("alice", "bob").await;
    let left = |history: Vec<Value>| -> Vec<Value> {
        history.into_iter().map(|message| message["clientID"].clone()).collect()
    };
    // Of two that were imported between others nothing is hidden, and neither is what is called so and has a number.
    import(&app, "bob", "carol", at(1), "of others").await;
    let others = &app.history("carol", "bob").await[0]["clientID"];
    let named = json!([old[1]["clientID"], old[2]["clientID"], others, "x"]);
    let mut other_device = app.connect("alice").await;
    let data = json!({ "conversationID": "C2Cbob", "messages": named });
    let deleted = app.ask("delete-message", "alice", data).await;
    let expected =
        json!({ "conversationID": "C2Cbob", "messages": [old[1]["clientID"], old[2]["clientID"]] });
    assert_eq!(deleted, expected);
    assert_eq!(other_device.push().await, json!({ "event": "onMessageDeleted", "data": expected }));
    assert_eq!(left(app.history("alice", "bob").await), [old[0]["clientID"].clone(), json!("x")]);
    assert_eq!(app.history("bob", "alice").await.len(), 4);
    assert_eq!(app.history("carol", "bob").await.len(), 1);

    // With numbers, in one request.
    let data = json!({ "conversationID": "C2Cbob", "messages": [old[0]["clientID"], 1] });
    assert_eq!(app.ask("delete-message", "alice", data.clone()).await, data);
    assert!(app.history("alice", "bob").await.is_empty());
}

#[tokio::test]
async fn a_list_shows_the_newest_imported_message_that_is_left() {
    let app = TestApp::new().await;
    import(&app, "bob", "alice", place(NOW_S - 2 * DAY_S, 1, 1), "older").await;
    import(&app, "bob", "alice", place(NOW_S - DAY_S, 1, 1), "newer").await;
    for (left, deleted) in [(json!("older"), 1), (Value::Null, 0)] {
        let id = app.history("bob", "alice").await[deleted]["clientID"].clone();
        let data = json!({ "conversationID": "C2Cbob", "messages": [id] });
        app.ask("delete-message", "alice", data).await;
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"]["payload"]["text"], left);
    }
}

#[tokio::test]
async fn who_takes_a_conversation_out_of_the_list_keeps_what_was_imported() {
    let app = TestApp::new().await;
    let at = |days: u64| place(NOW_S - days * DAY_S, 1, 1);
    import(&app, "bob", "alice", at(9), "old").await;
    let unlist = json!({ "conversationID": "C2Cbob", "clearHistoryMessage": false });
    app.ask("delete-conversation", "alice", unlist).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"], Value::Null);
    app.advance(Duration::from_secs(61));
    app.conversation("alice", "bob").await;
    assert_eq!(app.conversation("alice", "bob").await, None);
    import(&app, "bob", "alice", at(10), "oldest").await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"], Value::Null);
    import(&app, "bob", "alice", at(8), "younger").await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"]["payload"]["text"], "younger");
    assert_eq!(texts(&app.history("alice", "bob").await), ["oldest", "old", "younger"]);
    app.send("bob", "alice", "1", 0).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
}

#[tokio::test]
async fn what_was_imported_ends_as_if_it_had_been_sent_here() {
    let app = TestApp::with(with_retention()).await;
    let at = |seconds_left: u64| place(NOW_S + seconds_left - RETENTION_S, 1, 1);
    import(&app, "bob", "alice", at(0), "over").await;
    assert!(app.dump("Messages").await.is_empty() && app.dump("Conversations").await.is_empty());
    import(&app, "bob", "alice", at(1), "a second").await;
    import(&app, "bob", "alice", at(100), "longer").await;
    assert_eq!(texts(&app.history("alice", "bob").await), ["a second", "longer"]);
    app.advance(Duration::from_secs(1));
    assert_eq!(texts(&app.history("alice", "bob").await), ["longer"]);
    app.advance(Duration::from_secs(99));
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(app.conversation("alice", "bob").await, None);
    app.advance(Duration::from_secs(2 * RETENTION_S));
    app.sweep().await;
    assert!(app.dump("Messages").await.is_empty() && app.dump("Conversations").await.is_empty());
}

#[tokio::test]
async fn numbers_go_on_where_they_were_however_much_was_imported_in_between() {
    let app = TestApp::with(with_retention()).await;
    for number in 0..3 {
        app.send("alice", "bob", &format!("old {number}"), number).await;
    }
    app.advance(Duration::from_secs(RETENTION_S + 60));
    // More than a send looks at, so that it does not see the floor behind them.
    let now = app.clock.now() / 1000;
    for index in 0..30 {
        import(&app, "bob", "alice", place(now - 30 + u64::from(index), index, 1), "imported").await;
    }
    for is_swept in [false, true] {
        if is_swept {
            app.advance(Duration::from_secs(2 * 3600));
            app.sweep().await;
        }
        let expected = if is_swept { 34 } else { 33 };
        assert_eq!(app.send("alice", "bob", &format!("{is_swept}"), 0).await, expected);
    }
    let history = app.history("bob", "alice").await;
    assert_eq!(history.len(), 32);
}

#[tokio::test]
async fn an_import_that_was_killed_anywhere_is_whole_when_it_is_repeated() {
    for settings in [Settings::default(), with_retention()] {
        let app = TestApp::with(settings).await;
        let mut killed = 0;
        for (index, fault) in [Fault::LoseCall, Fault::LoseAnswer].into_iter().enumerate() {
            for nth in 1.. {
                let (a, b) = (format!("a{index}-{nth}"), format!("b{index}-{nth}"));
                let at = place(NOW_S - 1000, 1, 2);
                let mut left = nth;
                let fault = fault.clone();
                app.dynamodb.break_calls(move |_, _| {
                    left -= 1;
                    if left == 0 { fault.clone() } else { Fault::None }
                });
                let done = tokio::select! {
                    () = import(&app, &a, &b, at, "x") => true,
                    () = app.dynamodb.lost() => false,
                };
                app.dynamodb.mend();
                import(&app, &a, &b, at, "x").await;
                for (me, peer) in [(&a, &b), (&b, &a)] {
                    assert_eq!(texts(&app.history(me, peer).await), ["x"]);
                    let listed = app.conversation(me, peer).await.unwrap();
                    assert_eq!(listed["lastMessage"]["payload"]["text"], "x", "{nth}");
                }
                if done {
                    break;
                }
                killed += 1;
            }
        }
        // The look at the lists, a row for each user, and the message, each lost on its way and on its way back.
        assert_eq!(killed, 8);
    }
}

#[tokio::test]
async fn both_users_chat_while_programs_import_and_nothing_is_lost_on_either_side() {
    let app = TestApp::new().await;
    let world = world(&app);
    let importers = (0..4_u32).map(async |importer| {
        for index in 0..25_u32 {
            // Each message by two of them.
            let at = place(NOW_S - 1000 + u64::from(index), importer / 2, index);
            let both = pair("alice", "bob");
            while import_message(&world, &both, at, text(&format!("{}-{index}", importer / 2))).await.is_err()
            {
            }
        }
    });
    let chatting = [("alice", "bob"), ("bob", "alice")].map(async |(from, to): (&str, &str)| {
        let mut base = 0;
        for number in 0..15 {
            base = app.send(from, to, &format!("{from}-{number}"), base).await;
        }
    });
    tokio::join!(join_all(importers), join_all(chatting));
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        let history = app.history(me, peer).await;
        let (old, new) = history.split_at(50);
        let expected: Vec<String> =
            (0..25).flat_map(|index| [format!("0-{index}"), format!("1-{index}")]).collect();
        assert_eq!(texts(old), expected);
        assert_eq!(sequences(new), (1..=30).collect::<Vec<_>>());
        assert_eq!(app.conversation(me, peer).await.unwrap()["unreadCount"], 15);
    }
}

#[tokio::test]
async fn an_import_costs_a_write_and_a_read_and_the_first_of_two_users_four_writes_more() {
    let app = TestApp::new().await;
    let at = |minute: u64| place(NOW_S - 365 * DAY_S + 60 * minute, 1, 1);
    let said = "今天下班以后我们一起去吃那家新开的面馆吧";
    let mut spent = Vec::new();
    for minute in [0, 1, 1, 30 * 24 * 60] {
        app.calls();
        import(&app, "alice", "bob", at(minute), said).await;
        let calls = app.calls();
        spent.push((
            calls.iter().map(|call| call.write_units).sum::<f64>(),
            calls.iter().map(|call| call.read_units).sum::<f64>(),
            round_trips(&calls),
        ));
    }
    // A row for each user, with a place in the index. The same again is refused, which costs as much as to write it. A month
    // later is within an eighth of a year: the place is high enough.
    assert_eq!(spent, [(5.0, 1.0, 3), (1.0, 1.0, 2), (1.0, 1.0, 2), (1.0, 1.0, 2)]);
    // The first message is not counted as a new conversation, and looks for the floor.
    app.calls();
    app.send("alice", "bob", "1", 0).await;
    assert!(app.calls().iter().any(|call| call.operation == "GetItem"));
}

#[tokio::test]
async fn what_fails_says_so() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "PutItem" => Fault::Refuse(400, "ThrottlingException"),
        _ => Fault::None,
    });
    let imported: Result<()> =
        import_message(&world(&app), &pair("alice", "bob"), place(1, 1, 1), text("x")).await;
    assert!(imported.is_err());
}
