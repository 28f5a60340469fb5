//! The ways in which one request fails. In: a request on its way. Out: what becomes of it, and of
//! its answer.

use std::io::Write as _;
use std::time::Duration;

use loader_tests::proxy::{Answer, Exchange};

/// Bytes of an answer that arrive at once where a connection is slow, and the pause between them.
const SLOW: (usize, Duration) = (16, Duration::from_millis(2));

/// A way to fail, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection closes before the service has the request.
    LostRequest,
    /// The service has done it, and the connection closes without an answer.
    LostAnswer,
    /// The answer ends in its middle.
    CutAnswer,
    /// The service has done it, and the connection stays open without a word.
    Silence,
    /// The answer comes in small pieces.
    SlowAnswer,
    /// The request is taken in small pieces.
    SlowRequest,
    Throttled,
    /// With the second after which it may be asked again.
    ThrottledFor,
    InternalError,
    Unavailable,
    /// The content was altered on its way.
    OtherContent,
    /// The answer has another ETag than the object.
    OtherEtag,
    ExpiredCredentials,
    WrongClock,
    /// The caller may not do it.
    Denied,
}

impl Fault {
    pub(crate) const ALL: [Fault; 14] = [
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::CutAnswer,
        Fault::Silence,
        Fault::SlowAnswer,
        Fault::Throttled,
        Fault::ThrottledFor,
        Fault::InternalError,
        Fault::Unavailable,
        Fault::OtherContent,
        Fault::OtherEtag,
        Fault::ExpiredCredentials,
        Fault::WrongClock,
        Fault::Denied,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::LostRequest => "lost-request",
            Fault::LostAnswer => "lost-answer",
            Fault::CutAnswer => "cut-answer",
            Fault::Silence => "silence",
            Fault::SlowAnswer => "slow-answer",
            Fault::SlowRequest => "slow-request",
            Fault::Throttled => "throttled",
            Fault::ThrottledFor => "throttled-for",
            Fault::InternalError => "internal-error",
            Fault::Unavailable => "unavailable",
            Fault::OtherContent => "other-content",
            Fault::OtherEtag => "other-etag",
            Fault::ExpiredCredentials => "expired-credentials",
            Fault::WrongClock => "wrong-clock",
            Fault::Denied => "denied",
        }
    }

    /// Whether a person has to act before the command can succeed.
    pub(crate) fn needs_a_person(self) -> bool {
        matches!(self, Fault::ExpiredCredentials | Fault::WrongClock | Fault::Denied)
    }

    /// Whether a request of this name can fail so.
    pub(crate) fn can_befall(self, request: &str) -> bool {
        let operation = request.split(' ').next().unwrap_or_default();
        match self {
            // Only content has checksums. Of an answer of the Data API no more is left than noise.
            Fault::OtherContent => {
                matches!(operation, "GetObject" | "PutObject" | "UploadPart")
                    || operation.ends_with("Statement")
                    || operation.ends_with("Result")
            }
            // Who opens an object takes its ETag for what it says.
            Fault::OtherEtag => matches!(operation, "PutObject" | "UploadPart" | "CopyObject"),
            _ => true,
        }
    }

    /// How slowly the content of a request is taken.
    pub(crate) fn pace(self) -> Option<(usize, Duration)> {
        (self == Fault::SlowRequest).then_some((64 << 10, Duration::from_millis(25)))
    }

    /// Lets a request fail. Gives the service's answer where the service has done it.
    pub(crate) fn befall(self, mut exchange: Exchange) -> Option<Answer> {
        match self {
            Fault::LostRequest => {
                exchange.hang_up();
                None
            }
            Fault::LostAnswer => {
                let answer = exchange.forward();
                exchange.hang_up();
                answer
            }
            Fault::CutAnswer => {
                let answer = exchange.forward()?;
                exchange.send(&answer.bytes[..middle(&answer)]);
                exchange.hang_up();
                Some(answer)
            }
            Fault::Silence => {
                let answer = exchange.forward();
                exchange.keep_silent();
                answer
            }
            Fault::SlowRequest => {
                let answer = exchange.forward()?;
                exchange.send(&answer.bytes);
                Some(answer)
            }
            Fault::SlowAnswer => {
                let answer = exchange.forward()?;
                for piece in answer.bytes.chunks(SLOW.0) {
                    exchange.send(piece);
                    std::thread::sleep(SLOW.1);
                }
                Some(answer)
            }
            Fault::OtherContent => {
                // What was altered on its way to S3, S3 refuses.
                if exchange.request.line().0 == "PUT" {
                    exchange.send(&refusal(&exchange, 400, "BadDigest", "", ""));
                    return None;
                }
                let answer = exchange.forward()?;
                exchange.send(&altered(&answer));
                Some(answer)
            }
            Fault::OtherEtag => {
                let answer = exchange.forward()?;
                exchange.send(&with_other_etag(&answer));
                Some(answer)
            }
            Fault::Throttled => self.refuse(exchange, 503, "SlowDown", "ThrottlingException", ""),
            Fault::ThrottledFor => {
                let wait = "Retry-After: 1\r\nx-amz-retry-after: 1000\r\n";
                self.refuse(exchange, 503, "SlowDown", "ThrottlingException", wait)
            }
            Fault::InternalError => {
                self.refuse(exchange, 500, "InternalError", "InternalServerException", "")
            }
            Fault::Unavailable => {
                self.refuse(exchange, 503, "ServiceUnavailable", "ServiceUnavailable", "")
            }
            Fault::ExpiredCredentials => {
                self.refuse(exchange, 400, "ExpiredToken", "ExpiredTokenException", "")
            }
            Fault::WrongClock => {
                self.refuse(exchange, 403, "RequestTimeTooSkewed", "InvalidSignatureException", "")
            }
            Fault::Denied => {
                self.refuse(exchange, 403, "AccessDenied", "AccessDeniedException", "")
            }
        }
    }

    /// Answers in the service's place. The services name the same thing in two ways.
    fn refuse(
        self,
        mut exchange: Exchange,
        status: u16,
        s3: &str,
        data_api: &str,
        headers: &str,
    ) -> Option<Answer> {
        let is_s3 = exchange.request.header("x-amz-target").is_none();
        // The Data API says with 400 that it throttles.
        let status = if is_s3 || !data_api.starts_with("Throttl") { status } else { 400 };
        let answer = refusal(&exchange, status, s3, data_api, headers);
        exchange.send(&answer);
        None
    }
}

