//! Messages that are taken back.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use hongyan_shared::{
    Error, Result,
    model::{Address, LogKey, Message, TIP, UserId},
};

use super::{
    super::{allowance, failed, number, text, update_if},
    MESSAGE_BYTES, Messages, SWEPT_LATER_S, message_key,
    row::parse,
};

/// How a recall went.
#[derive(Debug, Clone, PartialEq)]
pub enum Recalled {
    /// The message is recalled, and this is what is left of it.
    Now(Message),
    /// It is not, because it is like this; or there is none.
    Refused(Option<Message>),
}

impl Messages {
    /// Recalls a message of a user, if it is not older than `oldest_ms`, and no tip: that is the record of a change. One
    /// conditional write decides, and says what there is when it does not take place.
    pub async fn revoke(
        &self,
        key: &LogKey,
        user: &UserId,
        at: Address,
        oldest_ms: u64,
        now_ms: u64,
    ) -> Result<Recalled> {
        self.recall(key, (user, None), at, oldest_ms, now_ms).await
    }

    /// The same, by somebody else if one is named.
    pub(super) async fn recall(
        &self,
        key: &LogKey,
        (user, by): (&UserId, Option<&UserId>),
        at: Address,
        oldest_ms: u64,
        now_ms: u64,
    ) -> Result<Recalled> {
        let writing = allowance::write(allowance::write_units_of(MESSAGE_BYTES))?;
        let update = self.update(key, message_key(at));
        let update = match by {
            None => update.update_expression("SET r = :now"),
            Some(by) => update
                .update_expression("SET r = :now, rb = :by")
                .expression_attribute_values(":by", text(by.as_str())),
        };
        let answer = update
            .condition_expression(
                "f = :f AND y <> :tip AND t >= :oldest AND attribute_not_exists(r) AND (attribute_not_exists(x) OR x > :x)",
            )
            .expression_attribute_values(":tip", text(TIP))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":f", text(user.as_str()))
            .expression_attribute_values(":oldest", number(oldest_ms))
            .expression_attribute_values(":x", number((now_ms / 1000).saturating_add(SWEPT_LATER_S)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(output) => {
                writing.cost(output.consumed_capacity());
                match output.attributes {
                    Some(item) => Ok(Recalled::Now(parse(item)?)),
                    None => Err(Error::Internal("DynamoDB did not say what it has updated".to_owned())),
                }
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                    let found = found.item.clone().map(parse).transpose()?;
                    // An answer was lost, and the SDK has asked again: this is that very recall.
                    Ok(match found.filter(|message| message.is_live(now_ms)) {
                        Some(message) if message.revoked_at == Some(now_ms) && message.from == *user => {
                            Recalled::Now(message)
                        }
                        found => Recalled::Refused(found),
                    })
                }
                _ => Err(failed(error)),
            },
        }
    }

    /// Takes the content of a message away for good. What is left is as if it had been recalled at that time.
    pub async fn blank(&self, key: &LogKey, message: &Message, now_ms: u64) -> Result<()> {
        let nothing = message.elem.clone().recall();
        let update = self
            .update(key, message_key(message.address()))
            .update_expression("SET r = if_not_exists(r, :now), d = :d REMOVE k, pi")
            .condition_expression("attribute_exists(p)")
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":d", text(nothing.payload().as_str()));
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        update_if(update, worst, worst).await.map(|_| ())
    }
}
