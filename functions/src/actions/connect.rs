//! A connection takes its device's slot, and kicks out the one that had it.

use futures_util::future::join_all;
use hongyan_shared::{
    Result,
    model::MultiDevice,
    protocol::{KickedOut, Push},
};

use super::get_conversation_list;
use crate::{
    caller::Caller,
    config::{Config, Configured},
    notify::Notifier,
    store::{Accounts, Connection, Registration, Users},
};

/// What it takes to connect and log in.
pub struct World {
    pub(super) notifier: Notifier,
    pub(super) users: Users,
    pub(super) accounts: Accounts,
    pub(super) multi_device: MultiDevice,
    pub(crate) recall_seconds: u64,
    pub(super) list: get_conversation_list::World,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            notifier: Notifier::new(config)?,
            users: Users::new(config)?,
            accounts: Accounts::new(config)?,
            multi_device: config.multi_device()?,
            recall_seconds: config.recall_seconds()?,
            list: get_conversation_list::World::new(config)?,
        })
    }
}

/// Takes the slot of the caller's device.
///
/// # Errors
/// [`hongyan_shared::Error::Replaced`] when another connection has taken the slot,
/// [`hongyan_shared::sig::UserSigError::Revoked`] when the user was kicked, [`hongyan_shared::Error::Outdated`].
pub async fn connect(world: &World, caller: &Caller) -> Result<()> {
    // Who only comes to be told that the UserSig does not count any more kicks nobody out.
    if caller.check(world.notifier.clock.now()).is_err() {
        return Ok(());
    }
    register(world, caller).await
}

/// Takes the slot, kicks out who loses theirs by it, and tells those who watch if the user has come.
pub(super) async fn register(world: &World, caller: &Caller) -> Result<()> {
    let World { notifier, multi_device, .. } = world;
    let registration = Registration {
        user: &caller.user,
        slot: &caller.slot(*multi_device),
        id: &caller.connection_id,
        connected_at: caller.connected_at,
        platform: caller.device.platform,
        instance: caller.device.instance.as_deref(),
        issued_at: caller.issued_at,
        expires_at: caller.expires_at,
        mute: caller.mute,
    };
    let registered = notifier.connections.register(&registration).await?;
    tokio::join!(
        join_all(registered.replaced.iter().map(|replaced| replace(notifier, caller, replaced))),
        join_all(registered.lapsed.iter().map(|lapsed| notifier.api.close(&lapsed.id))),
    );
    if registered.is_first {
        notifier.tell_watchers(&caller.user, true).await;
    }
    Ok(())
}

async fn replace(notifier: &Notifier, caller: &Caller, previous: &Connection) {
    let device = &caller.device;
    // The same installation has come back, after a change of networks say. Its old connection is
    // nobody's any more, and to tell it that it was kicked out would make the client log out.
    let came_back = previous.instance.is_some() && previous.instance == device.instance;
    if !came_back {
        let kind = if previous.platform == device.platform {
            KickedOut::MultipleAccount
        } else {
            KickedOut::MultipleDevice
        };
        notifier.api.send(&previous.id, &Push::KickedOut { kind }.frame()).await;
    }
    notifier.api.close(&previous.id).await;
}
