//! The log of a group: who may look at it, how a message gets its number, and tips that others have promised.

use std::sync::Arc;

use hongyan_shared::{
    Error, Result,
    model::{
        ClientId, Draft, FOREVER_S, Group, GroupId, LogKey, LogTail, Mark, Membership, Message, Op,
        Predecessor, Promised, Repeats, Roster, Seq, Tip, group_marker, may, next_in_group,
    },
};
use tracing::warn;

use super::super::append::{Conversation, TIMEOUT_MS, Writer};
use crate::{
    audience::{Audience, Present},
    business_server::BusinessServer,
    caller::Actor,
    clock::Clock,
    config::{Config, Configured},
    store::{Consistency, Messages, MyGroups, Rosters, membership},
};

/// How many messages the first query returns: with the group, texts of this number fit one read unit.
pub(super) const TAIL: usize = 12;

/// How many messages are looked at first where something else was read before: as many of the largest are a fifth of what a
/// frame may read.
pub const SHORT_TAIL: usize = 4;

/// What it takes to write to a group's log.
pub struct GroupLog {
    pub(in crate::actions) messages: Messages,
    pub(in crate::actions) mine: MyGroups,
    pub(in crate::actions) rosters: Rosters,
    pub(in crate::actions) audience: Audience,
    pub(in crate::actions) business_server: Option<BusinessServer>,
    retention: Option<u64>,
    pub(in crate::actions) clock: Clock,
}

