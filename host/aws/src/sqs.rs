//! A queue of SQS: messages come, are kept from others while they are worked on, and are deleted,
//! given back, or sent on to the dead letter queue. The only module that knows its SDK.
//!
//! SQS delivers a message at least once, and in no order; what a message says must be harmless
//! twice.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html>

mod address;

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Visibility,
    DeleteMessageBatchRequestEntry as Deletion, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName,
};
use loader_model::error::{Context, Error, Kind, Result};
use serde_json::Value;

use crate::calls::Calls;
use crate::connect::{Aws, boxed, https};
use crate::failure;
use crate::sqs::address::Address;

/// The most messages of one request.
const MAX_BATCH: usize = 10;
/// How long a request for messages waits for one. It is the most that SQS takes.
const LONGEST_WAIT: i32 = 20;
/// A shorter visibility timeout, in seconds, than a program can keep up with. A queue may have none
/// at all.
const SHORTEST_VISIBILITY: u64 = 1;
/// The longest that a message can be kept from others at once.
const LONGEST_INVISIBLE: Duration = Duration::from_secs(12 * 60 * 60);
/// The type of the attributes that say why a message is a dead letter, and the most letters of one.
const STRING: &str = "String";
const MAX_LETTERS: usize = 2000;

/// A queue of messages, and its dead letter queue.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    address: Address,
    /// How long a message that was received is kept from others.
    pub visibility: Duration,
    dead_letters: Option<DeadLetters>,
    calls: Calls,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// The dead letter queue.
#[derive(Clone, Debug)]
struct DeadLetters {
    url: String,
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
    /// What it is deleted and given back by.
    pub receipt: String,
}

impl Queue {
    /// Finds a queue by its URL. Errors: `Config` for a text that is no such URL, for a queue that
    /// is not there, and for permissions that are lacking.
    pub async fn connect(aws: &Aws, url: &str) -> Result<Queue> {
        let address = Address::of(url)?;
        let client = client(aws, &address);
        let calls = Calls::default();
        calls.count("GetQueueAttributes");
        let asked = client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .attribute_names(QueueAttributeName::RedrivePolicy);
        let doing = format!("looking at the queue {url}");
        let answer = boxed(asked.send()).await;
        let answer = answer.map_err(|error| failure::read_failure(&doing, error))?;
        let attribute =
            |name| answer.attributes().and_then(|all| all.get(&name)).map(String::as_str);
        let seconds = attribute(QueueAttributeName::VisibilityTimeout);
        let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(30);
        let redrive = attribute(QueueAttributeName::RedrivePolicy).map(str::to_owned);
        let mut queue = Queue {
            client,
            address,
            visibility: Duration::from_secs(seconds.max(SHORTEST_VISIBILITY)),
            dead_letters: None,
            calls,
            _aws: aws.clone(),
        };
        if let Some(policy) = redrive {
            queue.dead_letters = Some(queue.dead_letters_of(&policy).await?);
        }
        Ok(queue)
    }

    /// A queue that is only sent to, of which nothing is asked. Errors: `Config` for a text that is no
    /// URL of a queue.
    pub fn to_send_to(aws: &Aws, url: &str) -> Result<Queue> {
        let address = Address::of(url)?;
        Ok(Queue {
            client: client(aws, &address),
            address,
            visibility: Duration::ZERO,
            dead_letters: None,
            calls: Calls::default(),
            _aws: aws.clone(),
        })
    }

    /// The policy names the dead letter queue by its ARN, `arn:aws:sqs:REGION:ACCOUNT:NAME`.
    async fn dead_letters_of(&self, policy: &str) -> Result<DeadLetters> {
        let unknown = || format!("the queue's redrive policy is {policy}");
        let policy: Value = serde_json::from_str(policy).context(Kind::Internal, unknown())?;
        let arn = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
        let mut parts = arn.rsplit(':');
        let (Some(name), Some(account)) = (parts.next(), parts.next()) else {
            return Err(Error::new(Kind::Internal, unknown()));
        };
        self.calls.count("GetQueueUrl");
        let asked =
            self.client.get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        let doing = format!("looking for the dead letter queue {arn}");
        let answer = boxed(asked.send()).await;
        let answer = answer.map_err(|error| failure::read_failure(&doing, error))?;
        Ok(DeadLetters { url: answer.queue_url.unwrap_or_default() })
    }

