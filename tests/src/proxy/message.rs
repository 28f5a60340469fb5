//! HTTP/1.1 as far as the proxy needs it: one request for each connection, whose body has a length,
//! and an answer that ends with its connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its first line and its headers, with the empty line behind them.
    pub head: String,
    pub body: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub bytes: Vec<u8>,
}

impl Request {
    /// Reads the head. The body is still to come.
    pub(super) fn read_head(client: &mut TcpStream) -> Option<Request> {
        let mut read = Vec::new();
        let mut byte = [0];
        while !read.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).ok()?;
            read.push(byte[0]);
        }
        Some(Request { head: String::from_utf8(read).ok()?, body: Vec::new() })
    }

    /// Reads the body, as fast as it comes or with pauses: so many bytes, and then so long a pause.
    pub(super) fn read_body(
        &mut self,
        client: &mut TcpStream,
        pace: Option<(usize, Duration)>,
    ) -> Option<()> {
        if self.header("expect").is_some_and(|what| what.starts_with("100")) {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let length = self.header("content-length").and_then(|length| length.parse().ok());
        self.body = vec![0; length.unwrap_or(0)];
        let (bytes, pause) = pace.unwrap_or((usize::MAX, Duration::ZERO));
        for piece in self.body.chunks_mut(bytes) {
            client.read_exact(piece).ok()?;
            std::thread::sleep(pause);
        }
        Some(())
    }

    /// Sends it on, and reads what comes back.
    pub(super) fn sent_to(&self, mut server: TcpStream) -> Option<Answer> {
        // The answer then ends with its connection.
        let closing = self.head.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
        server.write_all(closing.as_bytes()).ok()?;
        server.write_all(&self.body).ok()?;
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).ok()?;
        Some(Answer { bytes })
    }

    /// The method and the target, such as `GET` and `/bucket/key?x-id=GetObject`.
    pub fn line(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n").filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    /// All of it as a text.
    pub fn text(&self) -> String {
        format!("{}{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    /// Where its body begins.
    pub fn body_at(&self) -> usize {
        let end = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        end.map_or(self.bytes.len(), |at| at + 4)
    }

    /// Its body as a text.
    pub fn body(&self) -> String {
        String::from_utf8_lossy(&self.bytes[self.body_at()..]).into_owned()
    }
}
