//! The figures as Markdown: one table of the rows with other programs beside ours, one of the rest.

use std::fmt::Write as _;

use super::figures::{Spread, cpu, memory, wall};
use super::peers::Peer;
use super::record::{Record, Records, Series};
use super::verdict::{Verdict, ratios, verdicts};

const BESIDE_OTHERS: &str = "\
| | program | wall, s | processor, s | memory, MiB | ours: wall | processor | memory | target | | \
day |
|---|---|---|---|---|---|---|---|---|---|---|
";
const BY_ITSELF: &str = "\
| | what | measured | target | | day |
|---|---|---|---|---|---|
";

/// The tables, and below them what has to be known of them.
pub(super) fn render(records: &Records) -> String {
    let mut text = String::new();
    let (beside, alone): (Vec<&Record>, Vec<&Record>) =
        records.rows.iter().partition(|record| is_beside_others(record));
    if !beside.is_empty() {
        text.push_str(BESIDE_OTHERS);
        beside.iter().for_each(|record| push_contest(&mut text, record));
    }
    if !alone.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}{BY_ITSELF}");
        alone.iter().for_each(|record| push_alone(&mut text, record));
    }
    push_conditions(&mut text, records);
    push_notes(&mut text, records);
    text
}

fn is_beside_others(record: &Record) -> bool {
    !["growth", "throttle", "small", "sandbox"].contains(&record.row.as_str())
}

/// A line for each program; ours has what follows from all of them.
fn push_contest(text: &mut String, record: &Record) {
    let mut title = format!("**`{}`** {}", record.row, record.title);
    let compared = ratios(record).map_or("| – | – | –".to_owned(), |ratios| {
        format!("| **{:.2}x** | {:.2}x | {:.2}x", ratios.wall, ratios.cpu, ratios.memory)
    });
    let judged = match verdicts(record).first() {
        Some(verdict) => format!("{} | {}", verdict.target, met(verdict)),
        None => "not compared | ".to_owned(),
    };
    let mut of_ours = format!("{compared} | {judged} | {} |", record.date);
    for Series { name, runs } in &record.series {
        let _ = writeln!(
            text,
            "| {title} | {} | {} | {} | {} {of_ours}",
            program(record, name),
            shown(wall(runs), 2),
            shown(cpu(runs), 2),
            shown(memory(runs), 0)
        );
        title.clear();
        of_ours = "| | | | | | |".to_owned();
    }
}

fn push_alone(text: &mut String, record: &Record) {
    let mut title = format!("**`{}`** {}", record.row, record.title);
    for verdict in verdicts(record) {
        let Verdict { of, measured, target, .. } = &verdict;
        let (met, date) = (met(&verdict), &record.date);
        let _ = writeln!(text, "| {title} | {of} | {measured} | {target} | {met} | {date} |");
        title.clear();
    }
}

/// On what and with which program the rows were measured, and how often. Rows with the same are
/// named together.
fn push_conditions(text: &mut String, records: &Records) {
    let machine = |record: &Record| {
        let version = record.versions.get("loader").map_or("", String::as_str);
        format!("Measured on {}, with loader {version}.", record.machine.in_words())
    };
    for (machine, of_machine) in together(records.rows.iter(), machine) {
        let _ = write!(text, "\n{machine}");
        for (runs, rows) in together(of_machine.into_iter(), runs) {
            let names: Vec<String> = rows.iter().map(|row| format!("`{}`", row.row)).collect();
            let _ = write!(text, " {runs}: {}.", names.join(", "));
        }
        text.push('\n');
    }
}

