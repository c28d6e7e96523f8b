//! Whether a history is one that the promises of docs/tables.md allow, in time that is linear but for sorting.
//!
//! To find an order for operations that explains what everybody saw is hard in general, because the order is
//! hidden. Here every message says its place, so there is one order, and it is checked against each of them.

mod blocks;
mod groups;
mod log;
mod operations;
mod register;
mod steps;
#[cfg(test)]
mod tests;
mod two;
mod view;

pub use operations::{Anomaly, Point};
use operations::{Operation, group_of, operations};

use crate::history::{Event, Rules, What};

/// What became of a check.
#[derive(Debug, Default)]
pub struct Verdict {
    pub anomalies: Vec<Anomaly>,
    pub operations: usize,
    pub answered: usize,
    pub messages: usize,
    pub pushes: usize,
}

/// Checks a history.
pub fn check(events: &[Event]) -> Verdict {
    let (mut rules, mut end) = (Rules::default(), None);
    for event in events {
        match &event.what {
            What::Begin(those) => rules = those.clone(),
            What::End(_) => end = Some((event.at, event.clock)),
            _ => {}
        }
    }
    let all = operations(events);
    let is_of_two = |operation: &&Operation| group_of(operation.action, operation.data).is_none();
    let of_two: Vec<Operation> = all.iter().filter(is_of_two).copied().collect();
    let sights = log::sights(&all, events);
    let (mut wrong, messages) = two::check(&rules, &of_two, &sights, events, end);
    let (wrong_in_groups, messages_in_groups) = groups::check(&rules, &all, &sights, events, end);
    wrong.extend(wrong_in_groups);
    for sight in sights.iter().filter(|sight| sight.is_another()) {
        let what = format!("{sight} is acknowledged with another message: {}", sight.message);
        wrong.push((Point::OneNumber, what));
    }
    let mut anomalies: Vec<Anomaly> =
        wrong.into_iter().map(|(point, what)| Anomaly { point, what }).collect();
    anomalies.sort_by_key(|anomaly| anomaly.point);
    anomalies.dedup();
    Verdict {
        anomalies,
        operations: all.len(),
        answered: all.iter().filter(|operation| operation.answer.is_some()).count(),
        messages: messages + messages_in_groups,
        pushes: events.iter().filter(|event| matches!(event.what, What::Push(_))).count(),
    }
}
