//! Groups, as a business server looks after them: by the same rules as users, and the same tips.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ask, done, refused};
use crate::{
    groups::{history, listed, log, members, message, row, try_say},
    harness::{TestApp, fault_proxy::Fault},
};

const GROUP: &str = crate::groups::GROUP;

async fn of_group(app: &TestApp, command: &str, more: Value) -> Value {
    done(app, &format!("group_open_http_svc/{command}"), named(more)).await
}

async fn refused_of(app: &TestApp, command: &str, more: Value) -> i64 {
    refused(app, &format!("group_open_http_svc/{command}"), named(more)).await
}

fn named(more: Value) -> Value {
    let mut body = json!({ "GroupId": GROUP });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn create(app: &TestApp, kind: &str, owner: &str, others: &[&str]) {
    let others: Vec<Value> = others.iter().map(|user| json!({ "Member_Account": user })).collect();
    let body = json!({ "Type": kind, "Name": "g", "Owner_Account": owner, "MemberList": others });
    of_group(app, "create_group", body).await;
}

/// Who is named by a list of objects.
fn accounts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|each| each["Member_Account"].as_str().unwrap()).collect()
}

/// What the tips in a member's history say: kind, by whom, of whom.
async fn tips(app: &TestApp, user: &str) -> Vec<(u64, String, Value)> {
    let all = history(app, user).await;
    let tips = all.iter().filter(|message| message["type"] == "TIMGroupTipElem");
    tips.map(|tip| {
        let payload = &tip["payload"];
        let operator = payload["operatorID"].as_str().unwrap().to_owned();
        (payload["operationType"].as_u64().unwrap(), operator, payload["userIDList"].clone())
    })
    .collect()
}

#[tokio::test]
async fn a_group_that_a_business_server_makes_is_like_any_other() {
    let app = TestApp::without_limits().await;
    create(&app, "Public", "alice", &["bob", "alice", "bob"]).await;
    assert_eq!(members(&app).await, ["alice", "bob"]);
    let made = row(&app).await;
    assert_eq!((&made["ow"]["S"], &made["cr"]["S"]), (&json!("alice"), &json!("administrator")));
    assert!(listed(&app, "bob").await.is_some());
    // The answer was lost.
    create(&app, "Public", "alice", &["bob"]).await;
    assert_eq!(members(&app).await, ["alice", "bob"]);
    let body = json!({ "groupID": GROUP, "type": "Public", "name": "g" });
    assert_eq!(app.invoke("create-group", "carol", body).await["code"], 10021);

    let drawn = json!({ "Type": "Private", "Name": "g", "MemberList": [{ "Member_Account": "bob" }] });
    let drawn = done(&app, "group_open_http_svc/create_group", drawn).await["GroupId"].clone();
    let drawn = drawn.as_str().unwrap();
    assert_eq!((&drawn[..5], drawn.len()), ("@TGS#", 17));
    let info = done(&app, "group_open_http_svc/get_group_info", json!({ "GroupIdList": [drawn] })).await;
    assert_eq!(info["GroupInfo"][0]["Owner_Account"], "", "it is nobody's");
    assert_eq!(accounts(&info["GroupInfo"][0]["MemberList"]), ["bob"]);

    for (body, code) in [
        (json!({ "Type": "AVChatRoom", "Name": "g" }), 2600),
        (json!({ "Type": "Public", "Name": "" }), 10004),
        (json!({ "Type": "Public" }), 10004),
        (json!({ "Type": "Public", "Name": "g", "AppDefinedData": [{ "Key": "a", "Value": "b" }] }), 10004),
        (
            json!({ "Type": "Private", "Name": "g", "MemberList": [{ "Member_Account": "a", "Role": "Admin" }] }),
            2682,
        ),
        (
            json!({ "Type": "Public", "Name": "g", "MemberList": [{ "Member_Account": "a", "Role": "Owner" }] }),
            10004,
        ),
        (json!({ "Type": "Public", "Name": "g", "GroupId": "@TGS#n-o" }), 10015),
    ] {
        assert_eq!(refused(&app, "group_open_http_svc/create_group", body.clone()).await, code, "{body}");
    }
}

