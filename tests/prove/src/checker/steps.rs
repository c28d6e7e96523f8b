//! A number that only grows with time.

/// When it grew, and to what.
#[derive(Debug, Default)]
pub struct Steps(Vec<(u64, u64)>);

impl Steps {
    /// The highest of these numbers so far, each from a time on.
    pub fn of(numbers: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut numbers: Vec<(u64, u64)> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let mut steps: Vec<(u64, u64)> = Vec::new();
        for (at, number) in numbers {
            if steps.last().is_none_or(|(_, last)| number > *last) {
                steps.push((at, number));
            }
        }
        Self(steps)
    }

    /// What it was before this time; 0 if nothing was there.
    pub fn before(&self, at: u64) -> u64 {
        let index = self.0.partition_point(|(then, _)| *then < at);
        index.checked_sub(1).map_or(0, |index| self.0[index].1)
    }
}
