//! The authorizer. It verifies the UserSig of a handshake and writes into the connection's context who
//! the caller is. That context rides on every later event, so no message pays for the question.

use std::time::Duration;

use hongyan_shared::{
    Error,
    model::{Device, Mute, UserId},
    sig::{Claims, UserSigError},
};
use lambda_http::aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Handshake;
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::warn;

use super::signatures::Signatures;
use crate::{
    caller::context,
    clock::Clock,
    config::{Config, Configured},
    record::{self, InvocationRecord, MetricCounts, Refused, Report},
    store::{Connections, Restrictions},
};

/// How long the table may keep a handshake waiting.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// The authorizer of one deployment.
pub struct Authorizer {
    signatures: Signatures,
    connections: Connections,
    clock: Clock,
    /// What becomes of the line about a handshake.
    pub report: Report,
}

/// The keys cannot be read. The authorizer itself fails, of which API Gateway makes a 500.
#[derive(Debug, thiserror::Error)]
#[error("the UserSig keys cannot be read")]
pub struct NoKeys;

impl Authorizer {
    /// An authorizer of its own signatures: a laptop's.
    pub fn new(signatures: Signatures, connections: Connections, clock: Clock) -> Self {
        Self { signatures, connections, clock, report: record::log() }
    }

    /// The one of this deployment.
    pub fn from_config(config: &Config) -> Configured<Self> {
        let connections = Connections::new(config)?;
        let authorizer = Self::new(Signatures::from_config(config)?, connections, config.clock.clone());
        Ok(Self { report: config.report.clone(), ..authorizer })
    }

    /// Lets a handshake through or not.
    ///
    /// Who is refused has shown nobody who they are, so the line about them names nobody.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub async fn handle(&self, handshake: Handshake, request_id: &str) -> Result<Value, NoKeys> {
        let started = self.clock.now();
        let admitted = self.admit(&handshake, started).await;
        let (user, refused) = match &admitted {
            Ok(grant) => (grant.user.as_str(), grant.over.clone().map(Error::UserSig)),
            Err(refused) => ("", Some(refused.clone())),
        };
        (self.report)(&InvocationRecord {
            route: record::AUTHORIZER,
            request_id,
            user,
            connection: "",
            ms: self.clock.now().saturating_sub(started),
            refused: refused.as_ref().map(Refused::from),
            metrics: MetricCounts::default(),
        });

        let method_arn = handshake.method_arn.as_deref().unwrap_or_default();
        match admitted {
            Ok(grant) => Ok(grant.policy(method_arn)),
            Err(Error::Internal(_)) => Err(NoKeys),
            Err(_) => Ok(policy("nobody", "Deny", method_arn, json!({}))),
        }
    }

    async fn admit(&self, handshake: &Handshake, now_ms: u64) -> Result<Grant, Error> {
        let query = |name: &str| handshake.query_string_parameters.first(name);
        let user = UserId::parse("userID", query("userID").unwrap_or_default())?;
        let device = Device::parse(query("platform"), query("instance"))?;
        let named: Option<u64> = query("SDKAppID").and_then(|id| id.parse().ok());
        if named != Some(self.signatures.rules().sdk_app_id) {
            return Err(Error::UnknownSdkAppId);
        }
        // The header wins: it does not end up in anybody's access log.
        let header = handshake.headers.get("authorization").and_then(|value| value.to_str().ok());
        let sig = header.map(|value| value.strip_prefix("Bearer ").unwrap_or(value)).or(query("userSig"));
        match self.signatures.verify(&user, sig.unwrap_or_default(), now_ms).await {
            // Who cannot stay may come in to be told why.
            Ok(claims) => {
                let Restrictions { not_before, mute } = self.restrictions(&user).await;
                let over = (not_before > claims.issued_at).then_some(UserSigError::Revoked);
                Ok(Grant { user, device, claims, over, mute })
            }
            Err(Error::UserSig(UserSigError::Expired { genuine: Some(claims) })) => {
                let over = Some(UserSigError::Expired { genuine: None });
                Ok(Grant { user, device, claims, over, mute: Mute::default() })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// What is held against the user. That a registration is conditional on it is what counts: this is to tell those why who
    /// were kicked, and to have with each event until when a user is muted. So it may miss the last second, and a
    /// table that does not answer turns nobody away.
    async fn restrictions(&self, user: &UserId) -> Restrictions {
        match timeout(TIMEOUT, self.connections.restrictions(user)).await {
            Ok(Ok(restrictions)) => restrictions,
            Ok(Err(error)) => {
                warn!(%error, "nobody can tell whether the user was kicked or muted");
                Restrictions::default()
            }
            Err(_) => {
                warn!("looking up whether the user was kicked or muted took too long");
                Restrictions::default()
            }
        }
    }
}

/// Who comes in.
struct Grant {
    user: UserId,
    device: Device,
    claims: Claims,
    /// Why they cannot stay.
    over: Option<UserSigError>,
    /// Until when they may not speak.
    mute: Mute,
}

impl Grant {
    /// API Gateway takes texts, numbers and booleans in a context, and gives back texts.
    fn policy(&self, method_arn: &str) -> Value {
        let mut identity = json!({
            context::USER_ID: self.user,
            context::PLATFORM: self.device.platform.as_str(),
            context::ISSUED_AT: self.claims.issued_at.to_string(),
            context::EXPIRES_AT: self.claims.expires_at.to_string(),
        });
        if let Some(members) = identity.as_object_mut() {
            if let Some(instance) = &self.device.instance {
                members.insert(context::INSTANCE.to_owned(), json!(instance));
            }
            // What has expired is told by its time.
            if self.over == Some(UserSigError::Revoked) {
                members.insert(context::REVOKED.to_owned(), json!("true"));
            }
            for (name, until) in
                [(context::MUTED, self.mute.c2c), (context::MUTED_IN_GROUPS, self.mute.group)]
            {
                if until > 0 {
                    members.insert(name.to_owned(), json!(until.to_string()));
                }
            }
        }
        policy(self.user.as_str(), "Allow", method_arn, identity)
    }
}

fn policy(principal: &str, effect: &str, method_arn: &str, context: Value) -> Value {
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": method_arn }],
        },
        "context": context,
    })
}

/// The authorizer as one line for logs and panics: never with its keys.
impl std::fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorizer").field("rules", self.signatures.rules()).finish_non_exhaustive()
    }
}
