//! How many messages of a user are unread: with those who are named, or with all together.

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::{
    Result,
    model::{Pair, UserId},
};

use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{Consistency, Conversations, ListPart, Messages, Place},
};

/// How many conversations are looked at at once.
const MAX_CONCURRENCY: usize = 32;

/// How many conversations one query returns.
const PAGE: usize = 200;

/// Among how many conversations of the list the unread messages are counted, from its beginning.
const MAX_CONVERSATIONS: usize = 1_000;

/// What it takes to count them.
pub struct World {
    messages: Messages,
    conversations: Conversations,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            conversations: Conversations::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// How many messages of the other one the pair's user has not read.
pub async fn count_unread(world: &World, pair: &Pair) -> Result<u64> {
    world.messages.count_unread(pair, world.clock.now()).await
}

/// How many a user has not read in the conversations of the list, of which the first thousand are looked at.
pub async fn count_all_unread(world: &World, me: &UserId) -> Result<u64> {
    let mut peers: Vec<UserId> = Vec::new();
    let mut after: Option<(Place, UserId)> = None;
    loop {
        let from = after.as_ref().map(|(place, peer)| (*place, peer));
        let count = PAGE.min(MAX_CONVERSATIONS.saturating_sub(peers.len()));
        let ListPart { entries, goes_on, .. } =
            world.conversations.list(me, from, None, count, Consistency::Eventual).await?;
        after = entries.last().map(|last| (last.place, last.peer.clone()));
        peers.extend(entries.into_iter().map(|entry| entry.peer));
        if !goes_on || after.is_none() || peers.len() >= MAX_CONVERSATIONS {
            break;
        }
    }
    let pairs: Vec<Pair> = peers.iter().map(|peer| Pair::of(me, peer)).collect::<Result<_>>()?;
    let each: Vec<_> = pairs.iter().map(|pair| count_unread(world, pair)).collect();
    stream::iter(each)
        .buffer_unordered(MAX_CONCURRENCY)
        .try_fold(0, async |sum, unread| Ok(sum + unread))
        .await
}
