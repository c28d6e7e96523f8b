use super::{
    Side, UserId,
    group_id::GroupId,
    group_rules::{Role, Who},
};
use crate::{Error, Result};

const C2C: &str = "C2C";
const GROUP: &str = "GROUP";

/// Between the two IDs of a key. No user ID and no group ID can hold it, so a key has one reading only.
const SEPARATOR: char = '·';

/// A conversation in the eyes of a user, as clients name it: `C2C` and the other user, or `GROUP` and the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationId {
    /// With one other user.
    C2c(Pair),
    /// In a group.
    Group(GroupId),
}

/// The partition key of a conversation's log.
///
/// **Architecture invariant:** a key is made in this file only, from an authenticated user and their peer, or from
/// a row that says that they are a member. So no field of any request can reach a conversation that its sender is not part of,
/// unless a business server sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey(String);

/// A one-to-one conversation: its two users, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    low: UserId,
    high: UserId,
    mine: Side,
}

/// A user is in a group, because a row has said so; or a business server acts in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    group: GroupId,
    user: UserId,
    who: Who,
}

impl ConversationId {
    /// The conversation that a client of this user calls so.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when it is no name of a conversation.
    pub fn parse(me: &UserId, text: &str) -> Result<Self> {
        if let Some(group) = text.strip_prefix(GROUP) {
            return GroupId::parse(group).map(Self::Group);
        }
        let peer = text.strip_prefix(C2C).ok_or_else(not_one_to_one)?;
        Ok(Self::C2c(Pair::of(me, &UserId::parse("conversationID", peer)?)?))
    }

    /// The two users of a one-to-one conversation.
    #[cfg(test)]
    pub(crate) fn one_to_one(self) -> Result<Pair> {
        match self {
            Self::C2c(pair) => Ok(pair),
            Self::Group(_) => Err(not_one_to_one()),
        }
    }
}

fn not_one_to_one() -> Error {
    Error::BadRequest("`conversationID` must be C2C followed by the other user's ID".to_owned())
}

impl LogKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Membership {
    /// What a row says that was found by the caller's own ID.
    ///
    /// **Architecture invariant:** the store alone makes one, where it reads such a row.
    pub fn found(group: &GroupId, user: &UserId, role: Role) -> Self {
        Self { group: group.clone(), user: user.clone(), who: Who::Member(role) }
    }

    /// A business server acts for a user, who need not be in the group.
    ///
    /// **Architecture invariant:** `functions/src/caller.rs` makes one, for an administrator whose signature was verified.
    pub fn of_administrator(group: &GroupId, user: &UserId) -> Self {
        Self { group: group.clone(), user: user.clone(), who: Who::Administrator }
    }

    /// The partition key of the group's log. No group ID holds a separator, so it is no pair's.
    pub fn log_key(&self) -> LogKey {
        LogKey(self.group.to_string())
    }

    /// Which group.
    pub fn group(&self) -> &GroupId {
        &self.group
    }

    /// Who.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// What they are in it.
    pub fn who(&self) -> Who {
        self.who
    }
}

impl GroupId {
    /// The name of this group's conversation, the same for all.
    pub fn conversation_id(&self) -> String {
        format!("{GROUP}{self}")
    }
}

impl Pair {
    /// The conversation of `me` with `peer`.
    ///
    /// # Errors
    /// [`Error::InvalidRecipient`] when they are the same user.
    pub fn of(me: &UserId, peer: &UserId) -> Result<Self> {
        match me.cmp(peer) {
            std::cmp::Ordering::Less => Ok(Self { low: me.clone(), high: peer.clone(), mine: Side::Low }),
            std::cmp::Ordering::Greater => Ok(Self { low: peer.clone(), high: me.clone(), mine: Side::High }),
            std::cmp::Ordering::Equal => Err(Error::InvalidRecipient("a conversation needs two users")),
        }
    }

    /// The conversation of `me` whose log has this partition key, unless it is another one's: no key is made of it.
    pub fn of_log(me: &UserId, key: &str) -> Option<Self> {
        let (low, high) = key.split_once(SEPARATOR)?;
        let peer = [(low, high), (high, low)]
            .into_iter()
            .find_map(|(one, other)| (one == me.as_str()).then_some(other))?;
        let pair = Self::of(me, &UserId::parse("peer", peer).ok()?).ok()?;
        (pair.log_key().as_str() == key).then_some(pair)
    }

    /// The partition key of its log, the same for both users.
    pub fn log_key(&self) -> LogKey {
        LogKey(format!("{}{SEPARATOR}{}", self.low, self.high))
    }

    /// The side of the user for whom this pair was made.
    pub fn mine(&self) -> Side {
        self.mine
    }

