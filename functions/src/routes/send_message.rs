//! `sendMessage`: one conditional write gives the message its number, whatever happens around it.

use std::time::Duration;

use hongyan_shared::{
    Error, Result,
    model::{After, Draft, FOREVER_S, Floor, Head, Message, Pair, Seq, floor_before},
    protocol::{MessageReply, Push, SendMessage, Sending, WireMessage},
};

use crate::{
    app::App,
    event::Event,
    push::Audience,
    runtime::Reply,
    store::{Appended, Behind, Consistency, Messages, Search},
    telemetry::{Count, count},
};

/// How many messages the first query returns: texts of this number fit one read unit, and a retry
/// is almost always among them.
const HEAD: usize = 8;

/// For how long a request tries to get a number before the conversation counts as busy.
const PATIENCE_MS: u64 = 1_200;

/// How long a writer stands back at the most after the second number that was taken, twice as long after
/// the third, and so on.
const STAND_BACK_MS: u64 = 8;

/// How often that is doubled.
const DOUBLINGS: u32 = 5;

/// Persists, then pushes, then acknowledges. What is for those who are online is not persisted.
///
/// # Errors
/// A bad message, a `base` that says too little, a recipient who wants none, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: SendMessage = event.request.data()?;
    let (pair, draft, sending) = request.parse(&event.caller.user)?;
    match sending {
        Sending::Stored { base } => store(app, &event, &pair, &draft, base).await,
        Sending::OnlineOnly => hand_on(app, &event, &pair, &draft).await,
    }
}

async fn store(app: &App, event: &Event, pair: &Pair, draft: &Draft, base: Option<Seq>) -> Result<Reply> {
    let deadline = app.now().saturating_add(PATIENCE_MS);
    while app.now() < deadline {
        let head = app.messages.head(pair, HEAD, Consistency::Strong, app.now()).await?;

        if let Some(sent) = find_duplicate(app, pair, draft, base, &head).await? {
            return Ok(acknowledge(pair, &once_more(draft, sent)?));
        }
        unblocked(pair, &head)?;
        let Some(message) = place_behind_head(app, pair, draft, base, &head).await? else { continue };
        // Who is to be told is looked up while the message is being written: it costs no time, and it
        // sees whoever has connected since the request came in.
        let (sent, audience) = tokio::join!(
            append(app, pair, draft, &head, message, deadline),
            app.audience(pair, event)
        );
        return Ok(push_and_acknowledge(app, pair, &sent?, &audience).await);
    }
    Err(Error::Busy)
}

/// A message that nobody will ask for again, a typing hint say. Who is not there misses it.
async fn hand_on(app: &App, event: &Event, pair: &Pair, draft: &Draft) -> Result<Reply> {
    let (standings, audience) =
        tokio::join!(app.messages.standings(pair), app.audience(pair, event));
    unblocked(pair, &standings?)?;
    Ok(push_and_acknowledge(app, pair, &draft.online_only(app.now()), &audience).await)
}

/// Who blocks a user has nothing to say to them either.
fn unblocked(pair: &Pair, head: &Head) -> Result<()> {
    if head.standing(pair.mine().other()).blocks {
        return Err(Error::Blacklisted);
    }
    if head.standing(pair.mine()).blocks {
        return Err(Error::Blacklisting);
    }
    Ok(())
}

async fn push_and_acknowledge(app: &App, pair: &Pair, message: &Message, audience: &Audience) -> Reply {
    let mut named = WireMessage::new(pair, message);
    named.nick = shown(&audience.names.nick);
    named.avatar = shown(&audience.names.avatar);
    let push = Push::MessageReceived([named]);
    app.deliver(audience.peer.iter().chain(&audience.others), &push.frame()).await;
    acknowledge(pair, message)
}

fn shown(name: &Option<String>) -> Option<&str> {
    name.as_deref().filter(|name| !name.is_empty())
}

fn acknowledge(pair: &Pair, message: &Message) -> Reply {
    Reply::data(&MessageReply { message: WireMessage::new(pair, message) })
}

/// The original write of a message can only lie behind `base`, which is the last one that its
/// sender had seen when he first composed it. So it is there or it is nowhere.
async fn find_duplicate(
    app: &App,
    pair: &Pair,
    draft: &Draft,
    base: Option<Seq>,
    head: &Head,
) -> Result<Option<Message>> {
    let last = head.last_seq();
    if let Some(sent) = head.messages.iter().find(|message| message.is(draft)) {
        return Ok(Some(sent.clone()));
    }
    // A base from the future: the tables were restored from a backup since. Whether this message
    // was sent cannot be told from such a number.
    if base.is_some_and(|base| base > last) && head.last().is_some() {
        return Err(Error::BaseUnknown { last });
    }
    let unseen = head.messages.last().map_or(last, |oldest| oldest.seq.prev());
    let from = base.unwrap_or_default().next();
    if from > unseen {
        return Ok(None);
    }
    match app.messages.find(pair, draft, from, unseen, app.now()).await? {
        Search::Found(sent) => Ok(Some(sent)),
        Search::Absent => Ok(None),
        Search::TooMuch => Err(Error::BaseUnknown { last }),
    }
}

