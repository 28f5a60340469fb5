//! What the load of one file would do, for `--dry-run`.

use tracing::Instrument;

use crate::backlog::work::Work;
use crate::job::Job;
use crate::preview::{self, Preview};

/// The preview, over the connection that all have.
pub(super) async fn of(work: &Work<'_>, job: Job) -> Preview {
    let log = work.logs.of_run(&job.run.text);
    let preview = preview::preview_on(&work.place.aws, job, work.stop.clone());
    Box::pin(preview).instrument(log.span()).await
}
