use std::time::Duration;

use hongyan_shared::media::{LIFETIME_S, MediaKey};
use reqwest::StatusCode;
use serde_json::json;

use super::{Form, get, header, is_there, post};
use crate::harness::TestApp;

const MB_20: usize = 20 * 1024 * 1024;

fn refused((status, xml): (StatusCode, String)) -> (u16, String) {
    let code = xml.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next());
    (status.as_u16(), code.unwrap_or_else(|| panic!("{xml}")).to_owned())
}

#[tokio::test]
async fn a_picture_of_20_mb_comes_in_and_one_byte_more_does_not() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, MB_20 as u64);
    let mut picture = vec![7; MB_20];
    form.upload(&app, &picture).await;
    let whole = get(&app, &form.key).await;
    assert_eq!(whole.bytes().await.unwrap(), picture);

    let form = Form::new("alice", 1, MB_20 as u64);
    picture.push(7);
    let answer = form.post(&app, &picture).await;
    assert_eq!(refused(answer), (400, "EntityTooLarge".to_owned()));
    assert!(!is_there(&app, &form.key).await);
    assert_eq!(refused(form.post(&app, &[]).await), (400, "EntityTooSmall".to_owned()));
}

/// What a client does, in all its steps.
#[tokio::test]
async fn a_file_and_its_previews_go_where_getuploadform_says() {
    let app = TestApp::new().await;
    let data = json!({ "kind": "image", "type": "PNG", "size": 9, "previews": [8, 7] });
    let forms = app.ask("get-upload-form", "alice", data).await;
    let previews = forms["previews"].as_array().unwrap();
    for (form, file) in [(&forms, "a picture"), (&previews[0], "a large "), (&previews[1], "a small")] {
        let key = MediaKey::parse(form["key"].as_str().unwrap()).unwrap();
        let fields = serde_json::from_value(form["fields"].clone()).unwrap();
        let posted = Form { key, fields };
        let url = forms["url"].as_str().unwrap();
        assert_eq!(refused(posted.post_to(url, format!("{file}!").as_bytes()).await).1, "EntityTooLarge");
        assert_eq!(posted.post_to(url, file.as_bytes()).await.0, StatusCode::OK);
        let there = reqwest::get(form["mediaUrl"].as_str().unwrap()).await.unwrap();
        assert_eq!(there.text().await.unwrap(), file);
    }
}

#[tokio::test]
async fn a_form_is_good_for_what_it_says_and_for_nothing_else() {
    let app = TestApp::new().await;
    let denied = || (403, "AccessDenied".to_owned());
    let (form, other) = (|| Form::new("alice", 0, 10), Form::new("alice", 1, 10));
    for (name, value) in [
        ("key", other.key.as_str()),
        ("key", "m/../lock"),
        ("Content-Type", "text/html"),
        ("Content-Type", "image/svg+xml"),
        ("Content-Disposition", "inline"),
        ("acl", "public-read"),
        ("success_action_redirect", "https://evil.example"),
    ] {
        let bent = form().with(name, value);
        assert_eq!(refused(bent.post(&app, b"x").await), denied(), "{name}={value}");
    }
    let forged = (403, "SignatureDoesNotMatch".to_owned());
    for name in ["policy", "x-amz-signature"] {
        let bent = form().with(name, &other.fields[name]);
        assert_eq!(refused(bent.post(&app, b"x").await), forged, "{name}");
    }
    assert!(!is_there(&app, &form().key).await && !is_there(&app, &other.key).await);
    form().upload(&app, b"x").await;
    assert!(!is_there(&app, &other.key).await);
}

#[tokio::test]
async fn a_form_can_be_used_for_a_quarter_of_an_hour() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    app.advance(Duration::from_secs(LIFETIME_S));
    form.upload(&app, b"in time").await;
    app.advance(Duration::from_secs(1));
    assert_eq!(refused(form.post(&app, b"too late").await), (403, "AccessDenied".to_owned()));
    assert_eq!(get(&app, &form.key).await.text().await.unwrap(), "in time");
}