#[tokio::test]
async fn a_group_from_tencent_keeps_its_id_which_no_user_can_take() {
    let app = TestApp::without_limits().await;
    const THEIRS: &str = "@TGS#2CLUZEAEJ";
    let group = json!({ "groupID": THEIRS, "type": "Public", "name": "g" });
    assert_eq!(app.invoke("create-group", "mallory", group).await["code"], 10015);
    let body = json!({ "GroupId": THEIRS, "Type": "Public", "Name": "g", "Owner_Account": "alice" });
    assert_eq!(done(&app, "group_open_http_svc/create_group", body).await["GroupId"], THEIRS);
    let mut said = crate::harness::text_message(THEIRS, "1", 0);
    said["conversationType"] = json!("GROUP");
    app.ask("send-message", "alice", said).await;
    let shown = app.ask("get-conversation-list", "alice", json!({})).await;
    assert_eq!(shown["conversationList"][0]["conversationID"], format!("GROUP{THEIRS}"));
    let all = json!({ "GroupId": THEIRS, "ReqMsgNumber": 20 });
    let all = done(&app, "group_open_http_svc/group_msg_get_simple", all).await;
    assert_eq!(all["RspMsgList"].as_array().unwrap().len(), 1);
    let joined = json!({ "Member_Account": "alice" });
    let joined = done(&app, "group_open_http_svc/get_joined_group_list", joined).await;
    assert_eq!(joined["GroupIdList"], json!([{ "GroupId": THEIRS }]));
}

#[tokio::test]
async fn a_type_may_go_by_the_name_that_newer_libraries_have_for_it() {
    let app = TestApp::without_limits().await;
    for (newer, name) in [("Work", "Private"), ("Meeting", "ChatRoom")] {
        let body = json!({ "GroupId": newer, "Type": newer, "Name": "g", "Owner_Account": "alice" });
        done(&app, "group_open_http_svc/create_group", body).await;
        let info = json!({ "GroupIdList": [newer] });
        let info = done(&app, "group_open_http_svc/get_group_info", info).await;
        assert_eq!(info["GroupInfo"][0]["Type"], name);
        let joined = json!({ "Member_Account": "alice", "GroupType": newer });
        let joined = done(&app, "group_open_http_svc/get_joined_group_list", joined).await;
        assert_eq!(joined["GroupIdList"], json!([{ "GroupId": newer }]));
        // A client knows one name of each.
        let group = json!({ "groupID": "g", "type": newer, "name": "g" });
        assert_eq!(app.invoke("create-group", "alice", group).await["code"], 2600);
    }
}

#[tokio::test]
async fn a_hundred_come_with_a_group_and_libraries_may_want_more_room_than_there_is() {
    let app = TestApp::without_limits().await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number:03}")).collect();
    let others: Vec<&str> = names.iter().map(String::as_str).collect();
    create(&app, "Public", "alice", &others).await;
    assert_eq!(members(&app).await.len(), 101);
    assert!(log(&app).await.is_empty(), "who was there from the beginning is no news");
    create(&app, "Public", "alice", &others).await;
    assert_eq!(members(&app).await.len(), 101);
    of_group(&app, "modify_group_base_info", json!({ "MaxMemberNum": 2000 })).await;
    assert_eq!(row(&app).await["mx"]["N"], "200");
    assert_eq!(log(&app).await.len(), 0, "and that changes nothing");

    let more: Vec<Value> =
        (0..120).map(|number| json!({ "Member_Account": format!("more-{number:03}") })).collect();
    let added = of_group(&app, "add_group_member", json!({ "Silence": 1, "MemberList": more })).await;
    let results = added["MemberList"].as_array().unwrap();
    let came = results.iter().filter(|each| each["Result"] == 1).count();
    assert_eq!((came, members(&app).await.len()), (99, 200), "as many as there is room for");
    assert!(results[99..].iter().all(|each| each["Result"] == 0));
    assert!(log(&app).await.is_empty());
    // Where there is none left, it says all the same who was there.
    let some: Vec<Value> = [0, 110, 20, 98, 111]
        .into_iter()
        .map(|number| json!({ "Member_Account": format!("more-{number:03}") }))
        .collect();
    let added = of_group(&app, "add_group_member", json!({ "MemberList": some })).await;
    let results: Vec<&Value> =
        added["MemberList"].as_array().unwrap().iter().map(|each| &each["Result"]).collect();
    assert_eq!(results, [2, 0, 2, 2, 0]);
    let one = json!({ "MemberList": [{ "Member_Account": "more-110" }] });
    assert_eq!(refused_of(&app, "add_group_member", one).await, 10014);

    let gone: Vec<&str> = others.iter().copied().take(90).collect();
    of_group(&app, "delete_group_member", json!({ "MemberToDel_Account": gone, "Silence": 1 })).await;
    assert_eq!(members(&app).await.len(), 110);
}

