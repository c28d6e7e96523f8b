//! The log of a group: who may look at it, how a message gets its number, and tips that others have promised.

use std::{sync::Arc, time::Duration};

use hongyan_shared::{
    Error, Result,
    model::{
        ClientId, Draft, FOREVER_S, Floor, Group, GroupId, LogTail, Mark, Membership, Message, Op,
        Predecessor, Promised, Roster, Seq, Tip, UserId, floor_before, group_marker, may, next_in_group,
    },
};
use tracing::warn;

use crate::{
    audience::Audience,
    caller::Actor,
    clock::Clock,
    config::{Config, Configured},
    record::{Metric, count},
    store::{Appended, Behind, Consistency, Messages, MyGroups, Rosters, Search, membership},
};

/// How many messages the first query returns: with the group, texts of this number fit one read unit.
pub(super) const TAIL: usize = 12;

/// How many messages are looked at first where something else was read before: as many of the largest are a fifth of what a
/// frame may read.
pub(super) const SHORT_TAIL: usize = 4;

/// For how long a request tries to get a number before the group counts as busy.
pub(super) const TIMEOUT_MS: u64 = 1_200;

/// How long a writer stands back at the most after the second number that was taken, twice as long after
/// the third, and so on.
const STAND_BACK_MS: u64 = 8;

/// How often that is doubled.
const DOUBLINGS: u32 = 5;

/// From how many bytes on a refused write costs more than a look at the end of the log.
const LARGE: usize = 4096;

/// What it takes to write to a group's log.
pub struct GroupLog {
    pub(super) messages: Messages,
    pub(super) mine: MyGroups,
    pub(super) rosters: Rosters,
    pub(super) audience: Audience,
    retention: Option<u64>,
    pub(super) clock: Clock,
}

/// A group in the eyes of somebody who is in it.
pub(super) struct Entered {
    /// The group.
    pub group: Group,
    /// Who is in it.
    pub roster: Arc<Roster>,
    /// That they are.
    pub member: Membership,
    /// The end of its log.
    pub tail: LogTail,
}

