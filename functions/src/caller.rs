//! Who a request comes from.

use std::collections::HashMap;

use hongyan_shared::{
    Error, Result,
    model::{Device, GroupId, Membership, MultiDevice, Mute, Platform, Roster, UserId, Who},
    sig::UserSigError,
};
use serde_json::Value;

/// The user at the other end of a connection.
///
/// **Architecture invariant:** a caller is made from the authorizer's context and from nothing
/// else. No field of a frame says who sends it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// Their device.
    pub device: Device,
    /// The connection.
    pub connection_id: String,
    /// When that connection was made, in milliseconds since 1970.
    pub connected_at: u64,
    /// The last second in which their UserSig is good.
    pub expires_at: u64,
    /// When it was issued.
    pub issued_at: u64,
    /// Whether the user was kicked after that.
    pub is_revoked: bool,
    /// Until when they may not speak, as it was when the connection was made.
    pub mute: Mute,
}

/// Whom an action is done for.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The connection that asks for it, which is not to be told what it has done. A business server has
    /// none.
    pub connection: Option<&'a Caller>,
    /// A business server asks for it: what users may do to each other, and how much of it, is no matter.
    pub is_administrator: bool,
}

/// A business server that has shown with a signature that it may act for every user.
///
/// **Architecture invariant:** `trigger/rest` makes one when it has verified that signature, and nothing else does.
#[derive(Debug, Clone)]
pub struct Administrator(UserId);

impl Administrator {
    /// The one whose account this is.
    pub(crate) fn verified(account: UserId) -> Self {
        Self(account)
    }

    /// Their account.
    pub fn account(&self) -> &UserId {
        &self.0
    }

    /// They act for nobody else: in groups, which they look after and are in none of.
    pub fn actor(&self) -> Actor<'_> {
        self.acting_for(&self.0)
    }

    /// They act for a user.
    pub fn acting_for<'a>(&self, user: &'a UserId) -> Actor<'a> {
        Actor { user, connection: None, is_administrator: true }
    }
}

/// The names of the authorizer's context, written there and read here.
pub(crate) mod context {
    pub const USER_ID: &str = "userID";
    pub const PLATFORM: &str = "platform";
    pub const INSTANCE: &str = "instance";
    pub const ISSUED_AT: &str = "issuedAt";
    pub const EXPIRES_AT: &str = "expiresAt";
    pub const REVOKED: &str = "revoked";
    pub const MUTED: &str = "muted";
    pub const MUTED_IN_GROUPS: &str = "mutedInGroups";
}

impl Caller {
    /// The caller of an event, from the authorizer's context in it.
    ///
    /// # Errors
    /// [`Error::NoIdentity`] when something is missing.
    pub(crate) fn parse(
        connection_id: String,
        connected_at: u64,
        authorizer: &HashMap<String, Value>,
    ) -> Result<Self> {
        let text = |name: &str| authorizer.get(name).and_then(Value::as_str);
        let number = |name: &str| text(name).and_then(|text| text.parse().ok()).ok_or(Error::NoIdentity);
        let number_if_said = |name: &str| if text(name).is_some() { number(name) } else { Ok(0) };
        Ok(Self {
            user: UserId::parse("userID", text(context::USER_ID).ok_or(Error::NoIdentity)?)?,
            device: Device::parse(text(context::PLATFORM), text(context::INSTANCE))?,
            connection_id,
            connected_at,
            issued_at: number(context::ISSUED_AT)?,
            expires_at: number(context::EXPIRES_AT)?,
            is_revoked: text(context::REVOKED).is_some(),
            mute: Mute {
                c2c: number_if_said(context::MUTED)?,
                group: number_if_said(context::MUTED_IN_GROUPS)?,
            },
        })
    }

    /// Whether their UserSig is still good. One that was genuine but had expired, or was issued before the
    /// user was kicked, opens a connection all the same, because a mini-program sees nothing of a refused
    /// handshake but "failed"; every route then says why and ends it.
    ///
    /// # Errors
    /// 70001, 70052.
    pub fn check(&self, now_ms: u64) -> Result<()> {
        if now_ms / 1000 > self.expires_at {
            return Err(Error::UserSig(UserSigError::Expired { genuine: None }));
        }
        if self.is_revoked {
            return Err(Error::UserSig(UserSigError::Revoked));
        }
        Ok(())
    }

    /// The slot of their device.
    pub fn slot(&self, policy: MultiDevice) -> String {
        self.device.slot(policy, &self.connection_id)
    }

    /// They act for themselves.
    pub fn actor(&self) -> Actor<'_> {
        Actor { user: &self.user, connection: Some(self), is_administrator: false }
    }
}

impl Actor<'_> {
    /// Until when they may not speak. Whom an administrator acts for may.
    pub(crate) fn mute(&self) -> Mute {
        self.connection.map(|caller| caller.mute).unwrap_or_default()
    }

    /// The kind of device that asks. A business server has none.
    pub(crate) fn platform(&self) -> Option<Platform> {
        self.connection.map(|caller| caller.device.platform)
    }

    /// What they are to a group with this roster.
    pub(crate) fn who(&self, roster: &Roster) -> Who {
        if self.is_administrator { Who::Administrator } else { roster.role(self.user).into() }
    }

    /// That an administrator may look into any group.
    pub(crate) fn access(&self, group: &GroupId) -> Option<Membership> {
        self.is_administrator.then(|| Membership::of_administrator(group, self.user))
    }

    /// Whether this is the connection that asks.
    pub(crate) fn is_at(&self, connection_id: &str) -> bool {
        self.connection.is_some_and(|caller| caller.connection_id == connection_id)
    }
}
