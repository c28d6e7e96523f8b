//! The promises of `docs/tables.md`, each proven from what clients saw and what the tables hold.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use hongyan_functions::app::{App, Settings};
use hongyan_local::{clock::Clock, sdk_config};
use hongyan_shared::{
    model::{After, ClientId, Draft, Elem, Head, Options, Pair, Seq, UserId},
    protocol::to_raw,
};
use serde_json::{Value, json};

use crate::harness::{
    START_MS, World, body, event, random_numbers, recorder::Fault, sequences, set_user, socket::Socket,
    text_message,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn with_retention() -> Settings {
    Settings { retention: Some(DAY.as_secs()), ..Settings::default() }
}

/// Sends, and gives up when a call or an answer is lost: the function was killed there.
async fn send_or_die(world: &World, from: &str, data: Value) -> Option<Value> {
    tokio::select! {
        reply = world.invoke("send-message", from, data) => Some(reply),
        () = world.dynamodb.lost() => None,
        () = world.management.lost() => None,
    }
}

/// From now on, the `nth` call is lost, or its answer.
fn lose(world: &World, nth: usize, fault: Fault) {
    let mut count = 0;
    world.dynamodb.break_calls(move |_, _| {
        count += 1;
        if count == nth { fault.clone() } else { Fault::None }
    });
}

fn pair(a: &str, b: &str) -> Pair {
    Pair::of(&UserId::parse("a", a).unwrap(), &UserId::parse("b", b).unwrap()).unwrap()
}

/// What is stored of a conversation: (sequence, sender, client ID), in order.
async fn stored(world: &World, key: &str) -> Vec<(u64, String, String)> {
    let rows = world.dump("Messages").await;
    let of_it =
        rows.iter().filter(|row| row["p"]["S"] == key && row["s"]["S"].as_str().unwrap().starts_with('M'));
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap().to_owned();
    let mut stored: Vec<_> =
        of_it.map(|row| (text(row, "s")[1..].parse().unwrap(), text(row, "f"), text(row, "c"))).collect();
    stored.sort();
    stored
}

async fn assert_exactly_once(world: &World, key: &str, expected: &[(&str, &str)]) {
    let stored = stored(world, key).await;
    let numbers: Vec<u64> = stored.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=expected.len() as u64).collect::<Vec<_>>(), "no hole in {stored:?}");
    for (from, client_id) in expected {
        let times = stored.iter().filter(|(_, f, c)| f == from && c == client_id).count();
        assert_eq!(times, 1, "{from} {client_id} in {stored:?}");
    }
}

#[tokio::test]
async fn p1_an_acknowledged_send_is_in_the_history_exactly_once_wherever_the_function_was_killed() {
    for settings in [Settings::default(), with_retention()] {
        let world = World::with(settings).await;
        let mut killed = 0;
        for (index, fault) in [Fault::LoseCall, Fault::LoseAnswer].into_iter().enumerate() {
            for nth in 1.. {
                let (a, b) = (format!("a{index}-{nth}"), format!("b{index}-{nth}"));
                let key = pair(&a, &b).key();

                // The first message of a conversation, then one in the middle.
                lose(&world, nth, fault.clone());
                let first = send_or_die(&world, &a, text_message(&b, "first", 0)).await;
                world.dynamodb.mend();
                assert_eq!(world.send(&a, &b, "first", 0).await, 1);
                lose(&world, nth, fault.clone());
                let second = send_or_die(&world, &b, text_message(&a, "second", 1)).await;
                world.dynamodb.mend();
                assert_eq!(world.send(&b, &a, "second", 1).await, 2);
                assert_eq!(world.send(&a, &b, "third", 2).await, 3);

                assert_exactly_once(&world, &key, &[(&a, "first"), (&b, "second"), (&a, "third")]).await;
                if first.is_some() && second.is_some() {
                    break;
                }
                killed += usize::from(first.is_none()) + usize::from(second.is_none());
            }
        }
        // Six calls of a first message and four of a later one, each lost on its way and on its way back.
        assert!(killed >= 20, "{killed}");
    }
}

