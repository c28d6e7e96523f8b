use std::{net::SocketAddr, path::PathBuf};

use hongyan_functions::config::Misconfigured;
use hongyan_shared::sig::BadKey;
use thiserror::Error;

/// Why a twin does not start, each with what to do about it.
#[derive(Debug, Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error(
        "{address} cannot be listened on: stop what listens there, or choose another one with --port, or an address of \
         this machine with --listen ({source})"
    )]
    PortTaken {
        /// Address and port.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error("the folder {path} cannot be used: choose another one with --data ({source})", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody else uses the folder.
    #[error(
        "another hongyan uses the folder {path}: stop it (process {owner}), choose another folder with --data, \
         or use --in-memory",
        path = path.display()
    )]
    FolderTaken {
        /// The folder.
        path: PathBuf,
        /// The number of its process.
        owner: String,
    },
    /// The file is not a database of ours, or not all of it.
    #[error(
        "{path} is not a whole database: put a copy of it back, or move it away with its -wal and -shm to start \
         afresh, or use --in-memory ({why})",
        path = path.display()
    )]
    DataFile {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        why: String,
    },
    /// The file has no key in it.
    #[error("{path}: {source}. Remove it, and the next start makes a new one", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: BadKey,
    },
    /// The template and the code do not fit.
    #[error("template.yaml does not fit this program: {0}")]
    Template(String),
    /// The functions lack something.
    #[error(transparent)]
    Functions(#[from] Misconfigured),
    /// The engine refuses.
    #[error("the embedded DynamoDB does not start: {0}")]
    Database(String),
}
