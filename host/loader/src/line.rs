//! The line from a file to its table: which step follows which, and which values each step hands
//! the next.
//!
//! `load` is the whole line. `loader stage` and `loader plan` share its middle, [`plan`], and end
//! in their own way.

use loader_model::error::Result;

use crate::report::Status;
use crate::steps::{
    catalog, check_evolution, evolve, infer, load, plan, plugins, recover, source, stage,
};
use crate::tools::Tools;
use crate::values::{Loaded, Planned, Work};

/// `loader run`: from the object in S3 to its rows in the table.
// The evolution is planned twice. `check_evolution` comes before staging, which takes most of the
// time, so that a table that cannot become what the file needs refuses the file at once. `evolve`
// comes after it, because only then is it known how long the texts are that plugins have computed,
// and so how wide a VARCHAR must be.
pub(crate) async fn load(tools: &Tools) -> Result<Status> {
    recover::run(tools).await;
    let work = match plan(tools).await? {
        Planned::AlreadyLoaded { .. } => return Ok(Status::AlreadyLoaded),
        Planned::Work(work) => work,
    };
    check_evolution::run(tools, &work).await?;
    let staged = stage::run(tools, &work).await?;
    let evolved = evolve::run(tools, &work, &staged).await?;
    match load::run(tools, &work, &staged, &evolved).await? {
        Loaded::Already => Ok(Status::AlreadyLoaded),
        Loaded::Rows { .. } => Ok(Status::Success),
    }
}

/// `loader stage`: the data path alone. A file that was loaded before may be staged again.
pub(crate) async fn stage(tools: &Tools) -> Result<Status> {
    if let Planned::Work(work) = plan(tools).await? {
        stage::run(tools, &work).await?;
    }
    Ok(Status::Success)
}

/// The part of the line that every run has: everything that is known before a row is transformed.
pub(crate) async fn plan(tools: &Tools) -> Result<Planned> {
    // Plugins come before the object and the catalog, since they need neither: a wrong path, pin or
    // config ends the run at once.
    let plugins = plugins::run(tools).await?;
    let source = source::run(tools).await?;
    let catalog = catalog::run(tools, &source).await?;
    if let Some(by) = catalog.loaded_by {
        return Ok(Planned::AlreadyLoaded { by });
    }
    let spool = infer::run(tools, &source).await?;
    let plan = plan::run(tools, &plugins, &spool, &catalog).await?;
    Ok(Planned::Work(Work { source, catalog, spool, plan, plugins: plugins.identities() }))
}
