//! Users come and go, and those who watch them are told.

use futures_util::future::join_all;
use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{Push, UserStatus},
};
use tracing::warn;

use crate::{
    notify::Notifier,
    store::{Consistency, MAX_WATCHERS, Watcher, allowance::write_units_left},
};

/// How often a status is told that has changed meanwhile.
const ROUNDS: u32 = 3;

/// How many watchers that are gone are forgotten: each costs a write unit.
const FORGOTTEN: usize = 32;

impl Notifier {
    /// Tells who watches a user that they have come or gone. Should it fail, nobody is told: a push is
    /// a hint.
    pub async fn tell_watchers(&self, user: &UserId, is_online: bool) {
        if let Err(error) = self.tell_until_true(user, is_online).await {
            warn!(%error, "those who watch are not told");
        }
    }

    /// A user who comes back at once is told of by two functions, whose pushes may overtake each
    /// other. So each looks again when it has told: what was said last is true. Who begins to watch
    /// meanwhile sees it then.
    async fn tell_until_true(&self, user: &UserId, mut is_online: bool) -> Result<()> {
        let mut watchers = self.welcome_watchers(user).await?;
        let mut left_to_forget = FORGOTTEN;
        for _ in 0..ROUNDS {
            if watchers.is_empty() {
                break;
            }
            let frame = Push::UserStatusUpdated(&[UserStatus::new(user.clone(), is_online)]).frame();
            let addressed = watchers.iter().map(|watcher| (watcher, watcher.id.as_str())).collect();
            let gone: Vec<Watcher> =
                self.api.post_to_all(addressed, &frame).await.into_iter().cloned().collect();
            watchers.retain(|watcher| !gone.contains(watcher));
            // Who watches did so over an open connection, so one that is not there is no handshake.
            let affordable = usize::try_from(write_units_left()).unwrap_or(FORGOTTEN).min(left_to_forget);
            let forget = gone.iter().take(affordable).map(|watcher| self.watchers.forget(user, watcher));
            for outcome in join_all(forget).await {
                outcome?;
            }
            left_to_forget = left_to_forget.saturating_sub(gone.len());
            let presence = self.connections.of(user, Consistency::Strong, self.clock.now()).await?;
            if presence.is_online() == is_online {
                break;
            }
            is_online = !is_online;
        }
        Ok(())
    }

    /// Who watches a user and is not on their blacklist. Those who were put on it watch in vain until their
    /// connection ends, and are refused after that.
    async fn welcome_watchers(&self, user: &UserId) -> Result<Vec<Watcher>> {
        let mut watchers = self.watchers.of(user, self.clock.now()).await?;
        if !watchers.is_empty() {
            let blacklist = self.blacklists.of(user).await?;
            watchers.retain(|watcher| !blacklist.contains(&watcher.user));
            watchers.truncate(MAX_WATCHERS);
        }
        Ok(watchers)
    }
}
