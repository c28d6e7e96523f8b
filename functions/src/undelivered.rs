//! The queue of what the business server was not told. The only part that knows SQS.

use aws_sdk_sqs::Client;
use hongyan_shared::{Error, Result};
use tracing::error;

use crate::{
    aws::reason,
    config::{Config, Configured},
};

/// The queue, if there is one: on a laptop there is the log.
pub struct Undelivered(Option<Queue>);

struct Queue {
    client: Client,
    url: String,
}

impl Undelivered {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        let queue = |url| Queue { client: Client::new(config.sdk()), url };
        Ok(Self(config.undelivered_queue()?.map(queue)))
    }

    /// Keeps an event that the function can be given once more, and says in the log that it was given up, and why.
    ///
    /// # Errors
    /// [`Error::Internal`]: it is not kept, or nobody knows.
    pub async fn keep(&self, event: String, id: &str, why: &Error) -> Result<()> {
        if let Some(Queue { client, url }) = &self.0 {
            let kept = client.send_message().queue_url(url).message_body(event).send().await;
            kept.map_err(|error| Error::Internal(format!("the queue takes nothing: {}", reason(&error))))?;
        }
        let detail = match why {
            Error::Internal(detail) | Error::BusinessServer(detail) => detail.as_str(),
            _ => "",
        };
        error!(id, detail, "given up: in an account the queue UndeliveredCallbacks has it");
        Ok(())
    }
}
