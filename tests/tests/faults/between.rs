//! What stands between one run of the program and the services: a proxy for each of the stand-in's
//! two, and one for a queue. They write down what is asked, or let one request fail.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use loader_tests::proxy::{Exchange, Proxy};
use loader_tests::world;

use crate::asked::{Statements, of_s3};
use crate::fault::Fault;

/// One request of a run: how many of its name came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) nth: usize,
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.nth {
            0 => write!(f, "{}", self.name),
            nth => write!(f, "{} ({})", self.name, nth + 1),
        }
    }
}

/// Says of a request how it fails, if it does. It is asked before the service gets the request.
type Plan = dyn Fn(&Asked) -> Option<Fault> + Send + Sync;

/// The proxies of a run.
pub(crate) struct Between {
    s3: Proxy,
    data_api: Proxy,
    /// With the URL that the queue has through it.
    queue: Option<(Proxy, String)>,
    seen: Arc<Seen>,
}

struct Seen {
    plan: Box<Plan>,
    statements: Statements,
    requests: Mutex<Requests>,
}

#[derive(Default)]
struct Requests {
    in_order: Vec<Asked>,
    of_name: HashMap<String, usize>,
    failed: usize,
}

impl Between {
    /// Lets requests fail as the plan says.
    pub(crate) fn failing(
        plan: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static,
    ) -> Between {
        let seen = Arc::new(Seen {
            plan: Box::new(plan),
            statements: Statements::default(),
            requests: Mutex::default(),
        });
        let endpoints = world().endpoints();
        let (s3, data_api) = (seen.proxy(&endpoints.s3), seen.proxy(&endpoints.redshift_data));
        Between { s3, data_api, queue: None, seen }
    }

    /// The same with a proxy of the queue that has this URL.
    pub(crate) fn and_queue(self, url: Option<&str>) -> Between {
        let queue = url.map(|url| {
            let path = url.splitn(4, '/').nth(3).expect("a URL with a path");
            let proxy =
                self.seen.proxy(url.strip_suffix(path).unwrap_or(url).trim_end_matches('/'));
            let through = format!("{}/{path}", proxy.url);
            (proxy, through)
        });
        Between { queue, ..self }
    }

    /// Sends a command's requests through here.
    pub(crate) fn lead(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL_S3", &self.s3.url);
        command.env("AWS_ENDPOINT_URL_REDSHIFT_DATA", &self.data_api.url);
        if let Some((_, url)) = &self.queue {
            command.args(["--queue-url", url]);
        }
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.seen.requests().in_order.clone()
    }

    /// How many requests have failed so far.
    pub(crate) fn failed(&self) -> usize {
        self.seen.requests().failed
    }
}

impl Seen {
    fn proxy(self: &Arc<Seen>, to: &str) -> Proxy {
        let seen = self.clone();
        Proxy::start(to, move |exchange| {
            // A client that is gone is no error.
            let _ = seen.treat(exchange);
        })
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Treats a request as is planned. Gives nothing when the client is gone.
    fn treat(&self, mut exchange: Exchange) -> Option<()> {
        let is_s3 = exchange.request.header("x-amz-target").is_none();
        let fault = match is_s3 {
            // What is asked of S3 is known before the content comes.
            true => {
                let fault = self.fault(of_s3(&exchange.request));
                exchange.receive(fault.and_then(Fault::pace))?;
                fault
            }
            false => {
                exchange.receive(None)?;
                self.fault(self.statements.name(&exchange.request))
            }
        };
        let request = exchange.request.clone();
        let answer = match fault {
            Some(fault) => fault.befall(exchange),
            None => {
                let answer = exchange.forward();
                // The id is known before the client can ask for it.
                if let Some(answer) = &answer {
                    self.statements.keep(&request, answer);
                    exchange.send(&answer.bytes);
                }
                answer
            }
        };
        answer.map(|answer| self.statements.keep(&request, &answer))
    }

    /// Counts a request. Gives how it is to fail.
    fn fault(&self, name: String) -> Option<Fault> {
        let asked = {
            let mut requests = self.requests();
            let count = requests.of_name.entry(name.clone()).or_default();
            let asked = Asked { name, nth: *count };
            *count += 1;
            requests.in_order.push(asked.clone());
            asked
        };
        let fault = (self.plan)(&asked);
        self.requests().failed += usize::from(fault.is_some());
        fault
    }
}
