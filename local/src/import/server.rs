//! The calls, and when one is made again.

use std::time::Duration;

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use hongyan_functions::aws::{connector, with_causes};
use hongyan_shared::sig::{Keys, issue};
use rand::random_range;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::{error::ImportError, options::Options, record::Call};
use crate::clock::Clock;

/// How long a connection, and how long an answer may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a call waits before it is made again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// For how long one call is made again. A server that is deployed anew, or throttled, is back by then.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// For how long a signature is good. Each call has its own.
const SIG_SECONDS: i64 = 3600;

/// What the server says to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    Refused { code: i64, info: String },
}

/// Why there is no answer, and whether there may be one later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    Yet(String),
    Ever(String),
}

/// Who is asked. Tests have another one.
pub trait Ask {
    async fn ask(&self, call: &Call) -> Result<Answer, Unanswered>;
}

/// The API.
pub struct Server {
    url: String,
    sdk_app_id: u64,
    administrator: String,
    keys: Keys,
    connector: SharedHttpConnector,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "ErrorCode")]
    code: i64,
    #[serde(rename = "ErrorInfo", default)]
    info: String,
}

impl Server {
    pub fn new(options: &Options) -> Self {
        Self {
            url: options.url.trim_end_matches('/').to_owned(),
            sdk_app_id: options.sdk_app_id,
            administrator: options.administrator.clone(),
            keys: options.keys.clone(),
            connector: connector(CONNECT_TIMEOUT),
        }
    }

    fn request(&self, call: &Call) -> Result<HttpRequest, Unanswered> {
        let now = Clock::System.now() / 1000;
        let sig = issue(self.keys.current(), self.sdk_app_id, &self.administrator, now, SIG_SECONDS);
        let url = format!(
            "{}/{}?sdkappid={}&identifier={}&usersig={}&random={}&contenttype=json",
            self.url,
            call.command,
            self.sdk_app_id,
            escaped(&self.administrator),
            escaped(&sig),
            random_range(0..=u32::MAX),
        );
        let wrong = |error| Unanswered::Ever(format!("--url is wrong: {error}"));
        let mut request = HttpRequest::new(SdkBody::from(call.body.to_string()));
        request.set_method("POST").map_err(wrong)?;
        request.set_uri(url).map_err(wrong)?;
        request.headers_mut().insert("content-type", "application/json");
        Ok(request)
    }

    async fn ask_once(&self, call: &Call) -> Result<Answer, Unanswered> {
        let response = self.connector.call(self.request(call)?).await;
        let response = response.map_err(|error| Unanswered::Yet(with_causes(&error)))?;
        let status = response.status().as_u16();
        let body = ByteStream::new(response.into_body()).collect().await;
        let body = body.map_err(|error| Unanswered::Yet(with_causes(&error)))?.into_bytes();
        read(status, &body)
    }
}

impl Ask for Server {
    async fn ask(&self, call: &Call) -> Result<Answer, Unanswered> {
        let late = |_| Unanswered::Yet(format!("no answer within {} s", TIMEOUT.as_secs()));
        timeout(TIMEOUT, self.ask_once(call)).await.map_err(late)?
    }
}

/// What an answer says.
fn read(status: u16, body: &[u8]) -> Result<Answer, Unanswered> {
    let envelope: Option<Envelope> = serde_json::from_slice(body).ok();
    match (status, envelope) {
        (408 | 429 | 500..=599, envelope) => {
            let info = envelope.map(|Envelope { code, info }| format!(": {info} ({code})"));
            Err(Unanswered::Yet(format!("status {status}{}", info.unwrap_or_default())))
        }
        (200, Some(Envelope { code: 0, .. })) => Ok(Answer::Done),
        (200, Some(Envelope { code, info })) if is_passing(code) => {
            Err(Unanswered::Yet(format!("{info} ({code})")))
        }
        (200, Some(Envelope { code, info })) => Ok(Answer::Refused { code, info }),
        _ => Err(Unanswered::Ever(format!(
            "it answers with status {status} and not as Tencent's API does. --url is the output RestUrl, with its /v4"
        ))),
    }
}

/// Whether a code says that the same may be asked again: too fast, or something failed. Tencent says so with status 200.
fn is_passing(code: i64) -> bool {
    matches!(code, 40006 | 60007 | 60008 | 70169 | 70500 | 90992..=90995 | 91000)
}

/// Whether a code is about the URL, the administrator or the signature, so that no other call would fare better.
pub fn is_about_the_caller(code: i64) -> bool {
    matches!(code, 60002..=60015 | 70001..=70100)
}

