//! All functions of the WebSocket API by their names, for a laptop, where they share a process. A Lambda
//! binary names its one function itself and links no other.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::BoxFuture;
use lambda_http::{Body, Request, Response};

use crate::{
    config::{Config, Configured},
    routes::ws,
    trigger::websocket::Function,
};

/// Each function in its sandbox.
pub struct Functions(BTreeMap<&'static str, Invoke>);

/// One event in, one answer out.
pub type Invoke = Box<dyn Fn(Request) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

impl Functions {
    /// The answer of a function, if there is one of that name.
    pub async fn respond(&self, name: &str, request: Request) -> Option<Response<Body>> {
        Some(self.0.get(name)?(request).await)
    }
}

macro_rules! define {
    ($($name:literal => $module:ident),+ $(,)?) => {
        /// The names of all functions, as their binaries are called.
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

        impl Functions {
            /// All of them.
            pub fn new(config: &Config) -> Configured<Self> {
                Ok(Self(BTreeMap::from([$(($name, $module(config)?)),+])))
            }
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