#[tokio::test]
async fn a_form_that_comes_again_puts_its_object_into_the_place_of_the_first_one() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"one").await;
    let first = header(&get(&app, &form.key).await, "etag").to_owned();
    form.upload(&app, b"another").await;
    let second = get(&app, &form.key).await;
    assert_ne!(header(&second, "etag"), first);
    assert_eq!(second.text().await.unwrap(), "another");
}

#[tokio::test]
async fn what_is_no_form_of_ours_is_refused_as_s3_refuses_it() {
    let app = TestApp::new().await;
    let (url, form) = (&app.twin.media.url, Form::new("alice", 0, 10));
    let answer = async |body: Vec<u8>| {
        let answer = post(url, body).await;
        refused((answer.status(), answer.text().await.unwrap()))
    };
    let body = form.body(b"x");
    let text = String::from_utf8(body.clone()).unwrap();
    let malformed = || (400, "MalformedPOSTRequest".to_owned());
    let invalid = || (400, "InvalidRequest".to_owned());
    assert_eq!(answer(text.replace("name=\"file\"", "name=\"data\"").into()).await, invalid());
    assert_eq!(answer(text.replace("name=\"policy\"", "name=\"tagging\"").into()).await, invalid());
    // Of two fields of a name, one reader takes the first and another one the last.
    assert_eq!(answer(text.replace("name=\"x-amz-date\"", "name=\"key\"").into()).await, invalid());
    assert_eq!(answer(body[..body.len() - 8].to_vec()).await, malformed(), "it breaks off");
    assert_eq!(answer(Vec::new()).await, malformed());
    let long = form.fields.clone();
    let long = Form { key: form.key.clone(), fields: long }.with("x", &"x".repeat(20 * 1024));
    assert_eq!(answer(long.body(b"x")).await, malformed());
    assert!(!is_there(&app, &form.key).await);
    let no_form = reqwest::Client::new().post(url).body("x").send().await.unwrap();
    assert_eq!(no_form.status(), 400);
}

/// What a browser asks before a page of another origin posts, and what it has to hear on the answer as well.
#[tokio::test]
async fn a_page_of_this_machine_may_post_and_one_of_elsewhere_may_not() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    let client = reqwest::Client::new();
    for (origin, status) in
        [("http://localhost:3000", 200), ("https://servicewechat.com", 200), ("https://evil.example", 403)]
    {
        let asked = client.request(reqwest::Method::OPTIONS, &app.twin.media.url).header("origin", origin);
        let asked = asked.header("access-control-request-method", "POST").send().await.unwrap();
        let kind = "multipart/form-data; boundary=----a-boundary";
        let posted = client.post(&app.twin.media.url).header("content-type", kind).header("origin", origin);
        let posted = posted.body(form.body(b"x")).send().await.unwrap();
        assert_eq!((asked.status().as_u16(), posted.status().as_u16()), (status, status), "{origin}");
        for answer in [asked, posted] {
            let allowed = if status == 200 { "*" } else { "" };
            assert_eq!(header(&answer, "access-control-allow-origin"), allowed, "{origin}");
        }
    }
}

#[tokio::test]
async fn only_programs_delete_and_only_at_the_port_of_the_tables() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let client = reqwest::Client::new();
    let delete = async |url: &str, origin: Option<&str>| {
        let request = client.delete(url);
        let request = match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    let (key, tables) = (&form.key, &app.twin.dynamodb_url);
    assert_eq!(delete(&format!("{}media/{key}", app.twin.media.url), None).await, 404);
    assert_eq!(delete(&format!("{}{key}", app.twin.media.url), None).await, 405);
    assert_eq!(delete(&format!("{tables}/media/{key}"), Some("http://localhost:3000")).await, 403);
    assert_eq!(delete(&format!("{tables}/other/{key}"), None).await, 404);
    assert!(is_there(&app, key).await);
    assert_eq!(delete(&format!("{tables}/media/{key}"), None).await, 204);
    assert!(!is_there(&app, key).await);
    assert_eq!(delete(&format!("{tables}/media/{key}"), None).await, 204, "as S3 does");
    assert!(MediaKey::parse("hongyan.db").is_none());
    assert_eq!(delete(&format!("{tables}/media/hongyan.db"), None).await, 204);
}
