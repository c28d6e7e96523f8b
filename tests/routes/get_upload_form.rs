use std::collections::BTreeSet;

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use hongyan_functions::{
    config::{Config, Settings},
    functions,
};
use hongyan_local::sdk_config;
use hongyan_shared::{
    media::{Fields, MediaKey, Owner, Refused, Signer, check},
    model::UserId,
};
use serde_json::{Value, json};

use crate::harness::{
    SDK_APP_ID, START_MS, TestApp, body, event, request,
    sandbox::{Sandbox, Setup},
};

const MB: u64 = 1_048_576;

/// Who signs on a laptop.
fn signer() -> Signer {
    let local = || "local".to_owned();
    Signer { access_key_id: local(), secret_access_key: local(), session_token: None, region: local() }
}

fn fields(form: &Value) -> Fields {
    serde_json::from_value(form["fields"].clone()).unwrap()
}

/// What S3 would say to so many bytes with this form.
fn posted(form: &Value, bytes: u64) -> Result<MediaKey, Refused> {
    check(&signer(), "media", &fields(form), bytes, START_MS / 1000)
}

fn owner(user: &str) -> Owner {
    Owner::of(SDK_APP_ID, &UserId::parse("user", user).unwrap())
}

#[tokio::test]
async fn a_form_is_for_one_object_of_the_user_and_each_preview_has_its_own() {
    let app = TestApp::new().await;
    let reply = body(app.respond("get-upload-form", &event("get-upload-form")).await);
    assert_eq!(reply["code"], 0, "{reply}");
    let data = &reply["data"];
    assert_eq!((&data["url"], &data["expires"]), (&json!(app.twin.page_url), &json!(START_MS / 1000 + 900)));

    let sizes = [123_456, 23_456];
    let forms = [data, &data["previews"][0]];
    assert_eq!(data["previews"].as_array().unwrap().len(), 1);
    for (form, size) in forms.into_iter().zip(sizes) {
        let key = posted(form, size).unwrap();
        assert_eq!((form["key"].as_str(), fields(form)["key"].as_str()), (Some(key.as_str()), key.as_str()));
        assert_eq!(form["mediaUrl"], format!("{}{key}", app.twin.page_url));
        assert!(key.is_of(&owner("alice")) && !key.is_of(&owner("bob")));
        assert_eq!(posted(form, size + 1), Err(Refused::EntityTooLarge));
        assert_eq!(posted(form, 0), Err(Refused::EntityTooSmall));
    }
    let [original, preview] = forms.map(|form| form["key"].as_str().unwrap());
    assert_eq!(original.strip_suffix("o.png"), preview.strip_suffix("p1.jpg"));
}

#[tokio::test]
async fn each_kind_is_taken_up_to_its_limit_and_served_as_what_it_is() {
    let app = TestApp::with(Settings { media_megabytes_per_day: None, ..Settings::default() }).await;
    for (kind, media_type, size, previews, ending, content_type) in [
        ("image", "JPEG", 20 * MB, vec![2 * MB, 1], "o.jpg", "image/jpeg"),
        ("image", "webp", 1, vec![], "o.webp", "image/webp"),
        ("audio", "mp3", 20 * MB, vec![], "o.mp3", "audio/mpeg"),
        ("video", "quicktime", 100 * MB, vec![2 * MB], "o.mov", "video/quicktime"),
        ("file", "pdf", 100 * MB, vec![], "o.pdf", "application/octet-stream"),
        ("file", "svg", 1, vec![], "o.svg", "application/octet-stream"),
        ("file", "", 1, vec![], "o", "application/octet-stream"),
    ] {
        let data = json!({ "kind": kind, "type": media_type, "size": size, "previews": previews });
        let form = app.ask("get-upload-form", "alice", data).await;
        let key = posted(&form, size).unwrap();
        assert!(key.as_str().ends_with(&format!("/{ending}")), "{key}");
        assert_eq!(fields(&form)["Content-Type"], content_type);
        // A file is never shown, whatever it is called.
        let disposition = fields(&form).get("Content-Disposition").cloned();
        assert_eq!(disposition.as_deref(), (kind == "file").then_some("attachment"));
        let forms = form["previews"].as_array().unwrap();
        assert_eq!(forms.len(), previews.len());
        for (number, (form, size)) in forms.iter().zip(previews).enumerate() {
            let key = posted(form, size).unwrap();
            assert!(key.as_str().ends_with(&format!("/p{}.jpg", number + 1)), "{key}");
            assert_eq!(fields(form)["Content-Type"], "image/jpeg");
        }
    }
    let data = json!({ "kind": "file", "type": "pdf", "size": 1, "name": "报价.pdf" });
    let form = app.ask("get-upload-form", "alice", data).await;
    assert_eq!(fields(&form)["Content-Disposition"], "attachment; filename*=UTF-8''%E6%8A%A5%E4%BB%B7.pdf");
}

