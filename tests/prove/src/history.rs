//! What happened, as those saw it whom it happened to: a line of JSON for each event, in one order, by one clock.
//!
//! ```json
//! {"at":1203417,"clock":1795400001203,"invoke":{"op":17,"user":"u03","action":"sendMessage","data":{…}}}
//! {"at":1215020,"clock":1795400001215,"return":{"op":17,"code":0,"data":{…}}}
//! ```
//!
//! Requests, replies and pushes are those of docs/protocol.md as they went over the wire.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    sync::{Mutex, MutexGuard},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the nemesis says when it has mended everything.
pub const ALL_IS_WELL: &str = "all is well";

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since the beginning, by a clock that never steps.
    pub at: u64,
    /// What the server's clocks were set to then, in milliseconds since 1970: theirs differ by the skew at most.
    pub clock: u64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The first event: under which rules all this happened.
    Begin(Rules),
    /// A user asks for something.
    Invoke(Invoke),
    /// The answer. What has no answer has no such event.
    Return(Return),
    /// Something came in that nobody had asked for.
    Push(Push),
    /// Something was broken, or mended.
    Nemesis(String),
    /// All is well again and nobody asks for anything any more. What follows reads everything.
    End(Value),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    pub seed: u64,
    /// How many seconds a message lives; for ever if nothing is said.
    pub retention: Option<u64>,
    /// By how much a read may be behind that is not strongly consistent.
    pub stale_ms: u64,
    /// How wrong a server's clock may be, in either direction.
    pub skew_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invoke {
    pub op: u64,
    pub user: String,
    pub action: String,
    pub data: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Return {
    pub op: u64,
    pub code: i64,
    pub data: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Push {
    pub user: String,
    pub event: String,
    pub data: Value,
}

/// A history that is being written.
pub struct History {
    begun: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    events: Vec<Event>,
    /// By how much the server's clock is ahead of this machine's.
    ahead_ms: u64,
}

impl History {
    pub fn new(rules: Rules) -> Self {
        let history =
            Self { begun: Instant::now(), inner: Mutex::new(Inner { events: Vec::new(), ahead_ms: 0 }) };
        history.note(What::Begin(rules));
        history
    }

    /// Writes down what happens now.
    pub fn note(&self, what: What) {
        let mut inner = self.lock();
        self.write(&mut inner, what);
    }

    /// The same, and says how many events there were before: a number of its own for every operation.
    pub fn invoke(&self, user: &str, action: &str, data: &Value) -> u64 {
        let mut inner = self.lock();
        let op = inner.events.len() as u64;
        let invoke = Invoke { op, user: user.to_owned(), action: action.to_owned(), data: data.clone() };
        self.write(&mut inner, What::Invoke(invoke));
        op
    }

    /// Steps the clock. Nothing else happens between its old and its new time.
    pub fn step_clock<T>(&self, by_ms: u64, step: impl FnOnce(u64) -> T) -> T {
        let mut inner = self.lock();
        inner.ahead_ms += by_ms;
        let stepped = step(inner.ahead_ms);
        self.write(&mut inner, What::Nemesis(format!("the clock steps by {by_ms} ms")));
        stepped
    }

    pub fn ahead_ms(&self) -> u64 {
        self.lock().ahead_ms
    }

    /// The server's time in seconds.
    pub fn clock_s(&self) -> u64 {
        (now_ms() + self.ahead_ms()) / 1000
    }

    pub fn len(&self) -> usize {
        self.lock().events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.lock().events)
    }

    fn write(&self, inner: &mut Inner, what: What) {
        let at = self.begun.elapsed().as_micros() as u64;
        let clock = now_ms() + inner.ahead_ms;
        inner.events.push(Event { at, clock, what });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

/// This machine's time, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

pub fn write(events: &[Event], to: impl Write) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    for event in events {
        serde_json::to_writer(&mut to, event)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

pub fn read(from: impl Read) -> io::Result<Vec<Event>> {
    let lines = BufReader::new(from).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_history_is_read_from_its_file_as_it_was_written() {
        let history = History::new(Rules { seed: 7, retention: Some(600), ..Rules::default() });
        let op = history.invoke("u01", "getMessageList", &json!({ "fromSequence": 1 }));
        history.note(What::Return(Return { op, code: 0, data: json!({ "messageList": [] }) }));
        history.note(What::Push(Push { user: "u02".to_owned(), event: "x".to_owned(), data: json!([1.5]) }));
        history.step_clock(1_000, |_| ());
        history.note(What::End(Value::Null));
        let (events, mut file) = (history.take(), Vec::new());
        write(&events, &mut file).unwrap();
        let read = read(file.as_slice()).unwrap();
        assert_eq!(json!(read), json!(events));
        assert!(
            events[4].clock >= events[3].clock + 1_000,
            "the server's clock steps, and the history's does not"
        );
        assert!(events[4].at < events[3].at + 1_000_000);
    }
}
