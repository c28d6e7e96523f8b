//! The worst frames in a group: it is full, everybody has 16 devices that are gone, the longest names and texts, messages of the largest
//! size, and tips that somebody has promised and not kept.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use hongyan_shared::model::{GroupId, InfoChange, InviteOption, JoinOption, Tip, TipKind, UserId};
use serde_json::{Value, json};

use super::worst_frames::{Units, assert_documented, many_devices, me, put_connections, user};
use crate::harness::{START_MS, TestApp, fault_proxy::Call, template::template_routes};

pub const GROUP: &str = "@TGS#0123456789AB";
const MEMBERS: usize = 200;
const MESSAGES: u64 = 40;

/// What a frame has taken but for looking up who is connected: that is half a unit per member.
pub fn units(calls: &[Call]) -> Units {
    let others = calls.iter().filter(|call| call.operation != "BatchGetItem");
    (others.map(|call| call.read_units).sum(), calls.iter().map(|call| call.write_units).sum())
}

pub async fn put_group(app: &TestApp, promises: u64) {
    let mut row = json!({
        "p": { "S": GROUP }, "s": { "S": "P" }, "ty": { "S": "Public" }, "n": { "S": "n".repeat(30) },
        "av": { "S": format!("https://{}", "a".repeat(92)) }, "it": { "S": "i".repeat(240) }, "nt": { "S": "n".repeat(300) },
        "jo": { "S": "NeedPermission" }, "io": { "S": "FreeAccess" }, "mx": { "N": "200" }, "ow": { "S": me() },
        "cr": { "S": me() }, "ct": { "N": "1" }, "ic": { "N": "1" }, "iv": { "N": "1" },
        "mn": { "N": (MEMBERS - 10).to_string() }, "v": { "N": "1" }, "ob": { "M": {} },
        "b": { "N": "1" }, "bf": { "S": me() },
    });
    let moved: Vec<Value> = (0..6).map(|number| json!({ "S": user(number) })).collect();
    row["lc"] =
        json!({ "M": { "h": { "N": "1" }, "f": { "S": me() }, "u": { "L": moved }, "t": { "N": "1" } } });
    for number in 0..promises {
        row["ob"]["M"][format!("{number:0>64}")] = json!({ "M": {
            "f": { "S": me() }, "b": { "N": MESSAGES.to_string() }, "t": { "N": "1" }, "d": { "S": longest_tip() },
        }});
    }
    app.put("Messages", row).await;
    for seq in 1..=MESSAGES {
        let text = "x".repeat(12 * 1024 - r#"{"text":""}"#.len());
        let message = json!({
            "p": { "S": GROUP }, "s": { "S": format!("M{seq:012}") }, "f": { "S": me() }, "c": { "S": format!("{seq:0>64}") },
            "t": { "N": (START_MS - 1_000).to_string() }, "y": { "S": "TIMTextElem" },
            "d": { "S": json!({ "text": text }).to_string() }, "a": { "N": seq.to_string() }, "z": { "N": "0" },
        });
        app.put("Messages", message).await;
    }
    let members = (0..MEMBERS - 10).map(|number| if number == 0 { me() } else { user(number) });
    join_all(members.map(async |user| {
        let role = if user == me() { "2" } else { "0" };
        let card = "c".repeat(50);
        app.put("Groups", json!({ "g": { "S": GROUP }, "s": { "S": format!("U#{user}") }, "r": { "N": role }, "t": { "N": "1" }, "c": { "S": card } })).await;
        let own: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
        let named: Vec<String> = (1..=16).map(|number| format!("{number}.{user}")).collect();
        app.put("Conversations", json!({
            "u": { "S": user }, "v": { "S": format!("·{GROUP}") }, "t": { "N": "1" }, "ro": { "N": role }, "ca": { "S": card },
            "rn": { "N": "0" }, "o": { "NS": own }, "m": { "SS": named },
        })).await;
        put_connections(app, &user).await;
    }))
    .await;
    app.put(
        "Conversations",
        json!({ "u": { "S": me() }, "v": { "S": "·" }, "s": { "N": "90000000000000" } }),
    )
    .await;
    app.put("Groups", json!({ "g": { "S": GROUP }, "s": { "S": format!("J#{}", user(999)) }, "a": { "S": "a".repeat(300) }, "k": { "S": "k" }, "t": { "N": "1" }, "x": { "N": "9999999999" } })).await;
}

/// The longest tip that there is, as the product makes it: of a group that says everything anew, in texts that JSON has to escape.
fn longest_tip() -> String {
    let user = UserId::parse("user", &me()).unwrap();
    let group = GroupId::parse(&"g".repeat(48)).unwrap();
    let text = |bytes: usize| Some("\"".repeat(bytes));
    let name = "\"".repeat(30);
    let change = InfoChange {
        name: Some(name.clone()),
        avatar: Some(format!("https://{}", "a".repeat(92))),
        introduction: text(240),
        notification: text(300),
        join: Some(JoinOption::NeedPermission),
        invite: Some(InviteOption::DisableInvite),
        limit: Some(200),
        mutes_all: Some(false),
    };
    let tip = Tip { change: Some(&change), ..Tip::new(TipKind::Described, &user, &group, &name) };
    tip.payload()
}

/// What it costs in a group with so many promises, whatever it is answered, unless that is to be this.
async fn frame(route: &str, promises: u64, data: Value) -> Units {
    let mut app = many_devices().await;
    // Three thousand devices that are gone are told for as long as in an account.
    app.be_impatient();
    put_group(&app, promises).await;
    app.calls();
    app.invoke(route, &me(), data).await;
    units(&app.calls())
}

/// The worst that there is of a route of groups, or of another one whose conversation is a group.
async fn worst(route: &str) -> Vec<Units> {
    let named = |more: Value| {
        let mut data = json!({ "groupID": GROUP, "clientID": "n".repeat(64), "base": MESSAGES });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let of = |more: Value| {
        let mut data = json!({ "conversationID": format!("GROUP{GROUP}") });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let newcomers: Vec<String> = (900..906).map(user).collect();
    let first: Vec<Value> = newcomers.iter().map(|user| json!({ "userID": user })).collect();
    let members: Vec<String> = (1..7).map(user).collect();
    let fifteen: Vec<String> = (1..16).map(user).collect();
    let text = "x".repeat(11 * 1024);
    let (name, data) = match route {
        "createGroup" => {
            ("create-group", json!({ "groupID": "new", "type": "Public", "name": "g", "memberList": first }))
        }
        "joinGroup" => ("join-group", named(json!({ "applyMessage": "a".repeat(300) }))),
        "quitGroup" => ("quit-group", named(json!({}))),
        "dismissGroup" => ("dismiss-group", json!({ "groupID": GROUP })),
        "addGroupMember" => ("add-group-member", named(json!({ "userIDList": newcomers }))),
        "deleteGroupMember" => {
            ("delete-group-member", named(json!({ "userIDList": members, "reason": "r".repeat(300) })))
        }
        "getGroupProfile" => {
            let groups: Vec<String> =
                (0..19).map(|number| number.to_string()).chain([GROUP.to_owned()]).collect();
            ("get-group-profile", json!({ "groupIDList": groups }))
        }
        "updateGroupProfile" => ("update-group-profile", named(json!({ "notification": "n".repeat(300) }))),
        "getGroupMemberList" => ("get-group-member-list", json!({ "groupID": GROUP, "count": 100 })),
        "getGroupMemberProfile" => {
            ("get-group-member-profile", json!({ "groupID": GROUP, "userIDList": members }))
        }
        "setGroupMember" => ("set-group-member", named(json!({ "userID": user(1), "role": "Admin" }))),
        "changeGroupOwner" => ("change-group-owner", named(json!({ "newOwnerID": user(1) }))),
        "handleGroupApplication" => (
            "handle-group-application",
            named(json!({ "userID": user(999), "authentication": "k", "handleAction": "Agree" })),
        ),
        "getGroupApplicationList" => ("get-group-application-list", json!({})),
        "sendMessage" => (
            "send-message",
            json!({
                "to": GROUP, "conversationType": "GROUP", "clientID": "new", "base": 0, "type": "TIMTextElem",
                "payload": { "text": text }, "atUserList": fifteen,
            }),
        ),
        "getMessageList" => ("get-message-list", of(json!({ "fromSequence": 1 }))),
        "getConversationList" => ("get-conversation-list", json!({})),
        "setMessageRead" => ("set-message-read", of(json!({ "sequence": 3 }))),
        "revokeMessage" => ("revoke-message", of(json!({ "sequence": 3 }))),
        "deleteConversation" => ("delete-conversation", of(json!({ "sequence": 3 }))),
        "pinConversation" => ("pin-conversation", of(json!({ "isPinned": true }))),
        _ => return Vec::new(),
    };
    vec![frame(name, 0, data.clone()).await, frame(name, 4, data).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_in_a_group_costs_more_than_64_read_and_64_write_units_but_for_who_is_told() {
    let mut measured = BTreeMap::new();
    for (route, _) in template_routes() {
        let frames = worst(&route).await;
        assert!(!route.contains("Group") || !frames.is_empty(), "{route} has no worst frame: make one");
        for (read, write) in &frames {
            assert!(*read <= 64.0 && *write <= 64.0, "{route}: {read} read and {write} write units");
        }
        let most = |of: fn(&Units) -> f64| frames.iter().map(of).fold(0.0, f64::max);
        if !frames.is_empty() {
            measured.insert(route, (most(|units| units.0), most(|units| units.1)));
        }
    }
    assert_documented("The worst frame in a group", &measured);
}
