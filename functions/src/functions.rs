//! All functions by their names, for a laptop, where they share a process. A Lambda
//! binary names its one function itself and links no other.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use tracing::error;

use crate::{
    actions::{delete_media, tell_business_server},
    config::{Config, Configured},
    routes::ws,
    trigger::{
        stream::{Consumer, Turns},
        websocket::Function,
    },
};

/// Each function in its sandbox.
pub struct Functions {
    routes: BTreeMap<&'static str, Invoke>,
    streams: BTreeMap<&'static str, Consume>,
}

/// One event in, one answer out.
pub type Invoke = Box<dyn Fn(Request) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// A batch of records in, and out which of them have failed; nothing if the batch is none.
pub type Consume = Box<dyn Fn(Value) -> BoxFuture<'static, Option<Value>> + Send + Sync>;

impl Functions {
    /// All of them that there are where this is.
    pub fn new(config: &Config) -> Configured<Self> {
        let mut streams = BTreeMap::new();
        if config.media_bucket().is_some() {
            streams.insert(DELETE_MEDIA, delete_media(config)?);
        }
        if config.has_callback() {
            streams.insert(CALLBACK, callback(config)?);
        }
        Ok(Self { routes: routes(config)?, streams })
    }

    /// The answer of a function behind a route, if there is one of that name.
    pub async fn respond(&self, name: &str, request: Request) -> Option<Response<Body>> {
        Some(self.routes.get(name)?(request).await)
    }

    /// The answer of a function behind a stream, if there is one of that name and the event is a batch of records.
    pub async fn consume(&self, name: &str, event: Value) -> Option<Value> {
        self.streams.get(name)?(event).await
    }
}

/// The names of those behind streams, as their binaries are called.
pub const ON_STREAMS: &[&str] = &[CALLBACK, DELETE_MEDIA];

/// The one that calls the business server, if there is one.
pub const CALLBACK: &str = "callback";

const DELETE_MEDIA: &str = "delete-media";

macro_rules! on_stream {
    ($(#[doc = $doc:literal] $name:ident $line:literal $turns:ident $action:ident;)+) => {
        $(#[doc = $doc]
        pub fn $name(config: &Config) -> Configured<Consume> {
            let consumer = Arc::new(Consumer::new(config, $line, Turns::$turns, $action::World::new)?);
            Ok(Box::new(move |event| {
                let consumer = Arc::clone(&consumer);
                Box::pin(async move {
                    let event = serde_json::from_value(event)
                        .inspect_err(|error| error!(%error, "this is no batch of records"))
                        .ok()?;
                    serde_json::to_value(consumer.consume(event, "", $action::$action).await).ok()
                })
            }))
        })+
    };
}

on_stream! {
    /// The one that calls the business server.
    callback "callback" InOrder tell_business_server;
    /// The one that deletes media.
    delete_media "deleteMedia" AllAtOnce delete_media;
}

macro_rules! define {
    ($($name:literal => $module:ident),+ $(,)?) => {
        /// The names of those behind routes, as their binaries are called.
        pub const NAMES: &[&str] = &[$($name),+];

        $(fn $module(config: &Config) -> Configured<Invoke> {
            let function = Arc::new(Function::new(config, ws::$module::World::new)?);
            Ok(Box::new(move |request| {
                let function = Arc::clone(&function);
                Box::pin(async move { function.respond(request, ws::$module::handle).await })
            }))
        })+

        /// One of them.
        pub fn build(name: &str, config: &Config) -> Option<Configured<Invoke>> {
            match name {
                $($name => Some($module(config)),)+
                _ => None,
            }
        }

        fn routes(config: &Config) -> Configured<BTreeMap<&'static str, Invoke>> {
            Ok(BTreeMap::from([$(($name, $module(config)?)),+]))
        }
    };
}

/// The functions of the list of actions, and those of `$disconnect` and `$default`.
macro_rules! functions {
    ($($module:ident $name:literal { $($action:tt)+ })+) => {
        define! {
            $($name => $module,)+
            "disconnect" => disconnect,
            "default" => default,
        }
    };
}

hongyan_shared::actions!(functions);
