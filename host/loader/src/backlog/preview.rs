//! What the load of one file would do, for `--dry-run`.

use loader_aws::connect::Aws;
use loader_aws::stop::Stop;
use tracing::Instrument;

use crate::job::Job;
use crate::preview::{self, Preview};
use crate::report::log::Logs;
use crate::values::Goal;

/// The preview, over the connection that all have.
pub(super) async fn of(aws: &Aws, job: Job, stop: Stop, logs: &Logs) -> Preview {
    let log = logs.of_run(&job.run.text);
    let span = log.span(Goal::Preview.word(), &job);
    let preview = preview::preview_on(aws, job, stop);
    Box::pin(preview).instrument(span).await
}
