//! The function behind the HTTP API for business servers: from API Gateway's event to a command and back.

use futures_util::future::BoxFuture;
use hongyan_shared::{
    model::UserId,
    rest::{Body, Command, Error, Query, Result, parse_path, refused},
    sig::UserSigError,
};
use lambda_http::{aws_lambda_events::apigw::ApiGatewayV2httpRequest as Request, http::Method};
use serde_json::{Value, json};

use super::signatures::Signatures;
use crate::{
    caller::Administrator,
    clock::Clock,
    config::{Config, Configured},
    record::{self, InvocationRecord, MetricCounts, Refused, Report},
    routes::rest::{Event, Reply, World, handle},
    store::{Connections, allowance::one_command},
};

/// The function in its sandbox.
pub struct Function {
    // Boxed, because it is large and is handed on a few times before it lies where it stays.
    world: Box<World>,
    signatures: Signatures,
    administrators: Administrators,
    connections: Connections,
    clock: Clock,
    report: Report,
}

/// The accounts that a business server may ask by.
#[derive(Debug, Clone)]
pub struct Administrators(Vec<UserId>);

/// What the template says when nobody decides.
impl Default for Administrators {
    fn default() -> Self {
        Self(UserId::parse("", ADMINISTRATOR).into_iter().collect())
    }
}

/// The template's default of [`Administrators`].
pub const ADMINISTRATOR: &str = "administrator";

impl std::str::FromStr for Administrators {
    type Err = hongyan_shared::Error;

    fn from_str(list: &str) -> std::result::Result<Self, Self::Err> {
        list.split(',')
            .map(|name| UserId::parse("Administrators", name.trim()))
            .collect::<std::result::Result<_, _>>()
            .map(Self)
    }
}

impl Function {
    /// The one of a laptop.
    pub fn new(config: &Config, signatures: Signatures, administrators: Administrators) -> Configured<Self> {
        Ok(Self {
            world: Box::new(World::new(config)?),
            signatures,
            administrators,
            connections: Connections::new(config)?,
            clock: config.clock.clone(),
            report: config.report.clone(),
        })
    }

    /// The one of this deployment.
    pub fn from_config(config: &Config) -> Configured<Self> {
        Self::new(config, Signatures::from_config(config)?, config.parse("ADMINISTRATORS")?)
    }

    /// The answer to one request, as API Gateway takes it.
    pub async fn respond(&self, request: Request, request_id: &str) -> Value {
        let started = self.clock.now();
        let command = command(&request);
        let known = command.as_ref().ok().copied();
        let administrator = self.verify(&request, started).await;
        let account = administrator.as_ref().map(|administrator| administrator.account().clone()).ok();

        let (outcome, metrics) = MetricCounts::of(async {
            let administrator = administrator?;
            let sdk_app_id = self.signatures.rules().sdk_app_id;
            let event = Event { command: command?, administrator, body: body(&request)?, sdk_app_id };
            // Boxed, because all commands together are large.
            let doing: BoxFuture<Result<Reply>> = Box::pin(handle(&self.world, &event));
            one_command(event.command.is_about_many(), doing).await
        })
        .await;
        (self.report)(&InvocationRecord {
            // Who has not shown who they are makes no metric of their own.
            route: known.filter(|_| account.is_some()).map_or(record::REST, Command::path),
            request_id,
            user: account.as_ref().map_or("", UserId::as_str),
            connection: "",
            ms: self.clock.now().saturating_sub(started),
            refused: outcome.as_ref().err().map(|error| Refused::command(known, error)),
            metrics,
        });
        match outcome {
            Ok(Reply(text)) => answer(200, &text),
            Err(error) => answer(error.status(), &refused(known, &error)),
        }
    }

    /// Who asks, if it is an administrator with a signature that counts. Anybody can ask, so what costs something comes last.
    async fn verify(&self, request: &Request, now_ms: u64) -> Result<Administrator> {
        let query = Query::parse(request.raw_query_string.as_deref().unwrap_or_default());
        let sdk_app_id = query.sdk_app_id.filter(|id| !id.is_empty()).ok_or(Error::NoSdkAppId)?;
        if sdk_app_id.parse() != Ok(self.signatures.rules().sdk_app_id) {
            return Err(Error::OtherSdkAppId);
        }
        let identifier =
            query.identifier.filter(|identifier| !identifier.is_empty()).ok_or(Error::NoIdentifier)?;
        let administrator = self.administrators.0.iter().find(|account| account.as_str() == identifier);
        let administrator = administrator.ok_or(Error::NotAdministrator)?;
        let sig = query.user_sig.unwrap_or_default();
        let claims = self.signatures.verify(administrator, &sig, now_ms).await?;
        // Unlike a user's, there is no registration that would refuse it: a table that does not answer lets nobody in.
        if self.connections.restrictions(administrator).await?.not_before > claims.issued_at {
            return Err(UserSigError::Revoked.into());
        }
        Ok(Administrator::verified(administrator.clone()))
    }
}

fn command(request: &Request) -> Result<Command> {
    if request.request_context.http.method != Method::POST {
        return Err(Error::Url);
    }
    parse_path(request.raw_path.as_deref().unwrap_or_default())
}

fn body(request: &Request) -> Result<Body> {
    Body::parse(request.body.as_deref().unwrap_or_default().as_bytes(), request.is_base64_encoded)
}

fn answer(status: u16, text: &str) -> Value {
    json!({
        "statusCode": status,
        "headers": { "content-type": "application/json" },
        "body": text,
        "isBase64Encoded": false,
    })
}