#[tokio::test]
async fn who_has_left_is_not_brought_back_when_a_large_group_is_made_once_more() {
    let app = TestApp::without_limits().await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number:03}")).collect();
    let members_of = |role: fn(usize) -> &'static str| -> Vec<Value> {
        let of = |(number, user)| json!({ "Member_Account": user, "Role": role(number) });
        names.iter().enumerate().map(of).collect()
    };
    let body = |list: Vec<Value>| json!({ "Type": "Public", "Name": "g", "Owner_Account": "alice", "MemberList": list });
    let admins: fn(usize) -> &'static str = |number| if number >= 90 { "Admin" } else { "Member" };
    let list = body(members_of(admins));
    // It is cut off behind the first part, and goes on there.
    let mut parts = 0;
    app.dynamodb.break_calls(move |operation, _| {
        parts += usize::from(operation == "TransactWriteItems");
        if parts == 2 { Fault::Refuse(400, "ValidationException") } else { Fault::None }
    });
    let cut_off = super::command(&app, "group_open_http_svc/create_group", &named(list.clone()));
    assert_eq!(super::respond(&app, cut_off).await.0, 500);
    app.dynamodb.mend();
    assert_eq!(members(&app).await.len(), 41);
    let gone = ["user-003", "user-050"];
    of_group(&app, "delete_group_member", json!({ "MemberToDel_Account": &gone[..1], "Silence": 1 })).await;
    of_group(&app, "create_group", list.clone()).await;
    assert_eq!(members(&app).await.len(), 100, "who was put out meanwhile does not come back");
    assert!(row(&app).await.get("yc").is_none());
    of_group(&app, "delete_group_member", json!({ "MemberToDel_Account": &gone[1..], "Silence": 1 })).await;
    of_group(&app, "create_group", list).await;
    let found = members(&app).await;
    assert_eq!(found.len(), 99);
    assert!(gone.iter().all(|user| !found.iter().any(|found| found == user)));
    let shown = of_group(&app, "get_group_member_info", json!({ "MemberRoleFilter": ["Admin"] })).await;
    assert_eq!(accounts(&shown["MemberList"]), names[90..]);

    let eleven = body(members_of(|number| if number < 11 { "Admin" } else { "Member" }));
    assert_eq!(refused(&app, "group_open_http_svc/create_group", eleven).await, 10004);
}