/// Puts the records together of which the same can be said, in the order of the first ones.
fn together<'a>(
    records: impl Iterator<Item = &'a Record>,
    said: impl Fn(&Record) -> String,
) -> Vec<(String, Vec<&'a Record>)> {
    let mut all: Vec<(String, Vec<&'a Record>)> = Vec::new();
    for record in records {
        let said = said(record);
        match all.iter_mut().find(|(known, _)| *known == said) {
            Some((_, records)) => records.push(record),
            None => all.push((said, vec![record])),
        }
    }
    all
}

fn runs(record: &Record) -> String {
    match record.series.first().map_or(0, |series| series.runs.len()) {
        0 => "Medians of `loader-bench`".to_owned(),
        1 => "One run".to_owned(),
        runs => format!("Medians of {runs} runs (least–most)"),
    }
}

fn push_notes(text: &mut String, records: &Records) {
    let notes = records
        .rows
        .iter()
        .flat_map(|record| record.notes.iter().map(|note| format!("- `{}`: {note}\n", record.row)));
    let notes: String = notes.collect();
    if !notes.is_empty() {
        let _ = write!(text, "\n{notes}");
    }
}

fn program(record: &Record, name: &str) -> String {
    let title = Peer::ALL.into_iter().find(|peer| peer.name() == name).map(Peer::title);
    match (title, record.versions.get(name)) {
        (Some(title), Some(version)) => format!("{title} {version}"),
        _ => format!("**{name}**"),
    }
}

fn met(verdict: &Verdict) -> &'static str {
    match verdict.is_met {
        true => "met",
        false => "**missed**",
    }
}

/// The median, and the least and the most in brackets.
fn shown(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".to_owned(), |Spread { median, least, most }| {
        format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
    })
}

#[cfg(test)]
mod tests {
    use super::super::machine::Machine;
    use super::super::measure::Run;
    use super::*;

    fn run(wall_seconds: f64, mebibytes: u64) -> Run {
        let cpu_seconds = 2.0 * wall_seconds;
        Run { wall_seconds, cpu_seconds, peak_bytes: mebibytes << 20, s3_requests: Some(8) }
    }

    fn record(row: &str, title: &str, series: Vec<Series>) -> Record {
        let version = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        let processor = "A Processor".to_owned();
        Record {
            row: row.to_owned(),
            title: title.to_owned(),
            date: "2026-11-30".to_owned(),
            machine: Machine { processor, cores: 2, memory_gib: 8.0, kernel: "Linux 6".to_owned() },
            versions: [version("loader", "0.1.0"), version("duckdb", "2.0.1")].into(),
            series,
            ..Record::default()
        }
    }

    #[test]
    fn each_program_has_a_line_and_ours_the_verdict() {
        let ours = vec![run(1.0, 100), run(3.0, 100), run(2.0, 110)];
        let series = |name: &str, runs| Series { name: name.to_owned(), runs };
        let both = vec![series("loader", ours), series("duckdb", vec![run(1.6, 200)])];
        let mut stage = record("stage", "a file", both);
        stage.notes.push("Polars: it fails".to_owned());
        let small = record("small", "a load", vec![series("loader", vec![run(0.07, 50)])]);
        let text = render(&Records { rows: vec![stage, small] });
        let expected = "\
| **`stage`** a file | **loader** | 2.00 (1.00–3.00) | 4.00 (2.00–6.00) | 100 (100–110) \
| **1.25x** | 1.25x | 0.50x | ≤ 0.80x | **missed** | 2026-11-30 |
|  | DuckDB 2.0.1 | 1.60 (1.60–1.60) | 3.20 (3.20–3.20) | 200 (200–200) | | | | | | |
";
        assert_eq!(
            text.split_once("|---|\n").map(|(_, rows)| &rows[..expected.len()]),
            Some(expected)
        );
        for expected in [
            "| **`small`** a load | time | 70 ms (70–70) | ≤ 60 ms | **missed** | 2026-11-30 |\n",
            "|  | requests to S3 | 8 | ≤ 8 | met | 2026-11-30 |\n",
            "\nMeasured on A Processor, 2 cores, 8 GiB of memory, Linux 6, with loader 0.1.0. \
             Medians of 3 runs (least–most): `stage`. One run: `small`.\n",
            "\n- `stage`: Polars: it fails\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }

    #[test]
    fn without_figures_there_is_no_table() {
        assert_eq!(render(&Records::default()), "");
    }
}
