//! `updateMyProfile`: a user says something about himself.

use hongyan_shared::{
    Result,
    protocol::{ProfileFields, ProfileReply, Push, WireProfile},
};

use crate::{app::App, event::Event, runtime::Reply};

/// Changes what is given, and tells the caller's other devices.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: ProfileFields = event.request.data()?;
    let changes = request.parse()?;
    let me = &event.caller.user;
    let now = app.now();
    let (profile, others) = tokio::join!(
        app.users.update_profile(me, &changes, now),
        app.other_connections(me, &event.connection_id)
    );
    let profile = profile?;
    let push = Push::ProfileUpdated([WireProfile::new(me, profile.clone(), now)]);
    app.deliver(&others, &push.frame()).await;
    Ok(Reply::data(&ProfileReply { profile: WireProfile::new(me, profile, now) }))
}