impl GroupLog {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            mine: MyGroups::new(config)?,
            rosters: Rosters::new(config)?,
            audience: Audience::new(config)?,
            retention: config.retention()?,
            clock: config.clock.clone(),
        })
    }

    /// Lets a member in, as the group is at this moment.
    ///
    /// # Errors
    /// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
    pub(super) async fn enter(&self, group: &GroupId, user: &UserId) -> Result<Entered> {
        let tail = self.messages.group_tail(group, TAIL, Consistency::Strong, self.clock.now()).await?;
        let found = tail.filter(|found| found.group.dismissed_at.is_none()).ok_or(Error::NoSuchGroup)?;
        let roster = self.rosters.of(group, found.group.version).await?;
        may(found.group.kind, roster.role(user), Op::Speak)?;
        let member = membership(&roster, user).ok_or(Error::NoSuchGroup)?;
        Ok(Entered { group: found.group.clone(), roster, tail: found.open(&member), member })
    }

    /// The message that a draft has become before, if it has. It can only lie behind `base`, which is the last one that its
    /// sender had seen when they first composed it.
    pub(super) async fn find_duplicate(
        &self,
        member: &Membership,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
    ) -> Result<Option<Message>> {
        let last = tail.last_seq();
        if let Some(sent) = tail.messages.iter().find(|message| message.is(draft)) {
            return Ok(Some(sent.clone()));
        }
        if base.is_some_and(|base| base > last) && tail.last().is_some() {
            return Err(Error::BaseUnknown { last });
        }
        let unseen = tail.messages.last().map_or(last, |oldest| oldest.seq.prev());
        let from = base.unwrap_or_default().next();
        if from > unseen {
            return Ok(None);
        }
        match self.messages.find_far(&member.log_key(), draft, from, unseen, self.clock.now()).await? {
            Search::Found(sent) => Ok(Some(*sent)),
            Search::Absent => Ok(None),
            Search::TooMuch => Err(Error::BaseUnknown { last }),
        }
    }

    /// Writes the message behind the last one. Every number that turns out to be taken is looked at, so of two attempts at
    /// one message the later one finds the earlier. Nothing when somebody else has begun meanwhile where no message lives.
    ///
    /// # Errors
    /// [`Error::Busy`] when its time or what it may write is used up.
    pub(super) async fn append(
        &self,
        member: &Membership,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
        deadline: u64,
    ) -> Result<Option<Message>> {
        let key = member.log_key();
        let Some(mut message) = self.first_attempt(member, tail, draft, base).await? else { return Ok(None) };
        let is_large = draft.elem.payload().as_str().len() > LARGE;
        let mut taken_before = u32::from(is_large);
        while Messages::can_append() && self.clock.now() < deadline {
            if let Some(floor) = floor_before(message.seq).filter(|_| message.expires_at.is_some()) {
                self.messages.raise_floor(&key, floor).await?;
            }
            let taken = match self.messages.append(&key, &message).await? {
                Appended::Written => {
                    count(Metric::Sends);
                    return Ok(Some(message));
                }
                Appended::Taken(taken) => *taken,
            };
            if taken.is(draft) {
                return Ok(Some(taken));
            }
            count(Metric::Conflicts);
            let mut newest = taken;
            // A crowd is writing: stand back, then get behind all of it at once.
            if taken_before > 0 {
                let at_most = STAND_BACK_MS << taken_before.min(DOUBLINGS);
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..at_most))).await;
                let Behind::All(newer) = self.messages.behind(&key, newest.seq).await? else { break };
                if let Some(sent) = newer.iter().find(|message| message.is(draft)) {
                    return Ok(Some(sent.clone()));
                }
                newest = newer.into_iter().next().unwrap_or(newest);
            }
            taken_before = taken_before.saturating_add(1);
            let predecessor = Predecessor::Message(&newest);
            message = next_in_group(tail, draft, predecessor, self.clock.now(), self.retention);
        }
        Err(Error::Busy)
    }

    /// The message as it is to be written behind the last one that lives. Where none does, a floor is laid first, which stays
    /// as long as the group: no number of it is ever used again.
    async fn first_attempt(
        &self,
        member: &Membership,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
    ) -> Result<Option<Message>> {
        let (key, now, retention) = (member.log_key(), self.clock.now(), self.retention);
        if let Some(last) = tail.last() {
            return Ok(Some(next_in_group(tail, draft, Predecessor::Message(last), now, retention)));
        }
        if tail.is_settling(now) {
            return Err(Error::Busy);
        }
        let before = if tail.stored.is_some() { self.messages.floor(&key).await? } else { tail.floor };
        let begins_behind = |seq| next_in_group(tail, draft, Predecessor::Nothing(seq), now, retention);
        let expires_at = begins_behind(Seq(0)).expires_at;
        let floor = Floor::next(before, tail.stored, expires_at, FOREVER_S, now);
        if base.is_some_and(|base| base > floor.begun_behind) {
            return Err(Error::BaseUnknown { last: floor.begun_behind });
        }
        let mut message = begins_behind(floor.begun_behind);
        let needs_floor = retention.is_some() || before.is_some() || tail.stored.is_some();
        message.kept_until = needs_floor.then_some(FOREVER_S);
        let is_laid = !needs_floor || self.messages.lay_floor(&key, before, floor).await?;
        Ok(is_laid.then_some(message))
    }

    /// Notes that a message is its sender's own. Who has very many behind their mark is taken to have read the first half.
    pub(super) async fn note_own(&self, group: &Group, member: &Membership, message: &Message) -> Result<()> {
        if group.kind.is_meeting() || !message.is_counted() {
            return Ok(());
        }
        let now = self.clock.now();
        let mine = self.mine.note_own(member, message.seq, now).await?;
        let Some(middle) = mine.and_then(|mine| mine.middle_of_own()) else { return Ok(()) };
        let found = self.messages.before(&member.log_key(), middle.next(), 1, Consistency::Strong).await?;
        if let Some(reached) = found.first() {
            let marker = group_marker(reached);
            self.mine.advance(member.user(), member.group(), Mark::Read, marker, now).await?;
        }
        Ok(())
    }

    /// Keeps what was promised: the tip gets its number, once, those who are there are told, and the promise is forgotten.
    /// Returns the tip.
    pub(super) async fn keep(
        &self,
        entered: &Entered,
        (token, promised): (&ClientId, &Promised),
    ) -> Result<Message> {
        let Entered { group, roster, member, .. } = entered;
        let draft = drafted(token, promised)?;
        let deadline = self.clock.now().saturating_add(TIMEOUT_MS);
        let tip = loop {
            let now = self.clock.now();
            let tail = self.messages.group_tail(&group.id, SHORT_TAIL, Consistency::Strong, now).await?;
            let tail = tail.ok_or(Error::NoSuchGroup)?.open(member);
            if let Some(tip) = self.find_duplicate(member, &tail, &draft, Some(promised.base)).await? {
                break tip;
            }
            if let Some(tip) = self.append(member, &tail, &draft, Some(promised.base), deadline).await? {
                break tip;
            }
            if self.clock.now() >= deadline {
                return Err(Error::Busy);
            }
        };
        self.told(group, roster, (token, promised), tip).await
    }

    /// A tip has its number: it is its author's own, those who are there are told, and the promise is forgotten.
    async fn told(
        &self,
        group: &Group,
        roster: &Roster,
        (token, promised): (&ClientId, &Promised),
        tip: Message,
    ) -> Result<Message> {
        if let Some(author) = membership(roster, &promised.from) {
            self.note_own(group, &author, &tip).await?;
        }
        let tell = async {
            let present = self.audience.of(roster, None).await;
            self.audience.receive(&present, roster, None, &tip).await;
        };
        let ((), kept) = tokio::join!(tell, self.messages.kept(&group.id, token));
        // Who finds it once more finds the tip as well.
        if let Err(error) = kept {
            warn!(%error, "a promise that was kept is still there");
        }
        Ok(tip)
    }

    /// The same for a promise that was just made: its tip cannot be there yet, so it is behind what was read.
    pub(super) async fn keep_behind(
        &self,
        entered: &Entered,
        (token, promised): (&ClientId, &Promised),
        deadline: u64,
    ) -> Result<Message> {
        let Entered { group, roster, member, tail } = entered;
        let draft = drafted(token, promised)?;
        match self.append(member, tail, &draft, Some(promised.base), deadline).await? {
            Some(tip) => self.told(group, roster, (token, promised), tip).await,
            None => self.keep(entered, (token, promised)).await,
        }
    }

    /// Keeps the promises of those who were cut off.
    pub(super) async fn keep_broken(&self, entered: &Entered) -> Result<bool> {
        let broken = entered.group.broken_promises(self.clock.now());
        for (token, promised) in &broken {
            self.keep(entered, (token, promised)).await?;
        }
        Ok(!broken.is_empty())
    }

    /// Hands a message to those who are there but for the device that asks.
    pub(super) async fn tell(
        &self,
        present: &crate::audience::Present,
        roster: &Roster,
        actor: Actor<'_>,
        message: &Message,
    ) {
        self.audience.receive(present, roster, Some(actor), message).await;
    }
}

fn drafted(token: &ClientId, promised: &Promised) -> Result<Draft> {
    Tip::draft(&promised.from, token, &promised.payload)
        .ok_or_else(|| Error::Internal("a promised tip cannot be read".to_owned()))
}
