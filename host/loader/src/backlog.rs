//! What lies in `data/in/` and is to be loaded: found, put into the order of each table, loaded,
//! and summed up.
//!
//! In the order of the work: `chosen` is what a command line asks for, `bring_in` brings files of
//! elsewhere to `data/in/`, `pending` lists what lies there, `held` keeps files from being tried
//! again and again, `aside` knows those that were refused, `work` loads, `together` loads small
//! files as one, `outcome` and `summary` say what became of each file.

pub(crate) mod aside;
pub(crate) mod bring_in;
pub(crate) mod chosen;
pub(crate) mod doing;
pub(crate) mod held;
pub(crate) mod outcome;
pub(crate) mod pending;
pub(crate) mod place;
mod preview;
pub(crate) mod status;
pub(crate) mod summary;
mod together;
mod work;

pub(crate) use work::PARALLEL;

use loader_aws::stop::Stop;
use loader_model::error::Result;

use crate::backlog::bring_in::Named;
use crate::backlog::chosen::Chosen;
use crate::backlog::doing::{Doing, Stops};
use crate::backlog::outcome::Outcomes;
use crate::backlog::pending::Backlog;
use crate::backlog::place::Place;
use crate::feeds::Feeds;
use crate::figures;
use crate::job::Project;
use crate::progress::Overall;
use crate::report::log::Logs;

/// Loads what was chosen, or says what that would do. Errors: `Config` for settings and names that
/// are wrong before any file is touched, `Transient`. What happens to single files is in the
/// outcomes.
pub(crate) async fn run(
    project: &Project,
    chosen: Chosen,
    doing: Doing,
    stop: Stop,
    logs: &Logs,
) -> Result<Outcomes> {
    let feeds = Feeds::of(project)?;
    let place = Place::connect(project, &stop).await?;
    let backlog = match chosen {
        Chosen::Pending { table } => {
            let all = pending::list(&place, &feeds).await?;
            all.of_table(table.as_deref())
        }
        Chosen::Files { table, files } => {
            let (table, tables) = (table.as_deref(), project.tables().collect());
            let named = Named { files: &files, table, feeds: &feeds, tables };
            let files = bring_in::bring_in(&place, &named, doing, &stop).await?;
            Backlog::of_files(files, table, &feeds)
        }
    };
    let stops = Stops { before_next: stop.clone(), at_once: stop };
    load(project, &place, backlog, doing, stops, logs).await
}

/// Loads what was found. Errors: of S3.
pub(crate) async fn load(
    project: &Project,
    place: &Place,
    backlog: Backlog,
    doing: Doing,
    stops: Stops,
    logs: &Logs,
) -> Result<Outcomes> {
    let held = held::read_all(place, &backlog).await?;
    let files = backlog.queues.iter().map(|queue| queue.files.len()).sum();
    let overall = Overall::of(files, project.settings()?.progress.unwrap_or_default());
    let work = work::Work { project, place, held: &held, doing, stops, logs, overall };
    let outcomes = work.all(backlog).await;
    if doing != Doing::Preview {
        figures::of_process().ended(&outcomes.files);
    }
    Ok(outcomes)
}