#[tokio::test]
async fn what_it_changes_has_a_tip_once_however_often_it_is_asked_for() {
    let app = TestApp::without_limits().await;
    create(&app, "Public", "alice", &["bob", "carol", "dave", "frank"]).await;
    let admin = "administrator".to_owned();
    for _ in 0..2 {
        let three = json!({ "MemberList": [{ "Member_Account": "erin" }, { "Member_Account": "bob" }] });
        of_group(&app, "add_group_member", three).await;
        let dave = json!({ "MemberToDel_Account": ["dave", "nobody"], "Reason": "spam" });
        of_group(&app, "delete_group_member", dave).await;
        let bob = json!({ "Member_Account": "bob", "Role": "Admin", "NameCard": "B", "ShutUpTime": 60, "MsgFlag": "Discard" });
        of_group(&app, "modify_group_member_info", bob).await;
        of_group(&app, "modify_group_base_info", json!({ "Name": "h", "ShutUpAllMember": "On" })).await;
        of_group(
            &app,
            "forbid_send_msg",
            json!({ "Members_Account": ["carol", "erin", "nobody"], "ShutUpTime": 60 }),
        )
        .await;
        of_group(&app, "change_group_owner", json!({ "NewOwner_Account": "frank" })).await;
        app.advance(Duration::from_secs(1));
    }
    assert_eq!(
        tips(&app, "alice").await,
        [
            (1, admin.clone(), json!(["erin"])),
            (3, admin.clone(), json!(["dave"])),
            (4, admin.clone(), json!(["bob"])),
            (7, admin.clone(), json!(["bob"])),
            (6, admin.clone(), Value::Null),
            (7, admin.clone(), json!(["carol", "erin"])),
            (6, admin, Value::Null),
        ]
    );
    let muted = of_group(&app, "get_group_shutted_uin", json!({})).await;
    assert_eq!(accounts(&muted["ShuttedUinList"]), ["bob", "carol", "erin"]);
    assert_eq!(muted["MutedAccountList"][0]["MutedUntil"], muted["ShuttedUinList"][0]["ShuttedUntil"]);
    let shown = of_group(&app, "get_group_member_info", json!({})).await;
    assert_eq!(shown["MemberNum"], 5);
    let bob = shown["MemberList"].as_array().unwrap().iter().find(|each| each["Member_Account"] == "bob");
    assert_eq!((&bob.unwrap()["Role"], &bob.unwrap()["NameCard"]), (&json!("Admin"), &json!("B")));
    let mine = listed(&app, "bob").await.unwrap();
    assert_eq!(mine["groupProfile"]["selfInfo"]["messageRemindType"], "Discard");
    assert_eq!(row(&app).await["ob"]["M"], json!({}), "every promise is kept");
}

#[tokio::test]
async fn in_a_private_group_it_may_what_nobody_in_it_may() {
    let app = TestApp::without_limits().await;
    create(&app, "Private", "alice", &["bob"]).await;
    assert_eq!(
        refused_of(&app, "delete_group_member", json!({ "MemberToDel_Account": ["alice"] })).await,
        10007
    );
    for (command, body, code) in [
        ("forbid_send_msg", json!({ "Members_Account": ["bob"], "ShutUpTime": 60 }), 10007),
        ("modify_group_base_info", json!({ "ShutUpAllMember": "On" }), 10007),
        ("modify_group_member_info", json!({ "Member_Account": "bob", "Role": "Admin" }), 2682),
        ("modify_group_member_info", json!({ "Member_Account": "bob", "Role": "Owner" }), 10004),
        ("modify_group_member_info", json!({ "Member_Account": "nobody", "NameCard": "x" }), 10004),
        ("change_group_owner", json!({ "NewOwner_Account": "nobody" }), 10004),
    ] {
        assert_eq!(refused_of(&app, command, body.clone()).await, code, "{command} {body}");
    }
    of_group(&app, "delete_group_member", json!({ "MemberToDel_Account": ["bob"] })).await;
    crate::groups::change(&app, "quit-group", "alice", "q", json!({})).await;
    assert!(members(&app).await.is_empty());
    // Nobody is in it, and it goes on all the same: what was promised meanwhile is kept.
    of_group(&app, "send_group_msg", json!({ "Random": 1, "MsgBody": text("to nobody") })).await;
    of_group(&app, "add_group_member", json!({ "MemberList": [{ "Member_Account": "carol" }] })).await;
    of_group(&app, "change_group_owner", json!({ "NewOwner_Account": "carol" })).await;
    let kinds: Vec<u64> = tips(&app, "carol").await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, [1, 6], "what was said before they came is not shown");
    assert_eq!(row(&app).await["ow"]["S"], "carol");
    for _ in 0..2 {
        of_group(&app, "destroy_group", json!({})).await;
    }
    assert!(listed(&app, "carol").await.is_none());
    for (command, body) in [
        ("modify_group_base_info", json!({ "Name": "x" })),
        ("get_group_member_info", json!({})),
        ("send_group_msg", json!({ "Random": 1, "MsgBody": text("x") })),
        ("group_msg_get_simple", json!({ "ReqMsgNumber": 1 })),
        ("group_msg_recall", json!({ "MsgSeqList": [{ "MsgSeq": 1 }] })),
        ("get_role_in_group", json!({ "User_Account": ["carol"] })),
        ("send_group_system_notification", json!({ "Content": "x" })),
    ] {
        assert_eq!(refused_of(&app, command, body).await, 10010, "{command}");
    }
}

