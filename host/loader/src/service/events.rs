//! What a message of the queue tells: which objects have come.
//!
//! S3 sends its notifications to the queue itself, through SNS, or through EventBridge; all three
//! are read.
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// What a message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// These objects were written. None: it tells of something else, such as a deletion, or that
    /// notifications were switched on.
    Written(Vec<Written>),
    /// It is of no kind that is known; why.
    Unknown(String),
}

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) bucket: String,
    pub(super) key: String,
    /// When, by the clock of S3; where the message says it.
    pub(super) at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Notification {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// S3 sends it when notifications are switched on.
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
    EventBridge {
        #[serde(rename = "detail-type")]
        what: String,
        source: String,
        #[serde(default)]
        time: Option<String>,
        detail: Entity,
    },
    Sns {
        #[serde(rename = "Message")]
        message: String,
        #[serde(rename = "TopicArn")]
        _topic: String,
    },
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event: String,
    #[serde(default, rename = "eventTime")]
    at: Option<String>,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

const TEST: &str = "s3:TestEvent";

/// Reads the body of a message.
pub(super) fn told(body: &str) -> Told {
    let unknown = || Told::Unknown("it is no notification of S3".to_owned());
    match serde_json::from_str(body) {
        Ok(Body::Notification { records }) => Told::Written(
            records
                .into_iter()
                .filter(|record| {
                    record.event.trim_start_matches("s3:").starts_with("ObjectCreated:")
                })
                .filter_map(|Record { s3, at, .. }| {
                    Some(Written {
                        bucket: s3.bucket.name,
                        key: decoded(&s3.object.key)?,
                        at: moment(at),
                    })
                })
                .collect(),
        ),
        Ok(Body::EventBridge { what, source, time, detail }) if source == "aws.s3" => {
            // EventBridge leaves keys as they are.
            let written =
                Written { bucket: detail.bucket.name, key: detail.object.key, at: moment(time) };
            Told::Written(if what == "Object Created" { vec![written] } else { Vec::new() })
        }
        Ok(Body::Test { event }) if event == TEST => Told::Written(Vec::new()),
        // One envelope, and not a letter in an envelope in an envelope.
        Ok(Body::Sns { message, .. }) if !message.contains("\"TopicArn\"") => told(&message),
        _ => unknown(),
    }
}

fn moment(text: Option<String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// A key as S3 has it: in notifications it is encoded as in a form, `a+b%2B.csv` for `a b+.csv`.
fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn notification(event: &str, key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
            "eventTime": "2026-11-29T10:00:00.000Z", "eventName": event,
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "b", "arn": "arn:aws:s3:::b"},
                "object": {"key": key, "size": 7, "eTag": "d4", "sequencer": "0055"}},
        }]})
    }

    fn written(key: &str) -> Told {
        let at = "2026-11-29T10:00:00Z".parse().ok();
        Told::Written(vec![Written { bucket: "b".into(), key: key.into(), at }])
    }

    #[test]
    fn all_ways_of_a_notification_are_read() {
        let direct = notification("ObjectCreated:Put", "data/in/a+b%2B%C3%A4.csv").to_string();
        assert_eq!(told(&direct), written("data/in/a b+ä.csv"));
        let topic = "arn:aws:sns:eu-central-1:1:t";
        let sns = json!({"Type": "Notification", "TopicArn": topic, "Message": direct});
        assert_eq!(told(&sns.to_string()), written("data/in/a b+ä.csv"));
        let bridge = json!({
            "version": "0", "source": "aws.s3", "time": "2026-11-29T10:00:00Z",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": "b"}, "object": {"key": "data/in/a+b.csv", "size": 7}},
        });
        assert_eq!(told(&bridge.to_string()), written("data/in/a+b.csv"));
    }

    #[test]
    fn what_tells_of_no_new_object_is_told_apart_from_what_is_not_known() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"});
        assert_eq!(told(&test.to_string()), Told::Written(vec![]));
        let removed = notification("ObjectRemoved:Delete", "x").to_string();
        assert_eq!(told(&removed), Told::Written(vec![]));
        for other in ["", "{}", "[1]", "hello", "{\"Event\":\"other\"}"] {
            assert!(matches!(told(other), Told::Unknown(_)), "{other}");
        }
        let nested = json!({"TopicArn": "a", "Message": json!({"TopicArn": "a"}).to_string()});
        assert!(matches!(told(&nested.to_string()), Told::Unknown(_)));
    }
}
