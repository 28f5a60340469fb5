//! Reads the journal. Whoever may write to its table could have written these rows, so what the loader
//! itself would not have written is named and never run.

use loader_model::error::Result;
use loader_model::names::TableName;
use serde::Deserialize;

use crate::bookkeeping::DROPPED_VIEWS;
use crate::evolution::journal::{Journal, JournalKey, VERSION};
use crate::rows::{FromRow, ResultRows, Row};
use crate::saved_view::SavedView;
use crate::sql::{table, text};

/// How long the run that wrote a row counts as alive, in minutes by the warehouse's clock. A change
/// takes minutes at most, so after that the run is taken for dead.
pub const ALIVE_MINUTES: u32 = 15;
/// The most rows that are read at once, which are 16 MB. What is behind them, the next run reads.
const MAX_ROWS: usize = 1000;
/// The most faults that are told one by one.
const MAX_FAULTS: usize = 10;

/// The query for the rows of `of`, and of all targets of the schema whose run cannot be alive any
/// more; for all rows of the schema without `of`. Newer runs come first. It relies on a session
/// whose time zone is UTC, as the rows' time is.
pub fn query(schema: &str, of: Option<&TableName>) -> String {
    let journal = TableName { schema: schema.to_owned(), table: DROPPED_VIEWS.to_owned() };
    let is_old = format!("written_at < DATEADD(minute, -{ALIVE_MINUTES}, GETDATE())");
    let (condition, ours_first) = match of.map(|target| text(&target.to_string())) {
        Some(target) => (
            format!(" WHERE target_table = {target} OR {is_old}"),
            format!("CASE WHEN target_table = {target} THEN 0 ELSE 1 END, "),
        ),
        None => Default::default(),
    };
    format!(
        "SELECT target_table, run_id, view_schema, view_name, place, part, parts, content, {is_old} \
         AS is_old FROM {}{condition} ORDER BY {ours_first}run_id DESC, target_table, place, \
         view_schema, view_name, part LIMIT {MAX_ROWS}",
        table(&journal)
    )
}

/// A view that the journal has.
pub struct Listed {
    pub name: TableName,
}

impl FromRow for Listed {
    fn from_row(row: Row<'_>) -> Result<Listed> {
        Ok(Listed { name: row.relation("view_schema", "view_name")? })
    }
}

/// What runs have left in the journal of a schema.
#[derive(Clone, Debug, Default)]
pub struct LeftViews {
    /// Newer runs first.
    pub journals: Vec<LeftJournal>,
    /// Rows that are not as the loader writes them, as sentences.
    pub faults: Vec<String>,
}

/// What one run has left.
#[derive(Clone, Debug)]
pub struct LeftJournal {
    pub journal: Journal,
    /// Whether its run cannot be alive any more.
    pub is_old: bool,
}

impl LeftViews {
    /// Reads the answer to [`query`].
    pub fn read(answer: &ResultRows, schema: &str) -> Result<LeftViews> {
        let mut rows: Vec<JournalRow> = answer.decode()?;
        drop_cut(&mut rows);
        let mut left = LeftViews::default();
        for rows in rows.chunk_by(|a, b| (&a.target, &a.run_id) == (&b.target, &b.run_id)) {
            left.add(rows, schema);
        }
        let untold = left.faults.len().saturating_sub(MAX_FAULTS);
        left.faults.truncate(MAX_FAULTS);
        left.faults.extend((untold > 0).then(|| format!("{untold} more such rows are there")));
        Ok(left)
    }

    /// Adds the rows of one run, of which there is at least one.
    fn add(&mut self, rows: &[JournalRow], schema: &str) {
        let mut views = Vec::new();
        for rows in rows.chunk_by(JournalRow::is_of_same_view) {
            match view(rows) {
                Ok(view) => views.push(view),
                Err(reason) => self.faults.push(fault(&rows[0], schema, reason)),
            }
        }
        let is_old = rows.iter().all(|row| row.is_old);
        match key(&rows[0], schema) {
            Some(key) if !views.is_empty() => {
                self.journals.push(LeftJournal { journal: Journal { key, views }, is_old });
            }
            Some(_) => {}
            None => self.faults.push(fault(&rows[0], schema, "it names no table and run".into())),
        }
    }

