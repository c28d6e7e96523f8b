//! `$connect` and `login`, because a client comes through one and then the other: what is warm for the
//! first is warm for the second.

use hongyan_shared::{
    Result, gateway,
    model::MAX_MESSAGE_BYTES,
    protocol::{Login, LoginReply, MAX_REPLY_BYTES, PAGE_SIZE, WireProfile, connect::Served},
};

use super::{super::conversation_page::conversation_page, Event, Reply};
pub use crate::actions::connect::World;
use crate::actions::{self, get_conversation_list::Wanted, login::LoggedIn};

/// How often a client should say `ping`, in seconds: one may get lost, and the connection is still not idle.
const HEARTBEAT_S: u64 = 240;
const _: () = assert!(2 * HEARTBEAT_S < gateway::IDLE_S);

/// Takes the slot of the caller's device; `login` makes sure of it.
///
/// # Errors
/// Those of [`actions::connect::connect`] and [`actions::login::login`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    match Served::behind(&event.route) {
        Some(Served::Login) => login(world, &event).await,
        None => connect(world, &event).await,
    }
}

async fn connect(world: &World, event: &Event) -> Result<Reply> {
    actions::connect::connect(world, &event.caller).await?;
    Ok(Reply::Silence)
}

async fn login(world: &World, event: &Event) -> Result<Reply> {
    let request: Login = event.request.data()?;
    let caller = &event.caller;
    let first_page = request.parse(&caller.user)?;
    let wanted = first_page.as_ref().map(|page| match page.since {
        None => Wanted::Newest(page.count),
        Some(since) => Wanted::Since(since, page.count, &page.named),
    });
    let LoggedIn { at, part } = actions::login::login(world, caller, wanted).await?;
    let is_newest = matches!(wanted, Some(Wanted::Newest(_)));
    let profile = part.as_ref().filter(|_| is_newest).map(|part| {
        let (profile, changed_at) = part.profiles.get(&caller.user).cloned().unwrap_or_default();
        WireProfile::new(&caller.user, profile, changed_at)
    });
    let room = MAX_REPLY_BYTES.saturating_sub(profile.as_ref().map_or(0, WireProfile::size));
    Ok(Reply::data(&LoginReply {
        user_id: &caller.user,
        platform: caller.device.platform.as_str(),
        server_time: at / 1000,
        user_sig_expire_time: caller.expires_at,
        connected_time: caller.connected_at / 1000,
        connection_seconds: gateway::LIFETIME_S,
        heartbeat_seconds: HEARTBEAT_S,
        page_size: PAGE_SIZE,
        max_message_bytes: MAX_MESSAGE_BYTES,
        recall_seconds: world.recall_seconds,
        version: env!("CARGO_PKG_VERSION"),
        profile,
        conversation_page: part.as_ref().map(|part| conversation_page(part, room)),
    }))
}