fn text(text: &str) -> Value {
    json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }])
}

#[tokio::test]
async fn what_it_says_is_a_message_of_the_group_once() {
    let app = TestApp::without_limits().await;
    create(&app, "Public", "alice", &["bob", "carol"]).await;
    of_group(&app, "modify_group_base_info", json!({ "ShutUpAllMember": "On" })).await;
    assert_eq!(try_say(&app, "bob", "m", 1).await["code"], 10017);
    let mut bob = app.connect("bob").await;
    let notice = json!({
        "Random": 7, "MsgBody": text("notice"), "CloudCustomData": "x",
        "GroupAtInfo": [{ "GroupAtAllFlag": 0, "GroupAt_Account": "bob" }],
    });
    let sent = of_group(&app, "send_group_msg", notice.clone()).await;
    assert_eq!((&sent["MsgSeq"], &sent["MsgTime"]), (&json!(2), &json!(app.clock.now() / 1000)));
    let pushed = bob.frame().await["data"][0].clone();
    assert_eq!((&pushed["from"], &pushed["payload"]["text"]), (&json!("administrator"), &json!("notice")));
    // Its answer was lost, and comes again within half a minute, behind whatever was said meanwhile.
    let by_alice = json!({ "Random": 7, "From_Account": "alice", "MsgBody": text("notice") });
    assert_eq!(of_group(&app, "send_group_msg", by_alice).await["MsgSeq"], 3, "that is somebody else");
    for number in 0..30 {
        let other = json!({ "Random": number + 100, "From_Account": "carol", "MsgBody": text("other") });
        app.advance(Duration::from_millis(50));
        of_group(&app, "send_group_msg", other).await;
    }
    assert_eq!(of_group(&app, "send_group_msg", notice.clone()).await["MsgSeq"], 2);
    app.advance(Duration::from_secs(31));
    assert_eq!(of_group(&app, "send_group_msg", notice.clone()).await["MsgSeq"], 34, "that is another one");

    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!(shown["unreadCount"], 34);
    assert_eq!(shown["groupAtInfoList"][0]["messageSequence"], 2);
    assert_eq!(listed(&app, "carol").await.unwrap()["unreadCount"], 4, "their own are none");

    let quiet = json!({ "Random": 8, "MsgBody": text("psst"), "SendMsgControl": ["NoUnread", "NoLastMsg"] });
    of_group(&app, "send_group_msg", quiet).await;
    let online = json!({ "Random": 9, "MsgBody": text("typing"), "MsgOnlineOnlyFlag": 1 });
    assert_eq!(of_group(&app, "send_group_msg", online).await["MsgSeq"], 0);
    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!(
        (&shown["unreadCount"], &shown["lastMessage"]["payload"]["text"]),
        (&json!(34), &json!("notice"))
    );

    for (body, code) in [
        (json!({ "MsgBody": text("x") }), 10004),
        (json!({ "Random": 1 }), 90007),
        (json!({ "Random": 1, "MsgBody": [] }), 90010),
        (json!({ "Random": 1, "MsgBody": text("x"), "To_Account": ["bob"] }), 10004),
        (json!({ "Random": 1, "MsgBody": text(&"x".repeat(12_289)) }), 80002),
        (json!({ "Random": 1, "From_Account": "名", "MsgBody": text("x") }), 10004),
    ] {
        assert_eq!(refused_of(&app, "send_group_msg", body.clone()).await, code, "{body}");
    }
}

