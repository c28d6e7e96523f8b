//! Who may ask. A browser lets any page send requests to this machine, and says in two headers whose page it is
//! and under which name it found us.
//!
//! A page elsewhere gets nothing: its `Origin` gives it away, and where a name of its own leads here (DNS
//! rebinding), so does `Host`. No answer but those of media has a header by which a browser would let another page read it.

use std::net::IpAddr;

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// WeChat's tools and phones ask in the name of the mini-programs' own host.
const MINI_PROGRAMS: &str = "servicewechat.com";

/// Names of this machine that nobody else can give away, besides its addresses.
const OWN_NAMES: [&str; 2] = ["localhost", "host.docker.internal"];

/// Lets in programs, and pages of this machine.
pub(crate) async fn pages_of_this_machine(request: Request, next: Next) -> Response {
    match check(request.headers(), true) {
        Ok(()) => next.run(request).await,
        Err(why) => refuse(&why),
    }
}

/// Lets in programs: no page has anything to ask here.
pub(crate) async fn programs(request: Request, next: Next) -> Response {
    match check(request.headers(), false) {
        Ok(()) => next.run(request).await,
        Err(why) => refuse(&why),
    }
}

/// The `Host` of a request that was let in.
pub(crate) fn host(headers: &HeaderMap) -> &str {
    text(headers, header::HOST).unwrap_or_default()
}

fn check(headers: &HeaderMap, takes_pages: bool) -> Result<(), String> {
    let host = text(headers, header::HOST).unwrap_or_default();
    let name = host.parse::<Authority>().map(|authority| bare(authority.host()).to_owned());
    let name = name.unwrap_or_default();
    if name.parse::<IpAddr>().is_err() && !OWN_NAMES.contains(&name.as_str()) {
        return Err(format!(
            "the twin answers under an address of this machine or localhost, not as `{host}`"
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let page = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let page = page.as_ref().and_then(Uri::host).map(bare).unwrap_or_default();
    let is_of_this_machine = page == name
        || OWN_NAMES.contains(&page)
        || page == MINI_PROGRAMS
        || page.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if takes_pages && is_of_this_machine {
        return Ok(());
    }
    let origin = origin.to_str().unwrap_or_default();
    Err(match takes_pages {
        true => {
            format!("the twin takes no requests from pages of `{origin}`, only from those of this machine")
        }
        false => format!("this is for programs, and not for pages as those of `{origin}`"),
    })
}

fn refuse(why: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "message": why }))).into_response()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn lets_in(host: &str, origin: Option<&str>, takes_pages: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&headers, takes_pages).is_ok()
    }

    #[test]
    fn the_twin_answers_under_addresses_and_names_that_nobody_can_lead_elsewhere() {
        for host in [
            "127.0.0.1:8420",
            "localhost:8420",
            "[::1]:8420",
            "192.168.1.5:8420",
            "host.docker.internal:8421",
        ] {
            assert!(lets_in(host, None, true) && lets_in(host, None, false), "{host}");
        }
        for host in ["evil.example:8420", "127.0.0.1.evil.example", "localhost.evil.example", "", "@", "a b"]
        {
            assert!(!lets_in(host, None, true) && !lets_in(host, None, false), "{host}");
        }
        assert!(check(&HeaderMap::new(), true).is_err(), "who says no name is no browser of this century");
    }

    #[test]
    fn pages_of_this_machine_and_mini_programs_are_let_in_and_no_others() {
        for origin in [
            "http://127.0.0.1:8420",
            "http://localhost:3000",
            "http://[::1]:8420",
            "https://servicewechat.com",
            "http://192.168.1.5:8420",
        ] {
            assert!(lets_in("192.168.1.5:8420", Some(origin), true), "{origin}");
            assert!(!lets_in("192.168.1.5:8420", Some(origin), false), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.example",
            "https://servicewechat.com.evil.example",
            "http://203.0.113.7",
            "http://127.0.0.1.evil.example",
            "http://localhost@evil.example",
        ] {
            assert!(!lets_in("127.0.0.1:8420", Some(origin), true), "{origin}");
        }
    }
}
