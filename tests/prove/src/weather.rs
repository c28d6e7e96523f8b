//! How bad it is at this moment, and how often it was.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// How many calls, or invocations, in a thousand fare how.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weather {
    /// Calls of a table: refused with a 500, or throttled.
    pub refused: u32,
    pub throttled: u32,
    /// Neither arrives, nor does anybody say so.
    pub lost: u32,
    /// It takes effect, and there is no answer.
    pub unanswered: u32,
    /// The connection breaks before, or behind.
    pub reset: u32,
    /// Writes that meet a transaction, and keys of batches that are not looked up.
    pub conflicts: u32,
    pub unprocessed: u32,
    /// It waits for up to 80 ms.
    pub slow: u32,
    /// A read that may be stale is, by so many milliseconds.
    pub stale: u32,
    pub lag_ms: u64,
    /// Calls of @connections that fail.
    pub push_lost: u32,
    /// Invocations whose sandbox is killed at one of its calls, and that run in two sandboxes at once.
    pub killed: u32,
    pub doubled: u32,
    /// Invocations that, from one of their calls on, have no answer to any.
    pub cut_off: u32,
}

/// Numbers by chance from a seed, and how often each kind of misfortune has happened.
pub struct Fate {
    inner: Mutex<Inner>,
}

struct Inner {
    weather: Weather,
    random: StdRng,
    counts: Counts,
}

pub type Counts = BTreeMap<String, u64>;

/// What becomes of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    Once,
    Twice,
    /// It ends at this call, and whether that is still made.
    Killed(u32, bool),
    /// Nothing answers from this call on, and whether the calls are made all the same.
    CutOff(u32, bool),
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    Refused,
    Throttled,
    Lost,
    Unanswered,
    Reset,
    ResetBehind,
    Conflict,
    Unprocessed,
}

impl Fate {
    pub fn new(seed: u64) -> Self {
        let inner =
            Inner { weather: Weather::default(), random: StdRng::seed_from_u64(seed), counts: Counts::new() };
        Self { inner: Mutex::new(inner) }
    }

    pub fn set(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    pub fn below(&self, below: usize) -> usize {
        self.lock().random.random_range(0..below)
    }

    pub fn course(&self) -> Course {
        let mut inner = self.lock();
        let Weather { killed, doubled, cut_off, .. } = inner.weather;
        match inner.draw() {
            number if number < killed => {
                let (at, is_made) = (inner.random.random_range(1..=6), inner.random.random());
                Course::Killed(at, is_made)
            }
            number if number < killed + doubled => {
                inner.count("two sandboxes at once");
                Course::Twice
            }
            number if number < killed + doubled + cut_off => {
                inner.count("invocations cut off");
                let (at, is_made) = (inner.random.random_range(1..=6), inner.random.random());
                Course::CutOff(at, is_made)
            }
            _ => Course::Once,
        }
    }

    pub fn call(&self, operation: &str) -> Fault {
        let mut inner = self.lock();
        let Weather { refused, throttled, lost, unanswered, reset, conflicts, unprocessed, .. } =
            inner.weather;
        let is_write = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"].contains(&operation);
        let conflicts = if is_write { conflicts } else { 0 };
        let unprocessed = if operation == "BatchGetItem" { unprocessed } else { 0 };
        let behind: bool = inner.random.random();
        let mut number = inner.draw();
        for (share, fault, name) in [
            (refused, Fault::Refused, "calls refused"),
            (throttled, Fault::Throttled, "calls throttled"),
            (lost, Fault::Lost, "calls lost"),
            (unanswered, Fault::Unanswered, "calls unanswered"),
            (reset, if behind { Fault::ResetBehind } else { Fault::Reset }, "connections of calls reset"),
            (conflicts, Fault::Conflict, "conflicts with transactions"),
            (unprocessed, Fault::Unprocessed, "keys of batches not processed"),
        ] {
            if number < share {
                inner.count(name);
                return fault;
            }
            number -= share;
        }
        Fault::None
    }

    /// For how many milliseconds a call waits.
    pub fn delay(&self) -> u64 {
        let mut inner = self.lock();
        if inner.draw() >= inner.weather.slow {
            return 0;
        }
        inner.count("calls slow");
        inner.random.random_range(1..=80)
    }

    /// By how many milliseconds a read is behind, if it is.
    pub fn staleness(&self) -> Option<u64> {
        let mut inner = self.lock();
        if inner.draw() >= inner.weather.stale {
            return None;
        }
        inner.count("reads stale");
        Some(inner.weather.lag_ms)
    }

    pub fn loses_push(&self) -> bool {
        let mut inner = self.lock();
        let loses = inner.draw() < inner.weather.push_lost;
        if loses {
            inner.count("pushes lost");
        }
        loses
    }

    pub fn count(&self, what: &str) {
        self.lock().count(what);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    fn draw(&mut self) -> u32 {
        self.random.random_range(0..1000)
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }
}
