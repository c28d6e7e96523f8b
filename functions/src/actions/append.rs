//! How a message gets its number, in a conversation of two users and in a group: one conditional write behind the last message.

use std::time::Duration;

use hongyan_shared::{
    Error, Result,
    model::{Draft, Floor, LogKey, LogTail, Message, Predecessor, Seq, Verdict, floor_before},
};

use crate::{
    clock::Clock,
    record::{Metric, count},
    store::{Appended, Messages, Newer},
};

/// For how long a request tries to get a number before the conversation counts as busy.
pub(super) const TIMEOUT_MS: u64 = 1_200;

/// How long a writer stands back at the most after the second number that was taken, twice as long after
/// the third, and so on.
const STAND_BACK_MS: u64 = 8;

/// How often that is doubled.
const DOUBLINGS: u32 = 5;

/// A conversation as it was read, and what its kind does besides when it gets a message.
pub(super) trait Conversation {
    /// From how many bytes of a payload on a refused write costs more than a look at the end of the log.
    const LARGE: usize;

    /// The partition key of its log.
    fn key(&self) -> LogKey;

    /// The end of its log.
    fn tail(&self) -> &LogTail;

    /// What a draft becomes right behind `predecessor`.
    fn next(
        &self,
        draft: &Draft,
        predecessor: Predecessor<'_>,
        now_ms: u64,
        retention: Option<u64>,
    ) -> Message;

    /// Until which second what stands beside a first message is kept.
    fn kept_until(&self, first: &Message) -> u64;

    /// Whether a conversation may begin of which nothing is kept.
    async fn may_begin(&self) -> Result<()> {
        Ok(())
    }

    /// Does what comes before a first message.
    async fn begin(&self, _first: &Message) -> Result<()> {
        Ok(())
    }

    /// Does what comes before a message behind `previous`, and notes in it until when what stands beside it is kept.
    async fn go_on(&self, message: &mut Message, previous: &Message) -> Result<()>;
}

/// What it takes to give messages their numbers.
pub(super) struct Writer<'a> {
    /// The logs.
    pub messages: &'a Messages,
    /// For how many seconds a message is kept, unless that is for ever.
    pub retention: Option<u64>,
    /// The time.
    pub clock: &'a Clock,
}

impl Writer<'_> {
    /// Writes the message behind the last one. Every number that turns out to be taken is looked at, so
    /// of two attempts at one message, as it was before anything was rewritten, the later one finds the earlier. That message is
    /// returned, because the earlier attempt may have been this very one, with its answer lost. Nothing when somebody else has
    /// begun meanwhile where no message lives.
    ///
    /// How often it tries depends on what it may write: small messages among small ones some fifty times,
    /// the largest four times.
    ///
    /// # Errors
    /// [`Error::Busy`] when its time or what it may write is used up; [`Error::BaseUnknown`], [`Error::ClientIdTaken`].
    pub async fn append<C: Conversation>(
        &self,
        conversation: &C,
        (draft, written): (&Draft, &Draft),
        base: Option<Seq>,
        deadline: u64,
    ) -> Result<Option<Message>> {
        let key = conversation.key();
        let mut previous = conversation.tail().last().cloned();
        let mut message = match &previous {
            Some(last) => self.next(conversation, written, Predecessor::Message(last)),
            None => match self.first(conversation, written, base).await? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let mut taken_before = u32::from(written.elem.payload().as_str().len() > C::LARGE);
        while Messages::can_append() && self.clock.now() < deadline {
            if let Some(previous) = &previous {
                conversation.go_on(&mut message, previous).await?;
            }
            let taken = match self.messages.append(&key, &message).await? {
                Appended::Written => {
                    count(Metric::Sends);
                    return Ok(Some(message));
                }
                Appended::Taken(taken) => *taken,
            };
            if taken.is(draft) {
                return once_more(draft, taken).map(Some);
            }
            count(Metric::Conflicts);
            let mut newest = taken;
            // A crowd is writing: stand back, the longer the larger it seems, then get behind all of it at once.
            if taken_before > 0 {
                let at_most = STAND_BACK_MS << taken_before.min(DOUBLINGS);
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..at_most))).await;
                // What has expired still holds its number.
                let Newer::All(newer) = self.messages.newer_than(&key, newest.seq).await? else { break };
                if let Some(sent) = newer.iter().find(|message| message.is(draft)) {
                    return once_more(draft, sent.clone()).map(Some);
                }
                newest = newer.into_iter().next().unwrap_or(newest);
            }
            taken_before = taken_before.saturating_add(1);
            message = self.next(conversation, written, Predecessor::Message(&newest));
            previous = Some(newest);
        }
        Err(Error::Busy)
    }

    fn next(&self, conversation: &impl Conversation, draft: &Draft, predecessor: Predecessor<'_>) -> Message {
        conversation.next(draft, predecessor, self.clock.now(), self.retention)
    }

    /// The message as it is to be written where none lives, when a floor is laid for it. Nothing when somebody else has begun
    /// meanwhile.
    async fn first(
        &self,
        conversation: &impl Conversation,
        draft: &Draft,
        base: Option<Seq>,
    ) -> Result<Option<Message>> {
        let (key, tail, now) = (conversation.key(), conversation.tail(), self.clock.now());
        if tail.is_settling(now) {
            return Err(Error::Busy);
        }
        // Messages that have expired come first in a tail, and so do imported ones.
        let is_hidden = tail.stored.is_some() || tail.newest().is_some() || tail.goes_on_before.is_some();
        let before = if is_hidden { self.messages.floor(&key).await? } else { tail.floor };
        if before.is_none() && !is_hidden {
            conversation.may_begin().await?;
        }
        let begins_behind = |seq| conversation.next(draft, Predecessor::Nothing(seq), now, self.retention);
        let first = begins_behind(Seq(0));
        let kept_until = conversation.kept_until(&first);
        let floor = Floor::next(before, tail.stored, first.expires_at, kept_until, now);
        // A base of the conversation that was here before: once the numbers have come as far, this message would not be
        // looked for any more where it is now to be.
        if base.is_some_and(|base| base > floor.begun_behind) {
            return Err(Error::BaseUnknown { last: floor.begun_behind });
        }
        let mut message = begins_behind(floor.begun_behind);
        // Where nothing has ever expired there is always a last message.
        let needs_floor = self.retention.is_some() || before.is_some() || tail.stored.is_some();
        message.kept_until = needs_floor.then_some(kept_until);
        conversation.begin(&message).await?;
        let is_laid = !needs_floor || self.messages.lay_floor(&key, before, floor).await?;
        Ok(is_laid.then_some(message))
    }

    /// Reserves the block of numbers that a message begins, if it can expire. Its floor must be there before it.
    pub async fn reserve(&self, key: &LogKey, message: &Message) -> Result<()> {
        match floor_before(message.seq) {
            Some(floor) if message.expires_at.is_some() => self.messages.raise_floor(key, floor).await,
            _ => Ok(()),
        }
    }
}

/// The message that a draft has become before, if that says the same. If not, its sender has used a name
/// twice, and would never learn that the second message was not sent.
pub(super) fn once_more(draft: &Draft, sent: Message) -> Result<Message> {
    // What was rewritten says something else than it did when its sender sent it.
    let is_rewritten = sent.callbacks.verdict == Verdict::Rewritten;
    if !is_rewritten && !sent.elem.says_what(&draft.elem) {
        return Err(Error::ClientIdTaken);
    }
    count(Metric::Duplicates);
    Ok(sent)
}
