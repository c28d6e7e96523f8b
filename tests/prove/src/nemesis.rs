//! What is done to the users and to the server, on a schedule from a seed.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    history::{ALL_IS_WELL, History, Rules, What},
    proxy::{Proxy, State},
    serve::{Order, SANDBOXES},
    twin::{Twin, add},
    weather::{Counts, Weather},
};

pub struct Nemesis {
    twin: Twin,
    proxy: Proxy,
    history: Arc<History>,
    rules: Rules,
    random: StdRng,
    weather: Weather,
    counts: Counts,
    /// Connections that hang, and until when.
    hanging: BTreeMap<u64, Instant>,
    /// After how many seconds the server is killed next.
    between_kills: Range<u64>,
}

impl Nemesis {
    pub fn new(
        twin: Twin,
        proxy: Proxy,
        history: Arc<History>,
        rules: Rules,
        between_kills: Range<u64>,
    ) -> Self {
        let random = StdRng::seed_from_u64(rules.seed);
        let (weather, counts, hanging) = (Weather::default(), Counts::new(), BTreeMap::new());
        Self { twin, proxy, history, rules, random, weather, counts, hanging, between_kills }
    }

    /// Breaks things until then, and mends all of them. Returns how often it did what.
    pub fn rage(mut self, until: Instant) -> (Twin, Counts) {
        let mut next_kill = Instant::now() + self.seconds(self.between_kills.clone());
        let mut next_step = Instant::now() + self.seconds(5..10);
        while Instant::now() < until {
            sleep(Duration::from_millis(self.random.random_range(100..900)));
            self.let_go(false);
            match self.random.random_range(0..6) {
                0 => self.cut(),
                1 | 2 => self.hang(),
                3 => self.set_clocks_wrong(),
                _ => self.change_the_weather(),
            }
            if Instant::now() >= next_step && self.rules.retention.is_some() {
                self.step_the_clock();
                next_step = Instant::now() + self.seconds(3..20);
            }
            if Instant::now() >= next_kill {
                self.kill_and_restart();
                next_kill = Instant::now() + self.seconds(self.between_kills.clone());
            }
        }
        self.let_go(true);
        self.twin.order(&Order::Skews(vec![0; SANDBOXES]));
        self.twin.order(&Order::Weather(Weather::default()));
        self.note(ALL_IS_WELL.to_owned());
        add(&mut self.counts, self.twin.counts());
        (self.twin, self.counts)
    }

    fn seconds(&mut self, between: Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(between.start * 1000..between.end * 1000))
    }

    fn note(&self, what: String) {
        self.history.note(What::Nemesis(what));
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn change_the_weather(&mut self) {
        let random = &mut self.random;
        // A third of the time nearly everything works, because what nobody gets through is not seen to break.
        let scale = [0, 0, 1, 1, 2, 4][random.random_range(0..6)];
        let mut share = |most: u32| random.random_range(0..=most) * scale;
        self.weather = Weather {
            refused: share(12),
            throttled: share(12),
            lost: share(3),
            unanswered: share(3),
            reset: share(12),
            conflicts: share(40),
            unprocessed: share(40),
            slow: share(50),
            stale: share(250).min(900),
            push_lost: share(60),
            killed: share(15),
            doubled: share(40),
            cut_off: share(25),
            lag_ms: 0,
        };
        self.weather.lag_ms = self.random.random_range(0..=self.rules.stale_ms);
        self.twin.order(&Order::Weather(self.weather));
        self.note(format!("{:?}", self.weather));
    }

    fn some_connections(&mut self) -> Vec<u64> {
        let mut connections = self.proxy.connections();
        let some = self.random.random_range(1..=6);
        while connections.len() > some {
            connections.swap_remove(self.random.random_range(0..connections.len()));
        }
        connections
    }

    fn cut(&mut self) {
        for id in self.some_connections() {
            self.proxy.set(id, State::Cut);
            self.count("connections of devices cut");
        }
    }

    fn hang(&mut self) {
        for id in self.some_connections() {
            let state = [State::Deaf, State::Mute, State::Hangs][self.random.random_range(0..3)];
            self.proxy.set(id, state);
            self.count("connections of devices half-open");
            let until = Instant::now() + self.seconds(1..8);
            self.hanging.insert(id, until);
        }
    }

    fn let_go(&mut self, all: bool) {
        let now = Instant::now();
        self.hanging.retain(|id, until| {
            let stays = !all && *until > now;
            if !stays {
                self.proxy.set(*id, State::Open);
            }
            stays
        });
    }

    /// Each sandbox's by as much as the rules allow, in either direction.
    fn set_clocks_wrong(&mut self) {
        let most = self.rules.skew_ms as i64;
        let skews: Vec<i64> = (0..SANDBOXES).map(|_| self.random.random_range(-most..=most)).collect();
        self.note(format!("the clocks of the sandboxes are wrong by {skews:?} ms"));
        self.twin.order(&Order::Skews(skews));
        self.count("clocks set wrong");
    }

    /// Some messages expire, or all do, and are swept in part. It steps between two invocations: none lasts for minutes.
    fn step_the_clock(&mut self) {
        let retention = self.rules.retention.unwrap_or_default();
        // What has expired is swept an hour later.
        let by_s = [retention / 3, retention / 2, retention + 3_700, retention + 3_700]
            [self.random.random_range(0..4)];
        self.twin.order(&Order::Hold(true));
        let (history, twin) = (&self.history, &mut self.twin);
        history.step_clock(by_s * 1000, |ahead| twin.order(&Order::Clock(ahead)));
        self.count("steps of the clock");
        let in_a_hundred = [0, 50, 100, 100][self.random.random_range(0..4)];
        // Before anybody writes again, or while they do.
        let is_held: bool = self.random.random();
        if !is_held {
            self.twin.order(&Order::Hold(false));
        }
        self.twin.order(&Order::Sweep(in_a_hundred));
        if is_held {
            self.twin.order(&Order::Hold(false));
        }
        self.note(format!("{in_a_hundred} rows in a hundred that have expired are swept"));
    }

    fn kill_and_restart(&mut self) {
        self.note("the server is killed".to_owned());
        self.twin.kill();
        self.count("kill -9");
        sleep(Duration::from_millis(self.random.random_range(0..500)));
        self.twin.start();
        self.twin.order(&Order::Weather(self.weather));
        self.note("the server runs again".to_owned());
    }
}
