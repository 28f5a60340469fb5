//! The Lambda function: what an invocation brings is loaded before its time is up.
//!
//! Files that are too large for its time and disk go to others. What it does not get done comes again,
//! as does everything when it is killed.

use std::cell::RefCell;
use std::time::Duration;

use loader_aws::sqs::{Message, Queue};
use loader_aws::stop::{self, Stop, Stopper};
use loader_model::error::{Error, Kind, Result};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::backlog::PARALLEL;
use crate::backlog::doing::Stops;
use crate::cli::RunArgs;
use crate::hooks;
use crate::job::Project;
use crate::report::log::Logs;
use crate::service::Service;
use crate::service::board::Board;
use crate::service::desk::{Again, Desk};
use crate::service::grounds::Grounds;
use crate::service::invocation::{self, Invocation};
use crate::service::rounds::Course;
use crate::service::turn::{Bounds, Giver};

/// A larger file is handed over: a function has half a gigabyte of disk, unless it is given more, and
/// a quarter of an hour.
const LARGEST_FILE: u64 = 256 << 20;
/// The signal that a load is told of when the time is up.
const SIGTERM: i32 = 15;

/// The function, made ready once for many invocations.
pub struct Function {
    grounds: Grounds,
    board: Board,
    desk: Desk,
    bounds: Bounds,
    parallel: usize,
}

impl Function {
    /// Reads the settings, and connects. Errors: `Config`, `Transient`.
    pub async fn prepare(mut args: RunArgs, logs: &Logs) -> Result<Function> {
        // Nothing but the folder for temporary files can be written to there.
        if Project::read(args.clone())?.settings()?.plugin_cache.is_none() {
            let cache = std::env::temp_dir().join("loader-plugins");
            args.settings.plugin_cache = Some(cache.to_string_lossy().into_owned());
        }
        let grounds = Grounds::prepare(args, &Stop::never(), logs).await?;
        let settings = grounds.project.settings()?;
        let queue = async |url: &Option<String>| match url {
            Some(url) => Queue::connect(&grounds.place.aws, url).await.map(Some),
            None => Ok(None),
        };
        let desk = Desk {
            queue: queue(&settings.queue_url).await?,
            of_too_large: queue(&settings.lambda_too_large_queue_url).await?,
        };
        let largest_file = settings.lambda_largest_file.unwrap_or(LARGEST_FILE);
        Ok(Function {
            board: Board::new(),
            desk,
            bounds: Bounds { bytes: largest_file, largest_file, ..Bounds::default() },
            parallel: settings.parallel.unwrap_or(PARALLEL).max(1),
            grounds,
        })
    }

    /// Loads what an event brings, and gives the answer for Lambda. `time`: what is left of the
    /// invocation's.
    ///
    /// Errors: what is wrong with an event; and for one that is no batch of messages, whatever kept
    /// it from being done, so that Lambda invokes the function again.
    pub async fn handle(&self, event: &Value, time: Duration) -> Result<Value> {
        let handled = match invocation::read(event)? {
            Invocation::Messages(messages) => {
                let again = self.load(messages, false, time).await;
                Ok(invocation::answer(&again))
            }
            Invocation::Notification(message) => {
                let again = self.load(vec![message], false, time).await;
                match again.into_iter().next() {
                    Some(Again { why, needs_people, .. }) => {
                        let kind = if needs_people { Kind::Data } else { Kind::Transient };
                        Err(Error::new(kind, why))
                    }
                    None => Ok(Value::Null),
                }
            }
            Invocation::Round => {
                self.load(Vec::new(), true, time).await;
                match self.board.could_look() {
                    Err(why) => Err(Error::new(Kind::Transient, why)),
                    Ok(()) => Ok(Value::Null),
                }
            }
        };
        // Nothing runs any more once the answer is given.
        hooks::finish().await;
        handled
    }

    /// Loads what messages tell of. Returns those that come again.
    async fn load(&self, messages: Vec<Message>, all: bool, time: Duration) -> Vec<Again> {
        let (before_next, at_once) = (stop::channel(), stop::channel());
        let stops = Stops { before_next: before_next.1, at_once: at_once.1 };
        let Function { grounds, board, desk, bounds, parallel } = self;
        let again = RefCell::new(Vec::new());
        let service = Service {
            giver: Giver { grounds, board, bounds: *bounds, stops },
            parallel: *parallel,
            course: Course::Once { all },
            desk,
            settled: &|settled| again.borrow_mut().extend(settled.again),
        };
        let (sender, mail) = mpsc::unbounded_channel();
        for message in messages {
            // The other end is there.
            let _ = sender.send(message);
        }
        drop(sender);
        tokio::select! {
            () = service.run(mail) => {}
            never = time_passes(time, &before_next.0, &at_once.0) => match never {},
        }
        again.into_inner()
    }
}

/// Stops loads in order before the time is up: in its last quarter none is begun, and shortly before
/// its end those that go on are broken off.
async fn time_passes(
    time: Duration,
    before_next: &Stopper,
    at_once: &Stopper,
) -> std::convert::Infallible {
    let for_the_end = (time / 10).min(Duration::from_secs(10));
    tokio::time::sleep(time * 3 / 4).await;
    before_next.stop(SIGTERM);
    tokio::time::sleep((time / 4).saturating_sub(for_the_end)).await;
    tracing::warn!("the time of the invocation is up, loads are broken off");
    at_once.stop(SIGTERM);
    std::future::pending().await
}
