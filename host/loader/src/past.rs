//! Reports of past runs, from the last lines of their logs.
//!
//! In: a run, or a stretch of time. Out: reports. A run's id begins with the time of its start, and
//! so does its number in the audit table; the log's name has that time, too, so a log is found
//! without looking through all.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::utc;
use loader_warehouse::past_runs::{millis_of_number, run_number};
use serde_json::Value;

use crate::backlog::place::Place;
use crate::report::Report;
use crate::report::log::REPORT;

const LOGS: &str = "logs/";
/// The end of a log in which its report is.
const END_BYTES: usize = 1 << 20;
/// Logs that are read at once, and in all.
const AT_ONCE: usize = 16;
const MOST: usize = 5000;

/// A run that has ended.
pub(crate) struct PastReport {
    pub(crate) started_at: Timestamp,
    pub(crate) report: Report,
}

/// The report of a run. `run`: its id or its number. Errors: `Config` for a text that is neither,
/// and for a run that has no log.
pub(crate) async fn of_run(place: &Place, run: &str) -> Result<Report> {
    let number = run_number(run).or_else(|| run.parse().ok().filter(|number| *number > 1 << 40));
    let Some(number) = number else {
        let fact = format!(
            "`{run}` is no run: an id has 32 hexadecimal digits, a number is that of job_sts; `loader \
             history` has both"
        );
        return Err(Error::new(Kind::Config, fact));
    };
    let started_at = Timestamp::from_millisecond(millis_of_number(number));
    let started_at = started_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let (day, second) = (day(started_at), utc(started_at, "_log_%Y%m%d%H%M%S"));
    for key in place.store.list(&place.at(&day)).await? {
        if key.contains(&second)
            && let Some(past) = read(place, &key).await?
            && past.report.run_number == number
        {
            return Ok(past.report);
        }
    }
    let fact = format!(
        "run {run} has no report below {}: it was not of this bucket, or it was killed",
        place.at(day)
    );
    Err(Error::new(Kind::Config, fact))
}

/// The reports of the last days, the latest first, and whether there were more of them.
pub(crate) async fn of_days(place: &Place, days: u32) -> Result<(Vec<Arc<PastReport>>, bool)> {
    Remembered::default().of_days(place, days, MOST).await
}

/// Reports that were read already, by the keys of their logs. A log does not change once its report
/// is in it.
#[derive(Default)]
pub(crate) struct Remembered(BTreeMap<String, Option<Arc<PastReport>>>);

impl Remembered {
    /// The same as [`of_days`]; only logs that are new are read. `most`: how many are kept.
    pub(crate) async fn of_days(
        &mut self,
        place: &Place,
        days: u32,
        most: usize,
    ) -> Result<(Vec<Arc<PastReport>>, bool)> {
        let mut keys = keys_of_days(place, days).await?;
        let has_more = keys.len() > most;
        keys.truncate(most);
        let new: Vec<String> =
            keys.iter().filter(|key| !self.0.contains_key(*key)).cloned().collect();
        let mut known = self.0.clone();
        for some in new.chunks(AT_ONCE) {
            let read = futures::future::join_all(some.iter().map(|key| read(place, key))).await;
            for (key, report) in some.iter().zip(read) {
                known.insert(key.clone(), report?.map(Arc::new));
            }
        }
        self.0 = keys.into_iter().filter_map(|key| known.remove_entry(&key)).collect();
        let mut reports: Vec<Arc<PastReport>> = self.0.values().flatten().cloned().collect();
        reports.sort_by_key(|past| std::cmp::Reverse(past.started_at));
        Ok((reports, has_more))
    }
}

/// The logs of the last days, the latest first.
async fn keys_of_days(place: &Place, days: u32) -> Result<Vec<String>> {
    let now = Timestamp::now();
    let mut keys = Vec::new();
    for back in 0..=i64::from(days) {
        let at = now.checked_sub((24 * back).hours()).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut of_day = place.store.list_objects(&place.at(day(at))).await?;
        of_day.sort_by_key(|object| std::cmp::Reverse(object.last_modified));
        keys.extend(of_day.into_iter().map(|object| object.uri.key));
    }
    Ok(keys)
}

/// The folder of a day's logs.
fn day(at: Timestamp) -> String {
    format!("{LOGS}{}/", utc(at, "%Y/%m/%d"))
}

/// The report in a log. A log of an earlier version has none.
async fn read(place: &Place, key: &str) -> Result<Option<PastReport>> {
    let end = place.store.read_end(&place.at(key), END_BYTES).await?;
    Ok(end.and_then(|end| of_log(&end)))
}

fn of_log(end: &[u8]) -> Option<PastReport> {
    let text = String::from_utf8_lossy(end);
    let line: Value = serde_json::from_str(text.lines().next_back()?).ok()?;
    let report: Report = serde_json::from_value(line.get(REPORT)?.clone()).ok()?;
    let started_at = Timestamp::from_millisecond(millis_of_number(report.run_number)).ok()?;
    Some(PastReport { started_at, report })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_log_is_its_report() {
        let number = run_number("01a2237e020f70a3970ee241c957f315").expect("an id");
        let report = Report { run_number: number, exit_code: 3, ..Report::default() };
        let line = serde_json::json!({"msg": REPORT, REPORT: report});
        let log = format!("{{\"msg\":\"run ended\"}}\n{line}\n");
        let past = of_log(log.as_bytes()).expect("a report");
        assert_eq!((past.report.run_number, past.report.exit_code), (number, 3));
        assert_eq!(past.started_at.to_string(), "2026-11-28T18:49:50.351Z");
        assert!(of_log(b"{\"msg\":\"run ended\"}\n").is_none());
    }
}
