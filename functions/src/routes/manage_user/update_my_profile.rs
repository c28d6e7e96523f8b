//! `updateMyProfile`: a user says something about himself.

use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{ProfileFields, ProfileReply, Push, WireProfile},
};

use crate::{app::App, event::Event, runtime::Reply, store::Names};

/// Changes what is given, and tells the caller's other devices.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: ProfileFields = event.request.data()?;
    let changes = request.parse()?;
    let me = &event.caller.user;
    let now = app.now();
    let names = Names { nick: changes.nick.clone(), avatar: changes.avatar.clone() };
    let (profile, others) = tokio::join!(
        app.users.update_profile(me, &changes, now),
        app.other_connections(&event)
    );
    let profile = profile?;
    let push = Push::ProfileUpdated([WireProfile::new(me, profile.clone(), now)]).frame();
    let (renamed, ()) = tokio::join!(rename(app, me, &names), app.deliver(&others, &push));
    renamed?;
    Ok(Reply::data(&ProfileReply { profile: WireProfile::new(me, profile, now) }))
}

/// Pushes carry the name and the picture, from where a send finds them.
async fn rename(app: &App, user: &UserId, names: &Names) -> Result<()> {
    if *names == Names::default() {
        return Ok(());
    }
    app.connections.rename(user, names, app.now()).await
}
