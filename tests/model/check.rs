//! Whether the product is what the model says.

use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::{
    action::User,
    product::Product,
    reference::{Call, Connection, Event, Model},
};

type Checked = Result<(), TestCaseError>;

/// How many messages a page has.
const PAGE: usize = 5;

/// How many pages or parts there may be.
const PAGES: usize = 100;

/// Does to the product what was done to the model, and compares what comes of it: the answer, every frame that
/// comes in on any connection, and what both users of the conversation see then.
pub async fn step(product: &Product, model: &Model) -> Checked {
    let happened = &model.happened;
    let (answers, mut pushes) = product.apply(&happened.event).await;
    let mut concerned = User::ALL.to_vec();
    if let Event::Calls(calls) = &happened.event {
        for (call, answer) in calls.iter().zip(&answers) {
            same(
                &format!("the answer to {} {}", call.event, call.data),
                &answer.shown(),
                &call.answer.shown(),
            )?;
        }
        concerned = concerned_by(calls);
    }
    if let Event::Imports(from, to, ..) = &happened.event {
        concerned = vec![*from, *to];
    }
    let mut expected = happened.pushes.clone();
    for frames in [&mut pushes, &mut expected] {
        frames.sort_by_cached_key(|(id, frame)| (id.clone(), frame.to_string()));
    }
    same("what is pushed", &json!(pushes), &json!(expected))?;
    let open = model.connections.iter().filter(|connection| connection.is_open);
    let mut open: Vec<_> = open.map(|connection| connection.id.clone()).collect();
    open.sort();
    same("who is connected", &json!(product.connected()), &json!(open))?;

    for me in &concerned {
        list(product, model, *me).await?;
        changes(product, model, *me).await?;
    }
    if let [me, peer] = concerned[..] {
        pages(product, model, me, peer).await?;
        range(product, model, peer, me).await?;
    }
    Ok(())
}

/// Everything that every user sees.
pub async fn everything(product: &Product, model: &Model) -> Checked {
    for me in User::ALL {
        list(product, model, me).await?;
        for peer in User::ALL.into_iter().filter(|peer| *peer != me) {
            pages(product, model, me, peer).await?;
            range(product, model, me, peer).await?;
        }
        let blacklist = product.ask("get-blacklist", me.name(), json!({})).await;
        same(&format!("the blacklist of {me:?}"), &blacklist, &json!({ "blacklist": model.blacklist(me) }))?;
        let status = product.ask("get-user-status", me.name(), json!({ "userIDList": [me.name()] })).await;
        let is_online = if model.is_online(me, model.now) { 1 } else { 2 };
        same(
            &format!("the status of {me:?}"),
            &status["successUserList"][0]["statusType"],
            &json!(is_online),
        )?;
    }
    Ok(())
}

/// The users of the conversation that these frames are about, or the one who has sent them.
fn concerned_by(calls: &[Call]) -> Vec<User> {
    let Some(call) = calls.last() else { return Vec::new() };
    let me = call.by.device.user;
    let is_about =
        |user: &User| call.data["to"] == user.name() || call.data["conversationID"] == user.conversation_id();
    [me].into_iter().chain(User::ALL.into_iter().filter(is_about)).collect()
}

async fn list(product: &Product, model: &Model, me: User) -> Checked {
    let reply = product.ask("get-conversation-list", me.name(), json!({})).await;
    let mut shown = reply["conversationList"].as_array().unwrap().clone();
    let mut expected = model.list(me);
    // It may have left the list or not.
    expected.retain(|(conversation, ..)| {
        !is_deleted(conversation)
            || shown.iter().any(|other| other["conversationID"] == conversation["conversationID"])
    });
    // Newest first. Two of the same second may come in any order.
    let time_of = |conversation: &Value| {
        let found =
            expected.iter().find(|(other, ..)| other["conversationID"] == conversation["conversationID"]);
        found.map_or(0, |(_, time, _)| *time)
    };
    let is_sorted = shown.is_sorted_by_key(|conversation| std::cmp::Reverse(time_of(conversation)));

    shown.sort_by_key(|conversation| conversation["conversationID"].to_string());
    let mut conversations = Vec::new();
    for (conversation, _, is_certain) in &expected {
        let mut conversation = conversation.clone();
        if !is_certain {
            let same =
                shown.iter_mut().find(|other| other["conversationID"] == conversation["conversationID"]);
            same.map(|other| other.as_object_mut().unwrap().remove("lastMessage"));
            conversation.as_object_mut().unwrap().remove("lastMessage");
        }
        conversations.push(conversation);
    }
    same(&format!("the list of {me:?}"), &json!(shown), &json!(conversations))?;
    same(&format!("whether the list of {me:?} is sorted"), &json!(is_sorted), &json!(true))?;
    same("whether that is all", &reply["isCompleted"], &json!(true))
}

