//! A value that changes, each time within a span that is known, and what it can have been.

use super::steps::Steps;

/// Writes a value, at some time in a span.
#[derive(Debug)]
pub struct Write<T> {
    pub at: u64,
    pub over: u64,
    /// Whether it took place. If not it may have.
    pub is_certain: bool,
    pub value: T,
}

#[derive(Debug)]
pub struct Register<T> {
    /// By when they were asked for.
    writes: Vec<Write<T>>,
    /// When the latest of those that certainly took place, and were over by a time, was asked for.
    settled: Steps,
    /// How long the longest of them may have taken.
    longest: u64,
}

impl<T> Register<T> {
    /// What it is before all writes, and these.
    pub fn of(initial: T, writes: impl IntoIterator<Item = Write<T>>) -> Self {
        let mut writes: Vec<Write<T>> =
            std::iter::once(Write { at: 0, over: 0, is_certain: true, value: initial })
                .chain(writes)
                .collect();
        writes.sort_by_key(|write| write.at);
        let settled =
            Steps::of(writes.iter().filter(|write| write.is_certain).map(|write| (write.over, write.at)));
        let longest =
            writes.iter().map(|write| write.over.saturating_sub(write.at)).max().unwrap_or_default();
        Self { writes, settled, longest }
    }

    /// What it can have been at some time between these two: all but what was certainly written over before.
    pub fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &T> {
        let settled = self.settled.before(from);
        let first = self.writes.partition_point(|write| write.at < settled.saturating_sub(self.longest));
        let can_be = self.writes[first..].iter().take_while(move |write| write.at <= to);
        can_be.filter(move |write| write.over >= settled).map(|write| &write.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: u64, over: u64, is_certain: bool, value: char) -> Write<char> {
        Write { at, over, is_certain, value }
    }

    #[test]
    fn it_can_be_what_was_not_certainly_written_over() {
        let register = Register::of(
            '-',
            [
                write(10, 20, true, 'a'),
                write(30, 60, false, 'b'),
                write(40, 50, true, 'c'),
                write(70, 80, true, 'd'),
            ],
        );
        let can_be = |from, to| register.between(from, to).collect::<String>();
        assert_eq!(can_be(1, 9), "-");
        assert_eq!(can_be(1, 15), "-a");
        assert_eq!(can_be(20, 29), "-a", "at the very moment it may not be there yet");
        assert_eq!(can_be(21, 29), "a");
        assert_eq!(can_be(51, 60), "bc", "which of the two was later nobody knows");
        assert_eq!(can_be(81, 99), "d");
    }
}