#[tokio::test]
async fn p1_a_function_that_was_killed_while_it_pushed_has_sent_already() {
    let world = World::new().await;
    let _bob = world.connect("bob").await;
    world.management.break_calls(|_, _| Fault::LoseCall);
    assert_eq!(send_or_die(&world, "alice", text_message("bob", "1", 0)).await, None);
    world.management.mend();
    assert_eq!(world.send("alice", "bob", "1", 0).await, 1);
    assert_exactly_once(&world, "alice·bob", &[("alice", "1")]).await;
}

#[tokio::test]
async fn p2_a_message_keeps_its_number_however_often_at_once() {
    let world = World::new().await;
    let mut expected: Vec<(&str, String)> = Vec::new();
    for round in 0..12 {
        // The first copies of a message, all at the same time, among others.
        let base = expected.len() as u64;
        let name = format!("same-{round}");
        let mine: Vec<_> = (0..2 + round % 4).map(|_| world.send("alice", "bob", &name, base)).collect();
        let names: Vec<String> = (0..3).map(|other| format!("other-{round}-{other}")).collect();
        let others: Vec<_> = names.iter().map(|name| world.send("bob", "alice", name, base)).collect();
        let (mine, _) = tokio::join!(join_all(mine), join_all(others));
        assert!(mine.windows(2).all(|two| two[0] == two[1]), "{mine:?}");
        expected.push(("alice", name));
        expected.extend(names.into_iter().map(|name| ("bob", name)));
    }
    let expected: Vec<(&str, &str)> = expected.iter().map(|(from, name)| (*from, name.as_str())).collect();
    assert_exactly_once(&world, "alice·bob", &expected).await;
}

#[tokio::test]
async fn p2_a_message_keeps_its_number_however_late() {
    let world = World::new().await;
    assert_eq!(world.send("alice", "bob", "early", 0).await, 1);
    world.later(Duration::from_secs(600));
    assert_eq!(world.send("alice", "bob", "early", 0).await, 1);

    many(&world, 1, 1_000).await;
    world.later(365 * DAY);
    assert_eq!(world.send("alice", "bob", "early", 0).await, 1);

    // Its original is mostly near its base. Where it is not, a hundred messages are looked through.
    assert_eq!(world.send("alice", "bob", "late", 901).await, 1_002);
    many(&world, 1_002, 20).await;
    assert_eq!(world.send("alice", "bob", "late", 901).await, 1_002);
    // Beyond that it cannot be told, and nothing is written on a guess.
    let reply = world.invoke("send-message", "alice", text_message("bob", "late", 0)).await;
    assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(1_022)));
    assert_eq!(stored(&world, "alice·bob").await.len(), 1_022);

    // So the client looks behind its base, as the error says, and finds what it had sent.
    let (mut from, mut found) = (1, None);
    while found.is_none() {
        let range = json!({ "conversationID": "C2Cbob", "fromSequence": from });
        let range = world.ask("get-message-list", "alice", range).await;
        let list = range["messageList"].as_array().unwrap();
        assert!(list.len() >= 100 || range["isCompleted"] == true, "{}", list.len());
        found = list.iter().find(|message| message["clientID"] == "late").cloned();
        from = range["nextSequence"].as_u64().unwrap();
    }
    assert_eq!(found.unwrap()["sequence"], 1_002);
}

/// Many messages from bob, written as the function would write them, without its queries.
async fn many(world: &World, after: u64, count: u64) {
    let pair = pair("bob", "alice");
    let mut last =
        world.app.messages.range(&pair, Seq(after), Seq(after), 1, 0).await.unwrap().messages.remove(0);
    for number in 0..count {
        let draft = Draft {
            client_id: ClientId::parse(&format!("bob-{}", after + number)).unwrap(),
            from: pair.mine(),
            elem: Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "x" })), None).unwrap(),
            options: Options::default(),
        };
        last = Head::default().place(&draft, After::Message(&last), world.app.now(), None);
        world.app.messages.append(&pair, &last).await.unwrap();
    }
}