    /// Waits for messages, at most twenty seconds, and takes up to ten.
    pub async fn receive(&self) -> Result<Vec<Message>> {
        self.calls.count("ReceiveMessage");
        let asked = self
            .client
            .receive_message()
            .queue_url(&self.address.url)
            .max_number_of_messages(MAX_BATCH as i32)
            .wait_time_seconds(LONGEST_WAIT)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = boxed(asked.send()).await;
        let answer =
            answer.map_err(|error| failure::read_failure(&self.doing("receiving"), error))?;
        let message = |message: aws_sdk_sqs::types::Message| {
            let received = message
                .attributes()
                .and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount))
                .and_then(|count| count.parse().ok());
            Some(Message {
                id: message.message_id.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                received: received.unwrap_or(1),
                receipt: message.receipt_handle?,
            })
        };
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    /// Deletes messages. Returns how many could not be, and so come again.
    pub async fn delete(&self, messages: &[&Message]) -> Result<usize> {
        let mut failed = 0;
        for batch in messages.chunks(MAX_BATCH) {
            let entries = batch.iter().enumerate().map(|(place, message)| {
                Deletion::builder().id(place.to_string()).receipt_handle(&message.receipt).build()
            });
            let entries: std::result::Result<Vec<_>, _> = entries.collect();
            let doing = self.doing("deleting messages of");
            let entries = entries.context(Kind::Internal, &doing)?;
            self.calls.count("DeleteMessageBatch");
            let request = self.client.delete_message_batch().queue_url(&self.address.url);
            let answer = boxed(request.set_entries(Some(entries)).send()).await;
            let answer = answer.map_err(|error| failure::read_failure(&doing, error))?;
            failed += answer.failed().len();
        }
        Ok(failed)
    }

    /// Keeps messages from others for so long from now on; for no time, they are given back at
    /// once. Returns how many could not be kept.
    pub async fn keep(&self, messages: &[&Message], time: Duration) -> Result<usize> {
        let seconds = time.min(LONGEST_INVISIBLE).as_secs() as i32;
        let mut failed = 0;
        for batch in messages.chunks(MAX_BATCH) {
            let entries = batch.iter().enumerate().map(|(place, message)| {
                let entry = Visibility::builder().id(place.to_string());
                entry.receipt_handle(&message.receipt).visibility_timeout(seconds).build()
            });
            let entries: std::result::Result<Vec<_>, _> = entries.collect();
            let doing = self.doing("keeping messages of");
            let entries = entries.context(Kind::Internal, &doing)?;
            self.calls.count("ChangeMessageVisibilityBatch");
            let request = self.client.change_message_visibility_batch();
            let request = request.queue_url(&self.address.url).set_entries(Some(entries));
            let answer = boxed(request.send()).await;
            let answer = answer.map_err(|error| failure::read_failure(&doing, error))?;
            failed += answer.failed().len();
        }
        Ok(failed)
    }

    /// Whether the queue has a dead letter queue.
    pub fn has_dead_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// Sends a message on to the dead letter queue, with why, and deletes it here.
    ///
    /// Where there is no such queue, the message is only deleted.
    // A stop between the two leaves it in both, and it is told once more.
    pub async fn bury(&self, message: &Message, because: &[(&str, String)]) -> Result<()> {
        if let Some(DeadLetters { url }) = &self.dead_letters {
            self.send_to(url, &message.body, because).await?;
        }
        self.delete(&[message]).await.map(drop)
    }

    /// Sends a message to this queue, with why.
    pub async fn send(&self, body: &str, because: &[(&str, String)]) -> Result<()> {
        self.send_to(&self.address.url, body, because).await
    }

    async fn send_to(&self, url: &str, body: &str, because: &[(&str, String)]) -> Result<()> {
        self.calls.count("SendMessage");
        let mut request = self.client.send_message().queue_url(url).message_body(body);
        for (name, value) in because.iter().filter(|(_, value)| !value.is_empty()) {
            let attribute = MessageAttributeValue::builder().data_type(STRING);
            let attribute = attribute.string_value(attribute_text(value));
            let attribute =
                attribute.build().context(Kind::Internal, "an attribute of a message")?;
            request = request.message_attributes(*name, attribute);
        }
        let doing = format!("sending a message to {url}");
        boxed(request.send()).await.map_err(|error| failure::read_failure(&doing, error))?;
        Ok(())
    }

    /// The requests so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} the queue {}", self.address.url)
    }
}

fn client(aws: &Aws, address: &Address) -> Client {
    let mut config =
        aws_sdk_sqs::config::Builder::from(&aws.config).endpoint_url(&address.endpoint);
    if let Some(region) = &address.region {
        config = config.region(Region::new(region.clone()));
    }
    // The client for the stand-in speaks no TLS, and a queue beside the stand-in may.
    if aws.endpoints.is_some() && address.endpoint.starts_with("https:") {
        config = config.http_client(https());
    }
    Client::from_conf(config.build())
}

/// A text as an attribute takes it: without control characters, which SQS refuses.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn attribute_text(text: &str) -> String {
    let allowed = |letter: &char| match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        letter => !letter.is_control(),
    };
    text.chars().filter(allowed).take(MAX_LETTERS).collect()
}
