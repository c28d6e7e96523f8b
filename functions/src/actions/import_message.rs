//! What was said elsewhere, before: a message gets into the history of two users, with its own time.

use hongyan_shared::{
    Result,
    model::{CallbackNotes, Counts, Elem, Hidden, Imported, Message, Options, Pair, Seq, Stamp, imported_id},
};

use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{Conversations, Messages},
};

/// What it takes to import messages.
pub struct World {
    messages: Messages,
    conversations: Conversations,
    retention: Option<u64>,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            conversations: Conversations::new(config)?,
            retention: config.retention()?,
            clock: config.clock.clone(),
        })
    }
}

/// Writes what the pair's user has said to the other one then. It has no number, is never unread, and is told to nobody: who
/// turns the pages finds it before everything with a number, and so does a list in which there is nothing else.
///
/// It may be done again, in any order, by any number of programs at once: what lies at a place is never replaced. What
/// retention would have ended by now is not written.
pub async fn import_message(world: &World, pair: &Pair, place: Imported, elem: Elem) -> Result<()> {
    let now = world.clock.now();
    let expires_at = world.retention.map(|seconds| place.second.saturating_add(seconds));
    let time = place.second.saturating_mul(1000);
    let message = Message {
        seq: Seq(0),
        imported: Some(place),
        client_id: imported_id(pair, place),
        from: pair.me().clone(),
        time,
        elem,
        options: Options::default(),
        counts: Counts::default(),
        listed: Seq(0),
        expires_at,
        kept_until: None,
        moved_up: Stamp::default(),
        callbacks: CallbackNotes::default(),
        revoked_at: None,
        revoked_by: None,
        hidden: Hidden::default(),
    };
    if !message.is_live(now) {
        return Ok(());
    }
    // Not as long as this one, but as one of today would be: so it is not written again with each that is a little younger.
    let kept_until =
        world.retention.map(|seconds| (now / 1000).saturating_add(seconds).saturating_add(seconds / 2));
    let stamp = Stamp::of_imported(time, now);
    // The lists come first, as with every message: a function that is cut off in between leaves nothing that nobody finds.
    world.conversations.enter(pair, time, stamp, expires_at, kept_until).await?;
    world.messages.import(&pair.log_key(), &message).await?;
    Ok(())
}
