//! What a route is told about one invocation.

use std::collections::HashMap;

use hongyan_shared::{
    Error, Result,
    model::{Device, UserId},
    protocol::Request,
    sig::Refusal,
};
use lambda_http::{Body, RequestExt, request::RequestContext};
use serde_json::Value;

/// One event of the WebSocket API.
#[derive(Debug, Clone)]
pub struct Event {
    /// The route key: `$connect`, `sendMessage` and so on.
    pub route: String,
    /// The connection that it came over.
    pub connection_id: String,
    /// When that connection was made, in milliseconds since 1970.
    pub connected_at: u64,
    /// Who is at its other end.
    pub caller: Caller,
    /// What he asks for.
    pub request: Request,
}

/// The user of a connection.
///
/// **Architecture invariant:** a caller is made from the authorizer's context and from nothing
/// else. No field of a frame says who sends it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// His device.
    pub device: Device,
    /// The last second in which his UserSig is good.
    pub expires_at: u64,
    /// When it was issued.
    pub issued_at: u64,
    /// Whether the user was put out after that.
    pub is_revoked: bool,
}

/// The names of the authorizer's context, written there and read here.
pub(crate) mod context {
    pub const USER_ID: &str = "userID";
    pub const PLATFORM: &str = "platform";
    pub const INSTANCE: &str = "instance";
    pub const ISSUED_AT: &str = "issuedAt";
    pub const EXPIRES_AT: &str = "expiresAt";
    pub const REVOKED: &str = "revoked";
}

impl Event {
    /// Reads an event of the WebSocket API.
    ///
    /// # Errors
    /// [`Error::NoIdentity`] when the authorizer's context is not there.
    pub fn parse(request: &lambda_http::Request) -> Result<Self> {
        let Some(RequestContext::WebSocket(context)) = request.request_context_ref() else {
            return Err(Error::NoIdentity);
        };
        Ok(Self {
            route: context.route_key.clone().unwrap_or_default(),
            connection_id: context.connection_id.clone().ok_or(Error::NoIdentity)?,
            connected_at: u64::try_from(context.connected_at).unwrap_or_default(),
            caller: Caller::parse(&context.authorizer.fields)?,
            request: Self::frame(request.body()),
        })
    }

    /// The request in the body of an event. A binary frame is read as text.
    pub(crate) fn frame(body: &Body) -> Request {
        Request::parse(body)
    }
}

/// What Lambda calls the invocation.
pub(crate) fn request_id(request: &lambda_http::Request) -> String {
    request.lambda_context_ref().map(|lambda| lambda.request_id.clone()).unwrap_or_default()
}

impl Caller {
    fn parse(fields: &HashMap<String, Value>) -> Result<Self> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let number = |name: &str| text(name).and_then(|text| text.parse().ok()).ok_or(Error::NoIdentity);
        Ok(Self {
            user: UserId::parse("userID", text(context::USER_ID).ok_or(Error::NoIdentity)?)?,
            device: Device::parse(text(context::PLATFORM), text(context::INSTANCE))?,
            issued_at: number(context::ISSUED_AT)?,
            expires_at: number(context::EXPIRES_AT)?,
            is_revoked: text(context::REVOKED).is_some(),
        })
    }

    /// Whether their UserSig is still good. One that was genuine but had expired, or was issued before the
    /// user was put out, opens a connection all the same, because a mini-program sees nothing of a refused
    /// handshake but "failed"; every route then says why and ends it.
    ///
    /// # Errors
    /// 70001, 70052.
    pub fn check(&self, now_ms: u64) -> Result<()> {
        if now_ms / 1000 > self.expires_at {
            return Err(Error::UserSig(Refusal::Expired { genuine: None }));
        }
        if self.is_revoked {
            return Err(Error::UserSig(Refusal::Revoked));
        }
        Ok(())
    }
}
