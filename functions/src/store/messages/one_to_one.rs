//! What a log of two users has besides: unread counts of both, and what each has deleted for themselves.

use aws_sdk_dynamodb::types::AttributeValue;
use hongyan_shared::{
    Result,
    model::{Address, OneToOne, Pair, Seq, Side},
};

use super::{
    super::{Consistency, allowance, update_if},
    MESSAGE_BYTES, Messages, message_key,
    search::Oldest,
};

impl Messages {
    /// How many messages of the peer the user has neither read nor cleared, not counting what has expired unread.
    ///
    /// Only when something behind the marker may have expired is there a second look; nothing is returned when
    /// that would be more than the request may read.
    pub async fn unread(&self, conversation: &OneToOne, now_ms: u64) -> Result<Option<u64>> {
        let unread = conversation.unread();
        let marker = conversation.me().done();
        let Some(last) = conversation.tail.last().filter(|_| unread > 0) else { return Ok(Some(0)) };
        // Expiry never decreases along the log, so what is behind a message that lives outlives it.
        let nothing_expires = last.expires_at.is_none() && last.kept_until.is_none();
        let all_live = marker.seq > Seq(0) || nothing_expires;
        if all_live {
            return Ok(Some(unread));
        }
        let span = (marker.seq.next(), last.seq.prev());
        let key = conversation.pair.log_key();
        let look = async |consistency| self.oldest_live(&key, span, Some(last), consistency, now_ms).await;
        let mut oldest = look(Consistency::Eventual).await?;
        // A read that may be a second old misses what is new and lives. What it finds is all the same the oldest,
        // unless it misses all that lives.
        let nothing_between = matches!(&oldest, Oldest::Is(oldest) if oldest.seq == last.seq);
        if nothing_between && span.0 <= span.1 {
            oldest = look(Consistency::Strong).await?;
        }
        Ok(match oldest {
            Oldest::Is(oldest) => Some(conversation.unread_from(&oldest)),
            Oldest::None => Some(unread),
            Oldest::NotBefore(_) => None,
        })
    }

    /// How many messages of the peer the pair's user has neither read nor cleared by now. If so much has expired unread and has
    /// not been swept that the request cannot find where it ends, that is counted as well.
    pub async fn count_unread(&self, pair: &Pair, now_ms: u64) -> Result<u64> {
        let tail = self.tail(&pair.log_key(), 1, Consistency::Strong, now_ms).await?;
        let conversation = OneToOne { pair: pair.clone(), tail };
        self.unread_at_most(&conversation, now_ms).await
    }

    /// The same, of which the end is known.
    pub async fn unread_at_most(&self, conversation: &OneToOne, now_ms: u64) -> Result<u64> {
        Ok(self.unread(conversation, now_ms).await?.unwrap_or_else(|| conversation.unread()))
    }

    /// How many messages can be hidden at once: the largest are as many write units as the frame may
    /// still take.
    pub fn affordable_deletions() -> usize {
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        usize::try_from(allowance::write_units_left() / worst).unwrap_or(usize::MAX)
    }

    /// Hides a message from the pair's user, if it is there.
    pub async fn hide(&self, pair: &Pair, at: Address) -> Result<()> {
        let attribute = match pair.mine() {
            Side::Low => "ha",
            Side::High => "hz",
        };
        let update = self
            .update(&pair.log_key(), message_key(at))
            .update_expression(format!("SET {attribute} = :h"))
            .condition_expression("attribute_exists(p)")
            .expression_attribute_values(":h", AttributeValue::Bool(true));
        update_if(update, allowance::write_units_of(MESSAGE_BYTES), 1).await.map(|_| ())
    }
}