#[tokio::test]
async fn it_reads_all_that_was_said_and_recalls_it_however_old_it_is() {
    let app = TestApp::without_limits().await;
    create(&app, "Public", "alice", &["bob"]).await;
    for number in 0..30_u64 {
        crate::groups::say(&app, "bob", &format!("1-2-{number}"), number).await;
    }
    app.advance(Duration::from_secs(24 * 60 * 60));
    let numbers = |page: &Value| -> Vec<u64> {
        let list = page["RspMsgList"].as_array().unwrap();
        list.iter().map(|each| each["MsgSeq"].as_u64().unwrap()).collect()
    };
    let page = of_group(&app, "group_msg_get_simple", json!({ "ReqMsgNumber": 20 })).await;
    assert_eq!(numbers(&page), (11..=30).rev().collect::<Vec<_>>());
    assert_eq!((&page["IsFinished"], &page["RspMsgList"][0]["MsgRandom"]), (&json!(1), &json!(29)));
    let page = of_group(&app, "group_msg_get_simple", json!({ "ReqMsgNumber": 20, "ReqMsgSeq": 10 })).await;
    assert_eq!(numbers(&page), (1..=10).rev().collect::<Vec<_>>());

    let mut bob = app.connect("bob").await;
    let two = json!({ "MsgSeqList": [{ "MsgSeq": 3 }, { "MsgSeq": 31 }, { "MsgSeq": 3 }] });
    let recalled = of_group(&app, "group_msg_recall", two).await;
    let codes: Vec<&Value> =
        recalled["RecallRetList"].as_array().unwrap().iter().map(|each| &each["RetCode"]).collect();
    assert_eq!(codes, [0, 10030, 0]);
    let told = bob.frame().await;
    assert_eq!((&told["event"], &told["data"][0]["sequence"]), (&json!("onMessageRevoked"), &json!(3)));
    assert_eq!(told["data"][0]["revoker"], "administrator");
    let page = of_group(&app, "group_msg_get_simple", json!({ "ReqMsgNumber": 1, "ReqMsgSeq": 3 })).await;
    assert_eq!(
        (&page["RspMsgList"][0]["IsPlaceMsg"], &page["RspMsgList"][0]["MsgBody"]),
        (&json!(1), &json!([]))
    );

    of_group(&app, "modify_group_base_info", json!({ "Name": "h" })).await;
    let tip = of_group(&app, "group_msg_recall", json!({ "MsgSeqList": [{ "MsgSeq": 31 }] })).await;
    assert_eq!(tip["Results"][0]["RetCode"], 10007);
    // Not by its own author either.
    let data = json!({ "groupID": GROUP, "clientID": "d", "base": 31, "notification": "x" });
    app.ask("update-group-profile", "alice", data).await;
    let data = json!({ "conversationID": format!("GROUP{GROUP}"), "sequence": 32 });
    assert_eq!(app.invoke("revoke-message", "alice", data).await["code"], 10007);
    let none: Vec<Value> = (0..21).map(|seq| json!({ "MsgSeq": seq })).collect();
    assert_eq!(refused_of(&app, "group_msg_recall", json!({ "MsgSeqList": none })).await, 10004);
}

#[tokio::test]
async fn a_notice_is_for_those_who_are_there_and_are_members() {
    let app = TestApp::without_limits().await;
    create(&app, "Public", "alice", &["bob"]).await;
    let mut devices = [app.connect("alice").await, app.connect("bob").await, app.connect("carol").await];
    assert_eq!(of_group(&app, "get_online_member_num", json!({})).await["OnlineMemberNum"], 2);
    of_group(&app, "send_group_system_notification", json!({ "Content": "for all" })).await;
    let bob = json!({ "Content": "for bob", "ToMembers_Account": ["bob", "carol"] });
    of_group(&app, "send_group_system_notification", bob).await;
    let contents = async |device: &mut crate::harness::socket::Socket, count: usize| {
        let mut contents = Vec::new();
        for _ in 0..count {
            let notice = device.frame().await;
            assert_eq!(
                (&notice["event"], &notice["data"]["operationType"]),
                (&json!("onGroupNotice"), &json!(255))
            );
            contents.push(notice["data"]["userDefinedField"].as_str().unwrap().to_owned());
        }
        contents
    };
    let [alice, bob, carol] = &mut devices;
    assert_eq!(contents(bob, 2).await, ["for all", "for bob"]);
    assert_eq!(contents(alice, 1).await, ["for all"]);
    // Nothing else has come to them.
    for (device, name) in [(alice, "alice"), (carol, "carol")] {
        app.send("dave", name, "1", 0).await;
        assert_eq!(device.frame().await["event"], "onMessageReceived");
    }
    assert!(log(&app).await.is_empty());
    let long = json!({ "Content": "x".repeat(12_289) });
    assert_eq!(refused_of(&app, "send_group_system_notification", long).await, 80002);
}

