//! A proxy that changes answers on their way: how a service looks that does not do what the loader
//! relies on. Requests are signed, so they pass as they are.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Changes an answer. In: the request and the whole answer, as texts.
type Change = dyn Fn(&str, String) -> String + Send + Sync;

/// A proxy of one service. It ends with the test's process.
pub(crate) struct Proxy {
    pub(crate) url: String,
}

impl Proxy {
    /// `to`: the service's URL.
    pub(crate) fn start(
        to: &str,
        change: impl Fn(&str, String) -> String + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let to = to.trim_start_matches("http://").to_owned();
        let change: Arc<Change> = Arc::new(change);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (to, change) = (to.clone(), change.clone());
                std::thread::spawn(move || pass(client, &to, &*change));
            }
        });
        Proxy { url }
    }

    /// A proxy that replaces a text in every answer.
    pub(crate) fn replacing(to: &str, from: &'static str, by: &'static str) -> Proxy {
        Proxy::start(to, move |_, answer| with_length(&answer.replace(from, by)))
    }
}

/// The Data API with another result for some statements: each whose SQL has `sql` in it, but for the
/// first ones, of which it leaves `passed` as they are.
pub(crate) fn answering(
    to: &str,
    sql: &'static str,
    passed: usize,
    [from, by]: [&'static str; 2],
) -> Proxy {
    // The ids of the statements, in their order.
    let asked = Mutex::new(Vec::new());
    Proxy::start(to, move |request, answer| {
        let mut asked = asked.lock().expect("no test panicked here");
        if request.contains(sql) {
            asked.extend(value_of("Id", &answer));
        }
        let is_result = request.contains("RedshiftData.GetStatementResult");
        let place = value_of("Id", request).and_then(|id| asked.iter().position(|of| *of == id));
        match place.is_some_and(|place| is_result && place >= passed) {
            true => with_length(&answer.replace(from, by)),
            false => answer,
        }
    })
}

/// The text of a member of a JSON object.
fn value_of(name: &str, json: &str) -> Option<String> {
    let (_, behind) = json.split_once(&format!("\"{name}\":\""))?;
    behind.split_once('"').map(|(value, _)| value.to_owned())
}

/// One request for each connection. A client that is gone is not an error.
fn pass(mut client: TcpStream, to: &str, change: &Change) -> Option<()> {
    let (head, body) = request(&mut client)?;
    let mut server = TcpStream::connect(to).ok()?;
    // The answer then ends with its connection.
    let closing = head.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
    server.write_all(closing.as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let asked = format!("{head}{}", String::from_utf8_lossy(&body));
    let changed = match String::from_utf8(answer) {
        Ok(text) => change(&asked, text).into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    };
    client.write_all(&changed).ok()
}

fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).ok()?;
    if head.to_ascii_lowercase().contains("expect: 100-continue") {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = vec![0; length(&head)];
    client.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn length(head: &str) -> usize {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    line.and_then(|line| line.split(':').nth(1)?.trim().parse().ok()).unwrap_or(0)
}

/// The answer with the length that its body has.
pub(crate) fn with_length(answer: &str) -> String {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return answer.to_owned() };
    let line = |line: &str| match line.to_ascii_lowercase().starts_with("content-length:") {
        true => format!("content-length: {}", body.len()),
        false => line.to_owned(),
    };
    let head: Vec<String> = head.split("\r\n").map(line).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}