/// Makes a call until it is answered. A call that is made again changes nothing.
///
/// # Errors
/// [`ImportError::Unanswered`] after five minutes, [`ImportError::Refused`].
pub async fn until_answered(server: &impl Ask, call: &Call) -> Result<Answer, ImportError> {
    let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let why = match server.ask(call).await {
            Ok(answer) => return Ok(answer),
            Err(Unanswered::Ever(why)) => return Err(ImportError::Refused(why)),
            Err(Unanswered::Yet(why)) => why,
        };
        if started.elapsed() >= GIVE_UP_AFTER {
            return Err(ImportError::Unanswered(why));
        }
        // Half of it is by chance, or all who were refused at once would come back at once.
        sleep(pause.mul_f64(random_range(0.5..1.0))).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// For a query. Signatures have a `*`, which some proxies do not pass on.
fn escaped(text: &str) -> String {
    let as_it_is = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| if as_it_is(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::RefCell;

    use serde_json::Value;

    use super::*;

    /// Answers with what it is given, and notes when it was asked.
    struct Script(RefCell<Vec<Result<Answer, Unanswered>>>, RefCell<Vec<Duration>>, Instant);

    impl Ask for Script {
        async fn ask(&self, _: &Call) -> Result<Answer, Unanswered> {
            self.1.borrow_mut().push(self.2.elapsed());
            let mut answers = self.0.borrow_mut();
            if answers.len() > 1 { answers.remove(0) } else { answers.first().unwrap().clone() }
        }
    }

    async fn ask(answers: Vec<Result<Answer, Unanswered>>) -> (Result<Answer, ImportError>, Vec<Duration>) {
        let script = Script(RefCell::new(answers), RefCell::default(), Instant::now());
        let call = Call { command: "openim/importmsg", body: Value::Null };
        let answer = until_answered(&script, &call).await;
        (answer, script.1.into_inner())
    }

    fn busy() -> Result<Answer, Unanswered> {
        read(429, br#"{"ActionStatus":"FAIL","ErrorCode":60007,"ErrorInfo":"slower"}"#)
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_busy_is_asked_again_later_and_later_and_at_last_no_more() {
        let (answer, asked) = ask(vec![busy(), read(503, b""), busy(), Ok(Answer::Done)]).await;
        assert_eq!(answer.unwrap(), Answer::Done);
        let pauses: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (pause, longest) in pauses.iter().zip([200, 400, 800].map(Duration::from_millis)) {
            assert!(*pause >= longest / 2 && *pause <= longest + Duration::from_millis(2), "{pauses:?}");
        }

        let (answer, asked) = ask(vec![busy()]).await;
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("status 429: slower (60007)") && error.contains("goes on"), "{error}");
        let last = asked.last().unwrap();
        assert!(*last >= GIVE_UP_AFTER && *last < GIVE_UP_AFTER + 2 * LONGEST_PAUSE, "{last:?}");
        assert!(asked.len() < 80, "{} times", asked.len());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_busy_with_a_status_of_success_as_tencent_is_is_asked_again_too() {
        for code in [40006, 60007, 60008, 70169, 70500, 90992, 90993, 90994, 90995, 91000] {
            let busy = read(200, format!(r#"{{"ErrorCode":{code},"ErrorInfo":"later"}}"#).as_bytes());
            assert_eq!(busy, Err(Unanswered::Yet(format!("later ({code})"))));
            let (answer, asked) = ask(vec![busy, Ok(Answer::Done)]).await;
            assert_eq!((answer.unwrap(), asked.len()), (Answer::Done, 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_no_such_server_is_asked_once() {
        let (answer, asked) = ask(vec![read(404, b"<html>")]).await;
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("status 404") && error.contains("--url"), "{error}");
        assert_eq!(asked.len(), 1);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let refused = read(200, br#"{"ActionStatus":"FAIL","ErrorCode":90010,"ErrorInfo":"no"}"#);
        assert_eq!(refused, Ok(Answer::Refused { code: 90010, info: "no".to_owned() }));
        assert_eq!(read(200, br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#), Ok(Answer::Done));
        assert!(is_about_the_caller(60010) && is_about_the_caller(70001) && !is_about_the_caller(90010));
        assert!(!is_about_the_caller(70107), "nobody of this name is about one record");
    }

    #[test]
    fn what_is_in_a_query_is_escaped() {
        assert_eq!(escaped("eJw-_*a b名"), "eJw-_%2Aa%20b%E5%90%8D");
    }
}
