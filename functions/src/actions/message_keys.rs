//! Messages as business servers name them.

use hongyan_shared::{
    Result,
    model::{Address, Message, Pair, Seq},
    rest::MsgKey,
};

use crate::store::Messages;

/// How many numbers behind its own one a message is looked for at: a business server that was asked about it before it had one was told the
/// next one, and others may have come in between.
const FURTHER: u64 = 100;

/// By how many seconds it may have another time than it was told.
const NEAR_S: u64 = 60;

/// The live message of a conversation that is called so. What went only to those who were online has no number, and is nowhere.
pub(super) async fn find_by_key(
    messages: &Messages,
    pair: &Pair,
    key: &MsgKey,
    now_ms: u64,
) -> Result<Option<Message>> {
    let log = pair.log_key();
    let places = [key.number().named().map(Address::Number), key.place().map(Address::Imported)];
    let found = messages.at(&log, places.into_iter().flatten(), now_ms).await?;
    let is_it = |message: &Message| message.imported.is_some() || message.client_id.random() == key.random;
    if let Some(message) = found.into_iter().find(is_it) {
        return Ok(Some(message));
    }
    if key.number().named().is_none() {
        return Ok(None);
    }
    let (from, to) = (key.number().next(), Seq(key.seq.saturating_add(FURTHER)));
    let count = usize::try_from(FURTHER).unwrap_or(usize::MAX);
    let further = messages.range(&log, from, to, count, usize::MAX, now_ms).await?;
    // A program that always takes the same random number means another message by it each time.
    let is_it = |message: &Message| {
        message.client_id.random() == key.random && (message.time / 1000).abs_diff(key.second) <= NEAR_S
    };
    Ok(further.messages.into_iter().find(is_it))
}