    /// The journals of one target.
    pub fn of<'a>(&'a self, target: &TableName) -> impl Iterator<Item = &'a Journal> {
        let journals = self.journals.iter().map(|left| &left.journal);
        journals.filter(move |journal| journal.key.target == *target)
    }
}

/// Leaves out the last view of an answer that was cut, since rows of it may be missing.
fn drop_cut(rows: &mut Vec<JournalRow>) {
    if rows.len() < MAX_ROWS {
        return;
    }
    let last = rows.chunk_by(JournalRow::is_of_same_view).last().map_or(0, <[_]>::len);
    // A view that fills the answer alone is none that the loader writes, and must not hide so.
    if last < rows.len() {
        rows.truncate(rows.len() - last);
    }
}

struct JournalRow {
    /// With its schema.
    target: String,
    run_id: String,
    view: TableName,
    place: i64,
    part: i64,
    parts: i64,
    content: String,
    is_old: bool,
}

impl FromRow for JournalRow {
    fn from_row(row: Row<'_>) -> Result<JournalRow> {
        Ok(JournalRow {
            target: row.text("target_table")?,
            run_id: row.text("run_id")?,
            view: row.relation("view_schema", "view_name")?,
            place: row.integer("place")?,
            part: row.integer("part")?,
            parts: row.integer("parts")?,
            content: row.text("content")?,
            is_old: row.boolean("is_old")?,
        })
    }
}

impl JournalRow {
    fn is_of_same_view(&self, other: &JournalRow) -> bool {
        fn of(row: &JournalRow) -> (&str, &str, i64, &TableName) {
            (&row.target, &row.run_id, row.place, &row.view)
        }
        of(self) == of(other)
    }
}

/// Whose rows they are; `None` for a target or a run that cannot be.
fn key(row: &JournalRow, schema: &str) -> Option<JournalKey> {
    let name = row.target.strip_prefix(schema)?.strip_prefix('.')?;
    let target = TableName::new(schema, name).ok()?;
    let is_id = !row.run_id.is_empty() && row.run_id.chars().all(|c| c.is_ascii_alphanumeric());
    (is_id && target.to_string() == row.target)
        .then(|| JournalKey { target, run_id: row.run_id.clone() })
}

// The version is read by itself before the rest. Rows of a newer version may lack fields that this
// version needs, and `missing field` would not say that a newer program wrote them.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The view of its rows. The error is the reason why the loader cannot have written them.
// The reason never repeats what stands in the rows.
fn view(rows: &[JournalRow]) -> std::result::Result<SavedView, String> {
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    if !(1..).zip(rows).all(|(part, row)| row.part == part && row.parts == count) {
        return Err("rows of it are missing or there twice".to_owned());
    }
    let content: String = rows.iter().map(|row| row.content.as_str()).collect();
    let unread = |_| "its content is no JSON of the loader".to_owned();
    let Versioned { version } = serde_json::from_str(&content).map_err(unread)?;
    if version != VERSION {
        return Err(format!(
            "it has version {version}, and this program reads version {VERSION}; a newer program \
             brings it back"
        ));
    }
    let view: SavedView = serde_json::from_str(&content).map_err(unread)?;
    match view.name == rows[0].view {
        true => view.check().map(|()| view),
        false => Err("its content is about another view".to_owned()),
    }
}

fn fault(row: &JournalRow, schema: &str, reason: String) -> String {
    let [view, run_id] = [&row.view.to_string(), &row.run_id].map(|text| shown(text));
    format!(
        "a row of {schema}.{DROPPED_VIEWS} (view {view}, run {run_id}) is not as the loader writes \
         it: {reason}; when the view is missing, make it by hand, then delete the row"
    )
}

/// A text of unknown origin for a terminal.
fn shown(text: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() || "._-$ ".contains(c) { c } else { '?' };
    text.chars().take(127).map(letter).collect()
}
