//! The Lambda function: what an invocation brings is loaded before its time is up.
//!
//! Files that are too large for its time and disk go to others. What it does not get done comes again,
//! as does everything when it is killed.

use std::cell::RefCell;
use std::time::{Duration, Instant};

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
use crate::service::desk::{Again, Desk, Settled};
use crate::service::grounds::Grounds;
use crate::service::invocation::{self, Invocation};
use crate::service::rounds::Course;
use crate::service::turn::{Bounds, Giver, SIGTERM};

/// A larger file is handed over. Four tables have their files on the disk at once, of which a function
/// has half a gigabyte unless it is given more; and it has a quarter of an hour.
const LARGEST_FILE: u64 = 100 << 20;
/// What is kept of the time for the answer.
const FOR_THE_ANSWER: Duration = Duration::from_secs(2);

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
        let aws = &grounds.place.aws;
        let queue = match &settings.queue_url {
            Some(url) => Some(Queue::connect(aws, url).await?),
            None => None,
        };
        let of_too_large = settings.lambda_too_large_queue_url.as_deref();
        let of_too_large = of_too_large.map(|url| Queue::to_send_to(aws, url)).transpose()?;
        let largest_file = settings.lambda_largest_file.unwrap_or(LARGEST_FILE);
        Ok(Function {
            board: Board::new(),
            bounds: Bounds {
                bytes: largest_file,
                largest_file,
                hands_over: of_too_large.is_some(),
                ..Bounds::default()
            },
            desk: Desk { queue, of_too_large },
            parallel: settings.parallel.unwrap_or(PARALLEL).max(1),
            grounds,
        })
    }

    /// Loads what an event brings, and gives the answer for Lambda. `ends_at`: when the time of the
    /// invocation is up.
    ///
    /// Errors: what is wrong with an event; and for one that is no batch of messages, whatever kept
    /// it from being done, so that Lambda invokes the function again.
    pub async fn handle(&self, event: &Value, ends_at: Instant) -> Result<Value> {
        let handled = match invocation::read(event)? {
            Invocation::Messages(messages) => {
                let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
                let settled = self.load(&self.desk, messages, false, ends_at).await;
                // What is not known to be done comes again.
                let again = ids.iter().filter(|id| !settled.done.contains(id));
                Ok(invocation::answer(again))
            }
            Invocation::Notification(message) => {
                // It is of no queue, so there is none to give it back to.
                let desk = Desk { queue: None, ..self.desk.clone() };
                let settled = self.load(&desk, vec![message], false, ends_at).await;
                match settled.again.into_iter().next() {
                    Some(Again { why, needs_people, .. }) => {
                        let kind = if needs_people { Kind::Data } else { Kind::Transient };
                        Err(Error::new(kind, why))
                    }
                    None => Ok(Value::Null),
                }
            }
            Invocation::Round => {
                self.load(&self.desk, Vec::new(), true, ends_at).await;
                match self.board.could_look() {
                    Err(why) => Err(Error::new(Kind::Transient, why)),
                    Ok(()) => Ok(Value::Null),
                }
            }
        };
        // Nothing runs any more once the answer is given.
        hooks::finish(time_until(ends_at).saturating_sub(FOR_THE_ANSWER)).await;
        handled
    }

    /// Loads what messages tell of, and what lies there of all tables, where that is asked for.
    async fn load(
        &self,
        desk: &Desk,
        messages: Vec<Message>,
        all: bool,
        ends_at: Instant,
    ) -> Settled {
        let (before_next, at_once) = (stop::channel(), stop::channel());
        let stops = Stops { before_next: before_next.1, at_once: at_once.1 };
        let Function { grounds, board, bounds, parallel, .. } = self;
        let settled = RefCell::new(Settled::default());
        let service = Service {
            giver: Giver { grounds, board, bounds: *bounds, stops },
            parallel: *parallel,
            course: Course::Once { all },
            desk,
            settled: &|more| {
                let mut settled = settled.borrow_mut();
                settled.done.extend(more.done);
                settled.again.extend(more.again);
            },
        };
        let (sender, mail) = mpsc::unbounded_channel();
        for message in messages {
            // The other end is there.
            let _ = sender.send(message);
        }
        drop(sender);
        tokio::select! {
            () = service.run(mail) => {}
            // What goes on still is given up as by a kill: what is not settled comes again.
            () = time_passes(time_until(ends_at), &before_next.0, &at_once.0) => {}
        }
        settled.into_inner()
    }
}

fn time_until(at: Instant) -> Duration {
    at.saturating_duration_since(Instant::now())
}

/// Stops loads in order before the time is up: in its last quarter none is begun, and a tenth before
/// its end, or half a minute, those that go on are broken off. Returns when there is only time left
/// for the answer.
async fn time_passes(time: Duration, before_next: &Stopper, at_once: &Stopper) {
    let for_the_end = (time / 10).min(Duration::from_secs(30));
    tokio::time::sleep(time * 3 / 4).await;
    before_next.stop(SIGTERM);
    tokio::time::sleep((time / 4).saturating_sub(for_the_end)).await;
    tracing::warn!("the time of the invocation is up, loads are broken off");
    at_once.stop(SIGTERM);
    tokio::time::sleep(for_the_end.saturating_sub(FOR_THE_ANSWER * 2)).await;
}
