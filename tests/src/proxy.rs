//! A proxy between the program and one service of the stand-in: it sees each request and what is
//! answered, and does with both what a test wants. Requests are signed, so they pass as they are.
//!
//! Real sockets and real bytes: a connection that is closed here is closed for the program.

mod message;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

pub use message::{Answer, Request};

/// A proxy of one service. It ends with the test's process.
pub struct Proxy {
    pub url: String,
}

impl Proxy {
    /// A proxy that leaves each request to `treat`, which gets it without its body. `to`: the
    /// service's URL.
    pub fn start(to: &str, treat: impl Fn(Exchange) + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let to: Arc<str> = to.trim_start_matches("http://").into();
        let treat = Arc::new(treat);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (to, treat) = (to.clone(), treat.clone());
                std::thread::spawn(move || {
                    Exchange::of(client, to).map(|exchange| treat(exchange))
                });
            }
        });
        Proxy { url }
    }

    /// A proxy that changes answers. In: the request and the whole answer, as texts. An answer that
    /// is no text passes as it is.
    pub fn changing(
        to: &str,
        change: impl Fn(&str, String) -> String + Send + Sync + 'static,
    ) -> Proxy {
        Proxy::start(to, move |mut exchange| {
            let Some(answer) = exchange.receive(None).and_then(|()| exchange.forward()) else {
                return;
            };
            let changed = match String::from_utf8(answer.bytes) {
                Ok(text) => change(&exchange.request.text(), text).into_bytes(),
                Err(bytes) => bytes.into_bytes(),
            };
            exchange.send(&changed);
        })
    }

    /// A proxy that replaces a text in every answer.
    pub fn replacing(to: &str, from: &'static str, by: &'static str) -> Proxy {
        Proxy::changing(to, move |_, answer| with_length(&answer.replace(from, by)))
    }
}

/// A request on its way. The client waits on the connection, which closes with this value.
pub struct Exchange {
    pub request: Request,
    client: TcpStream,
    to: Arc<str>,
}

impl Exchange {
    /// Takes the one request of a connection. A client that is gone is no error.
    fn of(mut client: TcpStream, to: Arc<str>) -> Option<Exchange> {
        let request = Request::read_head(&mut client)?;
        Some(Exchange { request, client, to })
    }

    /// Takes the request's body, as fast as it comes or with pauses: so many bytes, and then so
    /// long a pause. `None`: the client is gone.
    pub fn receive(&mut self, pace: Option<(usize, Duration)>) -> Option<()> {
        self.request.read_body(&mut self.client, pace)
    }

    /// Has the service do it, and takes its answer.
    pub fn forward(&self) -> Option<Answer> {
        self.request.sent_to(TcpStream::connect(&*self.to).ok()?)
    }

    /// Sends bytes of an answer.
    pub fn send(&mut self, bytes: &[u8]) {
        use std::io::Write;
        // A client that does not wait any more is no error.
        let _ = self.client.write_all(bytes);
    }

    /// Says nothing until the client hangs up.
    pub fn keep_silent(&mut self) {
        use std::io::Read;
        let _ = self.client.read(&mut [0]);
    }

    /// Ends the connection without another word.
    pub fn hang_up(self) {
        let _ = self.client.shutdown(Shutdown::Both);
    }
}

/// The text of a member of a JSON object.
pub fn value_of(name: &str, json: &str) -> Option<String> {
    let (_, behind) = json.split_once(&format!("\"{name}\":\""))?;
    behind.split_once('"').map(|(value, _)| value.to_owned())
}

/// The answer with the length that its body has.
pub fn with_length(answer: &str) -> String {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return answer.to_owned() };
    let line = |line: &str| match line.to_ascii_lowercase().starts_with("content-length:") {
        true => format!("content-length: {}", body.len()),
        false => line.to_owned(),
    };
    let head: Vec<String> = head.split("\r\n").map(line).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}
