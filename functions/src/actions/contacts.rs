//! A user's list of conversations, as a business server pages through it.

use hongyan_shared::{
    Result,
    model::{Mark, UserId},
    protocol::ListCursor,
    rest::{CONTACTS, Contact, ContactsCursor},
};

use super::get_conversation_list::{Listed, Wanted, World, get_conversation_list};

/// No page of a business server is as large, whatever is in it.
const ROOM: usize = 16 * 1024 * 1024;

/// No place in a list is higher.
const HIGHEST: u64 = 99_999_999_999_999;

/// No user ID sorts behind it.
const LAST: &str = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";

/// Returns a part of the list in its order, what is pinned first, and where it goes on.
///
/// A cursor of Tencent's is two numbers, and a place in the list is a time in milliseconds and a user. So it names a second, and how
/// many of that second were shown.
pub async fn contacts(
    world: &World,
    user: &UserId,
    after: ContactsCursor,
) -> Result<(Vec<Contact>, Option<ContactsCursor>)> {
    let shown = usize::from(after.shown);
    // Behind groups, which are none of these, and behind whatever is higher than that second.
    let place = match after.second {
        0 => HIGHEST,
        second => u64::from(second).saturating_mul(1000).saturating_add(999),
    };
    let cursor = ListCursor::Peer { place, peer: UserId::parse("peer", LAST)? };
    let wanted = Wanted::Page(Some(&cursor), CONTACTS.saturating_add(shown));
    let part = get_conversation_list(world, user, wanted, ROOM).await?;
    let is_shown = |index: usize, listed: &Listed| index < shown && second(listed) == after.second;
    let next = part.listed.last().filter(|_| part.goes_on).map(|last| {
        let of_it = part.listed.iter().filter(|listed| !listed.is_pinned && second(listed) == second(last));
        ContactsCursor { second: second(last), shown: u16::try_from(of_it.count()).unwrap_or(u16::MAX) }
    });
    let contact = |listed: &Listed| {
        // What is out of the list stays in it for other devices to see, until the next look.
        let out = listed.conversation.me().at(Mark::Unlisted).seq;
        let message = listed.shown.as_ref().filter(|message| message.seq > out)?;
        Some(Contact::new(listed.conversation.pair.peer().clone(), message.time / 1000, listed.is_pinned))
    };
    let rest = part.listed.iter().enumerate().filter(|(index, listed)| !is_shown(*index, listed));
    Ok((rest.filter_map(|(_, listed)| contact(listed)).collect(), next))
}

/// When a conversation was last moved up.
fn second(listed: &Listed) -> u32 {
    let stamp = listed.place.map_or(0, |place| place.stamp().0);
    u32::try_from(stamp / 1000).unwrap_or(u32::MAX)
}
