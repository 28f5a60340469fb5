//! The findings so far. Probes are run here: each is timed and shown as it ends, and none begins
//! once the user wants to stop.

use std::time::Instant;

use loader_aws::stop::Stop;
use loader_model::error::Kind;

use super::finding::{Finding, Outcome, Probed, Verdict};
use crate::cli::Part;

/// Takes in what probes find.
pub(super) struct Findings<'a> {
    list: Vec<Finding>,
    only: &'a [Part],
    stop: Stop,
    show: &'a mut dyn FnMut(&Finding),
}

impl<'a> Findings<'a> {
    /// `only`: the parts to examine; empty for all. `show` gets each finding as it comes.
    pub(super) fn new(
        only: &'a [Part],
        stop: Stop,
        show: &'a mut dyn FnMut(&Finding),
    ) -> Findings<'a> {
        Findings { list: Vec::new(), only, stop, show }
    }

    /// Whether a part is to be examined.
    pub(super) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Runs a probe. Returns whether it did not fail.
    pub(super) async fn probe(
        &mut self,
        part: Part,
        name: &str,
        work: impl Future<Output = Probed>,
    ) -> bool {
        if self.stop.check().is_err() {
            return false;
        }
        let started = Instant::now();
        let probed = Box::pin(work).await;
        self.add(part, name, probed, started)
    }

    /// The same for a probe that finds something out. Returns what it found, unless it failed.
    pub(super) async fn find<T>(
        &mut self,
        part: Part,
        name: &str,
        work: impl Future<Output = Result<(T, Verdict), super::finding::Ailment>>,
    ) -> Option<T> {
        if self.stop.check().is_err() {
            return None;
        }
        let started = Instant::now();
        let (found, probed) = match Box::pin(work).await {
            Ok((found, verdict)) => (Some(found), Ok(verdict)),
            Err(ailment) => (None, Err(ailment)),
        };
        self.add(part, name, probed, started);
        found
    }

    /// Runs a probe even when it is time to stop.
    pub(super) async fn probe_to_the_end(
        &mut self,
        part: Part,
        name: &str,
        work: impl Future<Output = Probed>,
    ) {
        let started = Instant::now();
        let probed = Box::pin(work).await;
        self.add(part, name, probed, started);
    }

    /// Notes that a part, or what is left of it, cannot be examined.
    pub(super) fn skip(&mut self, part: Part, what: &str, why: &str) {
        if self.wants(part) && self.stop.check().is_ok() {
            self.add(part, what, Ok(Verdict::skipped(why)), Instant::now());
        }
    }

    // A probe that was stopped has found nothing.
    fn add(&mut self, part: Part, name: &str, probed: Probed, started: Instant) -> bool {
        if let Err(ailment) = &probed
            && matches!(ailment.error.kind(), Kind::Interrupted(_))
        {
            return false;
        }
        let finding = Finding::new(part, name, probed, started.elapsed().as_secs_f64());
        (self.show)(&finding);
        let is_well = finding.outcome != Outcome::Failed;
        self.list.push(finding);
        is_well
    }

    /// All findings, in the order in which they came.
    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }
}
