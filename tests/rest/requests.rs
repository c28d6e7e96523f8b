//! Who may ask, and what is made of a request in whatever form it comes.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{ask, command, done, refused, respond, signed};
use crate::harness::{SDK_APP_ID, TestApp, fault_proxy::Fault, signed_for, user_sig};

const CHECK: &str = "im_open_login_svc/account_check";

fn whom() -> Value {
    json!({ "CheckItem": [{ "UserID": "alice" }] })
}

/// The code of the answer to an event.
async fn code(app: &TestApp, event: Value) -> i64 {
    let (status, answer) = respond(app, event).await;
    assert_eq!(status, 200, "{answer}");
    answer["ErrorCode"].as_i64().unwrap()
}

#[tokio::test]
async fn only_an_administrator_with_a_good_signature_is_served() {
    let app = TestApp::new().await;
    let now = app.clock.now() / 1000;
    let good = user_sig("administrator", now);
    assert_eq!(code(&app, signed(CHECK, "administrator", &good, &whom())).await, 0);
    app.calls();
    for (identifier, sig, expected) in [
        ("alice", user_sig("alice", now), 60010),
        ("alice", good.clone(), 60010),
        ("", good.clone(), 60004),
        ("administrator", String::new(), 70002),
        ("administrator", "nonsense".to_owned(), 70003),
        ("administrator", user_sig("alice", now), 70013),
        ("administrator", signed_for("administrator", now - 61, 60), 70001),
        ("administrator", format!("{}A{}", &good[..40], &good[41..]), 70003),
    ] {
        assert_eq!(
            code(&app, signed(CHECK, identifier, &sig, &whom())).await,
            expected,
            "{identifier} {sig}"
        );
    }
    for (query, expected) in [
        (format!("identifier=administrator&usersig={good}"), 60012),
        (format!("sdkappid=&identifier=administrator&usersig={good}"), 60012),
        (format!("sdkappid=1&identifier=administrator&usersig={good}"), 60006),
        (format!("sdkappid=x&identifier=administrator&usersig={good}"), 60006),
        (format!("sdkappid={SDK_APP_ID}&usersig={good}"), 60004),
        (String::new(), 60012),
    ] {
        let mut event = command(&app, CHECK, &whom());
        event["rawQueryString"] = json!(query);
        assert_eq!(code(&app, event).await, expected, "{query}");
    }
    assert_eq!(app.calls().len(), 0, "a stranger costs no call");
}

#[tokio::test]
async fn an_administrator_who_was_kicked_needs_a_new_signature() {
    let app = TestApp::new().await;
    let old = command(&app, CHECK, &whom());
    app.advance(std::time::Duration::from_secs(1));
    let administrator = hongyan_shared::model::UserId::parse("", "administrator").unwrap();
    hongyan_functions::actions::kick::kick(&app.sandbox.notifier, &administrator).await.unwrap();
    assert_eq!(code(&app, old).await, 70052);
    done(&app, CHECK, whom()).await;

    // Who cannot be looked up is not let in.
    app.dynamodb.break_calls(|_, request| match request["Key"]["s"]["S"] == "C" {
        true => Fault::Refuse(400, "AccessDeniedException"),
        false => Fault::None,
    });
    let (status, answer) = respond(&app, command(&app, CHECK, &whom())).await;
    assert_eq!((status, &answer["ActionStatus"], &answer["ErrorCode"]), (500, &json!("FAIL"), &json!(70500)));
}

#[tokio::test]
async fn what_is_no_command_is_answered_in_the_same_form() {
    let app = TestApp::new().await;
    for (method, path, expected) in [
        ("POST", "/v4/im_open_login_svc/nonsense", 60009),
        ("POST", "/v4/nonsense/account_check", 60009),
        ("POST", "/v4", 60002),
        ("POST", "/", 60002),
        ("GET", "/v4/im_open_login_svc/account_check", 60002),
    ] {
        let mut event = command(&app, CHECK, &whom());
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        let (status, answer) = respond(&app, event).await;
        assert_eq!((status, &answer["ErrorCode"]), (200, &json!(expected)), "{method} {path}");
        let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(names, ["ActionStatus", "ErrorCode", "ErrorInfo"]);
    }
}

