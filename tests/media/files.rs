use std::{path::Path, time::Duration};

use hongyan_functions::config::Settings;
use hongyan_local::{Config, Data, Running, clock::Clock, start};
use hongyan_shared::sig::{Key, Keys};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Form, is_there};
use crate::harness::{KEY, RULES, START_MS, TestApp};

async fn twin(folder: &Path) -> Running {
    start(Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data: Data::Folder(folder.to_owned()),
        rules: RULES,
        administrators: hongyan_functions::trigger::rest::Administrators::default(),
        keys: Keys::one(Key::parse(KEY).unwrap()),
        settings: Settings { retention: Settings::retention_of(2), ..Settings::default() },
        callback: None,
        clock: Clock::manual(START_MS),
    })
    .await
    .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn media_are_there_again_when_a_twin_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let form = Form::new("alice", 0, 300_000);
    let picture: Vec<u8> = (0..300_000_u32).map(|at| at as u8).collect();
    let first = twin(folder.path()).await;
    assert_eq!(form.post_to(&first.media.url, &picture).await.0, 200);
    first.stop().await;
    assert!(folder.path().join("media").join(form.key.as_str()).is_file());

    let second = twin(folder.path()).await;
    let url = format!("{}{}", second.media.url, form.key);
    assert_eq!(reqwest::get(&url).await.unwrap().bytes().await.unwrap(), picture);
    let part = reqwest::Client::new().get(&url).header("range", "bytes=299998-").send().await.unwrap();
    assert_eq!(part.bytes().await.unwrap(), picture[299_998..]);
    let gone = reqwest::Client::new().delete(format!("{}/media/{}", second.dynamodb_url, form.key));
    assert_eq!(gone.send().await.unwrap().status(), 204);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 403);
    second.stop().await;
    let owner = form.key.as_str().split('/').nth(1).unwrap();
    assert!(names(&folder.path().join("media/m").join(owner)).is_empty(), "its folder goes with it");
}

#[tokio::test]
async fn a_file_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let running = twin(folder.path()).await;
    let form = Form::new("alice", 0, 1_000_000);
    let (head, unfinished) = (form.head(), folder.path().join("media/unfinished"));
    let address = running.media.url.trim_start_matches("http://").trim_end_matches('/');
    let half = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=----a-boundary\r\n\
             Content-Length: {}\r\n\r\n",
            head.len() + 1_000_000
        );
        stream.write_all(&[request.as_bytes(), &head, &[7; 100_000]].concat()).await.unwrap();
        stream
    };
    let waits_for = async |files: usize| {
        let there = async {
            while names(&unfinished).len() != files {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), there).await.expect("so many files");
    };
    let stream = half().await;
    waits_for(1).await;
    drop(stream);
    waits_for(0).await;
    assert!(!folder.path().join("media/m").exists());

    // One that says nothing more does not keep the twin from ending.
    let _stream = half().await;
    waits_for(1).await;
    tokio::time::timeout(Duration::from_secs(10), running.stop()).await.unwrap();
    assert_eq!(names(&unfinished).len(), 0);

    // What a killed twin has left is removed.
    std::fs::write(unfinished.join("x"), "half").unwrap();
    let running = twin(folder.path()).await;
    assert_eq!(names(&unfinished).len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn media_go_when_their_retention_is_over() {
    let retention = Settings { retention: Settings::retention_of(2), ..Settings::default() };
    let app = TestApp::with(retention).await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    app.advance(Duration::from_secs(2 * 24 * 60 * 60 - 1));
    assert_eq!(app.sweep().await, 0);
    assert!(is_there(&app, &form.key).await);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.sweep().await, 1);
    assert!(!is_there(&app, &form.key).await);

    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    app.advance(Duration::from_secs(50 * 365 * 24 * 60 * 60));
    assert_eq!(app.sweep().await, 0, "without a retention they stay");
}
