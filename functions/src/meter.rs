//! How fast each user has been of late, as far as one sandbox knows it.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hongyan_shared::model::UserId;

use crate::random::Random;

/// What a user may do at once, in milliseconds of their allowance: three times what a second has.
const BURST_MS: u64 = 3_000;

/// One frame in so many is counted for the whole deployment, and stands for as many.
pub const SAMPLE: u64 = 16;

/// By how much the deployment's count may exceed what is allowed at once, in samples: of a user with few
/// frames in many sandboxes it says more than there were as often as less.
const TOLERANCE: u64 = 4;

/// How many users are remembered at least. Twice as many are never exceeded.
const USERS: usize = 4_096;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Frames.
    Frames,
    /// Frames that were refused because there were too many.
    Refusals,
    /// Conversations that the user has opened.
    Conversations,
    /// What the user has uploaded.
    Media,
}

/// The users of one sandbox. Those that have not been seen for longest are forgotten.
///
/// Everything that is counted is a time: the one at which a user who went on at the allowed rate would have
/// done as much as they have. It runs ahead of the clock by what they did too fast, and waits for nobody who
/// does less. This is the generic cell rate algorithm, a token bucket without a timer.
pub struct Meter {
    per_second: Option<NonZeroU32>,
    random: Random,
    users: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<UserId, Known>,
    old: HashMap<UserId, Known>,
}

/// What is known of a user. Times are in milliseconds since 1970.
#[derive(Clone, Copy)]
struct Known {
    /// Up to when their allowance is used, in microseconds: a frame may be less than a millisecond.
    used_until_us: u64,
    /// What the deployment's counters said last.
    frames_until: u64,
    refusals_until: u64,
    conversations_until: u64,
    media_until: u64,
    /// Until when they are suspended.
    suspended_until: u64,
    /// How many more frames have to pass, or to be refused, until one is counted. Apart from each other,
    /// because what a sandbox hears with a sample decides what it refuses until the next one.
    pass_in: u64,
    refuse_in: u64,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may pass.
    pub fate: Fate,
    /// Whether it is one of those that are counted for the whole deployment.
    pub is_sample: bool,
}

/// See [`Verdict`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Passes,
    /// It comes too early, by so many milliseconds.
    TooEarly(u64),
    /// The user is suspended, for so many milliseconds more.
    Suspended(u64),
}

impl Meter {
    /// A sandbox that has seen nobody. Nobody is too fast without a rate.
    pub fn new(per_second: Option<NonZeroU32>, random: Random) -> Self {
        Self { per_second, random, users: Mutex::default() }
    }

    /// How many frames a user may send per second.
    pub fn per_second(&self) -> Option<NonZeroU32> {
        self.per_second
    }

    /// Looks at one frame of a user.
    pub fn admit(&self, user: &UserId, now_ms: u64) -> Verdict {
        let Some(per_second) = self.per_second else {
            return Verdict { fate: Fate::Passes, is_sample: false };
        };
        let now = micros(now_ms);
        self.with(user, |known| {
            if now_ms < known.suspended_until {
                return Verdict { fate: Fate::Suspended(known.suspended_until - now_ms), is_sample: false };
            }
            let used = known.used_until_us.max(now).saturating_add(1_000_000 / u64::from(per_second.get()));
            let early = used.saturating_sub(now.saturating_add(micros(BURST_MS)));
            if early == 0 {
                known.used_until_us = used;
                Verdict { fate: Fate::Passes, is_sample: is_next(&mut known.pass_in) }
            } else {
                let fate = Fate::TooEarly(early.div_ceil(1_000));
                Verdict { fate, is_sample: is_next(&mut known.refuse_in) }
            }
        })
    }

    /// By how much one sample uses up the allowance, in milliseconds.
    pub fn sample_ms(&self) -> u64 {
        self.per_second.map_or(0, |per_second| SAMPLE * 1_000 / u64::from(per_second.get()))
    }

    /// Up to when a counter of the deployment has come, as far as this sandbox has heard.
    pub fn heard(&self, user: &UserId, rate: Rate) -> u64 {
        self.with(user, |known| *known.rate(rate))
    }

    /// Hears up to when a counter of the deployment has come.
    pub fn hear(&self, user: &UserId, rate: Rate, until_ms: u64) {
        let used = micros(until_ms.saturating_sub(TOLERANCE * self.sample_ms()));
        self.with(user, |known| {
            let heard = known.rate(rate);
            *heard = until_ms.max(*heard);
            if rate == Rate::Frames {
                known.used_until_us = known.used_until_us.max(used);
            }
        });
    }

    /// Remembers that the user is suspended until then.
    pub fn suspend(&self, user: &UserId, until_ms: u64) {
        self.with(user, |known| known.suspended_until = known.suspended_until.max(until_ms));
    }

    fn with<T>(&self, user: &UserId, look: impl FnOnce(&mut Known) -> T) -> T {
        let mut users = self.lock();
        if let Some(known) = users.young.get_mut(user) {
            return look(known);
        }
        // Anywhere in the row of sixteen, so that a frame is counted with the same probability however
        // many sandboxes a user's frames are spread over.
        let mut known = users.old.remove(user).unwrap_or_else(|| Known {
            used_until_us: 0,
            frames_until: 0,
            refusals_until: 0,
            conversations_until: 0,
            media_until: 0,
            suspended_until: 0,
            pass_in: self.random.below(SAMPLE),
            refuse_in: self.random.below(SAMPLE),
        });
        let seen = look(&mut known);
        if users.young.len() >= USERS {
            users.old = std::mem::take(&mut users.young);
        }
        users.young.insert(user.clone(), known);
        seen
    }

