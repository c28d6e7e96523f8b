//! Pictures, voice, video and files, over real sockets: forms that come in, objects that go out, and recalls that take
//! them away.

mod download;
mod files;
mod recall;
mod upload;

use hongyan_shared::{
    media::{Fields, Folder, Format, Kind, MediaKey, Object, Owner, Signer, sign},
    model::UserId,
};
use reqwest::{Response, StatusCode};

use crate::harness::{SDK_APP_ID, START_MS, TestApp};

/// A form for one object of a user, as the twin's own function signs it.
pub struct Form {
    pub key: MediaKey,
    pub fields: Fields,
}

/// Who signs for the twin.
pub fn signer() -> Signer {
    let local = || "local".to_owned();
    Signer { access_key_id: local(), secret_access_key: local(), session_token: None, region: local() }
}

impl Form {
    /// A picture of so many bytes at most, in a folder whose name is so many times this letter.
    pub fn new(user: &str, letter: u64, max_bytes: u64) -> Self {
        Self::of(user, letter, &Kind::Image.format("png").unwrap(), None, max_bytes)
    }

    /// A file that is to be kept, and not shown.
    pub fn for_file(user: &str, extension: &str, disposition: &str) -> Self {
        Self::of(user, 0, &Kind::File.format(extension).unwrap(), Some(disposition.to_owned()), 1_000)
    }

    /// The first preview of what is in that folder.
    pub fn for_preview(user: &str, letter: u64) -> Self {
        let format = Kind::Image.format("jpg").unwrap();
        Self::at(Self::folder(user, letter).preview(1), &format, None, 10)
    }

    fn folder(user: &str, letter: u64) -> Folder {
        let owner = Owner::of(SDK_APP_ID, &UserId::parse("userID", user).unwrap());
        Folder::new(&owner, |_| letter)
    }

    fn of(user: &str, letter: u64, format: &Format, disposition: Option<String>, max_bytes: u64) -> Self {
        Self::at(Self::folder(user, letter).original(format), format, disposition, max_bytes)
    }

    fn at(key: MediaKey, format: &Format, disposition: Option<String>, max_bytes: u64) -> Self {
        let object = Object {
            bucket: "media",
            key: key.clone(),
            content_type: format.content_type(),
            content_disposition: disposition,
            max_bytes,
        };
        let fields = sign(&signer(), &object, START_MS / 1000);
        Self { key, fields }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The form as a browser sends it, up to where the file begins.
    pub fn head(&self) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.fields {
            body += &format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        body += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        body.into_bytes()
    }

    pub fn body(&self, file: &[u8]) -> Vec<u8> {
        [&self.head(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// Uploads a file with it, and says how that went.
    pub async fn post(&self, app: &TestApp, file: &[u8]) -> (StatusCode, String) {
        self.post_to(&app.twin.media.url, file).await
    }

    pub async fn post_to(&self, url: &str, file: &[u8]) -> (StatusCode, String) {
        let answer = post(url, self.body(file)).await;
        (answer.status(), answer.text().await.unwrap())
    }

    /// Uploads a file that must be taken.
    pub async fn upload(&self, app: &TestApp, file: &[u8]) {
        assert_eq!(self.post(app, file).await, (StatusCode::OK, String::new()));
    }
}

const BOUNDARY: &str = "----a-boundary";

pub async fn post(url: &str, body: Vec<u8>) -> Response {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    reqwest::Client::new().post(url).header("content-type", kind).body(body).send().await.unwrap()
}

pub async fn get(app: &TestApp, key: &MediaKey) -> Response {
    get_range(app, key, "").await
}

pub async fn get_range(app: &TestApp, key: &MediaKey, range: &str) -> Response {
    let request = reqwest::Client::new().get(format!("{}{key}", app.twin.media.url));
    let request = if range.is_empty() { request } else { request.header("range", range) };
    request.send().await.unwrap()
}

/// Whether an object is there.
pub async fn is_there(app: &TestApp, key: &MediaKey) -> bool {
    match get(app, key).await.status() {
        StatusCode::OK => true,
        // As in an account, where nobody may ask what there is.
        StatusCode::FORBIDDEN => false,
        status => panic!("{status}"),
    }
}

pub fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
