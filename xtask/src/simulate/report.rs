//! What a simulated day came to, in words and tables.

use std::fmt::Write as _;

use super::came_to::Day;
use super::day::simulate;
use super::model::{Plan, takes};

/// The tables of `docs/scale.md`.
pub(super) fn page() -> String {
    let usual = Plan::default();
    let watched = |plan: &Plan, watchers: &[usize]| -> Vec<(String, Plan)> {
        let of = |n: &usize| (counted(*n, "watcher"), Plan { watchers: *n, ..plan.clone() });
        watchers.iter().map(of).collect()
    };
    let remembered = |plan: &Plan| {
        [30.0, 90.0, 365.0, 0.0].map(|ledger_days| {
            let kept = format!("{ledger_days} days");
            let name = if ledger_days > 0.0 { kept } else { "three years".to_owned() };
            (name, Plan { ledger_days, ..plan.clone() })
        })
    };
    let ten = Plan { files_a_day: 1e7, watchers: 8, ledger_days: 30.0, ..usual.clone() };
    let wide = Plan { tables: 20_000, ..ten.clone() };
    let mut out = String::new();
    let of_files = [1e5, 3e5, 1e6, 3e6, 1e7].map(|files_a_day| {
        (format!("{} files", grouped(files_a_day)), Plan { files_a_day, ..usual.clone() })
    });
    table(&mut out, "Four watchers, by files a day", &of_files);
    table(&mut out, "A million files a day, by watchers", &watched(&usual, &[1, 2, 4, 6, 8]));
    table(&mut out, "A million files a day, by what the ledger holds", &remembered(&usual));
    let of_commits = [0.1, 0.25, 0.5, 1.0]
        .map(|commit| (format!("{commit} s a commit"), Plan { commit, ..usual.clone() }));
    table(&mut out, "A million files a day, by the time of a commit", &of_commits);
    let title = "Ten million files a day, ledger of 30 days, by watchers";
    table(&mut out, title, &watched(&ten, &[4, 6, 8, 16]));
    table(&mut out, "Ten million files a day, by what the ledger holds", &remembered(&ten));
    let title = "Ten million files a day into 20,000 tables, ledger of 30 days, by watchers";
    table(&mut out, title, &watched(&wide, &[4, 8, 16]));
    let of_schemas =
        [1, 4, 20].map(|schemas| (counted(schemas, "schema"), Plan { schemas, ..wide.clone() }));
    table(&mut out, "The same with eight watchers, by schemas", &of_schemas);
    out
}

fn table(out: &mut String, title: &str, plans: &[(String, Plan)]) {
    let _ = writeln!(
        out,
        "### {title}\n\n| plan | loads | files each | wait: half, 99 %, all | most pending | left at \
         midnight | lanes | commits | ledger | batches | results | S3 writes \
         |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for (name, plan) in plans {
        let _ = writeln!(out, "{}", row(name, plan));
    }
    out.push('\n');
}

/// A day as a row of a table.
pub(super) fn row(name: &str, plan: &Plan) -> String {
    let day = simulate(plan);
    format!(
        "| {name} | {} | {:.1} | {}, {}, {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        grouped(day.loads as f64),
        files_of_a_load(&day),
        time(day.median),
        time(day.late),
        time(day.latest),
        grouped(day.most_pending as f64),
        grouped(day.left as f64),
        percent(day.lanes),
        percent(day.commits),
        percent(day.ledger),
        percent(day.batches),
        percent(day.results),
        percent(day.s3_writes),
    )
}

/// A plan's day in words.
pub(super) fn of_day(plan: &Plan, day: &Day) -> String {
    let rows = plan.ledger_rows();
    let dollars = (day.all_writes + day.all_listings) / 1000.0 * takes::DOLLARS_OF_WRITES
        + day.all_reads / 1000.0 * takes::DOLLARS_OF_READS
        + day.all_messages / 1000.0 * takes::DOLLARS_OF_MESSAGES;
    let lines = [
        (
            "tables",
            format!("{} in {}", grouped(plan.tables as f64), counted(plan.schemas, "schema")),
        ),
        ("files a day", grouped(plan.files_a_day)),
        ("tables at once", format!("{} ({} x {})", plan.lanes(), plan.watchers, plan.parallel)),
        ("loads", format!("{}, of {:.1} files", grouped(day.loads as f64), files_of_a_load(day))),
        ("turns", grouped(day.turns as f64)),
        (
            "wait of a file",
            format!(
                "{} for half of them, {} for 99 %, {} at most",
                time(day.median),
                time(day.late),
                time(day.latest)
            ),
        ),
        (
            "pending",
            format!(
                "{} at most, {} at the end of the day",
                grouped(day.most_pending as f64),
                grouped(day.left as f64)
            ),
        ),
        (
            "busiest hour",
            format!(
                "lanes {}, commits {}, ledger {}, batches {}, results {}, S3 writes {}, S3 reads {}",
                percent(day.lanes),
                percent(day.commits),
                percent(day.ledger),
                percent(day.batches),
                percent(day.results),
                percent(day.s3_writes),
                percent(day.s3_reads)
            ),
        ),
        ("first to be full", fullest(day).to_owned()),
        (
            "ledger",
            format!(
                "{} rows in each schema, {:.0} GB; a lookup takes {:.1} s",
                grouped(rows),
                rows * takes::LEDGER_ROW_BYTES / 1e9,
                rows / takes::LEDGER_ROWS
            ),
        ),
        (
            "messages in flight",
            format!(
                "{} of {} at most",
                grouped((day.most_pending as f64).min(2000.0 * plan.watchers as f64)),
                grouped(takes::IN_FLIGHT)
            ),
        ),
        (
            "requests",
            format!(
                "{} S3 writes, {} S3 reads, {} S3 listings, {} of SQS: {dollars:.0} dollars a day",
                grouped(day.all_writes),
                grouped(day.all_reads),
                grouped(day.all_listings),
                grouped(day.all_messages)
            ),
        ),
    ];
    let mut text: String =
        lines.iter().map(|(name, text)| format!("{name:>18}  {text}\n")).collect();
    // An hour's files, on average.
    if day.left as f64 > plan.files_a_day / 24.0 {
        let left = grouped(day.left as f64);
        let _ = writeln!(text, "{:>18}  DOES NOT KEEP UP: {left} files are left at midnight", "");
    }
    text
}

fn files_of_a_load(day: &Day) -> f64 {
    (day.files - day.left) as f64 / day.loads.max(1) as f64
}

/// What has the least room in the busiest hour.
fn fullest(day: &Day) -> &'static str {
    let all = [
        (day.lanes, "lanes"),
        (day.commits, "commits"),
        (day.ledger, "the ledger of a schema"),
        (day.batches, "batches"),
        (day.results, "results"),
        (day.s3_writes, "S3 writes"),
        (day.s3_reads, "S3 reads"),
    ];
    all.into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).map_or("", |(_, name)| name)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// `1 schema`, `4 schemas`.
fn counted(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {what}{s}", grouped(n as f64))
}

fn grouped(n: f64) -> String {
    let digits = format!("{n:.0}");
    let mut out = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
