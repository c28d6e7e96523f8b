//! The servers: how each is started, with an archive of all messages, and what it takes of the memory.

use std::{
    fs::{read_to_string, write},
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use hongyan_functions::{
    config::Settings,
    trigger::{rest::Administrators, signatures::Rules},
};
use hongyan_local::{Config, Data, clock::Clock, start};
use hongyan_shared::sig::Keys;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::user::{Address, KEY, SDK_APP_ID};

#[derive(Clone, Copy)]
pub enum Kind {
    TwinMemory,
    TwinFile,
    TwinDurable,
    ProsodyFiles,
    ProsodySqlite,
    EjabberdMnesia,
    EjabberdSqlite,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::TwinMemory,
        Self::TwinFile,
        Self::TwinDurable,
        Self::ProsodyFiles,
        Self::ProsodySqlite,
        Self::EjabberdMnesia,
        Self::EjabberdSqlite,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::TwinMemory => "twin, memory",
            Self::TwinFile => "twin, file",
            Self::TwinDurable => "twin, file, `--durable`",
            Self::ProsodyFiles => "Prosody, files",
            Self::ProsodySqlite => "Prosody, SQLite",
            Self::EjabberdMnesia => "ejabberd, Mnesia",
            Self::EjabberdSqlite => "ejabberd, SQLite",
        }
    }
}

/// A server that runs until this is dropped, and what it has stored until then.
pub struct Server {
    pub address: Address,
    process: Child,
    _folder: TempDir,
}

impl Server {
    pub async fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (process, address) = match kind {
            Kind::TwinMemory | Kind::TwinFile | Kind::TwinDurable => twin(kind, folder.path()),
            Kind::ProsodyFiles => prosody(folder.path(), r#"storage = { archive = "internal" }"#).await,
            Kind::ProsodySqlite => {
                let sql = r#"
                    storage = { archive = "sql" }
                    sql = { driver = "SQLite3", database = "archive.sqlite" }
                "#;
                prosody(folder.path(), sql).await
            }
            Kind::EjabberdMnesia => ejabberd(folder.path(), "", "mnesia").await,
            Kind::EjabberdSqlite => {
                let database = folder.path().join("archive.sqlite");
                let sql = format!("sql_type: sqlite\nsql_database: {}\n", database.display());
                ejabberd(folder.path(), &sql, "sql").await
            }
        };
        Self { address, process, _folder: folder }
    }

    /// What it takes of the memory now.
    pub fn kb(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it has taken.
    pub fn peak_kb(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The twin in a process of its own, which is this program once more.
fn twin(kind: Kind, folder: &Path) -> (Child, Address) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut process =
        command.args(["serve", kind.name()]).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (process, Address::Twin(url.trim().to_owned()))
}

/// What that process does: it says where it is, and serves until it is killed.
pub async fn serve(kind: &str, folder: &str) {
    let data = match kind {
        _ if kind == Kind::TwinMemory.name() => Data::Memory,
        _ if kind == Kind::TwinFile.name() => Data::Folder(folder.into()),
        _ => Data::DurableFolder(folder.into()),
    };
    let twin = start(Config {
        listen: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data,
        rules: Rules { sdk_app_id: SDK_APP_ID, max_days: None },
        administrators: Administrators::default(),
        keys: Keys::parse(KEY).unwrap(),
        // They send faster than people.
        settings: Settings { frames_per_second: None, ..Settings::default() },
        callback: None,
        clock: Clock::System,
    })
    .await
    .unwrap();
    println!("{}", twin.websocket_url);
    std::future::pending().await
}

async fn prosody(folder: &Path, storage: &str) -> (Child, Address) {
    let port = free_port();
    let configuration = folder.join("prosody.cfg.lua");
    let text = format!(
        r#"
            run_as_root = true
            data_path = "{folder}"
            certificates = "{folder}"
            pidfile = "{folder}/prosody.pid"
            modules_enabled = {{ "roster", "saslauth", "register_ibr", "websocket", "smacks", "mam" }}
            modules_disabled = {{ "s2s" }}
            c2s_ports = {{}}
            http_ports = {{ {port} }}
            http_interfaces = {{ "127.0.0.1" }}
            https_ports = {{}}
            http_default_host = "localhost"
            consider_websocket_secure = true
            c2s_require_encryption = false
            allow_unencrypted_plain_auth = true
            allow_registration = true
            authentication = "internal_plain"
            archive_expires_after = "never"
            log = {{ error = "*console" }}
            {storage}
            VirtualHost "localhost"
        "#,
        folder = folder.display(),
    );
    write(&configuration, text).unwrap();
    let process = Command::new("prosody").arg("-F").arg("--config").arg(configuration).spawn().unwrap();
    is_up(port).await;
    (process, Address::Xmpp(format!("ws://127.0.0.1:{port}/xmpp-websocket")))
}

/// Without `ejabberdctl`, which wants a user of the system and a node that others can reach.
async fn ejabberd(folder: &Path, sql: &str, archive: &str) -> (Child, Address) {
    let port = free_port();
    let configuration = folder.join("ejabberd.yml");
    let text = format!(
        "hosts: [localhost]
loglevel: error
auth_method: internal
auth_password_format: plain
registration_timeout: infinity
{sql}listen:
  -
    port: {port}
    ip: 127.0.0.1
    module: ejabberd_http
    request_handlers:
      /ws: ejabberd_http_ws
modules:
  mod_roster: {{}}
  mod_register:
    access: all
  mod_stream_mgmt: {{}}
  mod_mam:
    default: always
    db_type: {archive}
"
    );
    write(&configuration, text).unwrap();
    let process = Command::new("erl")
        .args(["-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir"])
        .arg(format!("{:?}", folder.display().to_string()))
        .args(["-s", "ejabberd"])
        .current_dir(folder)
        .env("ERL_LIBS", format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH))
        .env("EJABBERD_CONFIG_PATH", configuration)
        .env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"))
        .stdout(Stdio::null())
        // A program of its own complains when it is killed.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    is_up(port).await;
    (process, Address::Xmpp(format!("ws://127.0.0.1:{port}/ws")))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

async fn is_up(port: u16) {
    for _ in 0..600 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody listens on port {port} after half a minute");
}
