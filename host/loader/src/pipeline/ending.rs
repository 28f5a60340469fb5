//! The end of a run: what became of the rows, one cleanup whatever happened, the report.

use crate::crash;
use crate::error::{Error, Kind, Result};
use crate::log::Kept;
use crate::pipeline::{Extent, Run};
use crate::plugins;
use crate::report::{Report, Status};
use crate::steps::transform::Totals;
use crate::steps::{cleanup, load};

impl Run {
    pub(super) fn account(&mut self, totals: &Totals) {
        plugins::log_counted(&totals.plugins);
        plugins::count(&mut self.report.plugins, &totals.plugins);
        let report = &mut self.report;
        (report.rows.staged, report.rows.rejected) = (totals.rows_staged, totals.rows_rejected);
        report.values_rounded = totals.rounded;
        if totals.rounded > 0 {
            tracing::info!(
                values = totals.rounded,
                "decimals were rounded to the scale of their columns"
            );
        }
    }

    /// The same on success and on failure; only the file's way differs.
    pub(super) async fn clean_up(&mut self, outcome: Result<Status, &Error>, extent: Extent) {
        if let Err(error) = outcome {
            tracing::error!(%error, "run failed");
            if error.kind() == Kind::OutcomeUnknown {
                // The statement may still be running, and reading what was staged.
                tracing::warn!(
                    prefix = %self.job.layout.staging_prefix(), "the staged parts and the source were left"
                );
                return;
            }
            if extent == Extent::Load {
                load::audit_failure(&self.api, &self.job, self.report.rows.read, error).await;
            }
        }
        if extent == Extent::Load || outcome.is_err() {
            cleanup::staging(&self.store, &self.job).await;
            crash::point("staging-deleted");
        }
        let Some(source) = self.source.clone().filter(|_| extent == Extent::Load) else { return };
        let moved = match outcome {
            Ok(_) => cleanup::archive(&self.store, &self.job, &source).await,
            Err(error) if error.kind().is_the_files_fault() => {
                cleanup::put_aside(&self.store, &self.job, &source).await
            }
            Err(_) => None,
        };
        crash::point("archived");
        self.report.archived_to = moved.map(|uri| uri.to_string());
    }

    pub(super) async fn conclude(
        mut self,
        outcome: Result<Status>,
        log: &Kept,
        extent: Extent,
    ) -> Report {
        self.report.conclude(outcome.as_ref().copied());
        let (status, exit_code) = (self.report.status.word(), self.report.exit_code);
        tracing::info!(status, exit_code, peak_bytes = crate::memory::peak_bytes(), "run ended");
        if extent == Extent::Load {
            cleanup::export_log(&self.store, &self.job, log).await;
        }
        self.report.calls.s3 = self.store.calls().tally();
        self.report.calls.redshift_data = self.api.calls().tally();
        self.report
    }
}
