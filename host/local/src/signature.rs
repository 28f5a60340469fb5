//! The signature of a request to the Data API (AWS Signature Version 4, in the header). In: a
//! request and the folder's access key. Out: nothing, or the exception that AWS answers. (The crate
//! `s3s` checks the signatures of S3.)
//!
//! The signature covers method, path, body, time and those headers that the client lists. The crate
//! `aws-sigv4`, with which clients sign, computes it once more, and the two must be equal.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::header::{AUTHORIZATION, HeaderName};
use hyper::http::request::Parts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use loader_attach::AccessKey;
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The form of times: `20240131T235959Z`.
const TIME: &str = "%Y%m%dT%H%M%SZ";
/// How far the clocks of client and server may be apart.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Why a request is not answered: an exception of AWS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    fn missing() -> Refusal {
        let message = "Missing Authentication Token".to_owned();
        Refusal { code: "MissingAuthenticationTokenException", message }
    }

    fn incomplete(message: &str) -> Refusal {
        Refusal { code: "IncompleteSignatureException", message: message.to_owned() }
    }

    fn unknown_key() -> Refusal {
        let message = "The security token included in the request is invalid.".to_owned();
        Refusal { code: "UnrecognizedClientException", message }
    }

    fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { code: "InvalidSignatureException", message: message.into() }
    }
}

/// The service that requests must be signed for, and the key that they must be signed with.
pub(crate) struct Signatures {
    pub(crate) key: AccessKey,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
}

impl Signatures {
    /// Checks a request as it arrives at `now`.
    pub(crate) fn check(&self, head: &Parts, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
        let header = head.headers.get(AUTHORIZATION).ok_or_else(Refusal::missing)?;
        let given = header.to_str().ok().and_then(Given::parse);
        let given = given.ok_or_else(|| {
            Refusal::incomplete(
                "Authorization header requires 'Credential', 'SignedHeaders' and \
                                 'Signature' parameters of AWS4-HMAC-SHA256.",
            )
        })?;
        self.check_scope(&given)?;
        let signed_at = time(head).ok_or_else(|| {
            Refusal::incomplete("Authorization header requires existence of 'X-Amz-Date'.")
        })?;
        if given.date != signed_at.strftime("%Y%m%d").to_string() {
            return Err(Refusal::invalid("Date in Credential scope does not match X-Amz-Date."));
        }
        check_time(signed_at, now)?;
        let expected = self.signature(head, body, &given, signed_at.into());
        let is_right = expected.is_some_and(|expected| {
            bool::from(expected.as_bytes().ct_eq(given.signature.as_bytes()))
        });
        is_right.then_some(()).ok_or_else(|| {
            Refusal::invalid(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            )
        })
    }

    fn check_scope(&self, given: &Given<'_>) -> Result<(), Refusal> {
        if given.access_key_id != self.key.access_key_id {
            return Err(Refusal::unknown_key());
        }
        if given.region != self.region {
            return Err(Refusal::invalid(format!(
                "Credential should be scoped to a valid region, not '{}'; the local stand-in is in \
                 {}.",
                given.region, self.region
            )));
        }
        if given.service != self.service {
            return Err(Refusal::invalid(format!(
                "Credential should be scoped to correct service: '{}'.",
                self.service
            )));
        }
        Ok(())
    }

    /// The signature that the request should have; `None` for a request that nobody can sign.
    fn signature(
        &self,
        head: &Parts,
        body: &[u8],
        given: &Given<'_>,
        signed_at: SystemTime,
    ) -> Option<String> {
        let AccessKey { access_key_id, secret_access_key } = &self.key;
        let credentials =
            Credentials::new(access_key_id, secret_access_key, None, None, "loader-local").into();
        // The client says which headers it has signed. It may sign what most clients leave out.
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let params = v4::SigningParams::builder()
            .identity(&credentials)
            .region(self.region)
            .name(self.service)
            .time(signed_at)
            .settings(settings)
            .build();
        let params = params.ok()?.into();
        let headers = given.headers(head)?;
        // The host is among the signed headers, so the one in this address does not count.
        let uri = format!("http://localhost{}", head.uri);
        let body = SignableBody::Bytes(body);
        let request =
            SignableRequest::new(head.method.as_str(), uri, headers.into_iter(), body).ok()?;
        Some(sign(request, &params).ok()?.into_parts().1)
    }
}

/// When the client says that it has signed the request.
fn time(head: &Parts) -> Option<Timestamp> {
    let text = head.headers.get(AMZ_DATE)?.to_str().ok()?;
    let time = DateTime::strptime(TIME, text).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(time.timestamp())
}

// A request is good for a quarter of an hour only, so that one that was overheard cannot be sent
// again for ever.
fn check_time(signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let spell = |time: Timestamp| time.strftime(TIME).to_string();
    if signed_at < now - MAX_SKEW {
        return Err(Refusal::invalid(format!(
            "Signature expired: {} is now earlier than {} ({} - 15 min.)",
            spell(signed_at),
            spell(now - MAX_SKEW),
            spell(now)
        )));
    }
    if signed_at > now + MAX_SKEW {
        return Err(Refusal::invalid(format!(
            "Signature not yet current: {} is still later than {} ({} + 15 min.)",
            spell(signed_at),
            spell(now + MAX_SKEW),
            spell(now)
        )));
    }
    Ok(())
}

/// The header `Authorization`: `AWS4-HMAC-SHA256 Credential=KEY/20240131/us-east-1/redshift-data/
/// aws4_request, SignedHeaders=host;x-amz-date, Signature=5d67…`, on one line.
struct Given<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Given<'a> {
    fn parse(header: &'a str) -> Option<Given<'a>> {
        let fields = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = field("Credential")?.split('/');
        let given = Given {
            access_key_id: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        };
        (scope.next() == Some("aws4_request") && scope.next().is_none()).then_some(given)
    }

    /// The headers that the client has signed, with their values in the request. `None` when the
    /// host is not signed, or when a value is no text.
    fn headers<'b>(&'b self, head: &'b Parts) -> Option<Vec<(&'b str, &'b str)>> {
        let mut headers = Vec::new();
        for name in self.signed_headers.split(';') {
            for value in head.headers.get_all(name) {
                headers.push((name, value.to_str().ok()?));
            }
        }
        headers.iter().any(|(name, _)| *name == "host").then_some(headers)
    }
}