    // A panic while it was held leaves maps that are still maps.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn rate(&mut self, rate: Rate) -> &mut u64 {
        match rate {
            Rate::Frames => &mut self.frames_until,
            Rate::Refusals => &mut self.refusals_until,
            Rate::Conversations => &mut self.conversations_until,
            Rate::Media => &mut self.media_until,
        }
    }
}

/// Counts down to a sample, and begins again.
fn is_next(left: &mut u64) -> bool {
    let is_next = *left == 0;
    *left = if is_next { SAMPLE - 1 } else { *left - 1 };
    is_next
}

fn micros(ms: u64) -> u64 {
    ms.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_400_001_000;

    fn meter(per_second: u32, first_sample: u64) -> Meter {
        Meter::new(NonZeroU32::new(per_second), Random::new(move |_| first_sample - 1))
    }

    fn user(name: &str) -> UserId {
        UserId::parse("userID", name).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// How many of so many frames at one time pass.
    fn passing(meter: &Meter, user: &UserId, frames: usize, now: u64) -> usize {
        (0..frames).filter(|_| meter.admit(user, now).fate == Fate::Passes).count()
    }

    #[test]
    fn three_seconds_worth_of_frames_pass_at_once_and_then_as_many_as_there_is_time_for() {
        let (meter, alice) = (meter(20, 16), user("alice"));
        assert_eq!(passing(&meter, &alice, 420, NOW), 60);
        // One frame is 50 ms, to the millisecond.
        assert_eq!(passing(&meter, &alice, 1, NOW + 49), 0);
        assert_eq!(passing(&meter, &alice, 2, NOW + 50), 1);
        assert_eq!(passing(&meter, &alice, 100, NOW + 1_050), 20);
        // What is not used is not saved up beyond three seconds.
        assert_eq!(passing(&meter, &alice, 100, NOW + 1_050 + 3_000), 60);
        assert_eq!(passing(&meter, &alice, 100, NOW + 3_600_000), 60);
        assert_eq!(passing(&meter, &user("bob"), 100, NOW), 60);
    }

    #[test]
    fn a_refusal_says_how_long_to_wait_and_costs_nothing_of_the_allowance() {
        let (meter, alice) = (meter(20, 16), user("alice"));
        passing(&meter, &alice, 60, NOW);
        for _ in 0..1_000 {
            assert_eq!(meter.admit(&alice, NOW + 10).fate, Fate::TooEarly(40));
        }
        assert_eq!(meter.admit(&alice, NOW + 50).fate, Fate::Passes);
    }

    #[test]
    fn any_rate_is_kept_to() {
        for rate in [1, 3, 7, 20, 999, 100_000] {
            let (meter, alice) = (meter(rate, 16), user("alice"));
            let rate = rate as usize;
            assert_eq!(passing(&meter, &alice, 4 * rate, NOW), 3 * rate, "{rate}");
            let later: usize =
                (1..=10_u64).map(|second| passing(&meter, &alice, 2 * rate, NOW + 1_000 * second)).sum();
            assert!((10 * rate..=10 * rate + 10).contains(&later), "{rate}: {later}");
        }
    }

    #[test]
    fn one_frame_in_sixteen_is_a_sample_beginning_anywhere() {
        for first in 1..=16 {
            let (meter, alice) = (meter(100, first), user("alice"));
            // 300 pass, and 300 do not: each kind has its own row.
            for _ in 0..2 {
                let samples: Vec<u64> = (1..=300).filter(|_| meter.admit(&alice, NOW).is_sample).collect();
                let expected: Vec<u64> =
                    (0..).map(|row| first + 16 * row).take_while(|at| *at <= 300).collect();
                assert_eq!(samples, expected);
            }
        }
    }

    #[test]
    fn what_others_have_counted_is_believed_but_for_a_tolerance() {
        let (meter, alice) = (meter(20, 16), user("alice"));
        meter.hear(&alice, Rate::Frames, NOW + 4 * 800 + 3_000);
        assert_eq!(meter.admit(&alice, NOW).fate, Fate::TooEarly(50));
        assert_eq!(meter.admit(&alice, NOW + 50).fate, Fate::Passes);
        // News that are older than what is known change nothing.
        meter.hear(&alice, Rate::Frames, NOW);
        assert_eq!(meter.heard(&alice, Rate::Frames), NOW + 6_200);
        assert_eq!(meter.admit(&alice, NOW + 50).fate, Fate::TooEarly(50));
    }

    #[test]
    fn a_suspended_user_is_suspended_until_then() {
        let (meter, alice) = (meter(20, 1), user("alice"));
        meter.suspend(&alice, NOW + 60_000);
        assert_eq!(meter.admit(&alice, NOW), Verdict { fate: Fate::Suspended(60_000), is_sample: false });
        assert_eq!(meter.admit(&alice, NOW + 59_999).fate, Fate::Suspended(1));
        assert_eq!(meter.admit(&alice, NOW + 60_000).fate, Fate::Passes);
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let meter = Meter::new(None, Random::new(|_| 0));
        let verdict = Verdict { fate: Fate::Passes, is_sample: false };
        assert!((0..10_000).all(|_| meter.admit(&user("alice"), NOW) == verdict));
    }

    #[test]
    fn a_user_who_is_seen_often_is_remembered_and_memory_is_bounded() {
        let (meter, alice) = (meter(20, 16), user("alice"));
        passing(&meter, &alice, 60, NOW);
        for stranger in 0..10 * USERS {
            meter.admit(&user(&stranger.to_string()), NOW);
            if stranger % (USERS / 2) == 0 {
                assert_ne!(meter.admit(&alice, NOW).fate, Fate::Passes, "{stranger}");
            }
        }
        let users = meter.lock();
        assert!(users.young.len() + users.old.len() <= 2 * USERS);
    }
}
