//! `sendMessage`: one conditional write gives the message its number, whatever happens around it.

use futures_util::{StreamExt, stream};
use hongyan_shared::{
    Error, Result,
    callback::{Asked, before_send},
    model::{Draft, FOREVER_S, LogKey, LogTail, Message, OneToOne, Pair, Predecessor, Repeats, Seq, Verdict},
    protocol::{Push, Sending, WireMessage},
};

use super::{
    append::{Conversation, TIMEOUT_MS, Writer, once_more},
    ask_before_sending::{ask_before_sending, with_callback_notes},
};
use crate::{
    business_server::BusinessServer,
    caller::Actor,
    clock::Clock,
    config::{Config, Configured, UnknownUsers},
    limits::ConversationLimit,
    notify::{Notifier, Recipients},
    store::{Accounts, Consistency, Conversations, Messages, Names, allowance::one_frame},
};

/// How many messages the first query returns: texts of this number fit one read unit, and a retry
/// is almost always among them.
const TAIL: usize = 8;

/// How many messages of one request are under way at once.
const MAX_CONCURRENCY: usize = 32;

/// Who is told of a message at once.
#[derive(Clone, Copy)]
enum Notify<'a> {
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

    fn writer(&self) -> Writer<'_> {
        Writer { messages: &self.messages, retention: self.retention, clock: &self.clock }
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
    send(world, actor, pair, draft, sending, Notify::Both).await
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
            Box::pin(one_frame(send(world, actor, pair, draft, sending, Notify::Peer(&names))))
        })
        .collect();
    let sent: Vec<Result<Message>> = stream::iter(each).buffered(MAX_CONCURRENCY).collect().await;
    let others = world.notifier.presence_of(actor.user, Consistency::Strong).await.connections;
    if !others.is_empty() {
        let own = Recipients { peer: Vec::new(), others, names };
        let told =
            messages.iter().zip(&sent).filter_map(|(message, sent)| Some((message, sent.as_ref().ok()?)));
        let told: Vec<_> =
            told.map(|((pair, draft), sent)| Box::pin(push(world, pair, draft, sent, &own))).collect();
        stream::iter(told).buffer_unordered(MAX_CONCURRENCY).collect::<Vec<()>>().await;
    }
    sent
}

async fn send(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: &Draft,
    sending: Sending,
    notify: Notify<'_>,
) -> Result<Message> {
    let draft = with_callback_notes(world.business_server.as_ref(), actor, draft);
    match sending {
        Sending::Stored { base } => store(world, actor, pair, &draft, base, notify).await,
        Sending::OnlineOnly => push_only(world, actor, pair, draft, notify).await,
    }
}

impl Notify<'_> {
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
    notify: Notify<'_>,
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
        let read = InOneToOne { world, actor, conversation: &conversation };
        let Some(sent) = world.writer().append(&read, (draft, &written), base, deadline).await? else {
            approved = Some(written);
            continue;
        };
        // Who connects before this is told, and who connects after it finds the message in the list, however long
        // anything takes: so one look at the list is enough.
        let recipients = notify.recipients(world, pair, actor, Consistency::Strong).await;
        push(world, pair, draft, &sent, &recipients).await;
        return Ok(sent);
    }
    Err(Error::Busy)
}

/// A message that nobody will ask for again, a typing hint say. Who is not there misses it.
async fn push_only(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    draft: Draft,
    notify: Notify<'_>,
) -> Result<Message> {
    let key = pair.log_key();
    let (members, recipients) = tokio::join!(
        world.messages.members(&key),
        notify.recipients(world, pair, actor, Consistency::Eventual)
    );
    let conversation =
        OneToOne { pair: pair.clone(), tail: LogTail { members: members?, ..LogTail::default() } };
    may_send(actor, &conversation, world.clock.now())?;
    let message = draft.online_only(world.clock.now());
    let approved = match &world.business_server {
        Some(server) => {
            ask_before_sending(server, draft, Asked::OneToOne, &before_send(pair, &message)).await?
        }
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
    ask_before_sending(server, draft, Asked::OneToOne, &before_send(&conversation.pair, &message)).await
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

/// What a draft has become before, if it has. What a business server repeats is looked for as far back as it may lie.
async fn find_duplicate(
    world: &World,
    draft: &Draft,
    base: Option<Seq>,
    OneToOne { pair, tail }: &OneToOne,
) -> Result<Option<Message>> {
    let key = pair.log_key();
    match draft.repeats {
        Repeats::Since(since_ms) => world.messages.find_repeated(&key, tail, draft, since_ms).await,
        Repeats::Name => world.messages.find(&key, tail, draft, base, world.clock.now()).await,
    }
}

/// A conversation of two as a send has read it.
struct InOneToOne<'a> {
    world: &'a World,
    actor: Actor<'a>,
    conversation: &'a OneToOne,
}

impl Conversation for InOneToOne<'_> {
    /// However large it is, the first number that is taken says enough: two users are no crowd.
    const LARGE: usize = usize::MAX;

    fn key(&self) -> LogKey {
        self.conversation.pair.log_key()
    }

    fn tail(&self) -> &LogTail {
        &self.conversation.tail
    }

    fn next(
        &self,
        draft: &Draft,
        predecessor: Predecessor<'_>,
        now_ms: u64,
        retention: Option<u64>,
    ) -> Message {
        self.conversation.next_message(draft, predecessor, now_ms, retention)
    }

    /// Half a retention longer than a message, so that it need not be written with every one.
    fn kept_until(&self, message: &Message) -> u64 {
        let half = self.world.retention.unwrap_or_default() / 2;
        message.expires_at.map_or(FOREVER_S, |second| second.saturating_add(half))
    }

    async fn may_begin(&self) -> Result<()> {
        let Self { world, actor, conversation: OneToOne { pair, .. } } = self;
        if world.unknown_users == UnknownUsers::Refuse && !world.accounts.is_there(pair.peer()).await? {
            return Err(Error::InvalidRecipient(
                "there is no account of that name, or its user has never logged in",
            ));
        }
        if actor.is_administrator { Ok(()) } else { world.limit.count(pair).await }
    }

    /// Both users get the conversation into their lists.
    async fn begin(&self, first: &Message) -> Result<()> {
        let Self { world, conversation: OneToOne { pair, .. }, .. } = self;
        world.conversations.open(pair, first.moved_up, first.kept_until).await
    }

    /// Before a message is there, what stands beside it is kept as long as it will live, and its number
    /// reserved. Its successors know from it how long that is.
    async fn go_on(&self, message: &mut Message, previous: &Message) -> Result<()> {
        let Self { world, conversation: OneToOne { pair, .. }, .. } = self;
        let key = pair.log_key();
        if !message.is_kept() {
            let kept_until = Some(self.kept_until(message));
            tokio::try_join!(
                world.conversations.keep(pair, message.moved_up, kept_until),
                world.messages.keep_floor(&key, kept_until)
            )?;
            message.kept_until = kept_until;
        }
        world.writer().reserve(&key, message).await?;
        // The lists come first: a function that is cut off in between leaves it higher in them than it would have to be.
        if message.moved_up != previous.moved_up {
            world.conversations.move_up(pair, message.moved_up, message.kept_until).await?;
        }
        Ok(())
    }
}
