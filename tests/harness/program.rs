//! The programs of this workspace, in processes of their own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// A program of this workspace, which `make test` has built.
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join(name);
    assert!(path.exists(), "{} is not there: run the tests with `make test`", path.display());
    path
}

/// A twin in a process of its own, and what it said when it was ready.
pub struct Twin {
    pub process: Child,
    pub output: BufReader<ChildStdout>,
    pub ready: Value,
}

impl Twin {
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(arguments, ("RUST_LOG", ""), Stdio::null())
    }

    pub fn spawn(arguments: &[&str], environment: (&str, &str), errors: Stdio) -> Self {
        let mut command = Command::new(program("hongyan"));
        command.args(["local", "--port", "0", "--json"]).args(arguments).envs([environment]).stderr(errors);
        let mut twin = Self::launch(&mut command);
        twin.ready = twin.line();
        twin
    }

    /// Whatever it says is still to be read.
    pub fn launch(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output, ready: Value::Null }
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }

    /// Moves the clock of a twin that has a manual one, and returns how late it is then.
    pub fn advance(&mut self, ms: u64) -> u64 {
        writeln!(self.process.stdin.as_mut().unwrap(), "{ms}").unwrap();
        self.line()["now"].as_u64().unwrap()
    }

    /// Lets it end as it does when it is told to, and returns what it has said besides.
    pub fn stop_and_read(&mut self) -> String {
        let kill = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(kill.success() && self.process.wait().unwrap().success());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    pub fn resident_kb(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        kb.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn url_of(&self, user: usize) -> &str {
        self.ready["users"][user]["url"].as_str().unwrap()
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
