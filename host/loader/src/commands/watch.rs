//! `loader watch`: decides what is watched, and starts what a service has: its queue, its page, its
//! loads.

use std::sync::Arc;
use std::time::Duration;

use loader_aws::sqs::Queue;
use loader_aws::stop::Stop;
use loader_model::error::Result;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::backlog::PARALLEL;
use crate::backlog::doing::Stops;
use crate::cli::RunArgs;
use crate::commands::conclude;
use crate::report::log::Logs;
use crate::retention::Forgetting;
use crate::service::Service;
use crate::service::board::Board;
use crate::service::desk::Desk;
use crate::service::gauges;
use crate::service::grounds::Grounds;
use crate::service::http::{self, LivePage, Shown};
use crate::service::post::Post;
use crate::service::rounds::Course;
use crate::service::turn::{Bounds, Giver};
use crate::settings::Settings;

/// How often all tables are looked at: where nothing else says that a file has come, and where a
/// queue does.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const LOOK_EVERY_WITH_QUEUE: Duration = Duration::from_secs(300);

/// Loads what comes, until it is told to stop. Ends with 0 then: nothing is left half done.
pub async fn run(args: RunArgs, stop: Stop, logs: &Logs) -> u8 {
    let tasks = LocalSet::new();
    conclude(tasks.run_until(Box::pin(watch(args, stop, logs))).await)
}

async fn watch(args: RunArgs, stop: Stop, logs: &Logs) -> Result<()> {
    let grounds = Grounds::prepare(args, &stop, logs).await?;
    let settings = grounds.project.settings()?;
    // What is wrong with it is said now, and not once a day.
    Forgetting::of(&grounds.project, grounds.project.tables(), None)?;
    let queue = match &settings.queue_url {
        Some(url) => Some(Queue::connect(&grounds.place.aws, url).await?),
        None => None,
    };
    let post = queue.clone().map(Post::new);
    let every = look_every(&settings);
    let board = Arc::new(Board::new());
    gauges::show(&board, post.as_ref());
    if let Some(address) = settings.http {
        let listener = http::listen(address).await?;
        let page = LivePage::new(Arc::clone(&grounds.project), grounds.place.clone());
        let shown = Shown { board: Arc::clone(&board), post: post.clone(), page, every };
        tracing::info!(address = %http::address(&listener), "the page is shown");
        tokio::task::spawn_local(http::serve(listener, Arc::new(shown)));
    }
    let (sender, mail) = mpsc::unbounded_channel();
    if let Some(post) = &post {
        tokio::spawn(post.clone().receive(sender, stop.clone()));
        tokio::spawn(post.clone().keep());
    }
    let queue_url = settings.queue_url.as_deref().unwrap_or("none");
    let bucket = &grounds.place.bucket;
    tracing::info!(%bucket, queue = queue_url, every_s = every.as_secs(), "watching");
    let stops = Stops { before_next: stop, at_once: Stop::never() };
    let service = Service {
        giver: Giver { grounds: &grounds, board: &board, bounds: Bounds::default(), stops },
        parallel: settings.parallel.unwrap_or(PARALLEL).max(1),
        course: Course::ForEver { every },
        desk: &Desk { queue, of_too_large: None },
        settled: &|settled| {
            if let Some(post) = &post {
                let again = settled.again.iter().map(|message| &message.id);
                post.forget(settled.done.iter().chain(again));
            }
        },
    };
    service.run(mail).await;
    tracing::info!("stopped in order");
    Ok(())
}

fn look_every(settings: &Settings) -> Duration {
    let usual = match settings.queue_url {
        Some(_) => LOOK_EVERY_WITH_QUEUE,
        None => LOOK_EVERY,
    };
    settings.look_every.map_or(usual, |seconds| Duration::from_secs(seconds.max(1)))
}
