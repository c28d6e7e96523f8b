//! What somebody puts into a profile is refused with a code, or kept exactly; and what only the team's server may
//! say of a user, a user cannot.

use serde_json::{Map, Value, json};

use crate::harness::{START_MS, TestApp};

async fn update(app: &TestApp, field: &str, value: Value) -> (i64, String) {
    let data = Value::Object(Map::from_iter([(field.to_owned(), value)]));
    let reply = app.invoke("update-my-profile", "alice", data).await;
    (reply["code"].as_i64().unwrap(), reply["message"].as_str().unwrap().to_owned())
}

async fn shown(app: &TestApp) -> Value {
    app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await["profileList"][0].clone()
}

#[tokio::test]
async fn a_text_that_would_show_as_another_one_is_refused_by_its_field() {
    let app = TestApp::without_limits().await;
    let overrides = "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    let bad: Vec<String> = overrides
        .chars()
        .chain("\0\r\t\u{1b}\u{7f}\u{9b}\u{2028}\u{2029}".chars())
        .map(|c| format!("a{c}b"))
        .collect();
    for field in ["nick", "selfSignature", "location"] {
        for text in &bad {
            let (code, why) = update(&app, field, json!(text)).await;
            assert!(code == 70402 && why.contains(&format!("`{field}`")), "{field} {text:?} {why}");
        }
        // What a language needs is no control: Hebrew and Arabic, Persian, emoji.
        for text in ["א\u{200f}!", "ع\u{61c}1", "می\u{200c}خ", "👩\u{200d}👧", "a\u{200e}"] {
            assert_eq!(update(&app, field, json!(text)).await.0, 0, "{field} {text:?}");
            assert_eq!(shown(&app).await[field], text);
        }
    }
    assert_eq!(update(&app, "nick", json!("a\nb")).await.0, 70402);
    assert_eq!(update(&app, "selfSignature", json!("a\nb")).await.0, 0, "a text may have two lines");
    let custom = |value: &str| json!([{ "key": "Tag_Profile_Custom_a", "value": value }]);
    assert_eq!(update(&app, "profileCustomField", custom("a\0b")).await.0, 70402);
    assert_eq!(
        update(&app, "profileCustomField", custom("{\n\u{202e}}")).await.0,
        0,
        "that is the app's own"
    );
}

#[tokio::test]
async fn a_picture_is_a_place_and_no_program() {
    let app = TestApp::new().await;
    for bad in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "\u{1}javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "file:///etc/passwd",
        "wxfile://tmp/1.png",
        "blob:https://x/1",
        "//x/1.png",
        "1.png",
        "https://",
        "https://x/\n1.png",
        "https://x/\u{202e}gnp.1",
        "https://x/1.png\" onerror=",
        "x",
    ] {
        let (code, why) = update(&app, "avatar", json!(bad)).await;
        assert!(code == 70402 && why.contains("`avatar`"), "{bad} {code}");
    }
    for good in ["https://x/1.png?a=b#c", "HTTP://x/1.png", "cloud://env.1-2/1.png", ""] {
        assert_eq!(update(&app, "avatar", json!(good)).await.0, 0, "{good}");
        assert_eq!(shown(&app).await["avatar"], good);
    }
}

#[tokio::test]
async fn what_only_the_server_may_say_a_user_cannot_and_a_profile_that_is_sent_back_is_taken() {
    let app = TestApp::new().await;
    let fields = [
        ("level", json!(0), json!(1)),
        ("role", json!(0), json!(4_294_967_295_u32)),
        ("adminForbidType", json!("AdminForbid_Type_None"), json!("AdminForbid_Type_SendOut")),
    ];
    for (field, unset, other) in &fields {
        let (code, why) = update(&app, field, other.clone()).await;
        assert!(code == 70403 && why.contains(&format!("`{field}`")), "{field} {code} {why}");
        let rows = app.dump("Users").await;
        assert!(rows.iter().all(|row| row["u"]["S"] != "alice"), "nothing has changed");
        assert_eq!(
            app.invoke("update-my-profile", "bob", json!({ *field: unset })).await["code"],
            0,
            "{field}"
        );
    }
    // Nor with custom fields that there may be no room for.
    let both = json!({ "level": 1, "profileCustomField": [{ "key": "Tag_Profile_Custom_a", "value": "" }] });
    assert_eq!(app.invoke("update-my-profile", "alice", both).await["code"], 70403);

    // The server has set them.
    let row = json!({
        "u": { "S": "alice" }, "s": { "S": "P" }, "t": { "N": START_MS.to_string() }, "nick": { "S": "Alice" },
        "level": { "N": "7" }, "role": { "N": "2" }, "adminForbidType": { "S": "AdminForbid_Type_SendOut" },
    });
    app.put("Users", row).await;
    let mut whole = shown(&app).await;
    let members = whole.as_object_mut().unwrap();
    members.remove("userID");
    members.remove("lastUpdatedTime");
    members.insert("nick".to_owned(), json!("爱丽丝"));
    app.ask("update-my-profile", "alice", whole.clone()).await;
    let now = shown(&app).await;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(now[field], *value, "{field}");
    }
    for (field, unset, _) in fields {
        assert_eq!(update(&app, field, unset).await.0, 70403, "{field}");
    }
    assert_eq!(shown(&app).await, now);
}