/// An answer of the service that refuses.
fn refusal(exchange: &Exchange, status: u16, s3: &str, data_api: &str, headers: &str) -> Vec<u8> {
    let request = &exchange.request;
    let (kind, body) = match request.header("x-amz-target") {
        None => {
            let body = format!("<Error><Code>{s3}</Code><Message>asked for</Message></Error>");
            ("application/xml", if request.line().0 == "HEAD" { String::new() } else { body })
        }
        Some(_) => {
            let body = format!(
                r#"{{"__type":"{data_api}","Message":"Signature expired, or what the test asked for"}}"#
            );
            ("application/x-amz-json-1.1", body)
        }
    };
    let mut answer = Vec::new();
    write!(
        answer,
        "HTTP/1.1 {status} Refused\r\nContent-Type: {kind}\r\n{headers}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("memory takes everything");
    answer
}

/// Half of the body, or of the head where there is no body.
fn middle(answer: &Answer) -> usize {
    let (body, end) = (answer.body_at(), answer.bytes.len());
    if body == end { end / 2 } else { body + (end - body) / 2 }
}

/// The answer with other content, and with the checksum that S3 knows of the right one.
fn altered(answer: &Answer) -> Vec<u8> {
    let (head, body) = answer.bytes.split_at(answer.body_at());
    let sum = base64(crc32fast::hash(body).to_be_bytes());
    let line = format!("\r\nx-amz-checksum-crc32: {sum}\r\n\r\n");
    let head = String::from_utf8_lossy(head).replacen("\r\n\r\n", &line, 1);
    let mut body = body.to_vec();
    body.iter_mut().take(1).for_each(|byte| *byte ^= 1);
    [head.as_bytes(), &body].concat()
}

/// Four bytes as base64.
fn base64(bytes: [u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(u32::from_be_bytes(bytes)) << 16;
    let digits = (0..6).map(|place| char::from(DIGITS[(bits >> (42 - 6 * place)) as usize & 63]));
    digits.chain("==".chars()).collect()
}

/// The answer with an ETag that no object has.
fn with_other_etag(answer: &Answer) -> Vec<u8> {
    let (head, body) = answer.bytes.split_at(answer.body_at());
    let head = String::from_utf8_lossy(head);
    let line = |line: &str| match line.to_ascii_lowercase().starts_with("etag:") {
        true => "etag: \"00000000000000000000000000000000\"".to_owned(),
        false => line.to_owned(),
    };
    let head = head.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n");
    [head.as_bytes(), body].concat()
}
