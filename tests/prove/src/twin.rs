//! The server as a process of its own, that can be killed and started again on the same file and the same port.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{
    serve::{Options, Order},
    weather::Counts,
};

pub struct Twin {
    pub options: Options,
    process: Option<Process>,
    /// Of those that were killed.
    counts: Counts,
    last: Counts,
}

struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Twin {
    pub fn new(options: Options) -> Self {
        let mut twin = Self { options, process: None, counts: Counts::new(), last: Counts::new() };
        twin.start();
        twin
    }

    pub fn start(&mut self) {
        let options = &self.options;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("serve").arg("--data").arg(&options.data).arg("--port").arg(options.port.to_string());
        command
            .arg("--seed")
            .arg(options.seed.to_string())
            .arg("--ahead-ms")
            .arg(options.ahead_ms.to_string());
        if let Some(retention) = options.retention {
            command.arg("--retention").arg(retention.to_string());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(answers.next().expect("the server starts").unwrap(), "ready");
        self.process = Some(Process { child, orders, answers });
    }

    /// Tells the server something, and waits until it is done.
    pub fn order(&mut self, order: &Order) {
        if let Order::Clock(ahead_ms) = order {
            self.options.ahead_ms = *ahead_ms;
        }
        let process = self.process.as_mut().unwrap();
        writeln!(process.orders, "{}", serde_json::to_string(order).unwrap()).unwrap();
        let answer = process.answers.next().expect("the server has ended by itself").unwrap();
        self.last = serde_json::from_str(&answer).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        add(&mut self.counts, std::mem::take(&mut self.last));
        // What happens next is to be something else.
        self.options.seed = self.options.seed.wrapping_add(1 << 32);
    }

    /// How often what has happened; of a server that was killed, up to the last order.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        add(&mut counts, self.last.clone());
        counts
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

pub fn add(to: &mut Counts, counts: Counts) {
    for (what, count) in counts {
        *to.entry(what).or_default() += count;
    }
}

/// A port that is free, and stays free while the server is dead: not one of those that the system gives to anybody who
/// connects to something, which begin with 32768.
pub fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| rand::random_range(20_000..32_000)).find(is_free).unwrap()
}
