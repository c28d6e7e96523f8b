//! A part of the conversation list as clients see it: `getConversationList`, and `login`.

use hongyan_shared::{
    model::{OneToOne, Seq, Stamp},
    protocol::{
        ConversationPage, GroupAtInfo, ListCursor, WireConversation, WireGroup, WireMessage, WireProfile,
    },
};

use crate::actions::{
    get_conversation_list::{Listed, Part},
    groups::ListedGroup,
};

/// Returns as much of it as has room in so many bytes. The rest follows on demand.
pub fn conversation_page(part: &Part, mut room: usize) -> ConversationPage<'_> {
    let mut goes_on = part.goes_on;
    let mut last = None;
    let (mut list, mut profile_list) = (Vec::new(), Vec::new());
    let mut groups_end = part.groups.end.as_ref();
    let mut groups_go_on = part.groups.go_on;
    for listed in &part.groups.groups {
        let conversation = group_conversation(listed);
        let Some(left) = room.checked_sub(conversation.size()) else {
            groups_go_on = true;
            break;
        };
        room = left;
        if part.groups.end.is_some() && (groups_go_on || part.listed.is_empty()) {
            groups_end = Some(&listed.group.id);
        }
        let time =
            listed.shown.as_ref().map_or(listed.mine.joined_at.saturating_mul(1000), |shown| shown.time);
        list.push((time, conversation));
    }
    goes_on |= groups_go_on;
    // In the list they are behind all groups; those that were named are not.
    for entry in part.listed.iter().filter(|_| !groups_go_on || part.groups.end.is_none()) {
        // A conversation without a message was opened and never used, or retention has emptied it.
        if let Some(message) = entry.conversation.tail.newest() {
            let conversation = conversation(entry);
            let profile = part.profiles.get_key_value(entry.conversation.pair.peer());
            let profile = profile.map(|(user, (profile, at))| WireProfile::new(user, profile.clone(), *at));
            let bytes = conversation.size().saturating_add(profile.as_ref().map_or(0, WireProfile::size));
            match room.checked_sub(bytes) {
                Some(left) => room = left,
                None => {
                    goes_on = true;
                    break;
                }
            }
            list.push((entry.shown.as_ref().unwrap_or(message).time, conversation));
            profile_list.extend(profile);
        }
        last = entry.place.map(|place| (place, entry.conversation.pair.peer())).or(last);
    }
    let next = match last.filter(|_| !groups_go_on) {
        Some((place, peer)) => Some(ListCursor::Peer { place: place.0, peer: peer.clone() }),
        None => groups_end.cloned().map(ListCursor::Group),
    };
    let next = next.filter(|_| goes_on);
    // Where what is pinned goes on, nothing is complete yet.
    let complete_from = match last.filter(|(place, _)| !place.is_pinned() && !groups_go_on) {
        _ if !goes_on => part.complete_from,
        Some((place, _)) => place.stamp().complete_from().div_ceil(1000),
        None => Stamp(part.asked_at).complete_from().div_ceil(1000),
    };
    list.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    ConversationPage {
        conversation_list: list.into_iter().map(|(_, conversation)| conversation).collect(),
        profile_list,
        next_req_conversation_id: next.map(|cursor| cursor.to_string()).unwrap_or_default(),
        is_completed: !goes_on,
        complete_from,
        groups_go_on: groups_go_on.then_some(true),
    }
}

fn group_conversation(listed: &ListedGroup) -> WireConversation<'_> {
    let ListedGroup { group, mine, last, unread, mentions, shown, .. } = listed;
    let mentions: Vec<GroupAtInfo> = mentions.iter().cloned().map(GroupAtInfo::from).collect();
    WireConversation {
        conversation_id: group.id.conversation_id(),
        kind: "GROUP",
        unread_count: *unread,
        last_message: shown.as_ref().map(|message| WireMessage::in_group(&group.id, message)),
        last_sequence: *last,
        read_sequence: mine.state.read.seq,
        peer_read_sequence: Seq(0),
        peer_read_time: 0,
        cleared_sequence: mine.state.cleared.seq,
        unlisted_sequence: mine.state.unlisted.seq.named(),
        is_pinned: mine.is_pinned,
        joined_sequence: mine.joined.named(),
        group_profile: Some(WireGroup::new(group, *last).with(Some(mine))),
        group_at_info_list: Some(mentions).filter(|mentions| !mentions.is_empty()),
    }
}

fn conversation(entry: &Listed) -> WireConversation<'_> {
    let OneToOne { pair, tail } = &entry.conversation;
    let (mine, peer) = (entry.conversation.me(), entry.conversation.told(pair.peer()));
    WireConversation {
        conversation_id: pair.conversation_id(),
        kind: "C2C",
        unread_count: entry.unread,
        last_message: entry.shown.as_ref().map(|message| WireMessage::new(pair, message)),
        last_sequence: tail.last_seq(),
        read_sequence: mine.read.seq,
        peer_read_sequence: peer.seq,
        peer_read_time: peer.time / 1000,
        cleared_sequence: mine.cleared.seq,
        unlisted_sequence: mine.unlisted.seq.named(),
        is_pinned: entry.is_pinned,
        joined_sequence: None,
        group_profile: None,
        group_at_info_list: None,
    }
}
