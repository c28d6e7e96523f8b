//! `sendMessage`: one conditional write gives the message its number, whatever happens around it.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use hongyan_shared::{
    Error, Result,
    model::{
        Draft, FOREVER_S, Floor, LogTail, Message, OneToOne, Pair, Predecessor, Repeats, Seq, Verdict,
        floor_before,
    },
    protocol::{Push, Sending, WireMessage},
};

use super::ask_before_sending::{ask_before_sending, noted};
use crate::{
    business_server::BusinessServer,
    caller::Actor,
    clock::Clock,
    config::{Config, Configured, UnknownUsers},
    limits::ConversationLimit,
    notify::{Notifier, Recipients},
    record::{Metric, count},
    store::{
        Accounts, Appended, Behind, Consistency, Conversations, Messages, Names, Search, allowance::one_frame,
    },
};

/// How many messages the first query returns: texts of this number fit one read unit, and a retry
/// is almost always among them.
const TAIL: usize = 8;

/// For how long a request tries to get a number before the conversation counts as busy.
const TIMEOUT_MS: u64 = 1_200;

/// How long a writer stands back at the most after the second number that was taken, twice as long after
/// the third, and so on.
const STAND_BACK_MS: u64 = 8;

/// How often that is doubled.
const DOUBLINGS: u32 = 5;

/// How many messages of one request are under way at once.
const AT_ONCE: usize = 32;

/// Who is told of a message at once.
#[derive(Clone, Copy)]
enum Telling<'a> {
    /// Both users.
    Both,
    /// The peer alone, by a sender of these names.
    Peer(&'a Names),
}

/// What it takes to send.
pub struct World {
    messages: Messages,
    conversations: Conversations,
    notifier: Notifier,
    limit: ConversationLimit,
    accounts: Accounts,
    unknown_users: UnknownUsers,
    business_server: Option<BusinessServer>,
    retention: Option<u64>,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            conversations: Conversations::new(config)?,
            notifier: Notifier::new(config)?,
            limit: ConversationLimit::new(config)?,
            accounts: Accounts::new(config)?,
            unknown_users: config.unknown_users()?,
            business_server: BusinessServer::new(config)?,
            retention: config.retention()?,
            clock: config.clock.clone(),
        })
    }
}

/// Persists, then pushes, then returns the message as it is stored. What is for those who are online is not
/// persisted.
///
/// # Errors
/// A `base` that says too little, a recipient who wants none, a business server that lets it not be sent.
pub async fn send_message(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: &Draft,
    sending: Sending,
) -> Result<Message> {
    send(world, actor, pair, draft, sending, Telling::Both).await
}

/// Sends what a business server lets a user say to each of many, and returns in their order what has become of it. Each may take as much from the tables
/// as a frame. The user is looked up once for all, and told when all is there.
pub async fn send_to_many(
    world: &World,
    actor: Actor<'_>,
    messages: &[(Pair, Draft)],
    sending: Sending,
) -> Vec<Result<Message>> {
    let names = world.notifier.presence_of(actor.user, Consistency::Eventual).await.names;
    // Each boxed, because it is large and there are many.
    let each: Vec<_> = messages
        .iter()
        .map(|(pair, draft)| {
            Box::pin(one_frame(send(world, actor, pair, draft, sending, Telling::Peer(&names))))
        })
        .collect();
    let sent: Vec<Result<Message>> = stream::iter(each).buffered(AT_ONCE).collect().await;
    let others = world.notifier.presence_of(actor.user, Consistency::Strong).await.connections;
    if !others.is_empty() {
        let own = Recipients { peer: Vec::new(), others, names };
        let told =
            messages.iter().zip(&sent).filter_map(|(message, sent)| Some((message, sent.as_ref().ok()?)));
        let told: Vec<_> =
            told.map(|((pair, draft), sent)| Box::pin(push(world, pair, draft, sent, &own))).collect();
        stream::iter(told).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }
    sent
}

