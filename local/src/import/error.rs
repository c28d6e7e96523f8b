use std::path::PathBuf;

use thiserror::Error;

/// Why an import ends early. What was done until then is written down.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A file or folder cannot be used.
    #[error("{path} cannot be used: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing to import.
    #[error("no files: name those that have the messages, or their folder")]
    NoFiles,
    /// The journal is of something else.
    #[error("{path} is no journal of this import: {why}. Choose another one with --journal", path = path.display())]
    Journal {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The server will take nothing of this.
    #[error("the server refuses everything: {0}")]
    Refused(String),
    /// The server has not answered for too long.
    #[error("the server takes nothing: {0}. Run the same command when it does, and it goes on")]
    Unanswered(String),
}