    /// The user on a side.
    pub fn user(&self, side: Side) -> &UserId {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    /// The user for whom this pair was made.
    pub fn me(&self) -> &UserId {
        self.user(self.mine)
    }

    /// The other user.
    pub fn peer(&self) -> &UserId {
        self.user(self.mine.other())
    }

    /// The side of a user. Who is not the one is the other.
    pub fn side_of(&self, user: &UserId) -> Side {
        if *user == self.low { Side::Low } else { Side::High }
    }

    /// The same conversation in the eyes of the other user.
    #[must_use]
    pub fn of_peer(&self) -> Self {
        Self { mine: self.mine.other(), ..self.clone() }
    }

    /// The name of this conversation in the eyes of the user for whom this pair was made.
    pub fn conversation_id(&self) -> String {
        format!("{C2C}{}", self.peer())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn user(text: &str) -> UserId {
        UserId::parse("test", text).unwrap()
    }

    #[test]
    fn both_users_derive_the_same_key() {
        let (alice, bob) = (user("alice"), user("bob"));
        let (of_alice, of_bob) = (Pair::of(&alice, &bob).unwrap(), Pair::of(&bob, &alice).unwrap());
        assert_eq!(of_alice.log_key(), of_bob.log_key());
        assert_eq!((of_alice.me(), of_alice.peer()), (&alice, &bob));
        assert_eq!((of_bob.me(), of_bob.peer()), (&bob, &alice));
        assert_eq!(of_alice.conversation_id(), "C2Cbob");
        assert_eq!(of_alice.of_peer(), of_bob);
        assert_eq!(ConversationId::parse(&alice, "C2Cbob"), Ok(ConversationId::C2c(of_alice)));
        assert_eq!(
            ConversationId::parse(&alice, "GROUPbob"),
            Ok(ConversationId::Group(GroupId::parse("bob").unwrap()))
        );
    }

    #[test]
    fn each_user_has_a_side() {
        let pair = Pair::of(&user("bob"), &user("alice")).unwrap();
        assert_eq!(["alice", "bob"].map(|name| pair.side_of(&user(name))), [Side::Low, Side::High]);
        assert_eq!(
            ["alice", "bob"].map(|name| pair.user(pair.side_of(&user(name))).to_string()),
            ["alice", "bob"]
        );
    }

    #[test]
    fn a_conversation_with_oneself_or_with_a_group_is_refused() {
        let alice = user("alice");
        for other in ["C2Calice", "GROUPbob", "GROUP", "bob", "", "C2C", "c2cbob", "C2Ca·b"] {
            let parsed = ConversationId::parse(&alice, other).and_then(ConversationId::one_to_one);
            assert!(parsed.is_err(), "{other}");
        }
    }

    #[test]
    fn a_key_is_of_the_two_users_whom_it_names_and_of_nobody_else() {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(user);
        let pair = Pair::of(&alice, &bob).unwrap();
        let key = pair.log_key();
        assert_eq!(Pair::of_log(&alice, key.as_str()), Some(pair.clone()));
        assert_eq!(Pair::of_log(&bob, key.as_str()), Some(pair.of_peer()));
        for (me, key) in [
            (&carol, key.as_str()),
            (&alice, "bob·alice"),
            (&alice, "alice"),
            (&alice, "alice·alice"),
            (&alice, ""),
        ] {
            assert_eq!(Pair::of_log(me, key), None, "{key}");
        }
    }

    #[test]
    fn a_member_derives_the_key_of_the_group() {
        let group = GroupId::parse("@TGS#0123456789AB").unwrap();
        let membership = Membership::found(&group, &user("alice"), Role::Admin);
        assert_eq!(membership.log_key().as_str(), "@TGS#0123456789AB");
        assert_eq!(
            (membership.user(), membership.group(), membership.who()),
            (&user("alice"), &group, Who::Member(Role::Admin))
        );
        let name = group.conversation_id();
        assert_eq!(ConversationId::parse(&user("alice"), &name), Ok(ConversationId::Group(group)));
    }

    proptest! {
        #[test]
        fn no_pair_shares_a_key_with_a_group(a in "[ -~]{1,6}", b in "[ -~]{1,6}", c in "[ -~]{1,12}") {
            prop_assume!(a != b);
            let pair = Pair::of(&user(&a), &user(&b)).unwrap();
            if let Ok(group) = GroupId::parse(&c) {
                prop_assert_ne!(pair.log_key(), Membership::found(&group, &user(&a), Role::Member).log_key());
            }
        }

        #[test]
        fn no_two_pairs_share_a_key(
            a in "[ -~]{1,6}", b in "[ -~]{1,6}", c in "[ -~]{1,6}", d in "[ -~]{1,6}"
        ) {
            prop_assume!(a != b && c != d);
            let (left, right) = (Pair::of(&user(&a), &user(&b)).unwrap(), Pair::of(&user(&c), &user(&d)).unwrap());
            let same_users = (left.low == right.low) && (left.high == right.high);
            prop_assert_eq!(left.log_key() == right.log_key(), same_users);
        }
    }
}
