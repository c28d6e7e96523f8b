//! A sandbox of each function, and the tables as the functions see them.

use std::{collections::BTreeMap, sync::LazyLock};

use hongyan_functions::{
    config::{Config, Settings},
    functions::{self, Functions},
    notify::Notifier,
    store::{Connections, Conversations, Messages, Users},
};
use lambda_http::{Body, Request, Response};

use super::template::{kebab, template_routes};

pub struct Sandbox {
    functions: Functions,
    pub messages: Messages,
    pub conversations: Conversations,
    pub connections: Connections,
    pub users: Users,
    pub notifier: Notifier,
    pub settings: Settings,
}

impl Sandbox {
    pub fn new(config: &Config, settings: Settings) -> Self {
        Self {
            functions: Functions::new(config).unwrap(),
            messages: Messages::new(config).unwrap(),
            conversations: Conversations::new(config).unwrap(),
            connections: Connections::new(config).unwrap(),
            users: Users::new(config).unwrap(),
            notifier: Notifier::new(config).unwrap(),
            settings,
        }
    }

    /// The answer to an event of this name, by the function behind its route.
    pub async fn respond(&self, event: &str, request: Request) -> Response<Body> {
        self.functions.respond(function(event), request).await.unwrap()
    }
}

/// The function behind the route of an event, as the template has it.
fn function(event: &str) -> &'static str {
    static FUNCTIONS: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
        let name = |function: &str| *functions::NAMES.iter().find(|name| **name == kebab(function)).unwrap();
        let routes = template_routes().into_iter();
        routes.map(|(key, function)| (kebab(&key), name(&function))).collect()
    });
    FUNCTIONS.get(event).unwrap_or_else(|| panic!("no route has the event {event}"))
}
