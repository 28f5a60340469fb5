//! `loader plan`: what a load would do, statement for statement. Changes nothing.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;
use loader_warehouse::evolution::script::{ViewAction, ViewChange};

use crate::cli::PlanArgs;
use crate::commands::print;
use crate::commands::table::table;
use crate::job::{self, Job};
use crate::preview::{self, ColumnAction, ColumnPreview, ExecutionKind, LoadOutcome, Preview};
use crate::report::indented_json;
use crate::report::log::Logs;

/// The exit code of `plan --diff` when the schema would change. No failure has this code, so that a
/// script can tell a change from a refusal.
const WOULD_CHANGE: u8 = 10;

/// Prints the preview and returns the exit code that the load would have. With `--diff` it returns
/// 10 instead of 0 when the schema would change: for example, when a file brings a new column to
/// `orders`.
pub async fn run(args: PlanArgs, stop: Stop, logs: &Logs) -> u8 {
    let (job, format) = job::of_arguments(args.run);
    let mut preview = of(job, stop, logs).await;
    if args.diff && preview.outcome == LoadOutcome::Changes && preview.exit_code == 0 {
        preview.exit_code = WOULD_CHANGE;
    }
    print(&match format {
        ReportFormat::Json => indented_json(&preview),
        ReportFormat::Human if args.sql => human(&preview) + &load_statements(&preview),
        ReportFormat::Human => human(&preview),
    });
    preview.exit_code
}

/// What a load would do.
pub async fn of(job: Result<Job>, stop: Stop, logs: &Logs) -> Preview {
    match job {
        Ok(job) => Box::pin(preview::preview(job, stop, logs)).await,
        Err(error) => Preview::refused(&error),
    }
}

/// Prints the preview and gives its exit code.
pub fn show(preview: &Preview, format: ReportFormat) -> u8 {
    print(&match format {
        ReportFormat::Json => indented_json(preview),
        ReportFormat::Human => human(preview),
    });
    preview.exit_code
}

/// The preview for people, with its last line end.
pub fn human(preview: &Preview) -> String {
    let mut out = format!("{}\n", headline(preview));
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            out.push_str(&format!("\n{title}\n{body}"));
        }
    };
    section(
        "Views that an earlier run left dropped; they come back first",
        list(&preview.views_left_dropped),
    );
    section("Columns", columns(preview));
    section("Why new columns have their types", reasons(preview));
    section("Statements", statements(preview));
    section("Views", preview.views.iter().map(view).collect());
    section("Rows", rows(preview));
    section("Notices", list(&preview.notices));
    out
}

fn headline(preview: &Preview) -> String {
    let (source, target) = (&preview.source, &preview.target);
    match preview.outcome {
        LoadOutcome::NoChange => {
            format!("{source} would be loaded into {target}, which stays as it is")
        }
        LoadOutcome::Changes => {
            format!("{source} would be loaded into {target}, which would change")
        }
        LoadOutcome::AlreadyLoaded => {
            let by = preview.loaded_by.as_deref().unwrap_or("an earlier run");
            format!("{source} was loaded by {by}; nothing would happen without --force")
        }
        LoadOutcome::Refused => {
            format!("refused: {}", preview.error.as_deref().unwrap_or("for an unknown reason"))
        }
    }
}

fn columns(preview: &Preview) -> String {
    if preview.columns.is_empty() {
        return String::new();
    }
    let mut table = table(["column", "now", "then", ""]);
    for column in &preview.columns {
        let [before, after] =
            [&column.before, &column.after].map(|text| text.clone().unwrap_or_default());
        table.add_row([column.name.clone(), before, after, note(column)]);
    }
    format!("{table}\n")
}

fn note(column: &ColumnPreview) -> String {
    match column.action {
        ColumnAction::Keep => String::new(),
        ColumnAction::Create => "created".to_owned(),
        ColumnAction::Add => "added".to_owned(),
        ColumnAction::Widen => "widened".to_owned(),
        ColumnAction::GiveType => "no value yet, gets its type".to_owned(),
        ColumnAction::Fill => match (column.kept_in_known_rows, column.filled_with.as_deref()) {
            (true, filled) => format!("kept; new rows: {}", filled.unwrap_or("refused")),
            (false, filled) => format!("not in the file: {}", filled.unwrap_or("NULL")),
        },
        ColumnAction::Discard => "left out".to_owned(),
    }
}

/// Why each new column gets its type.
fn reasons(preview: &Preview) -> String {
    let reason = |column: &ColumnPreview| {
        let (because, name) = (column.because.as_ref()?, &column.name);
        Some(format!("{name}: {because}\n"))
    };
    preview.columns.iter().filter_map(reason).collect()
}

// The preview has one flat list of statements, and executions that say how many of them go
// together. (For example, executions of 2 and 1 are a transaction of the first two statements, then
// the third by itself.) `min` keeps `split_at` from panicking should the two disagree.
fn statements(preview: &Preview) -> String {
    let (mut out, mut left) = (String::new(), preview.statements.as_slice());
    for execution in &preview.executions {
        let (these, others) = left.split_at(execution.statements.min(left.len()));
        out.push_str(match execution.kind {
            ExecutionKind::Transaction => "-- one transaction\n",
            ExecutionKind::WithTheLoad => "-- in the transaction that loads the rows\n",
            ExecutionKind::Alone => "-- by itself\n",
        });
        these.iter().for_each(|sql| out.push_str(&format!("{sql};\n")));
        left = others;
    }
    out
}

/// The transaction that loads the rows, as a further section.
fn load_statements(preview: &Preview) -> String {
    match preview.load_statements.as_slice() {
        [] => String::new(),
        statements => {
            let body: String = statements.iter().map(|sql| format!("{sql};\n")).collect();
            format!("\nThe load\n-- one transaction\n{body}")
        }
    }
}

fn view(change: &ViewChange) -> String {
    let view = &change.view;
    let what = match change.action {
        ViewAction::Restore => "dropped, and restored as it is",
        ViewAction::Renew => "dropped, and made anew from view_config.json",
        ViewAction::Create => "made from view_config.json",
    };
    let owner = change.owner.as_ref().map_or(String::new(), |owner| format!(", owner {owner}"));
    let grants = match change.grants {
        0 => String::new(),
        1 => ", 1 grant".to_owned(),
        n => format!(", {n} grants"),
    };
    format!("{view}: {what}{owner}{grants}\n")
}

fn rows(preview: &Preview) -> String {
    let rows = &preview.rows;
    if rows.read == 0 {
        return String::new();
    }
    let mut out =
        format!("{} read = {} accepted + {} rejected\n", rows.read, rows.accepted, rows.rejected);
    for reject in &preview.rejects {
        let place =
            reject.line.map_or(format!("row {}", reject.record), |line| format!("line {line}"));
        let column =
            reject.column.as_ref().map_or(String::new(), |column| format!(", column `{column}`"));
        out.push_str(&format!(
            "{place}{column}: {} ({} {})\n",
            reject.message, reject.plugin, reject.code
        ));
    }
    if rows.rejected > preview.rejects.len() as u64 {
        out.push_str("…\n");
    }
    out
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