/// Writes the message behind the last one. Every number that turns out to be taken is looked at, so
/// of two attempts at one message the later one finds the earlier. That message is pushed once more,
/// because the earlier attempt may have been this very one, with its answer lost.
///
/// How often it tries depends on what it may write: small messages among small ones some fifty times,
/// the largest four times. It is refused as busy when that or its time is over.
async fn append(
    app: &App,
    pair: &Pair,
    draft: &Draft,
    head: &Head,
    mut message: Message,
    deadline: u64,
) -> Result<Message> {
    let mut taken_before = 0;
    while Messages::can_append() && app.now() < deadline {
        // For the first one it has been done.
        if head.last().is_some() || taken_before > 0 {
            keep_beside(app, pair, &mut message).await?;
        }
        let taken = match app.messages.append(pair, &message).await? {
            Appended::Written => {
                count(Count::Sends);
                return Ok(message);
            }
            Appended::Taken(taken) => taken,
        };
        if taken.is(draft) {
            return once_more(draft, taken);
        }
        count(Count::Conflicts);
        let mut newest = taken;
        // A crowd is writing: stand back, the longer the larger it seems, then get behind all of it at once.
        if taken_before > 0 {
            let at_most = STAND_BACK_MS << taken_before.min(DOUBLINGS);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..at_most))).await;
            // What has expired still holds its number.
            let Behind::All(newer) = app.messages.behind(pair, newest.seq).await? else { break };
            if let Some(sent) = newer.iter().find(|message| message.is(draft)) {
                return once_more(draft, sent.clone());
            }
            newest = newer.into_iter().next().unwrap_or(newest);
        }
        taken_before += 1;
        message = head.place(draft, After::Message(&newest), app.now(), app.settings.retention);
    }
    Err(Error::Busy)
}

/// The message that a draft has become before, if that says the same. If not, its sender has used a name
/// twice, and would never learn that the second message was not sent.
fn once_more(draft: &Draft, sent: Message) -> Result<Message> {
    if !sent.elem.says_what(&draft.elem) {
        return Err(Error::ClientIdTaken);
    }
    count(Count::Duplicates);
    Ok(sent)
}

/// The message as it is to be written, behind the last one that lives. Where none does, a floor is laid first
/// and both users get the conversation into their lists. Nothing when somebody else has begun meanwhile.
async fn place_behind_head(
    app: &App,
    pair: &Pair,
    draft: &Draft,
    base: Option<Seq>,
    head: &Head,
) -> Result<Option<Message>> {
    let (now, retention) = (app.now(), app.settings.retention);
    if let Some(last) = head.last() {
        return Ok(Some(head.place(draft, After::Message(last), now, retention)));
    }
    if head.is_settling(now) {
        return Err(Error::Busy);
    }
    // Messages that have expired come first in a head.
    let before = if head.stored.is_some() { app.messages.floor(pair).await? } else { head.floor };
    if before.is_none() && head.stored.is_none() {
        app.count_conversation(pair).await?;
    }
    let expires_at = head.place(draft, After::Nothing(Seq(0)), now, retention).expires_at;
    let kept_until = longer(app, expires_at);
    let floor = Floor::next(before, head.stored, expires_at, kept_until, now);
    // A base of the conversation that was here before: once the numbers have come as far, this message would not be
    // looked for any more where it is now to be.
    if base.is_some_and(|base| base > floor.begun_behind) {
        return Err(Error::BaseUnknown { last: floor.begun_behind });
    }
    let mut message = head.place(draft, After::Nothing(floor.begun_behind), now, retention);
    // Where nothing has ever expired there is always a last message.
    let needs_floor = retention.is_some() || before.is_some() || head.stored.is_some();
    message.kept_until = needs_floor.then_some(kept_until);
    app.conversations.keep(pair, now, message.kept_until).await?;
    let is_laid = !needs_floor || app.messages.lay_floor(pair, before, floor).await?;
    Ok(is_laid.then_some(message))
}

/// Before a message is there, what stands beside it is kept as long as it will live, and its number
/// reserved. Its successors know from it how long that is.
async fn keep_beside(app: &App, pair: &Pair, message: &mut Message) -> Result<()> {
    if !message.is_kept() {
        let kept_until = Some(longer(app, message.expires_at));
        tokio::try_join!(
            app.conversations.keep(pair, app.now(), kept_until),
            app.messages.keep_floor(pair, kept_until)
        )?;
        message.kept_until = kept_until;
    }
    match floor_before(message.seq) {
        Some(floor) if message.expires_at.is_some() => app.messages.raise_floor(pair, floor).await,
        _ => Ok(()),
    }
}

/// Half a retention longer, so that it need not be written with every message.
fn longer(app: &App, expires_at: Option<u64>) -> u64 {
    let half = app.settings.retention.unwrap_or_default() / 2;
    expires_at.map_or(FOREVER_S, |second| second.saturating_add(half))
}