/// Of a conversation's changes that a device asks for.
const FIELDS: [&str; 4] = ["lastSequence", "unreadCount", "clearedSequence", "isPinned"];

/// Whether a device that asks for nothing but changes has the same list: it names what it shows as unread, and what the
/// other user has not read.
async fn changes(product: &Product, model: &Model, me: User) -> Checked {
    let is_there = |connection: &&Connection| connection.is_open && connection.counts(model.now);
    let mut of_me = model.connections.iter().filter(|connection| connection.device.user == me);
    let Some(connection) = of_me.find(is_there) else { return Ok(()) };
    let peers = || User::ALL.into_iter().filter(|peer| *peer != me);
    let known = product.list(me).conversations;
    let is_named = |peer: &User| {
        let Some(shown) = known.get(&peer.conversation_id()) else { return false };
        let chat = model.seen(me, *peer);
        let mine = chat.live(model.now).rfind(|message| message.draft.from == me);
        let is_read = mine.is_none_or(|mine| shown["peerReadSequence"].as_u64() >= Some(mine.sequence));
        shown["unreadCount"] != 0 || !is_read
    };
    let named = peers().filter(is_named).map(|peer| peer.conversation_id()).collect();
    let list = product.log_in(connection, named).await.conversations;
    for (expected, ..) in model.list(me).into_iter().filter(|(expected, ..)| !is_deleted(expected)) {
        let id = expected["conversationID"].as_str().unwrap();
        // Of what was imported no device is told.
        if expected["lastSequence"] == 0 {
            continue;
        }
        let Some(shown) = list.get(id) else {
            return same(&format!("what {me:?} has of changes"), &Value::Null, &expected);
        };
        for field in FIELDS {
            same(&format!("the {field} that {me:?} has of {id}"), &shown[field], &expected[field])?;
        }
        // A position that has expired says nothing, and nobody asks for that.
        if model.retention.is_none() {
            let what = format!("how far {id} has read as {me:?} has it");
            same(&what, &shown["peerReadSequence"], &expected["peerReadSequence"])?;
        }
    }
    Ok(())
}

/// Some time after a user has deleted it, a conversation leaves the list.
fn is_deleted(conversation: &Value) -> bool {
    if conversation["lastSequence"] == 0 {
        return conversation["lastMessage"].is_null();
    }
    let unlisted = conversation["unlistedSequence"].as_u64().max(conversation["clearedSequence"].as_u64());
    unlisted >= conversation["lastSequence"].as_u64()
}

async fn pages(product: &Product, model: &Model, me: User, peer: User) -> Checked {
    let id = peer.conversation_id();
    let (mut pages, mut next) = (Vec::new(), json!(""));
    for _ in 0..PAGES {
        let data = json!({ "conversationID": id, "nextReqMessageID": next, "count": PAGE });
        let page = product.ask("get-message-list", me.name(), data).await;
        let messages = page["messageList"].as_array().unwrap().clone();
        same("whether a page is as long as was asked for", &json!(messages.len() <= PAGE), &json!(true))?;
        pages.splice(0..0, messages);
        if page["isCompleted"] == true {
            break;
        }
        next = page["nextReqMessageID"].clone();
    }
    same(&format!("the pages of {me:?} with {peer:?}"), &json!(pages), &json!(model.history(me, peer)))
}

async fn range(product: &Product, model: &Model, me: User, peer: User) -> Checked {
    let (mut range, mut from) = (Vec::new(), json!(1));
    for _ in 0..PAGES {
        let data = json!({ "conversationID": peer.conversation_id(), "fromSequence": from });
        let part = product.ask("get-message-list", me.name(), data).await;
        range.extend(part["messageList"].as_array().unwrap().clone());
        if part["isCompleted"] == true {
            break;
        }
        from = part["nextSequence"].clone();
    }
    same(&format!("the range of {me:?} with {peer:?}"), &json!(range), &json!(model.range(me, peer, 1)))
}

fn same(what: &str, product: &Value, model: &Value) -> Checked {
    if product == model {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}:\n  product: {product}\n  model:   {model}")))
}