#[tokio::test]
async fn p2_what_has_expired_is_forgotten_with_its_name_and_sent_anew_under_one_new_number() {
    for (others_live, is_swept) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = World::with(with_retention()).await;
        assert_eq!(world.send("alice", "bob", "early", 0).await, 1);
        world.later(DAY / 2);
        for base in 1..=10 {
            if others_live {
                world.send("bob", "alice", &base.to_string(), base).await;
            }
        }
        world.later(DAY / 2 - Duration::from_secs(1));
        assert_eq!(world.send("alice", "bob", "early", 0).await, 1, "as long as it lives");
        world.later(Duration::from_secs(1));
        if is_swept {
            world.later(2 * Duration::from_secs(3_600));
            world.sweep().await;
        }
        assert_eq!(stored(&world, "alice·bob").await.iter().any(|(number, ..)| *number == 1), !is_swept);

        let retries = join_all((0..3).map(|_| world.send("alice", "bob", "early", 0))).await;
        let anew = if others_live { 12 } else { 33 };
        assert_eq!(retries, [anew; 3], "others live: {others_live}, swept: {is_swept}");
        let history = world.history("bob", "alice").await;
        let early = history.iter().filter(|message| message["clientID"] == "early");
        assert_eq!(early.map(|message| message["sequence"].clone()).collect::<Vec<_>>(), [anew]);
    }
}

