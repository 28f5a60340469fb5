//! What a service works on: the project, its bucket and warehouse, and the files that tables take.

use std::sync::Arc;

use loader_aws::stop::Stop;
use loader_model::error::{Error, Kind, Result};

use crate::backlog::place::Place;
use crate::cli::RunArgs;
use crate::feeds::Feeds;
use crate::job::Project;
use crate::report::log::Logs;

/// What is loaded, from where and into what.
pub(crate) struct Grounds {
    pub(crate) project: Arc<Project>,
    pub(crate) place: Place,
    pub(crate) feeds: Feeds,
    pub(crate) logs: Logs,
}

impl Grounds {
    /// Reads the settings, and connects. Errors: `Config`, also where no table takes files.
    pub(crate) async fn prepare(args: RunArgs, stop: &Stop, logs: &Logs) -> Result<Grounds> {
        let project = Arc::new(Project::read(args)?);
        let settings = project.settings()?;
        let of_one_load = [
            ("--source-file-name", settings.source_file_name.is_some()),
            ("--force", settings.force == Some(true)),
        ];
        if let Some((flag, _)) = of_one_load.into_iter().find(|(_, is_given)| *is_given) {
            let fact =
                format!("{flag} is for one load, and not for all that come; `loader run` takes it");
            return Err(Error::new(Kind::Config, fact));
        }
        let feeds = Feeds::of(&project)?;
        if feeds.are_none() {
            let fact = "no table of the settings file has `files`, so there is nothing to watch \
                        for; `loader init` makes a settings file";
            return Err(Error::new(Kind::Config, fact));
        }
        let place = Place::connect(&project, stop).await?;
        Ok(Grounds { project, place, feeds, logs: logs.clone() })
    }
}