#[tokio::test]
async fn lists_show_what_is_asked_for_part_by_part() {
    let app = TestApp::without_limits().await;
    for number in 0..7 {
        let kind = if number % 2 == 0 { "Public" } else { "ChatRoom" };
        let group = json!({ "GroupId": format!("g{number}"), "Type": kind, "Name": format!("n{number}"), "Owner_Account": "alice" });
        done(&app, "group_open_http_svc/create_group", group).await;
    }
    done(&app, "group_open_http_svc/destroy_group", json!({ "GroupId": "g6" })).await;
    let joined = async |more: Value| {
        let mut body = json!({ "Member_Account": "alice" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        done(&app, "group_open_http_svc/get_joined_group_list", body).await
    };
    let ids = |answer: &Value| -> Vec<String> {
        let list = answer["GroupIdList"].as_array().unwrap();
        list.iter().map(|each| each["GroupId"].as_str().unwrap().to_owned()).collect()
    };
    let all = joined(json!({})).await;
    assert_eq!((ids(&all).len(), &all["TotalCount"]), (6, &json!(6)));
    let part = joined(json!({ "GroupType": "ChatRoom", "Limit": 2, "Offset": 1 })).await;
    assert_eq!((ids(&part), &part["TotalCount"]), (vec!["g3".to_owned(), "g5".to_owned()], &json!(3)));
    let filter = json!({ "ResponseFilter": { "GroupBaseInfoFilter": ["Name"] }, "Limit": 1 });
    assert_eq!(joined(filter).await["GroupIdList"], json!([{ "GroupId": "g0", "Name": "n0" }]));

    let (mut found, mut next, mut answers) = (Vec::new(), json!(0), 0);
    loop {
        let part = json!({ "Limit": 2, "Next": next });
        let part = done(&app, "group_open_http_svc/get_appid_group_list", part).await;
        found.extend(ids(&part));
        next = part["Next"].clone();
        answers += 1;
        if next == 0 {
            break;
        }
    }
    found.sort();
    assert_eq!(found, ["g0", "g1", "g2", "g3", "g4", "g5"]);
    assert!(answers > 1, "a group is in one part, and parts are apart");
    let public = json!({ "GroupType": "Public" });
    let public = done(&app, "group_open_http_svc/get_appid_group_list", public).await;
    assert_eq!((ids(&public).len(), &public["Next"]), (3, &json!(0)));

    let named: Vec<String> = (0..51).map(|number| format!("g{number}")).collect();
    let many = json!({ "GroupIdList": named });
    assert_eq!(refused(&app, "group_open_http_svc/get_group_info", many).await, 10004);
}

#[tokio::test]
async fn what_is_not_there_is_answered_so() {
    let app = TestApp::new().await;
    for command in [
        "group_open_http_svc/import_group",
        "group_open_http_svc/import_group_msg",
        "group_open_http_svc/set_unread_msg_num",
        "group_open_http_svc/modify_group_attr",
        // Attributes are read of a service of their own.
        "group_open_attr_http_svc/get_group_attr",
    ] {
        let answer = ask(&app, command, json!({})).await;
        assert_eq!(answer["ErrorCode"], 60009, "{command}");
        assert!(answer["ErrorInfo"].as_str().unwrap().starts_with("groups have nothing of the kind"));
    }
    // A user who is put out while a message of theirs is on its way finds the door shut.
    create(&app, "Public", "alice", &["bob"]).await;
    of_group(&app, "delete_group_member", json!({ "MemberToDel_Account": ["bob"], "Silence": 1 })).await;
    assert_eq!(app.invoke("send-message", "bob", message("m", 0)).await["code"], 10007);
}
