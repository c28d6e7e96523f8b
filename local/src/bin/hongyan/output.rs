//! What the program says, and where.

use std::{io::Write, process::ExitCode};

/// Who read this may have gone away, which is no concern of ours.
pub fn say(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
}

pub fn fail(why: &impl std::fmt::Display) -> ExitCode {
    eprintln!("hongyan: {why}");
    ExitCode::FAILURE
}
