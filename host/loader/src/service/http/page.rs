//! The page of a service: that of `loader report` for the last day, and what goes on now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use loader_model::error::Result;
use tokio::sync::Mutex;

use crate::backlog::place::Place;
use crate::backlog::status;
use crate::job::Project;
use crate::page::Page;
use crate::page::live::{AtWork, Live};
use crate::past::Remembered;
use crate::service::board::Board;
use crate::service::post::Post;

/// How long a page is shown before it is made anew, whoever asks.
const FRESH: Duration = Duration::from_secs(10);
/// Days that the page is about, and loads that are on it at most.
const DAYS: u32 = 1;
const LOADS: usize = 500;

/// A page that is made anew when somebody asks.
pub(crate) struct LivePage {
    project: Arc<Project>,
    place: Place,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    past: Remembered,
    last: Option<(Instant, String)>,
}

impl LivePage {
    pub(crate) fn new(project: Arc<Project>, place: Place) -> LivePage {
        LivePage { project, place, made: Mutex::default() }
    }

    /// The page as it is now. One is made at a time.
    pub(super) async fn html(&self, board: &Board, post: Option<&Post>) -> Result<String> {
        let mut made = self.made.lock().await;
        if let Some((at, html)) = &made.last
            && at.elapsed() < FRESH
        {
            return Ok(html.clone());
        }
        let (runs, has_more) = made.past.of_days(&self.place, DAYS, LOADS).await?;
        let not_loaded = status::look(&self.project, &self.place, None).await?.not_loaded();
        let now = board.now();
        let at_work = now.at_work.into_iter().map(|(table, at_work)| AtWork {
            table,
            since: at_work.since,
            files: at_work.files,
            first: at_work.first,
        });
        let live = Live {
            started_at: now.started_at,
            messages: post.map(Post::in_hand),
            trouble: now.trouble,
            at_work: at_work.collect(),
        };
        let page = Page {
            title: format!("s3://{}", self.place.bucket),
            days: DAYS,
            runs: &runs,
            not_loaded: &not_loaded,
            has_more,
            made_at: Timestamp::now(),
            live: Some(&live),
        };
        let html = page.html();
        made.last = Some((Instant::now(), html.clone()));
        Ok(html)
    }
}
