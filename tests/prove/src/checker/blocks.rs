//! When who had whom on the blacklist: for sure, and maybe.

use std::collections::{HashMap, HashSet};

use super::operations::LINGERS;

#[derive(Debug, Default)]
pub struct Blocks(HashMap<String, HashMap<String, Intervals>>);

#[derive(Debug, Default)]
struct Intervals {
    /// From an addition that was acknowledged until the next removal was asked for.
    certain: Vec<(u64, u64)>,
    /// From when an addition was asked for until a removal was acknowledged.
    possible: Vec<(u64, u64)>,
}

struct Change {
    adds: bool,
    at: u64,
    done: Option<u64>,
}

impl Change {
    fn over(&self) -> u64 {
        self.done.unwrap_or(self.at + LINGERS)
    }
}

impl Blocks {
    /// Who changes their list by whom, whether these come onto it, when that was asked for, and when it was done.
    pub fn of<'a>(changes: impl Iterator<Item = (&'a str, Vec<&'a str>, bool, u64, Option<u64>)>) -> Self {
        let mut of: HashMap<String, HashMap<String, Vec<Change>>> = HashMap::new();
        for (user, peers, adds, at, done) in changes {
            let lists = of.entry(user.to_owned()).or_default();
            for peer in peers {
                lists.entry(peer.to_owned()).or_default().push(Change { adds, at, done });
            }
        }
        let intervals = |changes: HashMap<String, Vec<Change>>| {
            changes.into_iter().map(|(peer, changes)| (peer, Intervals::of(&changes))).collect()
        };
        Self(of.into_iter().map(|(user, changes)| (user, intervals(changes))).collect())
    }

    /// Who had whom on the list from before a message was sent until after it was seen.
    pub fn forbids(&self, a: &str, b: &str, sent: u64, seen: u64) -> Option<(String, String, u64, u64)> {
        [(a, b), (b, a)].into_iter().find_map(|(by, of)| {
            let (from, to) = self.of_pair(by, of)?.certainly(sent).filter(|(_, to)| *to > seen)?;
            Some((by.to_owned(), of.to_owned(), from, to))
        })
    }

    /// Whether one may have had the other on the list at a time between these two.
    pub fn may_forbid(&self, a: &str, b: &str, from: u64, to: u64) -> bool {
        let may = |by: &str, of: &str| self.of_pair(by, of).is_some_and(|pair| pair.possibly(from, to));
        may(a, b) || may(b, a)
    }

    /// Why this cannot be the list of the user at any time between these two.
    pub fn contradict(&self, user: &str, there: &HashSet<&str>, from: u64, to: u64) -> Vec<String> {
        let mut why = Vec::new();
        for (peer, pair) in self.0.get(user).into_iter().flatten() {
            if !there.contains(peer.as_str()) && pair.certainly(from).is_some_and(|(_, end)| end > to) {
                why.push(format!("without {peer}, who is on the blacklist"));
            }
        }
        for peer in there {
            if self.of_pair(user, peer).is_none_or(|pair| !pair.possibly(from, to)) {
                why.push(format!("with {peer}, who is not on the blacklist"));
            }
        }
        why
    }

    fn of_pair(&self, by: &str, of: &str) -> Option<&Intervals> {
        self.0.get(by)?.get(of)
    }
}

impl Intervals {
    /// The changes are in the order in which they were asked for.
    fn of(changes: &[Change]) -> Self {
        let mut intervals = Self::default();
        // The removals that were asked for before, until the last of them is over.
        let mut removing_until = 0;
        for (index, change) in changes.iter().enumerate() {
            let later = || changes[index + 1..].iter().filter(|later| !later.adds);
            if !change.adds {
                removing_until = removing_until.max(change.over());
                continue;
            }
            if let Some(done) = change.done.filter(|_| removing_until < change.at) {
                let removal = later().map(|removal| removal.at).next().unwrap_or(u64::MAX);
                if removal > done {
                    intervals.certain.push((done, removal));
                }
            }
            let gone = later().filter(|removal| removal.at >= change.over()).find_map(|removal| removal.done);
            intervals.possible.push((change.at, gone.unwrap_or(u64::MAX)));
        }
        // Of those that overlap, one remains.
        intervals.possible.sort_unstable();
        intervals.possible.dedup_by(|next, before| {
            let overlap = next.0 <= before.1;
            if overlap {
                before.1 = before.1.max(next.1);
            }
            overlap
        });
        intervals
    }

    /// Since when and until when, if it was so at this time.
    fn certainly(&self, at: u64) -> Option<(u64, u64)> {
        let index = self.certain.partition_point(|(from, _)| *from < at);
        self.certain.get(index.checked_sub(1)?).copied().filter(|(_, to)| *to > at)
    }

    fn possibly(&self, from: u64, to: u64) -> bool {
        let index = self.possible.partition_point(|(begins, _)| *begins <= to);
        index.checked_sub(1).is_some_and(|index| self.possible[index].1 >= from)
    }
}
