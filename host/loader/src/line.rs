//! The line from a file to its table: which step follows which, and which values each step hands
//! the next.
//!
//! `load` is the whole line. `loader stage` and `loader plan` share its middle, [`plan`], and end
//! in their own way.

use std::future::ready;
use std::pin::pin;

use futures::FutureExt;
use futures::future::{self, Either};
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::catalog::Catalog;
use tokio::sync::oneshot;

use crate::data_path::chain::Chain;
use crate::report::Status;
use crate::steps::{
    catalog, check_evolution, evolve, infer, load, plan, plugins, recover, source, stage,
};
use crate::tools::Tools;
use crate::values::{Altered, Loaded, Planned, ReadFile, ReadFiles, SourceObject, Work};

/// How often a load is planned because others change its target meanwhile.
const MAX_PLANS: u32 = 4;

/// `loader run`: from the object in S3 to its rows in the table.
// Others may make or alter the target between the plan and the load. The load sees that in its
// transaction, which does nothing then, and is planned anew for the table as it is. (For example,
// two first files of one table at once: one makes the table, the other finds it.)
pub(crate) async fn load(tools: &Tools) -> Result<Status> {
    to_the_table(tools, plan(tools).await?).await
}

/// The same for several files that were read already, as one load. Where single files are in its
/// way, the trail has their places.
pub(crate) async fn load_together(tools: &Tools, files: ReadFiles) -> Result<Status> {
    let sources: Vec<SourceObject> = files.all().map(|file| file.source.clone()).collect();
    tools.progress.stands_for(tools.job.layout.source_name(), sources.len());
    source::of_group(tools, &sources).await?;
    let plugins = plugins::run(tools).await?;
    let catalog = catalog::run(tools, &files.first().source, ready(())).await?;
    recover::run(tools, &catalog, recover::of_earlier_versions(tools).await).await?;
    let known = catalog::known(tools, &sources).await?;
    if !known.is_empty() {
        // Set once: the load ends here.
        let _ = tools.trail.apart.set(known);
        return Err(Error::new(Kind::Data, "some of the files were loaded before"));
    }
    infer::record(tools, &files);
    let planned = planned(tools, plugins, files, catalog).await?;
    match to_the_table(tools, planned).await? {
        // Which of them, the loads of single files find out.
        Status::AlreadyLoaded => {
            Err(Error::new(Kind::Data, "another run has loaded some of the files meanwhile"))
        }
        status => Ok(status),
    }
}

/// The rest of the line, from the plan to the table.
async fn to_the_table(tools: &Tools, mut planned: Planned) -> Result<Status> {
    for plans in 1.. {
        let work = match planned {
            Planned::AlreadyLoaded { .. } => return Ok(Status::AlreadyLoaded),
            Planned::Work(work) => work,
        };
        match load_planned(tools, &work).await? {
            Loaded::Already => {
                if !work.files.are_several() {
                    catalog::ask_who_loaded(tools, &work.files.first().source).await;
                }
                return Ok(Status::AlreadyLoaded);
            }
            Loaded::Rows(_) => return Ok(Status::Success),
            Loaded::TargetChanged(error) if plans == MAX_PLANS => return Err(error),
            Loaded::TargetChanged(_) => {
                tracing::warn!("the table was changed meanwhile, planning anew")
            }
        }
        planned = plan_anew(tools, *work).await?;
    }
    Err(Error::new(Kind::Internal, "the plans of a load never ended"))
}

// The evolution is planned twice. `check_evolution` comes before staging, which takes most of the
// time, so that a table that cannot become what the file needs refuses the file at once. `evolve`
// comes after it, because only then is it known how long the texts are that plugins have computed,
// and so how wide a VARCHAR must be.
async fn load_planned(tools: &Tools, work: &Work) -> Result<Loaded> {
    if let Some(error) = check_evolution::run(tools, work).await? {
        return Ok(Loaded::TargetChanged(error));
    }
    let staged = stage::run(tools, work).await?;
    let evolved = match evolve::run(tools, work, &staged).await? {
        Altered::AsNeeded(evolved) => evolved,
        Altered::Otherwise(error) => return Ok(Loaded::TargetChanged(error)),
    };
    load::run(tools, work, &staged, &evolved).await
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
    // The plugins are made ready while S3 and Redshift answer, since they need neither. A wrong
    // path, pin or config ends the run at once, whatever else is wrong, and before anything is made
    // in the warehouse.
    let (say_ready, are_ready) = oneshot::channel();
    let plugins = async {
        let plugins = plugins::run(tools).await?;
        // The other side has ended only where it has failed.
        let _ = say_ready.send(());
        Ok(plugins)
    };
    let asked = async {
        let (source, beginning) = source::run(tools).await?;
        let catalog = catalog::run(tools, &source, are_ready.map(drop));
        let (catalog, old) =
            future::try_join(catalog, recover::of_earlier_versions(tools).map(Ok)).await?;
        Ok((source, beginning, catalog, old))
    };
    let (plugins, (source, beginning, catalog, old)) = both(plugins, asked).await?;
    // What is planned depends on the views of the target, so those that are missing come back
    // first. Recovering needs the catalog, which has the journal of dropped views.
    recover::run(tools, &catalog, old).await?;
    if let Some(by) = catalog.loaded_by {
        return Ok(Planned::AlreadyLoaded { by });
    }
    let spool = infer::run(tools, &source, beginning).await?;
    let files = ReadFiles::one(ReadFile { source, spool });
    planned(tools, plugins, files, catalog).await
}

/// Does two things side by side. Errors: that of the first, if it has one, which ends the second;
/// else that of the second.
async fn both<A, B>(
    first: impl Future<Output = Result<A>>,
    second: impl Future<Output = Result<B>>,
) -> Result<(A, B)> {
    match future::select(pin!(first), pin!(second)).await {
        Either::Left((first, second)) => Ok((first?, second.await?)),
        Either::Right((second, first)) => Ok((first.await?, second?)),
    }
}

async fn planned(
    tools: &Tools,
    chain: Chain,
    files: ReadFiles,
    catalog: Catalog,
) -> Result<Planned> {
    let plan = plan::run(tools, &chain, files.joined(), &catalog).await?;
    let plugins = chain.identities();
    Ok(Planned::Work(Box::new(Work { files, catalog, plan, chain, plugins })))
}

/// The same file and its spool, planned for the target as it is now.
async fn plan_anew(tools: &Tools, work: Work) -> Result<Planned> {
    let catalog = catalog::run(tools, &work.files.first().source, ready(())).await?;
    if let Some(by) = catalog.loaded_by {
        return Ok(Planned::AlreadyLoaded { by });
    }
    let plan = plan::run(tools, &work.chain, work.files.joined(), &catalog).await?;
    Ok(Planned::Work(Box::new(Work { catalog, plan, ..work })))
}
