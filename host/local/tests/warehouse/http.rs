//! HTTP by hand, for requests that no SDK sends: unsigned, signed for something else, addressed to
//! somebody else.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use loader_attach::AccessKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it will be sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What a signature is made for.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) key: AccessKey,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) time: SystemTime,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str, host: &str) -> Request {
        let headers = vec![("host".to_owned(), host.to_owned())];
        Request { method, path: path.to_owned(), headers, body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Request {
        self.body = body.to_vec();
        self
    }

    /// Signs what is there, the hash of the body included.
    pub(crate) fn signed(self, scope: &Scope) -> Request {
        let body = self.body.clone();
        self.signed_with(scope, SignableBody::Bytes(&body))
    }

    /// Signs with this in place of the hash of the body.
    pub(crate) fn signed_with(mut self, scope: &Scope, body: SignableBody<'_>) -> Request {
        let AccessKey { access_key_id, secret_access_key } = &scope.key;
        let credentials =
            Credentials::new(access_key_id, secret_access_key, None, None, "test").into();
        let mut settings = SigningSettings::default();
        if scope.service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
        }
        let params = v4::SigningParams::builder()
            .identity(&credentials)
            .region(scope.region)
            .name(scope.service)
            .time(scope.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let url = format!("http://x{}", self.path);
        let request = SignableRequest::new(self.method, url, headers, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sends it and gives the whole answer as text, head and body.
    pub(crate) async fn send(&self, endpoint: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len()));
        let address = endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&self.body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Status and error code of the answer, such as `403 AccessDenied`.
    pub(crate) async fn refusal(&self, endpoint: &str) -> String {
        let answer = self.send(endpoint).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let between = |start: &str, end: &str| {
            let (_, rest) = answer.split_once(start)?;
            Some(rest.split_once(end)?.0.to_owned())
        };
        let code = between("<Code>", "</Code>").or_else(|| between("\"__type\":\"", "\""));
        format!("{status} {}", code.unwrap_or_else(|| "-".to_owned()))
    }
}
