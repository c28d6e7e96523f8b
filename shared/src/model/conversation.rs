use crate::{Error, Result, model::UserId};

const C2C: &str = "C2C";

/// Between the two IDs of a key. No user ID can hold it, so a key has one reading only.
const SEPARATOR: char = '·';

/// A one-to-one conversation: its two users, in order.
///
/// **Architecture invariant:** a pair is made from an authenticated user and his peer, in this
/// file only, and the partition key of a conversation is made from a pair. So no field of any
/// request can reach a conversation that its sender is not part of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    low: UserId,
    high: UserId,
    mine: Side,
}

/// One of the two users of a [`Pair`]: the one whose ID sorts first, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The user whose ID sorts first.
    Low,
    /// The other one.
    High,
}

impl Side {
    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
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

    /// The conversation of `me` that a client calls `C2C` + peer.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when it is no one-to-one conversation.
    pub fn parse(me: &UserId, conversation_id: &str) -> Result<Self> {
        let peer = conversation_id.strip_prefix(C2C).ok_or_else(|| {
            Error::BadRequest("`conversationID` must be C2C followed by the other user's ID".to_owned())
        })?;
        Self::of(me, &UserId::parse("conversationID", peer)?)
    }

    /// The partition key, the same for both users.
    pub fn key(&self) -> String {
        format!("{}{SEPARATOR}{}", self.low, self.high)
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

    /// The side of a user, if he is part of the conversation.
    pub fn side_of(&self, user: &str) -> Option<Side> {
        [Side::Low, Side::High].into_iter().find(|side| self.user(*side).as_str() == user)
    }

    /// The name of this conversation in the eyes of `side`.
    pub fn conversation_id(&self, side: Side) -> String {
        format!("{C2C}{}", self.user(side.other()))
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
        let (mine, his) = (Pair::of(&alice, &bob).unwrap(), Pair::of(&bob, &alice).unwrap());
        assert_eq!(mine.key(), his.key());
        assert_eq!((mine.me(), mine.peer()), (&alice, &bob));
        assert_eq!((his.me(), his.peer()), (&bob, &alice));
        assert_eq!(mine.conversation_id(mine.mine()), "C2Cbob");
        assert_eq!(Pair::parse(&alice, "C2Cbob"), Ok(mine));
    }

    #[test]
    fn each_user_has_a_side_and_a_stranger_has_none() {
        let pair = Pair::of(&user("bob"), &user("alice")).unwrap();
        assert_eq!(
            ["alice", "bob", "carol"].map(|user| pair.side_of(user)),
            [Some(Side::Low), Some(Side::High), None]
        );
    }

    #[test]
    fn a_conversation_with_oneself_or_with_a_group_is_refused() {
        let alice = user("alice");
        assert!(Pair::parse(&alice, "C2Calice").is_err());
        for other in ["GROUPbob", "bob", "", "C2C", "c2cbob", "C2Ca·b"] {
            assert!(Pair::parse(&alice, other).is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_two_pairs_share_a_key(
            a in "[ -~]{1,6}", b in "[ -~]{1,6}", c in "[ -~]{1,6}", d in "[ -~]{1,6}"
        ) {
            prop_assume!(a != b && c != d);
            let (left, right) = (Pair::of(&user(&a), &user(&b)).unwrap(), Pair::of(&user(&c), &user(&d)).unwrap());
            let same_users = (left.low == right.low) && (left.high == right.high);
            prop_assert_eq!(left.key() == right.key(), same_users);
        }
    }
}