async fn send(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: &Draft,
    sending: Sending,
    telling: Telling<'_>,
) -> Result<Message> {
    let draft = noted(world.business_server.as_ref(), actor, draft);
    match sending {
        Sending::Stored { base } => store(world, actor, pair, &draft, base, telling).await,
        Sending::OnlineOnly => hand_on(world, actor, pair, draft, telling).await,
    }
}

impl Telling<'_> {
    async fn recipients(
        self,
        world: &World,
        pair: &Pair,
        actor: Actor<'_>,
        consistency: Consistency,
    ) -> Recipients {
        match self {
            Self::Both => world.notifier.recipients(pair, actor, consistency).await,
            Self::Peer(names) => {
                let peer = world.notifier.presence_of(pair.peer(), consistency).await.connections;
                Recipients { peer, others: Vec::new(), names: names.clone() }
            }
        }
    }
}

async fn store(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: &Draft,
    base: Option<Seq>,
    telling: Telling<'_>,
) -> Result<Message> {
    let mut deadline = world.clock.now().saturating_add(TIMEOUT_MS);
    let mut approved = None;
    while world.clock.now() < deadline {
        let tail = world.messages.tail(&pair.log_key(), TAIL, Consistency::Strong, world.clock.now()).await?;
        let conversation = OneToOne { pair: pair.clone(), tail };

        if let Some(sent) = find_duplicate(world, draft, base, &conversation).await? {
            return once_more(draft, sent);
        }
        may_send(actor, &conversation, world.clock.now())?;
        let written = match approved.take() {
            Some(approved) => approved,
            None => {
                let asked_at = world.clock.now();
                let approved = approve(world, draft.clone(), &conversation).await?;
                // That may have taken two seconds, which are none of the conversation's.
                deadline = deadline.saturating_add(world.clock.now().saturating_sub(asked_at));
                approved
            }
        };
        let Some(message) = next_message(world, actor, &written, base, &conversation).await? else {
            approved = Some(written);
            continue;
        };
        let sent = append(world, (draft, &written), &conversation, message, deadline).await?;
        // Who connects before this is told, and who connects after it finds the message in the list, however long
        // anything takes: so one look at the list is enough.
        let recipients = telling.recipients(world, pair, actor, Consistency::Strong).await;
        push(world, pair, draft, &sent, &recipients).await;
        return Ok(sent);
    }
    Err(Error::Busy)
}

/// A message that nobody will ask for again, a typing hint say. Who is not there misses it.
async fn hand_on(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: Draft,
    telling: Telling<'_>,
) -> Result<Message> {
    let key = pair.log_key();
    let (members, recipients) = tokio::join!(
        world.messages.members(&key),
        telling.recipients(world, pair, actor, Consistency::Eventual)
    );
    let conversation =
        OneToOne { pair: pair.clone(), tail: LogTail { members: members?, ..LogTail::default() } };
    may_send(actor, &conversation, world.clock.now())?;
    let message = draft.online_only(world.clock.now());
    let approved = match &world.business_server {
        Some(server) => ask_before_sending(server, pair, draft, &message).await?,
        None => draft,
    };
    let message = approved.online_only(world.clock.now());
    push(world, pair, &approved, &message, &recipients).await;
    Ok(message)
}

/// The draft as the business server, if there is one, lets it be sent.
async fn approve(world: &World, draft: Draft, conversation: &OneToOne) -> Result<Draft> {
    let Some(server) = &world.business_server else { return Ok(draft) };
    let predecessor = conversation.tail.last().map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
    let message = conversation.next_message(&draft, predecessor, world.clock.now(), world.retention);
    ask_before_sending(server, &conversation.pair, draft, &message).await
}

/// Who blocks a user has nothing to say to them either. What a business server says gets through all the same.
fn may_send(actor: Actor<'_>, conversation: &OneToOne, now_ms: u64) -> Result<()> {
    if actor.is_administrator {
        return Ok(());
    }
    if now_ms / 1000 < actor.mute().c2c {
        return Err(Error::Muted);
    }
    if conversation.peer().blocks {
        return Err(Error::Blacklisted);
    }
    if conversation.me().blocks {
        return Err(Error::Blacklisting);
    }
    Ok(())
}

