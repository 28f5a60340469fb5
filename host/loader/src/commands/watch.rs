//! `loader watch`: decides what is watched, and starts what a service has: its queue, its page, its
//! loads.

use std::sync::Arc;
use std::time::Duration;

use loader_aws::sqs::Queue;
use loader_aws::stop::Stop;
use loader_model::error::{Error, Kind, Result};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::backlog::PARALLEL;
use crate::backlog::place::Place;
use crate::cli::RunArgs;
use crate::commands::conclude;
use crate::feeds::Feeds;
use crate::job::Project;
use crate::report::log::Logs;
use crate::service::Service;
use crate::service::board::Board;
use crate::service::figures::Figures;
use crate::service::http::{self, LivePage, Shown};
use crate::service::post::Post;
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
    let project = Arc::new(Project::read(args)?);
    let settings = project.settings()?;
    let feeds = Feeds::of(&project)?;
    if feeds.are_none() {
        let fact = "no table of the settings file has `files`, so there is nothing to watch for; \
                    `loader init` makes a settings file";
        return Err(Error::new(Kind::Config, fact));
    }
    let place = Place::connect(&project, &stop).await?;
    let post = match &settings.queue_url {
        Some(url) => Some(Post::new(Queue::connect(&place.aws, url).await?)),
        None => None,
    };
    let every = look_every(&settings);
    let board = Arc::new(Board::new(Figures::new()?));
    if let Some(address) = settings.http {
        let listener = http::listen(address).await?;
        let page = LivePage::new(Arc::clone(&project), place.clone());
        let shown = Shown { board: Arc::clone(&board), post: post.clone(), page, every };
        tracing::info!(address = %http::address(&listener), "the page is shown");
        tokio::task::spawn_local(http::serve(listener, Arc::new(shown)));
    }
    let (sender, mail) = mpsc::unbounded_channel();
    if let Some(post) = &post {
        tokio::spawn(post.clone().receive(sender, stop.clone()));
        tokio::spawn(post.clone().keep());
    }
    let parallel = settings.parallel.unwrap_or(PARALLEL).max(1);
    let queue = settings.queue_url.as_deref().unwrap_or("none");
    tracing::info!(bucket = %place.bucket, queue, every_s = every.as_secs(), "watching");
    let service = Service { project, place, feeds, logs, parallel, every, post, board, stop };
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
