//! Past runs on a page: one HTML file that needs nothing else, on a phone as on a screen, in light
//! and dark.
//!
//! In: reports, what is not loaded now, and what a service does. Out: the page. `files` takes loads
//! of several files apart, `figures` counts, `charts` draws, `tables` lists, `live` says what goes on;
//! everything that comes from a report is escaped in `html`.

mod charts;
mod figures;
mod files;
mod html;
pub(crate) mod live;
mod tables;

use std::sync::Arc;

use jiff::Timestamp;
use loader_model::names::utc;

use crate::backlog::status::NotLoaded;
use crate::past::PastReport;
use crate::words::{count, grouped};

use charts::{bars_by_day, bars_by_name};
use figures::Figures;
use files::{by_file, not_loaded_since};
use html::escaped;
use live::Live;

const STYLE: &str = include_str!("page/style.css");

/// What a page is about.
pub(crate) struct Page<'a> {
    /// The bucket, or a table of it.
    pub(crate) title: String,
    pub(crate) days: u32,
    /// The latest first.
    pub(crate) runs: &'a [Arc<PastReport>],
    pub(crate) not_loaded: &'a [NotLoaded],
    /// Whether there were more runs than are here.
    pub(crate) has_more: bool,
    pub(crate) made_at: Timestamp,
    /// What a service does now, which shows the page; a page in a file has none.
    pub(crate) live: Option<&'a Live>,
}

impl Page<'_> {
    /// The whole file.
    pub(crate) fn html(&self) -> String {
        let mut figures = Figures::of(self.runs, self.days, self.made_at);
        let files = by_file(self.runs);
        figures.not_loaded_since = not_loaded_since(&files);
        let title = escaped(&self.title);
        let sections = [
            self.live.map(live::shown).unwrap_or_default(),
            self.tiles(&figures),
            charts(&figures),
            tables::of_not_loaded(self.not_loaded),
            tables::of_tables(&figures),
            tables::of_failures(&files),
            tables::of_notices(self.runs),
            tables::of_schema_changes(self.runs),
            tables::of_files(&files),
            tables::of_plugins(&figures),
        ];
        let made = utc(self.made_at, "%Y-%m-%d %H:%M:%S UTC");
        let more = match self.has_more {
            true => " There were more runs than are shown.",
            false => "",
        };
        let days = match self.days {
            1 => "day".to_owned(),
            days => format!("{days} days"),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
             name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta \
             name=\"color-scheme\" content=\"light dark\">\n{}<title>loader: {title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>Loads of the \
             last {days}, as of {made}.{more}</p>\n</header>\n<main>\n{}</main>\n</body>\n</html>\n",
            self.refresh(),
            sections.concat()
        )
    }

    /// How often a page that shows what goes on is fetched anew.
    fn refresh(&self) -> &'static str {
        match self.live {
            Some(_) => "<meta http-equiv=\"refresh\" content=\"15\">\n",
            None => "",
        }
    }

    fn tiles(&self, figures: &Figures) -> String {
        if self.runs.is_empty() {
            return "<p class=\"none\">No run of this time has left a report.</p>\n".to_owned();
        }
        let rate = |part: u64, of: u64| match part as f64 * 100.0 / of.max(1) as f64 {
            0.0 => String::new(),
            percent if percent < 0.1 => "< 0.1 % of those read".to_owned(),
            percent => format!("{percent:.1} % of those read"),
        };
        let loads = format!("in {}", count(figures.loads as usize, "load"));
        let still = match figures.not_loaded_since {
            0 => "all loaded since".to_owned(),
            n => format!("{} not loaded since", grouped(n)),
        };
        let still = if figures.failed == 0 { String::new() } else { still };
        let tiles = [
            ("files loaded", grouped(figures.files - figures.failed), loads, ""),
            ("failures", grouped(figures.failed), still, "bad"),
            ("rows inserted", grouped(figures.inserted), String::new(), ""),
            ("rows updated", grouped(figures.updated), String::new(), ""),
            (
                "rows rejected",
                grouped(figures.rejected),
                rate(figures.rejected, figures.read),
                "bad",
            ),
            ("tables", grouped(figures.tables.len() as u64), String::new(), ""),
        ];
        let tile = |(label, value, beside, tone): (&str, String, String, &str)| {
            let tone = if value == "0" { "" } else { tone };
            format!(
                "<div class=\"tile {tone}\"><b>{value}</b> <small>{beside}</small>\
                 <span>{label}</span></div>\n"
            )
        };
        format!("<div class=\"tiles\">\n{}</div>\n", tiles.map(tile).concat())
    }
}