async fn push(world: &World, pair: &Pair, draft: &Draft, message: &Message, recipients: &Recipients) {
    let mut named = WireMessage::new(pair, message);
    named.nick = shown(&recipients.names.nick);
    named.avatar = shown(&recipients.names.avatar);
    let is_withheld = message.callbacks.verdict == Verdict::Withheld;
    let peer = if is_withheld { &[] } else { recipients.peer.as_slice() };
    let others = if draft.is_hidden_from_sender { &[] } else { recipients.others.as_slice() };
    let all = peer.iter().chain(others);
    world.notifier.deliver(all, &Push::MessageReceived([named]).frame()).await;
}

fn shown(name: &Option<String>) -> Option<&str> {
    name.as_deref().filter(|name| !name.is_empty())
}

/// The original write of a message can only lie behind `base`, which is the last one that its
/// sender had seen when they first composed it. So it is there or it is nowhere. What a business server repeats is
/// looked for as far back as it may lie.
async fn find_duplicate(
    world: &World,
    draft: &Draft,
    base: Option<Seq>,
    OneToOne { pair, tail }: &OneToOne,
) -> Result<Option<Message>> {
    let last = tail.last_seq();
    if let Some(sent) = tail.messages.iter().find(|message| message.is(draft)) {
        return Ok(Some(sent.clone()));
    }
    if let Repeats::Since(since) = draft.repeats {
        let oldest = tail.messages.last().filter(|oldest| oldest.time >= since);
        return match oldest {
            Some(oldest) => world.messages.find_repeated(&pair.log_key(), draft, oldest.seq, since).await,
            None => Ok(None),
        };
    }
    // A base from the future: the tables were restored from a backup since. Whether this message
    // was sent cannot be told from such a number.
    if base.is_some_and(|base| base > last) && tail.last().is_some() {
        return Err(Error::BaseUnknown { last });
    }
    let unseen = tail.messages.last().map_or(last, |oldest| oldest.seq.prev());
    let from = base.unwrap_or_default().next();
    if from > unseen {
        return Ok(None);
    }
    match world.messages.find(&pair.log_key(), draft, from, unseen, world.clock.now()).await? {
        Search::Found(sent) => Ok(Some(*sent)),
        Search::Absent => Ok(None),
        Search::TooMuch => Err(Error::BaseUnknown { last }),
    }
}

/// Writes the message behind the last one. Every number that turns out to be taken is looked at, so
/// of two attempts at one message, as it was before anything was rewritten, the later one finds the earlier. That message is pushed once more,
/// because the earlier attempt may have been this very one, with its answer lost.
///
/// How often it tries depends on what it may write: small messages among small ones some fifty times,
/// the largest four times. It is refused as busy when that or its time is over.
async fn append(
    world: &World,
    (draft, written): (&Draft, &Draft),
    conversation: &OneToOne,
    mut message: Message,
    deadline: u64,
) -> Result<Message> {
    let OneToOne { pair, tail } = conversation;
    let key = pair.log_key();
    // For the first message of a conversation all has been done.
    let mut moved_up = tail.last().map_or(message.moved_up, |last| last.moved_up);
    let mut taken_before = 0;
    while Messages::can_append() && world.clock.now() < deadline {
        if tail.last().is_some() || taken_before > 0 {
            keep_beside(world, pair, &mut message).await?;
        }
        // The lists come first: a function that is cut off in between leaves it higher in them than it would have to be.
        if message.moved_up != moved_up {
            world.conversations.move_up(pair, message.moved_up, message.kept_until).await?;
        }
        let taken = match world.messages.append(&key, &message).await? {
            Appended::Written => {
                count(Metric::Sends);
                return Ok(message);
            }
            Appended::Taken(taken) => *taken,
        };
        if taken.is(draft) {
            return once_more(draft, taken);
        }
        count(Metric::Conflicts);
        let mut newest = taken;
        // A crowd is writing: stand back, the longer the larger it seems, then get behind all of it at once.
        if taken_before > 0 {
            let at_most = STAND_BACK_MS << taken_before.min(DOUBLINGS);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..at_most))).await;
            // What has expired still holds its number.
            let Behind::All(newer) = world.messages.behind(&key, newest.seq).await? else { break };
            if let Some(sent) = newer.iter().find(|message| message.is(draft)) {
                return once_more(draft, sent.clone());
            }
            newest = newer.into_iter().next().unwrap_or(newest);
        }
        taken_before += 1;
        moved_up = newest.moved_up;
        let predecessor = Predecessor::Message(&newest);
        message = conversation.next_message(written, predecessor, world.clock.now(), world.retention);
    }
    Err(Error::Busy)
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

