//! Messages that are looked for by something else than their numbers: what a draft has become, the oldest that lives, where a
//! second is.

use hongyan_shared::{
    Error, Result,
    model::{Draft, LogKey, LogTail, Message, Seq},
};

use super::{
    super::Consistency,
    Messages,
    pages::{Order, PAGE, PAGES, affordable},
};

/// The oldest live message of a part of the log.
pub(super) enum Oldest {
    /// This one.
    Is(Box<Message>),
    /// All have expired.
    None,
    /// Nobody knows: it is not before this number.
    NotBefore(Seq),
}

/// Among how many messages one is looked for that a business server may be repeating, besides those that a send looks at anyway.
const REPEATED_AMONG: usize = 96;

/// How many read units a search for a duplicate leaves: for the floor, for two users' connections, and
/// for a first look at who else is writing.
const KEPT_BY_A_SEARCH: u64 = 8;

impl Messages {
    /// The message that a draft has become before, if it has; `tail` is the end of the log.
    ///
    /// It can only lie behind `base`, which is the last message that its sender had seen when they first composed it: so it is
    /// there or it is nowhere.
    ///
    /// # Errors
    /// [`Error::BaseUnknown`] when `base` is of another time, or there is too much behind it to look through.
    pub async fn find(
        &self,
        key: &LogKey,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        self.search(key.as_str(), tail, (draft, base), PAGES, now_ms).await
    }

    /// The same, by so many queries at the most.
    pub(super) async fn search(
        &self,
        partition_key: &str,
        tail: &LogTail,
        (draft, base): (&Draft, Option<Seq>),
        pages: usize,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        let last = tail.last_seq();
        if let Some(sent) = tail.find(draft) {
            return Ok(Some(sent.clone()));
        }
        // A base from the future: the tables were restored from a backup since. Whether this message
        // was sent cannot be told from such a number.
        if base.is_some_and(|base| base > last) && tail.last().is_some() {
            return Err(Error::BaseUnknown { last });
        }
        let unseen = tail.messages.last().map_or(last, |oldest| oldest.seq.prev());
        // From the old end, because what is sent again was mostly sent at once the first time.
        let mut from = base.unwrap_or_default().next();
        if from > unseen {
            return Ok(None);
        }
        for _ in 0..pages {
            let count = PAGE.min(affordable(Consistency::Strong, KEPT_BY_A_SEARCH));
            if count == 0 {
                break;
            }
            let page = self
                .page_of(partition_key, (from, unseen), count, Consistency::Strong, Order::OldestFirst)
                .await?;
            let end = page.messages.last().map(|last| last.seq);
            // One that has expired is not there, whether it has been swept or not: when that happens must not matter.
            let mut live = page.messages.into_iter().filter(|message| message.is_live(now_ms));
            if let Some(sent) = live.find(|message| message.is(draft)) {
                return Ok(Some(sent));
            }
            match end.filter(|end| page.goes_on && *end < unseen) {
                Some(end) => from = end.next(),
                None => return Ok(None),
            }
        }
        Err(Error::BaseUnknown { last })
    }

    /// The newest of the messages that is this draft, sent since some time before: the last hundred are looked at, or as many as
    /// may be read.
    pub async fn find_repeated(
        &self,
        key: &LogKey,
        tail: &LogTail,
        draft: &Draft,
        since_ms: u64,
    ) -> Result<Option<Message>> {
        if let Some(sent) = tail.find(draft) {
            return Ok(Some(sent.clone()));
        }
        let oldest = tail.messages.last().filter(|oldest| oldest.time >= since_ms);
        let Some(mut before) = oldest.map(|oldest| oldest.seq) else { return Ok(None) };
        for _ in 0..REPEATED_AMONG / PAGE {
            let count = PAGE.min(affordable(Consistency::Strong, KEPT_BY_A_SEARCH));
            if count == 0 {
                break;
            }
            let found = self.before(key, before, count, Consistency::Strong).await?;
            let Some(oldest) = found.last().map(|oldest| (oldest.seq, oldest.time)) else { break };
            if let Some(sent) = found.into_iter().find(|message| message.is(draft)) {
                return Ok(Some(sent));
            }
            // Time never decreases along the numbers.
            if oldest.1 < since_ms {
                break;
            }
            before = oldest.0;
        }
        Ok(None)
    }

    /// The oldest live message from one number to another, or else `newest`, which is behind them. Expiry never decreases along the log, so it
    /// is found by halving what is in between.
    pub(super) async fn oldest_live(
        &self,
        key: &LogKey,
        (from, to): (Seq, Seq),
        newest: Option<&Message>,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Oldest> {
        let mut oldest = newest.cloned();
        let (mut low, mut high) = (from, to);
        // Mostly what has expired has been swept, and the first one is it. After that the newest, if it is
        // not known, tells where the halves end.
        let mut next = (low <= high).then_some((low, Order::OldestFirst));
        while let Some((at, order)) = next {
            if affordable(consistency, 0) == 0 {
                return Ok(Oldest::NotBefore(low));
            }
            let span = if order == Order::OldestFirst { (at, high) } else { (low, at) };
            let found = self.page(key, span, 1, consistency, order).await?.messages.into_iter().next();
            match (found, order) {
                (Some(message), _) if message.is_live(now_ms) => {
                    high = if order == Order::OldestFirst { at.prev() } else { message.seq.prev() };
                    oldest = Some(message);
                }
                (_, Order::NewestFirst) => break,
                (Some(expired), Order::OldestFirst) => low = expired.seq.next(),
                (None, Order::OldestFirst) => high = at.prev(),
            }
            next = if low > high {
                None
            } else if oldest.is_none() && high == to {
                Some((high, Order::NewestFirst))
            } else {
                Some((Seq(low.0.midpoint(high.0)), Order::OldestFirst))
            };
        }
        Ok(oldest.map_or(Oldest::None, |oldest| Oldest::Is(Box::new(oldest))))
    }

    /// The number behind which there is no message of this second or before, as far as messages are still there: 0 if all are younger.
    /// `last` is the last message. Time never decreases along the numbers, so what is in between is halved.
    pub async fn number_at(&self, key: &LogKey, last: &Message, second: u64) -> Result<Seq> {
        if last.time / 1000 <= second {
            return Ok(last.seq);
        }
        let (mut low, mut high) = (Seq(0), last.seq.prev());
        while low < high {
            let middle = Seq(low.0.saturating_add((high.0 - low.0).div_ceil(2)));
            let span = (low.next(), middle);
            let page = self.page(key, span, 1, Consistency::Eventual, Order::NewestFirst).await?;
            match page.messages.first() {
                Some(message) if message.time / 1000 > second => high = message.seq.prev(),
                // There is none in between, or it is not younger.
                _ => low = middle,
            }
        }
        Ok(low)
    }
}