/// A group in the eyes of somebody who is in it.
pub struct Snapshot {
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
            business_server: BusinessServer::new(config)?,
            retention: config.retention()?,
            clock: config.clock.clone(),
        })
    }

    /// The group as it is at this moment, for somebody who is in it.
    ///
    /// # Errors
    /// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
    pub(super) async fn snapshot(&self, group: &GroupId, actor: Actor<'_>) -> Result<Snapshot> {
        let now = self.clock.now();
        let found = self.messages.live_group_tail(group, TAIL, Consistency::Strong, now).await?;
        let roster = self.rosters.of(group, found.group.version).await?;
        may(found.group.kind, actor.who(&roster), Op::Speak)?;
        let member = membership(&roster, actor.user).or_else(|| actor.access(group));
        let member = member.ok_or(Error::NoSuchGroup)?;
        Ok(Snapshot { group: found.group.clone(), roster, tail: found.open(&member), member })
    }

    /// What a draft has become before, if it has. What a business server repeats is looked for as far back as it may lie.
    pub(super) async fn find_duplicate(
        &self,
        member: &Membership,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
    ) -> Result<Option<Message>> {
        match draft.repeats {
            Repeats::Since(ms) => self.messages.find_repeated(&member.log_key(), tail, draft, ms).await,
            Repeats::Name => self.messages.find_in_group(member, tail, draft, base, self.clock.now()).await,
        }
    }

    /// [`Writer::append`].
    pub(super) async fn append(
        &self,
        member: &Membership,
        tail: &LogTail,
        (draft, written): (&Draft, &Draft),
        base: Option<Seq>,
        deadline: u64,
    ) -> Result<Option<Message>> {
        self.writer().append(&InGroup { log: self, member, tail }, (draft, written), base, deadline).await
    }

    fn writer(&self) -> Writer<'_> {
        Writer { messages: &self.messages, retention: self.retention, clock: &self.clock }
    }

    /// What a draft would become behind the end of the log as it was read.
    pub(super) fn preview(&self, tail: &LogTail, draft: &Draft) -> Message {
        let predecessor = tail.last().map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
        next_in_group(tail, draft, predecessor, self.clock.now(), self.retention)
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

    /// Publishes what was promised: the tip gets its number, once, those who are there are told, and the promise is forgotten.
    /// Returns the tip. Who reads a promise may publish it on behalf of any member: nothing is shown to them.
    pub(in crate::actions) async fn publish(
        &self,
        (group, roster, member): (&Group, &Roster, &Membership),
        (token, promised): (&ClientId, &Promised),
    ) -> Result<Message> {
        let draft = drafted(token, promised)?;
        let deadline = self.clock.now().saturating_add(TIMEOUT_MS);
        let tip = loop {
            let now = self.clock.now();
            let tail = self.messages.group_tail(&group.id, SHORT_TAIL, Consistency::Strong, now).await?;
            let tail = tail.ok_or(Error::NoSuchGroup)?.open(member);
            if let Some(tip) = self.find_duplicate(member, &tail, &draft, Some(promised.base)).await? {
                break tip;
            }
            if let Some(tip) =
                self.append(member, &tail, (&draft, &draft), Some(promised.base), deadline).await?
            {
                break tip;
            }
            if self.clock.now() >= deadline {
                return Err(Error::Busy);
            }
        };
        self.published(group, roster, (token, promised), tip).await
    }

    /// A tip has its number: it is its author's own, those who are there are told, and the promise is forgotten.
    async fn published(
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
        let ((), removed) = tokio::join!(tell, self.messages.remove_from_outbox(&group.id, token));
        // Who finds it once more finds the tip as well.
        if let Err(error) = removed {
            warn!(%error, "a tip that was published is still in the outbox");
        }
        Ok(tip)
    }

    /// The same for a promise that was just made: nobody who was not seen can have published it, so its tip is behind what was read.
    pub(in crate::actions) async fn publish_behind(
        &self,
        snapshot: &Snapshot,
        (token, promised): (&ClientId, &Promised),
    ) -> Result<Message> {
        let Snapshot { group, roster, member, tail } = snapshot;
        let deadline = self.clock.now().saturating_add(TIMEOUT_MS);
        let draft = drafted(token, promised)?;
        match self.append(member, tail, (&draft, &draft), Some(promised.base), deadline).await? {
            Some(tip) => self.published(group, roster, (token, promised), tip).await,
            None => self.publish((group, roster, member), (token, promised)).await,
        }
    }

    /// Publishes the tips of those who were cut off. Returns whether there were any.
    pub(in crate::actions) async fn publish_stale(&self, snapshot: &Snapshot) -> Result<bool> {
        let Snapshot { group, roster, member, .. } = snapshot;
        let stale = group.stale_promises(self.clock.now());
        for (token, promised) in &stale {
            self.publish((group, roster, member), (token, promised)).await?;
        }
        Ok(!stale.is_empty())
    }

    /// Hands a message to those who are there but for the device that asks.
    pub(super) async fn tell(&self, present: &Present, roster: &Roster, actor: Actor<'_>, message: &Message) {
        self.audience.receive(present, roster, Some(actor), message).await;
    }
}

/// A group's log as a member has read it. Nothing is written besides, but for the floor, which stays as long as the group: no
/// number of it is ever used again.
struct InGroup<'a> {
    log: &'a GroupLog,
    member: &'a Membership,
    tail: &'a LogTail,
}

impl Conversation for InGroup<'_> {
    const LARGE: usize = 4096;

    fn key(&self) -> LogKey {
        self.member.log_key()
    }

    fn tail(&self) -> &LogTail {
        self.tail
    }

    fn next(
        &self,
        draft: &Draft,
        predecessor: Predecessor<'_>,
        now_ms: u64,
        retention: Option<u64>,
    ) -> Message {
        next_in_group(self.tail, draft, predecessor, now_ms, retention)
    }

    fn kept_until(&self, _: &Message) -> u64 {
        FOREVER_S
    }

    async fn go_on(&self, message: &mut Message, _: &Message) -> Result<()> {
        self.log.writer().reserve(&self.key(), message).await
    }
}

fn drafted(token: &ClientId, promised: &Promised) -> Result<Draft> {
    Tip::draft(&promised.from, token, &promised.payload)
        .ok_or_else(|| Error::Internal("a promised tip cannot be read".to_owned()))
}