#[tokio::test]
async fn a_body_may_come_in_any_form() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/account_import", json!({ "Identifier": "alice" })).await;
    let text = whom().to_string();
    for (body, is_base64) in [
        (text.clone(), false),
        (format!("\u{feff}{text}"), false),
        (STANDARD.encode(&text), true),
        (STANDARD.encode(format!("\u{feff}{text}\n")), true),
    ] {
        let mut event = command(&app, CHECK, &Value::Null);
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(is_base64);
        let (_, answer) = respond(&app, event).await;
        assert_eq!(answer["ResultItem"][0]["AccountStatus"], "Imported", "{body}: {answer}");
    }
    for body in ["[5]", "{", "hello", "5"] {
        let mut event = command(&app, CHECK, &Value::Null);
        event["body"] = json!(body);
        assert_eq!(code(&app, event).await, 60003, "{body}");
    }
    let mut nothing = command(&app, CHECK, &Value::Null);
    nothing.as_object_mut().unwrap().remove("body");
    assert_eq!(code(&app, nothing).await, 70402, "it names nobody");
    // Of PHP, where an object without members is written so.
    assert_eq!(code(&app, command(&app, CHECK, &json!([]))).await, 70402);
    assert_eq!(code(&app, command(&app, "group_open_http_svc/get_appid_group_list", &json!([]))).await, 0);
    assert_eq!(refused(&app, CHECK, json!({ "CheckItem": "alice" })).await, 70402);
    assert!(
        ask(&app, CHECK, json!({ "CheckItem": [] })).await["ErrorInfo"]
            .as_str()
            .unwrap()
            .contains("1 to 100")
    );
}

/// What their caller has not said, as libraries of some languages write it.
#[tokio::test]
async fn what_is_null_or_empty_is_not_there() {
    let app = TestApp::without_limits().await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "alice" })).await;
    let body =
        json!([{ "MsgType": "TIMCustomElem", "MsgContent": { "Data": "x", "Desc": null, "Ext": null } }]);
    for (number, nothing) in [json!(null), json!(""), json!([])].into_iter().enumerate() {
        let with = |said: Value, not_said: &[&str]| {
            let mut body = said;
            body.as_object_mut()
                .unwrap()
                .extend(not_said.iter().map(|name| ((*name).to_owned(), nothing.clone())));
            body
        };
        let group = format!("g{number}");
        let of_message = [
            "From_Account",
            "OnlineOnlyFlag",
            "CloudCustomData",
            "ForbidCallbackControl",
            "SendMsgControl",
            "OfflinePushInfo",
            "IsNeedReadReceipt",
            "SupportMessageExtension",
        ];
        let between_two = ["SyncOtherMachine", "MsgLifeTime", "MsgSeq", "MsgTimeStamp"];
        let in_group = ["To_Account", "MsgPriority", "GroupAtInfo"];
        for (path, said, not_said) in [
            (
                "openim/sendmsg",
                json!({ "To_Account": "alice", "MsgRandom": number, "MsgBody": body }),
                &[&of_message[..], &between_two[..]].concat()[..],
            ),
            (
                "group_open_http_svc/create_group",
                json!({ "GroupId": group, "Type": "Public", "Name": "g", "Owner_Account": "alice" }),
                &[
                    "Introduction",
                    "Notification",
                    "FaceUrl",
                    "MaxMemberCount",
                    "ApplyJoinOption",
                    "InviteJoinOption",
                    "AppDefinedData",
                    "MemberList",
                ],
            ),
            (
                "group_open_http_svc/send_group_msg",
                json!({ "GroupId": group, "Random": number, "MsgBody": body }),
                &[&of_message[..], &in_group[..]].concat()[..],
            ),
            (
                "group_open_http_svc/modify_group_member_info",
                json!({ "GroupId": group, "Member_Account": "alice", "NameCard": "a" }),
                &["Role", "MsgFlag", "ShutUpUntil"],
            ),
            ("group_open_http_svc/get_group_info", json!({ "GroupIdList": [group] }), &["ResponseFilter"]),
            (
                "group_open_http_svc/get_joined_group_list",
                json!({ "Member_Account": "alice" }),
                &["ResponseFilter", "GroupType", "Limit", "Offset"],
            ),
            (
                "group_open_http_svc/get_group_member_info",
                json!({ "GroupId": group }),
                &["Limit", "MemberInfoFilter", "MemberRoleFilter"],
            ),
            (
                "group_open_http_svc/send_group_system_notification",
                json!({ "GroupId": group, "Content": "x" }),
                &["ToMembers_Account"],
            ),
            ("profile/portrait_get", json!({ "To_Account": ["alice"] }), &["TagList"]),
            ("im_open_login_svc/multiaccount_import", json!({ "Accounts": ["bob"] }), &["AccountList"]),
            (
                "openim/admin_getroammsg",
                json!({ "Operator_Account": "alice", "Peer_Account": "administrator" }),
                &["MaxCnt", "MinTime", "MaxTime", "LastMsgKey"],
            ),
            ("recentcontact/get_list", json!({ "From_Account": "alice" }), &["TimeStamp", "StartIndex"]),
            ("sns/black_list_get", json!({ "From_Account": "alice" }), &["StartIndex", "MaxLimited"]),
        ] {
            done(&app, path, with(said, not_said)).await;
        }
    }
    let said = app.history("alice", "administrator").await;
    assert_eq!(said.len(), 3, "each is stored, because nothing is no life time of 0");
    assert!(said.iter().all(|message| message["payload"] == json!({ "data": "x" })), "{said:?}");
}

