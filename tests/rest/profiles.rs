use serde_json::json;

use super::{done, refused};
use crate::harness::TestApp;

const GET: &str = "profile/portrait_get";
const SET: &str = "profile/portrait_set";

#[tokio::test]
async fn a_profile_is_set_and_shown_and_users_see_it() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/multiaccount_import", json!({ "Accounts": ["alice", "bob"] })).await;
    let mut phone = app.connect("alice").await;
    phone.ask("login", json!({})).await;
    let items = json!([
        { "Tag": "Tag_Profile_IM_Nick", "Value": "爱丽丝" },
        { "Tag": "Tag_Profile_IM_Level", "Value": "7" },
        { "Tag": "Tag_Profile_Custom_Team", "Value": "blue" },
    ]);
    let answer = done(&app, SET, json!({ "From_Account": "alice", "ProfileItem": items })).await;
    assert_eq!(answer["ErrorDisplay"], "");
    assert_eq!(phone.push().await["event"], "onProfileUpdated");

    let tags = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Level", "Tag_Profile_IM_Gender"];
    let answer = done(&app, GET, json!({ "To_Account": ["bob", "alice", "nobody"], "TagList": tags })).await;
    let [bob, alice, nobody] = &answer["UserProfileItem"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!(
        (&bob["To_Account"], &bob["ProfileItem"], &bob["ResultCode"]),
        (&json!("bob"), &json!([]), &json!(0))
    );
    let expected = json!([{ "Tag": "Tag_Profile_IM_Nick", "Value": "爱丽丝" }, { "Tag": "Tag_Profile_IM_Level", "Value": 7 }]);
    assert_eq!(alice["ProfileItem"], expected);
    assert_eq!((&nobody["ResultCode"], nobody.get("ProfileItem")), (&json!(40003), None));
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
    let all = done(&app, GET, json!({ "To_Account": ["alice"] })).await;
    assert_eq!(all["UserProfileItem"][0]["ProfileItem"].as_array().unwrap().len(), 3);

    // What only the server may change stays so.
    let refused = app.invoke("update-my-profile", "alice", json!({ "level": 8 })).await;
    assert_eq!(refused["code"], 70403);
    let seen = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(seen["profileList"][0]["level"], 7);
}

#[tokio::test]
async fn a_message_is_pushed_with_the_name_that_the_server_has_given() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "alice", "Nick": "Alice" })).await;
    let mut bob = app.connect("bob").await;
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(bob.push().await["data"][0]["nick"], "Alice");
}

#[tokio::test]
async fn a_hundred_of_the_largest_profiles_are_shown() {
    let app = TestApp::new().await;
    let names: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    done(&app, "im_open_login_svc/multiaccount_import", json!({ "Accounts": names })).await;
    for name in &names {
        let mut row = json!({ "u": { "S": name }, "s": { "S": "P" }, "t": { "N": "1" } });
        let tags: Vec<String> = (0..20).map(|number| format!("Tag_Profile_Custom_{number:0>8}")).collect();
        for tag in &tags {
            row[tag] = json!({ "S": "x".repeat(500) });
        }
        row["c"] = json!({ "SS": tags });
        app.put("Users", row).await;
    }
    let answer = done(&app, GET, json!({ "To_Account": names })).await;
    let items = answer["UserProfileItem"].as_array().unwrap();
    assert!(
        items.len() == 100 && items.iter().all(|item| item["ProfileItem"].as_array().unwrap().len() == 20)
    );
}

#[tokio::test]
async fn what_is_no_tag_no_value_or_nobody_is_refused() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "alice" })).await;
    let item = |tag: &str, value: &str| json!([{ "Tag": tag, "Value": value }]);
    let nick = "Tag_Profile_IM_Nick";
    for (path, body, code) in [
        (SET, json!({ "From_Account": "nobody", "ProfileItem": item(nick, "x") }), 40003),
        (SET, json!({ "From_Account": "alice", "ProfileItem": item("Tag_Profile_IM_X", "x") }), 40009),
        (SET, json!({ "From_Account": "alice", "ProfileItem": item(nick, &"x".repeat(501)) }), 40001),
        (SET, json!({ "From_Account": "alice", "ProfileItem": [] }), 40001),
        (SET, json!({ "From_Account": "alice" }), 40001),
        (GET, json!({ "To_Account": [] }), 40001),
        (GET, json!({ "To_Account": vec!["alice"; 101] }), 40001),
        (GET, json!({ "To_Account": ["alice"], "TagList": ["Tag_Profile_IM_X"] }), 40009),
    ] {
        assert_eq!(refused(&app, path, body.clone()).await, code, "{path} {body}");
    }
}