fn charts(figures: &Figures) -> String {
    if figures.files == 0 {
        return String::new();
    }
    let runs = bars_by_day(
        "Files",
        &figures.days,
        &[
            ("loaded", "good", |day| day.loaded),
            ("loaded before", "calm", |day| day.already),
            ("failed", "bad", |day| day.failed),
        ],
    );
    let rows = bars_by_day(
        "Rows",
        &figures.days,
        &[
            ("inserted", "good", |day| day.inserted),
            ("updated", "calm", |day| day.updated),
            ("rejected", "bad", |day| day.rejected),
        ],
    );
    let steps: Vec<(String, f64, String)> = figures
        .steps
        .iter()
        .map(|(name, step)| {
            let median = step.median();
            (name.clone(), step.total(), format!("{:.1} s, median {median:.2} s", step.total()))
        })
        .collect();
    let steps = bars_by_name("Time by step", &steps, "calm");
    let reasons: Vec<(String, f64, String)> =
        figures.reasons.iter().map(|(code, n)| (code.clone(), *n as f64, grouped(*n))).collect();
    let reasons = bars_by_name("Rejected rows by reason", &reasons, "bad");
    format!("<div class=\"charts\">\n{runs}{rows}{steps}{reasons}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{FileReport, Report, RowCounts, Status, StepTime};

    fn past(minutes: i64, change: impl FnOnce(&mut Report)) -> Arc<PastReport> {
        let started_at: Timestamp = "2026-11-28T18:00:00Z".parse().expect("an instant");
        let started_at = started_at - jiff::Span::new().minutes(minutes);
        let mut report = Report {
            run_id: "01a2".into(),
            run_number: 7,
            status: Status::Success,
            target: "public.orders".into(),
            rows: RowCounts {
                read: 3,
                staged: 2,
                rejected: 1,
                inserted: 1,
                updated: 1,
                duplicates: 0,
            },
            steps: vec![StepTime { name: "load".into(), seconds: 0.5 }],
            ..Report::default()
        };
        report.source.uri = "s3://b/data/in/orders.csv".into();
        change(&mut report);
        Arc::new(PastReport { started_at, report })
    }

    fn page(runs: &[Arc<PastReport>]) -> String {
        let made_at = "2026-11-28T19:00:00Z".parse().expect("an instant");
        let waiting = NotLoaded {
            state: "aside",
            table: "orders".into(),
            name: "orders_2.csv".into(),
            since: Some(made_at),
            reason: "the file's <fault>".into(),
            to_do: "mend it".into(),
        };
        let not_loaded = if runs.is_empty() { Vec::new() } else { vec![waiting] };
        let title = "s3://b".into();
        let not_loaded = &not_loaded;
        Page { title, days: 7, runs, not_loaded, has_more: false, made_at, live: None }.html()
    }

    #[test]
    fn a_page_says_all_and_needs_nothing_else() {
        let runs = [
            past(0, |report| report.rejected_because.extend([("does-not-fit".into(), 1)])),
            past(60 * 24, |report| {
                report.status = Status::Failed;
                report.exit_code = 3;
                report.error = Some("line 7: <b>no</b> number".into());
            }),
            past(60 * 48, |report| {
                report.schema_changes = vec!["ALTER TABLE t".into()];
                report.values_rounded = 1200;
                report.files = vec![FileReport::default(), FileReport::default()];
            }),
        ];
        let page = page(&runs);
        for part in [
            "<h1>s3://b</h1>",
            "<b>3</b> <small>in 2 loads</small>",
            "does-not-fit",
            "the file&#39;s &lt;fault&gt;",
            "orders<wbr>.csv",
            "of 2 as one",
            "1,200 values rounded to the digits of the columns",
            "loaded 2026-11-28 18:00:00</td>",
            "line 7: &lt;b&gt;no&lt;/b&gt; number",
            "ALTER TABLE t",
            "public.orders",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        for other in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(other), "{other} is in {page}");
        }
        assert_eq!((page.matches("<svg").count(), page.matches("<figure").count()), (2, 4));
    }

    #[test]
    fn a_page_without_runs_says_so() {
        assert!(page(&[]).contains("No run of this time has left a report."));
    }
}