#[tokio::test]
async fn p3_numbers_have_no_hole_with_any_number_of_writers() {
    for writers in [2_usize, 4, 8] {
        let world = World::new().await;
        let conversations = (0..writers).map(|writer| {
            let world = &world;
            async move {
                let (from, to) = if writer % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
                let mut base = 0;
                for number in 0..6 {
                    base = world.send(from, to, &format!("{writer}-{number}"), base).await;
                }
            }
        });
        join_all(conversations).await;
        let numbers: Vec<u64> =
            stored(&world, "alice·bob").await.iter().map(|(number, ..)| *number).collect();
        assert_eq!(numbers, (1..=writers as u64 * 6).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn p3_no_number_is_used_again_after_every_message_has_expired() {
    for (sent, swept) in [(1, true), (5, true), (32, true), (33, true), (70, true), (5, false), (40, false)] {
        let world = World::with(Settings { frames_per_second: None, ..with_retention() }).await;
        for base in 0..sent {
            assert_eq!(world.send("alice", "bob", &base.to_string(), base).await, base + 1);
        }
        world.later(2 * DAY);
        if swept {
            world.sweep().await;
            assert!(stored(&world, "alice·bob").await.is_empty());
        }
        assert!(world.history("alice", "bob").await.is_empty());
        assert!(world.conversation("bob", "alice").await.is_none());

        let next = world.send("bob", "alice", "after", 0).await;
        assert!(next > sent, "{next} after {sent}");
        assert_eq!(world.send("bob", "alice", "after", 0).await, next);
        assert_eq!(world.send("alice", "bob", "after", next).await, next + 1);
        assert_eq!(world.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);

        // And again, so that the floor itself stands on something.
        world.later(2 * DAY);
        world.sweep().await;
        assert!(world.send("bob", "alice", "again", 0).await > next + 1);
    }
}

#[tokio::test]
async fn p3_who_opens_a_conversation_and_is_cut_off_uses_up_no_number() {
    let world = World::with(with_retention()).await;
    world.dynamodb.break_calls(|operation, request| {
        let is_the_message = operation == "PutItem" && request["TableName"] == "Messages";
        if is_the_message { Fault::LoseCall } else { Fault::None }
    });
    assert_eq!(send_or_die(&world, "alice", text_message("bob", "1", 0)).await, None);
    world.dynamodb.mend();
    assert_eq!(world.dump("Conversations").await.len(), 2);
    assert_eq!(world.conversation("alice", "bob").await, None, "an opened conversation is not shown");
    assert_eq!(world.send("alice", "bob", "1", 0).await, 1);

    world.later(2 * DAY);
    world.sweep().await;
    assert!(world.send("alice", "bob", "2", 0).await > 1);
}

#[tokio::test]
async fn p4_time_never_decreases_though_clocks_are_five_minutes_apart() {
    let world = World::new().await;
    let slow = App::new(
        aws_sdk_dynamodb::Client::new(&sdk_config(&world.dynamodb.url)),
        aws_sdk_apigatewaymanagement::Client::new(&sdk_config(&world.management.url)),
        world.twin.tables.clone(),
        Clock::manual(START_MS - 300_000).reader(),
        Settings::default(),
    );
    for base in 0..6_u64 {
        let mut event = event("send-message");
        set_user(&mut event, "alice");
        let data = text_message("bob", &base.to_string(), base);
        event["body"] = json!(json!({ "action": "sendMessage", "data": data }).to_string());
        let app = if base % 2 == 0 { &world.app } else { &slow };
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let handler = crate::harness::handler("send-message");
        assert_eq!(body(hongyan_functions::runtime::respond(app, request, handler).await)["code"], 0);
        world.later(Duration::from_secs(1));
    }
    let times: Vec<u64> =
        world.history("alice", "bob").await.iter().map(|message| message["time"].as_u64().unwrap()).collect();
    assert!(times.windows(2).all(|two| two[0] <= two[1]), "{times:?}");
}

#[tokio::test]
async fn p5_all_devices_converge_though_pushes_are_lost_doubled_and_late() {
    let world = World::new().await;
    let mut devices = Vec::new();
    for (user, platform) in [("alice", "iOS"), ("alice", "Web"), ("bob", "iOS"), ("bob", "Web")] {
        devices.push((user, Socket::connect(&world.url(user, platform, None)).await.unwrap()));
    }
    // A third of the pushes is refused. Of another third the function does not learn that they have
    // arrived, which makes the SDK send them again.
    let mut count = 0;
    world.management.break_calls(move |_, _| {
        count += 1;
        [Fault::None, Fault::Refuse(403, "ForbiddenException"), Fault::ResetAfter][count % 3].clone()
    });
    let sends = (0..12_u64).map(|n| {
        let (from, to) = if n % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let world = &world;
        async move { world.send(from, to, &n.to_string(), 0).await }
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

#[tokio::test]
async fn p6_a_read_position_only_moves_forward_and_never_passes_the_last_message() {
    let world = World::new().await;
    for base in 0..10 {
        world.send("bob", "alice", &base.to_string(), base).await;
    }
    let read = |sequence: u64| {
        world.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": sequence }))
    };
    let position =
        async || world.conversation("alice", "bob").await.unwrap()["readSequence"].as_u64().unwrap();

    // Two devices at once, in every order.
    for reply in join_all([3, 7, 5, 6, 2].map(read)).await {
        assert!(reply["data"]["readSequence"].as_u64().unwrap() >= 2, "{reply}");
    }
    assert_eq!(position().await, 7);
    assert_eq!(read(5).await["data"]["readSequence"], 7, "who comes late is told how far it is");
    read(4).await;
    assert_eq!(position().await, 7);
    assert_eq!(read(u64::MAX).await["data"]["readSequence"], 10);
    assert_eq!(position().await, 10);
}

/// What the client IDs of messages begin with that are excluded from the unread count.
const UNCOUNTED: &str = "uncounted-";

async fn send_uncounted(world: &World, from: &str, to: &str, name: u64, base: u64) -> u64 {
    let mut data = text_message(to, &format!("{UNCOUNTED}{name}"), base);
    data["messageControlInfo"] = json!({ "excludedFromUnreadCount": true });
    world.ask("send-message", from, data).await["message"]["sequence"].as_u64().unwrap()
}

#[tokio::test]
async fn p7_unread_is_what_a_brute_force_count_says_at_any_time() {
    let world = World::without_limits().await;
    let mut random = random_numbers();
    let users = [("alice", "bob"), ("bob", "alice")];
    let (mut base, mut cleared, mut unlisted, mut uncounted) = (0, 0, 0, 0);
    for step in 0..80 {
        let (me, peer) = users[random(2) as usize];
        let choice = random(8);
        if choice == 7 {
            base = send_uncounted(&world, me, peer, step, base).await;
            uncounted += 1;
        } else if choice > 2 {
            base = world.send(me, peer, &step.to_string(), base).await;
        } else if choice == 0 && step % 3 == 0 {
            let keeps_history = cleared > unlisted;
            let data =
                json!({ "conversationID": format!("C2C{peer}"), "clearHistoryMessage": !keeps_history });
            world.ask("delete-conversation", me, data).await;
            if keeps_history { unlisted += 1 } else { cleared += 1 }
        } else {
            let sequence = random(base + 3);
            world
                .invoke(
                    "set-message-read",
                    me,
                    json!({ "conversationID": format!("C2C{peer}"), "sequence": sequence }),
                )
                .await;
        }
        if base == 0 {
            continue;
        }
        let stored = stored(&world, "alice·bob").await;
        for (me, peer) in users {
            let shown = world.conversation(me, peer).await.unwrap();
            let read = shown["readSequence"].as_u64().unwrap();
            let unlisted = shown["unlistedSequence"].as_u64().unwrap_or_default();
            let done = read.max(shown["clearedSequence"].as_u64().unwrap()).max(unlisted);
            let counts = |(number, from, client_id): &&(u64, String, String)| {
                from == peer && *number > done && !client_id.starts_with(UNCOUNTED)
            };
            let brute_force = stored.iter().filter(counts).count();
            assert_eq!(shown["unreadCount"], brute_force, "step {step}, {me}");
        }
    }
    assert!(cleared > 0 && unlisted > 0 && uncounted > 5, "{cleared} {unlisted} {uncounted}");
}

#[tokio::test]
async fn p7_what_expired_unread_is_not_unread() {
    let world = World::with(with_retention()).await;
    for base in 0..6 {
        world.send("bob", "alice", &base.to_string(), base).await;
        world.later(DAY / 4);
    }
    // Sent at 0, 6, 12, 18, 24 and 30 hours; now it is 36 hours, and the first three are gone.
    for sweep in [false, true] {
        if sweep {
            world.sweep().await;
        }
        let shown = world.conversation("alice", "bob").await.unwrap();
        assert_eq!(sequences(&world.history("alice", "bob").await), [4, 5, 6]);
        assert_eq!(shown["unreadCount"], 3);
        let reply = world
            .invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 2 }))
            .await;
        assert_eq!((&reply["data"]["readSequence"], &reply["data"]["unreadCount"]), (&json!(0), &json!(3)));
    }
    // What has been read stays so when the rest expires.
    world.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 4 })).await;
    world.later(DAY / 2);
    assert_eq!(world.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
    assert_eq!(sequences(&world.history("alice", "bob").await), [6]);
}

#[tokio::test]
async fn p7_what_is_excluded_is_not_unread_though_it_is_the_oldest_that_lives() {
    let world = World::with(with_retention()).await;
    world.send("bob", "alice", "1", 0).await;
    world.send("bob", "alice", "2", 1).await;
    world.later(DAY / 4);
    send_uncounted(&world, "bob", "alice", 3, 2).await;
    world.later(DAY / 4);
    world.send("bob", "alice", "4", 3).await;
    for (later, living) in [(DAY / 2, vec![3, 4]), (DAY / 4, vec![4])] {
        world.later(later);
        assert_eq!(sequences(&world.history("alice", "bob").await), living);
        assert_eq!(world.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
    }
}

#[tokio::test]
async fn p8_a_range_passes_over_what_has_expired_and_was_not_swept() {
    let world = World::with(Settings { frames_per_second: None, ..with_retention() }).await;
    for base in 0..120 {
        if base == 110 {
            world.later(DAY / 2);
        }
        world.send("bob", "alice", &base.to_string(), base).await;
    }
    world.later(DAY / 2);
    let range = async |data: Value| {
        let mut request = json!({ "conversationID": "C2Cbob" });
        request.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let reply = world.invoke("get-message-list", "alice", request).await;
        assert_eq!(reply["code"], 0, "{reply}");
        let data = &reply["data"];
        (
            sequences(data["messageList"].as_array().unwrap()),
            data["nextSequence"].clone(),
            data["isCompleted"].clone(),
        )
    };
    assert_eq!(range(json!({ "fromSequence": 1, "count": 1 })).await, (vec![111], json!(112), json!(false)));
    assert_eq!(range(json!({ "fromSequence": 1 })).await, ((111..=120).collect(), json!(0), json!(true)));
    assert_eq!(range(json!({ "fromSequence": 1, "toSequence": 100 })).await, (vec![], json!(0), json!(true)));
    assert_eq!(
        range(json!({ "fromSequence": 1, "toSequence": 2, "count": 2 })).await,
        (vec![], json!(0), json!(true))
    );
}

#[tokio::test]
async fn p8_when_every_push_is_lost_a_pull_loses_nothing() {
    let world = World::new().await;
    let _bob = world.connect("bob").await;
    world.management.break_calls(|_, _| Fault::Refuse(403, "ForbiddenException"));
    for base in 0..20 {
        world.send("alice", "bob", &base.to_string(), base).await;
    }
    assert_eq!(sequences(&world.history("bob", "alice").await), (1..=20).collect::<Vec<_>>());
    assert_eq!(world.conversation("bob", "alice").await.unwrap()["unreadCount"], 20);
}

#[tokio::test]
async fn p9_nobody_reaches_a_conversation_that_he_is_not_part_of_by_any_field() {
    let world = World::new().await;
    let mut secret = text_message("bob", "1", 0);
    secret["payload"]["text"] = json!("for bob alone");
    world.invoke("send-message", "alice", secret).await;
    let before: Vec<Value> = world.dump("Messages").await;
    let lists = world.dump("Conversations").await;

    let names = ["alice", "bob", "C2Calice", "C2Cbob", "alice·bob", "C2Calice·bob", "C2Cmallory", "mallory"];
    let fields = [
        "userID",
        "from",
        "fromAccount",
        "From_Account",
        "p",
        "u",
        "conversationID",
        "to",
        "nextReqMessageID",
        "nextReqConversationID",
        "connectionId",
        "clientID",
        "userIDList",
    ];
    for function in [
        "send-message",
        "get-message-list",
        "set-message-read",
        "get-conversation-list",
        "revoke-message",
        "delete-message",
        "delete-conversation",
        "pin-conversation",
        "update-my-profile",
        "get-user-profile",
        "get-user-status",
        "subscribe-user-status",
        "unsubscribe-user-status",
        "add-to-blacklist",
        "remove-from-blacklist",
        "get-blacklist",
        "login",
        "default",
    ] {
        for field in fields {
            for name in names {
                let mut data = text_message("mallory", "1", 0);
                data["conversationID"] = json!("C2Calice");
                data["sequence"] = json!(1);
                data["sequences"] = json!([1]);
                data["isPinned"] = json!(true);
                data["userIDList"] = json!(["carol"]);
                data[field] = if field == "userIDList" { json!([name]) } else { json!(name) };
                let reply = world.invoke(function, "mallory", data).await;
                assert!(!reply.to_string().contains("for bob alone"), "{function} with {field}={name}");
            }
        }
    }
    let of_alice_and_bob = |rows: Vec<Value>| {
        let mut rows: Vec<String> =
            rows.into_iter().filter(|row| row["p"]["S"] == "alice·bob").map(|row| row.to_string()).collect();
        rows.sort();
        rows
    };
    assert_eq!(of_alice_and_bob(world.dump("Messages").await), of_alice_and_bob(before));
    for row in world.dump("Users").await {
        assert_eq!(row["u"]["S"], "mallory");
    }
    for row in world.dump("Conversations").await {
        assert!(lists.contains(&row) || row["u"]["S"] == "mallory" || row["v"]["S"] == "mallory", "{row}");
    }
}

#[tokio::test]
async fn p10_a_dead_connection_is_forgotten_and_a_new_one_is_not() {
    let world = World::new().await;
    let mut gone = event("connect");
    set_user(&mut gone, "bob");
    gone["requestContext"]["connectedAt"] = json!(START_MS);
    world.respond("connect", &gone).await;

    // While its handshake may still be under way, 410 does not mean that it is dead.
    world.send("alice", "bob", "1", 0).await;
    assert_eq!(world.slots().await.len(), 1);

    world.later(Duration::from_secs(31));
    world.send("alice", "bob", "2", 1).await;
    assert!(world.slots().await.is_empty());
    world.calls();
    world.send("alice", "bob", "3", 2).await;
    assert!(world.calls().iter().all(|call| call.operation != "POST"), "its row is not used again");

    // A row that was never taken away is dead when API Gateway would have cut it.
    world.respond("connect", &gone).await;
    world.later(Duration::from_secs(2 * 3600 + 300));
    world.calls();
    world.send("alice", "bob", "4", 3).await;
    assert!(world.calls().iter().all(|call| call.operation != "POST"));
}
