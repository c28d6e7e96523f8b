use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Form, get, get_range, header};
use crate::harness::TestApp;

#[tokio::test]
async fn an_object_is_served_as_what_its_form_said_and_never_run() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 100);
    form.upload(&app, b"<svg onload=alert(1)>").await;
    let kept = "attachment; filename*=UTF-8''%E6%8A%A5%E4%BB%B7.html";
    let page = Form::for_file("alice", "html", kept);
    page.upload(&app, b"<script>alert(1)</script>").await;
    for (key, kind, disposition) in
        [(&form.key, "image/png", ""), (&page.key, "application/octet-stream", kept)]
    {
        let url = format!("{}{key}", app.twin.media.url);
        let head = reqwest::Client::new().head(&url).send().await.unwrap();
        let whole = get(&app, key).await;
        for answer in [&head, &whole] {
            assert_eq!(answer.status(), 200);
            assert_eq!(header(answer, "content-type"), kind);
            assert_eq!(header(answer, "content-disposition"), disposition);
            assert_eq!(header(answer, "x-content-type-options"), "nosniff");
            assert_eq!(header(answer, "content-security-policy"), "sandbox; default-src 'none'");
            assert_eq!(header(answer, "access-control-allow-origin"), "*");
            assert_eq!(header(answer, "cache-control"), "public, max-age=86400, immutable");
            assert_eq!(header(answer, "accept-ranges"), "bytes");
            assert_eq!(header(answer, "last-modified"), "Mon, 23 Nov 2026 02:13:21 GMT");
            assert!(header(answer, "etag").starts_with('"') && header(answer, "etag").len() > 10);
        }
        assert_eq!(header(&head, "content-length"), header(&whole, "content-length"));
        assert_eq!(header(&head, "etag"), header(&whole, "etag"));
        assert_eq!(head.bytes().await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_part_of_an_object_is_served_to_who_asks_for_one() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 100);
    form.upload(&app, b"0123456789").await;
    for (asked, status, range, part) in [
        ("bytes=0-3", 206, "bytes 0-3/10", "0123"),
        ("bytes=4-4", 206, "bytes 4-4/10", "4"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=7-100", 206, "bytes 7-9/10", "789"),
        ("bytes=-2", 206, "bytes 8-9/10", "89"),
        ("bytes=-100", 206, "bytes 0-9/10", "0123456789"),
        // Of several S3 gives the whole, and so it does of what it cannot read.
        ("bytes=0-1,3-4", 200, "", "0123456789"),
        ("bytes=4-2", 200, "", "0123456789"),
        ("bytes=x-2", 200, "", "0123456789"),
        ("bytes=-", 200, "", "0123456789"),
        ("lines=0-1", 200, "", "0123456789"),
    ] {
        let answer = get_range(&app, &form.key, asked).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-range")), (status, range), "{asked}");
        assert_eq!(header(&answer, "content-length"), part.len().to_string(), "{asked}");
        assert_eq!(answer.text().await.unwrap(), part, "{asked}");
    }
    for asked in ["bytes=10-", "bytes=10-20", "bytes=-0"] {
        let answer = get_range(&app, &form.key, asked).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-range")),
            (416, "bytes */10"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_tells_nothing() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 100);
    let address = app.twin.media.url.trim_start_matches("http://").trim_end_matches('/');
    // As they are: a client of HTTP would leave out what leads up and down again.
    for path in ["m/", "m/x", "m/../lock", "m/..%2f..%2flock", "m/%2e%2e/hongyan.db", "m//etc/passwd"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap();
        assert!(["403", "404"].contains(&status), "{path}: {answer}");
    }
    let answer = get(&app, &form.key).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-content-type-options")), (403, "nosniff"));
    assert!(answer.text().await.unwrap().contains("<Code>AccessDenied</Code>"));
}