/// The message as it is to be written, behind the last one that lives. Where none does, a floor is laid first
/// and both users get the conversation into their lists. Nothing when somebody else has begun meanwhile.
async fn next_message(
    world: &World,
    actor: Actor<'_>,
    draft: &Draft,
    base: Option<Seq>,
    conversation: &OneToOne,
) -> Result<Option<Message>> {
    let (OneToOne { pair, tail }, key) = (conversation, conversation.pair.log_key());
    let (now, retention) = (world.clock.now(), world.retention);
    if let Some(last) = tail.last() {
        let predecessor = Predecessor::Message(last);
        return Ok(Some(conversation.next_message(draft, predecessor, now, retention)));
    }
    if tail.is_settling(now) {
        return Err(Error::Busy);
    }
    // Messages that have expired come first in a tail, and so do imported ones.
    let is_hidden = tail.stored.is_some() || tail.newest().is_some() || tail.goes_on_before.is_some();
    let before = if is_hidden { world.messages.floor(&key).await? } else { tail.floor };
    let is_new = before.is_none() && !is_hidden;
    if is_new && world.unknown_users == UnknownUsers::Refuse && !world.accounts.is_there(pair.peer()).await? {
        return Err(Error::InvalidRecipient(
            "there is no account of that name, or its user has never logged in",
        ));
    }
    if is_new && !actor.is_administrator {
        world.limit.count(pair).await?;
    }
    let begins_behind =
        |seq: Seq| conversation.next_message(draft, Predecessor::Nothing(seq), now, retention);
    let expires_at = begins_behind(Seq(0)).expires_at;
    let kept_until = longer(world, expires_at);
    let floor = Floor::next(before, tail.stored, expires_at, kept_until, now);
    // A base of the conversation that was here before: once the numbers have come as far, this message would not be
    // looked for any more where it is now to be.
    if base.is_some_and(|base| base > floor.begun_behind) {
        return Err(Error::BaseUnknown { last: floor.begun_behind });
    }
    let mut message = begins_behind(floor.begun_behind);
    // Where nothing has ever expired there is always a last message.
    let needs_floor = retention.is_some() || before.is_some() || tail.stored.is_some();
    message.kept_until = needs_floor.then_some(kept_until);
    world.conversations.open(pair, message.moved_up, message.kept_until).await?;
    let is_laid = !needs_floor || world.messages.lay_floor(&key, before, floor).await?;
    Ok(is_laid.then_some(message))
}

/// Before a message is there, what stands beside it is kept as long as it will live, and its number
/// reserved. Its successors know from it how long that is.
async fn keep_beside(world: &World, pair: &Pair, message: &mut Message) -> Result<()> {
    let key = pair.log_key();
    if !message.is_kept() {
        let kept_until = Some(longer(world, message.expires_at));
        tokio::try_join!(
            world.conversations.keep(pair, message.moved_up, kept_until),
            world.messages.keep_floor(&key, kept_until)
        )?;
        message.kept_until = kept_until;
    }
    match floor_before(message.seq) {
        Some(floor) if message.expires_at.is_some() => world.messages.raise_floor(&key, floor).await,
        _ => Ok(()),
    }
}

/// Half a retention longer, so that it need not be written with every message.
fn longer(world: &World, expires_at: Option<u64>) -> u64 {
    let half = world.retention.unwrap_or_default() / 2;
    expires_at.map_or(FOREVER_S, |second| second.saturating_add(half))
}
