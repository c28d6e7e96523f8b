//! An account is deleted, and with it what is its user's alone.

use hongyan_shared::{
    Error, Result,
    media::Owner,
    model::{Address, LogKey, Message, Pair, Seq, UserId},
    protocol::{Deletion, MAX_BLACKLIST_CHANGE},
};
use tracing::warn;

use super::{
    accounts::{Progress, within},
    administer_groups, all,
    deadline::Deadline,
    each, kick, manage_conversation, manage_group, manage_user,
};
use crate::{
    caller::Administrator,
    clock::Clock,
    config::{Config, Configured, DeletedUsersMessages},
    media_store::MediaStore,
    notify::Notifier,
    store::{Accounts, Consistency, Conversations, Messages, Users},
};

/// How many conversations are looked up at once, and how many messages of one.
const PAGE: usize = 32;

/// What it takes.
pub struct World {
    accounts: Accounts,
    users: Users,
    conversations: Conversations,
    messages: Messages,
    notifier: Notifier,
    media: Option<MediaStore>,
    sdk_app_id: u64,
    written: DeletedUsersMessages,
    clock: Clock,
    /// Conversations and blacklists are emptied as their user would.
    conversation: manage_conversation::World,
    user: manage_user::World,
    groups: manage_group::World,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        let has_media = config.media_bucket().is_some();
        Ok(Self {
            accounts: Accounts::new(config)?,
            users: Users::new(config)?,
            conversations: Conversations::new(config)?,
            messages: Messages::new(config)?,
            notifier: Notifier::new(config)?,
            media: has_media.then(|| MediaStore::new(config)).transpose()?,
            sdk_app_id: if has_media { config.sdk_app_id()? } else { 0 },
            written: config.deleted_users_messages()?,
            clock: config.clock.clone(),
            conversation: manage_conversation::World::new(config)?,
            user: manage_user::World::new(config)?,
            groups: manage_group::World::new(config)?,
        })
    }
}

/// Deletes accounts, and returns how far each has come. What is not done in time goes on when it is asked for again: the account
/// is what is taken away last.
pub async fn delete_accounts(
    world: &World,
    administrator: &Administrator,
    users: &[UserId],
) -> Vec<(UserId, Result<Progress>)> {
    let until = Deadline::new(&world.clock);
    let deletions = users.iter().map(async |user| {
        let outcome = match delete(world, administrator, user, &until).await {
            // It is too much for one command.
            Err(Error::Throttled) => Ok(Progress::Unfinished),
            outcome => outcome,
        };
        if let Err(error) = &outcome {
            warn!(%user, %error, "an account was not deleted");
        }
        (user.clone(), outcome)
    });
    each(deletions).await
}

/// Nobody comes in with a signature from before, then all goes that is the user's alone: what others see of them, their
/// conversations and what they have seen of those, their places in groups, their blacklist, their media, and their account. What they have written
/// stays in the histories of others, unless it is to be blanked.
async fn delete(
    world: &World,
    administrator: &Administrator,
    user: &UserId,
    until: &Deadline<'_>,
) -> Result<Progress> {
    until.check()?;
    let World { accounts, users, conversations, notifier, .. } = world;
    if !accounts.is_there(user).await? && !notifier.connections.is_known(user).await? {
        return Ok(Progress::NoSuchUser);
    }
    if within(kick::kick(notifier, user)).await? == Progress::Unfinished {
        return Ok(Progress::Unfinished);
    }
    tokio::try_join!(notifier.connections.forget(user), users.remove_profile(user))?;
    loop {
        let groups = administer_groups::some_groups(&world.groups, user).await?;
        if groups.is_empty() {
            administer_groups::clear_has_groups(&world.groups, user).await?;
            break;
        }
        for (group, key) in groups {
            until.check()?;
            if world.written == DeletedUsersMessages::Blank {
                blank(world, &key, user, until).await?;
            }
            administer_groups::leave_for_good(&world.groups, administrator.acting_for(user), &group).await?;
        }
    }
    loop {
        let peers = conversations.some_of(user, PAGE).await?;
        if peers.is_empty() {
            break;
        }
        let forgotten = peers.iter().map(async |peer| {
            until.check()?;
            forget_conversation(world, administrator, user, peer, until).await
        });
        all(forgotten).await?;
    }
    let blocked: Vec<UserId> = manage_user::get_blacklist(&world.user, user).await?.into_iter().collect();
    for some in blocked.chunks(MAX_BLACKLIST_CHANGE) {
        until.check()?;
        manage_user::remove_from_blacklist(&world.user, administrator.acting_for(user), some).await?;
    }
    delete_media(world, user, until).await?;
    accounts.remove(user).await?;
    Ok(Progress::Done)
}

async fn forget_conversation(
    world: &World,
    administrator: &Administrator,
    user: &UserId,
    peer: &UserId,
    until: &Deadline<'_>,
) -> Result<()> {
    let pair = Pair::of(user, peer)?;
    if world.written == DeletedUsersMessages::Blank {
        blank(world, &pair.log_key(), user, until).await?;
    }
    // Should somebody be called so again, this is not theirs.
    let deletion = Deletion { pair, up_to: None, keeps_history: false };
    let actor = administrator.acting_for(user);
    manage_conversation::delete_conversation(&world.conversation, actor, &deletion).await?;
    world.conversations.remove(user, peer).await
}

/// Takes the content of all that a user has written away, newest first.
async fn blank(world: &World, key: &LogKey, user: &UserId, until: &Deadline<'_>) -> Result<()> {
    let now = world.clock.now();
    let mut before = Address::Number(Seq(u64::MAX));
    loop {
        until.check()?;
        let part = world.messages.earlier(key, before, PAGE, Consistency::Eventual, now).await?;
        let is_theirs = |message: &&Message| message.from == *user && message.revoked_at.is_none();
        let theirs = part.messages.iter().filter(is_theirs);
        all(theirs.map(async |message| world.messages.blank(key, message, now).await)).await?;
        let Some(end) = part.goes_on_before else { return Ok(()) };
        before = end;
    }
}

async fn delete_media(world: &World, user: &UserId, until: &Deadline<'_>) -> Result<()> {
    let Some(media) = &world.media else { return Ok(()) };
    let prefix = Owner::of(world.sdk_app_id, user).prefix();
    loop {
        until.check()?;
        let keys = media.list(&prefix).await?;
        if keys.is_empty() {
            return Ok(());
        }
        all(keys.iter().map(|key| media.delete(key))).await?;
    }
}
