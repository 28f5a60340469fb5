//! What the Lambda function is invoked with: messages that Lambda has received from a queue, one
//! notification, or the wish to look at all tables.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html>

use loader_aws::sqs::Message;
use loader_model::error::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the function is invoked with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Messages of a queue; each is answered for alone.
    Messages(Vec<Message>),
    /// A notification that S3, SNS or EventBridge has sent to the function itself.
    Notification(Message),
    /// All tables are to be looked at.
    Round,
}

/// A record of an event that comes from a queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfQueue {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: Option<String>,
}

/// Reads an event. Errors: `Data` for one of no kind that is known.
pub(crate) fn read(event: &Value) -> Result<Invocation> {
    let of_records = |name: &str| {
        let records = event["Records"].as_array().filter(|records| !records.is_empty())?;
        let source = |record: &Value| record[name].as_str().map(str::to_owned);
        let first = records.first().and_then(source)?;
        records.iter().all(|record| source(record).as_ref() == Some(&first)).then_some(first)
    };
    let is_empty = event.is_null() || event.as_object().is_some_and(serde_json::Map::is_empty);
    // The records of SNS write the name of their source with a capital letter.
    match (of_records("eventSource").as_deref(), of_records("EventSource").as_deref()) {
        (Some("aws:sqs"), _) => messages(event).map(Invocation::Messages),
        (Some("aws:s3"), _) => Ok(notification(event.to_string())),
        (_, Some("aws:sns")) => match event["Records"].as_array().map(Vec::as_slice) {
            Some([one]) => {
                Ok(notification(one["Sns"]["Message"].as_str().unwrap_or_default().to_owned()))
            }
            _ => Err(unknown(event)),
        },
        _ if event["source"] == "aws.s3" => Ok(notification(event.to_string())),
        _ if event["source"] == "aws.events" || event["source"] == "aws.scheduler" || is_empty => {
            Ok(Invocation::Round)
        }
        _ => Err(unknown(event)),
    }
}

/// The answer to messages of a queue: the ids of those that come again. It counts where the trigger has
/// `ReportBatchItemFailures`; without that, Lambda deletes all of them.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub(crate) fn answer<'a>(again: impl Iterator<Item = &'a String>) -> Value {
    let failures = again.map(|id| json!({ "itemIdentifier": id }));
    json!({ "batchItemFailures": failures.collect::<Vec<_>>() })
}

fn messages(event: &Value) -> Result<Vec<Message>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Records {
        records: Vec<OfQueue>,
    }
    let read = Records::deserialize(event).map_err(|_| unknown(event))?;
    let message = |record: OfQueue| {
        let received = record.attributes.approximate_receive_count;
        Message {
            id: record.message_id,
            body: record.body,
            received: received.and_then(|count| count.parse().ok()).unwrap_or(1),
            receipt: record.receipt_handle,
        }
    };
    Ok(read.records.into_iter().map(message).collect())
}

fn notification(body: String) -> Invocation {
    Invocation::Notification(Message {
        id: String::new(),
        body,
        received: 1,
        receipt: String::new(),
    })
}

fn unknown(event: &Value) -> Error {
    let start: String = event.to_string().chars().take(200).collect();
    let fact = "the function is invoked by messages of SQS, by notifications of S3, and, to look \
                at all tables, by a schedule of EventBridge or with {}";
    Error::new(Kind::Data, format!("the event is of no known kind: {start}; {fact}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_being_invoked_is_told_from_the_others() {
        let record = json!({
            "messageId": "m-1", "receiptHandle": "r-1", "body": "b", "awsRegion": "eu-central-1",
            "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1"},
            "messageAttributes": {}, "md5OfBody": "x", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:1:files",
        });
        let message =
            Message { id: "m-1".into(), body: "b".into(), received: 3, receipt: "r-1".into() };
        let of_queue = json!({ "Records": [record] });
        assert_eq!(read(&of_queue).ok(), Some(Invocation::Messages(vec![message])));

        let of_s3 =
            json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]});
        assert_eq!(read(&of_s3).ok(), Some(notification(of_s3.to_string())));
        let of_sns = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "m"}}]});
        assert_eq!(read(&of_sns).ok(), Some(notification("m".into())));
        let of_bridge = json!({"source": "aws.s3", "detail-type": "Object Created"});
        assert_eq!(read(&of_bridge).ok(), Some(notification(of_bridge.to_string())));

        for round in [json!({}), json!(null), json!({"source": "aws.events"})] {
            assert_eq!(read(&round).ok(), Some(Invocation::Round), "{round}");
        }
        for other in [json!({"Records": []}), json!([1]), json!({"a": 1}), json!("x")] {
            assert!(read(&other).is_err(), "{other}");
        }
        let mixed = json!({"Records": [{"eventSource": "aws:s3"}, {"eventSource": "aws:sqs"}]});
        assert!(read(&mixed).is_err());
    }

    #[test]
    fn the_answer_names_the_messages_that_come_again() {
        let again = ["m-1".to_owned()];
        let expected = r#"{"batchItemFailures":[{"itemIdentifier":"m-1"}]}"#;
        assert_eq!(answer(again.iter()).to_string(), expected);
        assert_eq!(answer([].iter()).to_string(), r#"{"batchItemFailures":[]}"#);
    }
}