#[tokio::test]
async fn what_is_too_large_or_of_another_type_is_refused_with_a_code_of_its_kind() {
    let app = TestApp::new().await;
    for (kind, media_type, size, code) in [
        ("image", "svg", 1, 2252),
        ("image", "html", 1, 2252),
        ("image", "mp4", 1, 2252),
        ("image", "png", 20 * MB + 1, 2253),
        ("audio", "mp4", 1, 2300),
        ("audio", "mp3", 20 * MB + 1, 2301),
        ("video", "mp4", 100 * MB + 1, 2351),
        ("video", "avi", 1, 2352),
        ("file", "pdf", 100 * MB + 1, 2402),
        ("image", "png", 0, 2108),
        ("file", "pdf", 0, 2108),
        ("sticker", "png", 1, 70402),
    ] {
        let data = json!({ "kind": kind, "type": media_type, "size": size });
        let reply = app.invoke("get-upload-form", "alice", data).await;
        assert_eq!(
            (&reply["code"], &reply["data"]),
            (&json!(code), &json!({})),
            "{kind} {media_type} {size}"
        );
    }
    for (kind, media_type, name, previews) in [
        ("image", "png", "a", vec![1, 1, 1]),
        ("image", "png", "a", vec![0]),
        ("image", "png", "a", vec![2 * MB + 1]),
        ("video", "mp4", "a", vec![1, 1]),
        ("audio", "mp3", "a", vec![1]),
        ("file", "pdf", "a", vec![1]),
        ("file", "pdf", "", vec![]),
        ("file", "pdf", "a\nb", vec![]),
        ("file", "pdf", "a\u{202e}fdp.exe", vec![]),
        ("file", "pdf", &"x".repeat(256), vec![]),
    ] {
        let data = json!({ "kind": kind, "type": media_type, "size": 1, "name": name, "previews": previews });
        assert_eq!(app.invoke("get-upload-form", "alice", data.clone()).await["code"], 70402, "{data}");
    }
    assert!(app.calls().is_empty(), "what is refused touches no table");
}

#[tokio::test]
async fn no_field_says_whose_an_object_is_and_no_two_have_one_place() {
    let app = TestApp::new().await;
    let data = json!({
        "kind": "image", "type": "png", "size": 1, "userID": "bob", "from": "bob", "owner": "bob",
        "key": "m/x", "prefix": "m/", "bucket": "other",
    });
    // Whatever is drawn in a sandbox, the system draws otherwise in another one.
    let random = || hongyan_functions::random::Random::system();
    let sandboxes = [0; 2].map(|_| Sandbox::new(Setup { random: random(), ..app.setup() }));
    let mut folders = BTreeSet::new();
    for (number, user) in (0..20).flat_map(|number| [(number, "alice"), (number, "bob")]) {
        let sandbox = &sandboxes[number % 2];
        let reply = app.invoke_in(sandbox, "get-upload-form", user, data.clone()).await;
        let key = posted(&reply["data"], 1).unwrap();
        for other in ["alice", "bob", "carol"] {
            assert_eq!(key.is_of(&owner(other)), other == user);
        }
        assert!(folders.insert(key.to_string()), "{key}");
    }
}

#[tokio::test]
async fn a_deployment_without_media_says_what_to_deploy() {
    let app = TestApp::new().await;
    let sandbox = Sandbox::new(Setup { media: None, ..app.setup() });
    let reply = body(app.respond_in(&sandbox, "get-upload-form", &event("get-upload-form")).await);
    assert_eq!((&reply["code"], &reply["data"]), (&json!(2040), &json!({})));
    assert!(reply["message"].as_str().unwrap().contains("Media=true"), "{reply}");
}

/// As in Lambda, whose keys come with a token, and from an environment.
#[tokio::test]
async fn a_form_that_is_signed_with_a_key_for_some_hours_has_its_token() {
    let app = TestApp::new().await;
    let credentials = Credentials::new("ASIA", "secret", Some("a/token+=".to_owned()), None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    let sdk = sdk_config(&app.dynamodb.url).into_builder().credentials_provider(provider).build();
    let management = app.management.url.clone();
    let environment = move |name: &'static str| {
        let value = match name {
            "CONNECTIONS_ENDPOINT" => &management,
            "CONNECTIONS_TABLE" => "Connections",
            "SDK_APP_ID" => "1400000000",
            "MEDIA_BUCKET" => "bucket",
            "MEDIA_URL" => "https://media.example.com/",
            _ => "0",
        };
        Some(value.to_owned())
    };
    let mut config = Config::from_variables(Box::new(environment), sdk);
    config.clock = app.clock.reader();
    let function = functions::build("get-upload-form", &config).unwrap().unwrap();
    let reply = body(function(request(&event("get-upload-form"))).await);
    assert_eq!(reply["code"], 0, "{reply}");
    let form = &reply["data"];
    assert_eq!(form["url"], "https://media.example.com/");
    assert_eq!(form["mediaUrl"], format!("https://media.example.com/{}", form["key"].as_str().unwrap()));
    let signer = Signer {
        access_key_id: "ASIA".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: Some("a/token+=".to_owned()),
        ..signer()
    };
    for form in [form, &form["previews"][0]] {
        let mut fields = fields(form);
        assert_eq!(fields["x-amz-security-token"], "a/token+=");
        assert!(check(&signer, "bucket", &fields, 1, START_MS / 1000).is_ok());
        fields.remove("x-amz-security-token");
        assert_eq!(check(&signer, "bucket", &fields, 1, START_MS / 1000), Err(Refused::AccessDenied));
    }
    let shown = reply.to_string();
    assert!(!shown.contains("secret"), "{shown}");
}
