//! `updateMyProfile`: a user says something about himself.

use hongyan_shared::{
    Error, Result,
    model::Profile,
    protocol::{MAX_CUSTOM_FIELDS, ProfileFields, ProfileReply, Push, WireProfile},
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
    leave_room(app, &event, &changes).await?;
    let now = app.now();
    let (profile, others) = tokio::join!(
        app.users.update_profile(me, changes, now),
        app.other_connections(me, &event.connection_id)
    );
    let profile = profile?;
    let push = Push::ProfileUpdated([WireProfile::new(me, profile.clone(), now)]);
    app.deliver(&others, &push.frame()).await;
    Ok(Reply::data(&ProfileReply { profile: WireProfile::new(me, profile, now) }))
}

/// A profile that could grow without end would not fit the frame of whoever asks for it.
async fn leave_room(app: &App, event: &Event, changes: &Profile) -> Result<()> {
    if changes.custom.is_empty() {
        return Ok(());
    }
    let me = &event.caller.user;
    let (before, _) =
        app.users.profiles(std::slice::from_ref(me)).await?.remove(me).unwrap_or_default();
    let new = changes.custom.keys().filter(|key| !before.custom.contains_key(key)).count();
    if before.custom.len().saturating_add(new) > MAX_CUSTOM_FIELDS {
        return Err(Error::BadRequest(format!(
            "a profile may have {MAX_CUSTOM_FIELDS} custom fields: use the ones that it has"
        )));
    }
    Ok(())
}
