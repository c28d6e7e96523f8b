//! How long a record that fails may keep those waiting that are behind it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use crate::failure::FailureKind;

/// For how long a record may fail while others are dealt with, in milliseconds, if it was not refused.
const WHILE_OTHERS_PASS_MS: u64 = 5 * 60 * 1_000;

/// For how long it may be refused while nobody can tell whether others would be, in milliseconds.
const REFUSED_ALONE_MS: u64 = 15 * 60 * 1_000;

/// For how long it says something that another record has passed, in milliseconds: whatever they need may be gone since.
const RECENT_MS: u64 = 60_000;

/// How many records are remembered that have failed.
const MAX_RECORDS: usize = 1_000;

/// What a sandbox has seen of records that fail and of those that pass.
#[derive(Default)]
pub struct FailingRecords(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    passed: u64,
    last_passed_ms: u64,
    failing: VecDeque<Record>,
}

struct Record {
    id: String,
    since_ms: u64,
    /// How many had passed when it first failed.
    passed: u64,
}

impl FailingRecords {
    /// A record has got through to where it was to go, or a part of it.
    pub fn passed(&self, now_ms: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.passed = seen.passed.saturating_add(1);
        seen.last_passed_ms = now_ms;
    }

    /// Whether the record has failed before.
    pub fn is_failing(&self, id: &str) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failing.iter().any(|failing| failing.id == id)
    }

    /// The record has failed. Returns whether to give it up: at once if it fails for good, and as soon as it is clear that it is
    /// refused and others are not. What fails together with all others is never given up here.
    pub fn should_give_up(&self, id: &str, kind: FailureKind, now_ms: u64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (passed, last_passed_ms) = (seen.passed, seen.last_passed_ms);
        let Some(failing) = seen.failing.iter().find(|failing| failing.id == id) else {
            seen.failing.push_back(Record { id: id.to_owned(), since_ms: now_ms, passed });
            if seen.failing.len() > MAX_RECORDS {
                seen.failing.pop_front();
            }
            return kind == FailureKind::Permanent;
        };
        let for_ms = now_ms.saturating_sub(failing.since_ms);
        let others_pass = passed > failing.passed && now_ms.saturating_sub(last_passed_ms) <= RECENT_MS;
        match kind {
            FailureKind::Permanent => true,
            FailureKind::Refused => others_pass || for_ms >= REFUSED_ALONE_MS,
            FailureKind::Transient => others_pass && for_ms >= WHILE_OTHERS_PASS_MS,
        }
    }

    /// The record fails no longer: it has passed, or was given up.
    pub fn forget(&self, id: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failing.retain(|failing| failing.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn what_nobody_can_make_anything_of_is_given_up_at_once() {
        assert!(FailingRecords::default().should_give_up("a", FailureKind::Permanent, 0));
    }

    #[test]
    fn what_is_refused_is_given_up_when_another_one_has_passed_since() {
        let records = FailingRecords::default();
        // What has passed before it says nothing: a server may refuse everything from now on.
        records.passed(0);
        assert!(!records.should_give_up("a", FailureKind::Refused, 1) && records.is_failing("a"));
        assert!(!records.should_give_up("a", FailureKind::Refused, 2));
        records.passed(3);
        assert!(!records.should_give_up("b", FailureKind::Refused, 4), "each for itself");
        assert!(records.should_give_up("a", FailureKind::Refused, 3 + MINUTE));
        assert!(!records.should_give_up("a", FailureKind::Refused, 4 + MINUTE), "that was some time ago");
        records.forget("a");
        assert!(!records.is_failing("a") && records.is_failing("b"));
        records.passed(5 + MINUTE);
        assert!(!records.should_give_up("a", FailureKind::Refused, 5 + MINUTE));
    }

    #[test]
    fn what_is_refused_and_alone_is_given_up_after_a_quarter_of_an_hour() {
        let records = FailingRecords::default();
        assert!(!records.should_give_up("a", FailureKind::Refused, 7));
        assert!(!records.should_give_up("a", FailureKind::Refused, 6 + 15 * MINUTE));
        assert!(records.should_give_up("a", FailureKind::Refused, 7 + 15 * MINUTE));
    }

    #[test]
    fn what_fails_otherwise_is_given_up_after_five_minutes_in_which_others_pass_and_never_without() {
        let records = FailingRecords::default();
        assert!(!records.should_give_up("a", FailureKind::Transient, 0));
        assert!(
            !records.should_give_up("a", FailureKind::Transient, 24 * 60 * MINUTE),
            "everything may be down"
        );
        records.passed(24 * 60 * MINUTE);
        assert!(records.should_give_up("a", FailureKind::Transient, 24 * 60 * MINUTE));
        assert!(!records.should_give_up("b", FailureKind::Transient, 24 * 60 * MINUTE));
        records.passed(24 * 60 * MINUTE + 1);
        assert!(!records.should_give_up("b", FailureKind::Transient, 24 * 60 * MINUTE + 1));
        records.passed(24 * 60 * MINUTE + 5 * MINUTE - 1);
        assert!(!records.should_give_up("b", FailureKind::Transient, 24 * 60 * MINUTE + 5 * MINUTE - 1));
        assert!(records.should_give_up("b", FailureKind::Transient, 24 * 60 * MINUTE + 5 * MINUTE));
    }

    #[test]
    fn a_thousand_are_remembered() {
        let records = FailingRecords::default();
        for id in 0..=MAX_RECORDS {
            records.should_give_up(&id.to_string(), FailureKind::Transient, 0);
        }
        assert!(!records.is_failing("0") && records.is_failing("1"));
    }
}