/// Requests as two libraries have sent them, each with a signature of now.
#[tokio::test]
async fn what_libraries_send_is_understood() {
    let app = TestApp::new().await;
    let mut served = 0;
    for line in include_str!("requests.jsonl").lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        let (path, query) =
            request["line"].as_str().unwrap().split(' ').nth(1).unwrap().split_once('?').unwrap();
        let path = path.strip_prefix("/v4/").unwrap();
        let (service, command) = path.split_once('/').unwrap();
        if hongyan_shared::rest::Command::parse(service, command).is_none() {
            continue;
        }
        let sig = user_sig("administrator", app.clock.now() / 1000);
        // Python's escapes a star.
        let sig = if request["client"] == "python" { sig.replace('*', "%2A") } else { sig };
        let url = format!("{}/{path}?{}", app.twin.rest_url, query.replace("USERSIG", &sig));
        let mut sending = reqwest::Client::new().post(url).body(request["raw"].as_str().unwrap().to_owned());
        for header in request["headers"].as_array().unwrap() {
            let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
            if !["host", "content-length", "connection"].contains(&name.to_lowercase().as_str()) {
                sending = sending.header(name, value);
            }
        }
        let answer = sending.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{line}");
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        // The key that was to be withdrawn is of no message here.
        let code = if command == "admin_msgwithdraw" { 20022 } else { 0 };
        assert_eq!(answer["ErrorCode"], code, "{line}: {answer}");
        served += 1;
    }
    assert!(served >= 6, "{served}");
}

/// As Node's library from 2016 sends it: without a type, in chunks, and with the names in another order.
#[tokio::test]
async fn a_body_may_come_in_chunks() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let app = TestApp::new().await;
    let address = app.twin.rest_url.strip_prefix("http://").unwrap().strip_suffix("/v4").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let sig = user_sig("administrator", app.clock.now() / 1000);
    let head = format!(
        "POST /v4/im_open_login_svc/account_import?usersig={sig}&identifier=administrator&sdkappid={SDK_APP_ID}\
         &contenttype=json HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for chunk in ["{\"Identi", "fier\":\"ali", "ce\"}"] {
        stream.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#), "{answer}");
}

#[tokio::test]
async fn a_page_has_nothing_to_ask_here() {
    let app = TestApp::new().await;
    let asked = reqwest::Client::new()
        .post(format!("{}/{CHECK}", app.twin.rest_url))
        .header("Origin", &app.twin.page_url);
    assert_eq!(asked.send().await.unwrap().status().as_u16(), 403);
}
