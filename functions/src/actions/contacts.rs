//! A user's list of conversations, as a business server pages through it.

use hongyan_shared::{
    Error, Result,
    model::{Mark, UserId},
    protocol::ListCursor,
    rest::{CONTACTS, Contact, ContactsCursor},
};

use super::{
    get_conversation_list::{Listed, Wanted, World, get_conversation_list},
    groups::ListedGroup,
};

/// No page of a business server is as large, whatever is in it.
const ROOM: usize = 16 * 1024 * 1024;

/// No user ID sorts behind it.
const LAST: &str = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";

/// Returns a part of the list, and where it goes on. With its beginning come all the user's groups.
///
/// A cursor of Tencent's is two numbers, and a place in the list is a time in milliseconds and a user. So it names a second, and how
/// many of that second were shown.
///
/// # Errors
/// [`Error::Throttled`] when the user is in more groups than may be read.
pub async fn contacts(
    world: &World,
    user: &UserId,
    after: ContactsCursor,
) -> Result<(Vec<Contact>, Option<ContactsCursor>)> {
    let shown = usize::from(after.shown);
    let count = CONTACTS.saturating_add(shown);
    let beginning = match after.second {
        0 => None,
        // Behind whatever is higher than that second.
        second => {
            let place = u64::from(second).saturating_mul(1000).saturating_add(999);
            Some(ListCursor::Peer { place, peer: UserId::parse("peer", LAST)? })
        }
    };
    let mut part = get_conversation_list(world, user, Wanted::Page(beginning.as_ref(), count), ROOM).await?;
    let mut contacts: Vec<Contact> = part.groups.groups.iter().filter_map(of_group).collect();
    while part.groups.go_on {
        let end = part.groups.end.map(ListCursor::Group).ok_or(Error::Throttled)?;
        part = get_conversation_list(world, user, Wanted::Page(Some(&end), count), ROOM).await?;
        contacts.extend(part.groups.groups.iter().filter_map(of_group));
    }
    let is_shown = |index: usize, listed: &Listed| index < shown && second(listed) == after.second;
    let next = part.listed.last().filter(|_| part.goes_on).map(|last| {
        let of_it = part.listed.iter().filter(|listed| !listed.is_pinned && second(listed) == second(last));
        ContactsCursor { second: second(last), shown: u16::try_from(of_it.count()).unwrap_or(u16::MAX) }
    });
    let rest = part.listed.iter().enumerate().filter(|(index, listed)| !is_shown(*index, listed));
    contacts.extend(rest.filter_map(|(_, listed)| with_user(listed)));
    Ok((contacts, next))
}

/// What is out of the list stays in it for other devices to see, until the next look.
fn with_user(listed: &Listed) -> Option<Contact> {
    let out = listed.conversation.me().at(Mark::Unlisted).seq;
    let message = listed.shown.as_ref().filter(|message| message.seq > out)?;
    Some(Contact::with(listed.conversation.pair.peer().clone(), message.time / 1000, listed.is_pinned))
}

/// A group stays in it for as long as the user is a member.
fn of_group(listed: &ListedGroup) -> Option<Contact> {
    let out = listed.mine.state.at(Mark::Unlisted).seq;
    let message = listed.shown.as_ref().filter(|message| message.seq > out)?;
    Some(Contact::of_group(listed.group.id.clone(), message.time / 1000, listed.mine.is_pinned))
}

/// When a conversation was last moved up.
fn second(listed: &Listed) -> u32 {
    let stamp = listed.place.map_or(0, |place| place.stamp().0);
    u32::try_from(stamp / 1000).unwrap_or(u32::MAX)
}
