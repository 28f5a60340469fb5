//! Text keys as the Glue job spelt them, in a table that it made. The job stored ` A1` as `A1`,
//! `007` as `7`, `1.50` as `1.500000000000000000` or `1.5`, `say "hi"` as `"say ""hi"""`, and
//! `C:\\d` as `C:\d`. A merge by the file's own spelling would find none of these rows and add each
//! once more.
//!
//! In: the decided load. Out: the guard that refuses such keys, and the statements that match them.
//!
//! Both spellings are brought to one form, so that rows find each other by `=`, as Redshift joins
//! them fast: a number without what says nothing, behind a blank; every other text as it is. (For
//! example, `007` of the file and `7` of the table become ` 7`.) The table's side is read only as
//! the job wrote: a stored `007` stays that text, and is not the file's `7`.

use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_model::names::TableName;

use crate::guard::guard;
use crate::load_batch::batch::{GlueKeys, LoadBatch};
use crate::load_batch::names::STAGE;
use crate::rows::{FromRow, Row};
use crate::sql::{equal_keys, ident, idents, table, text};

/// A number, however it is spelt. (Exponents are left out: no function of texts writes them out.)
const NUMBER: &str = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$";
/// A number as the job spelt it, as INTEGER, DECIMAL(38,18) or DOUBLE.
const NUMBER_OF_THE_JOB: &str = "^-?(0|[1-9][0-9]*)([.]([0-9]{18}|[0-9]*[1-9]|0))?$";
/// A text that the job stored with its quotes.
const QUOTED: &str = "^\".*\"\".*\"$";
/// What the job trimmed.
const BLANKS: &str = " \t";
/// Keys that a refusal shows.
const SHOWN: usize = 3;

/// The text keys of a merge into a table that exists. Other types have one spelling each.
pub(super) fn text_keys<'a>(batch: &LoadBatch<'a>) -> Vec<&'a str> {
    let is_text = |column_type: &ColumnType| {
        matches!(column_type, ColumnType::Varchar { .. } | ColumnType::Char { .. })
    };
    let columns = batch.columns.iter().filter(|column| batch.keys.contains(&column.name));
    let texts = columns.filter(|column| is_text(&column.column_type));
    match batch.creation.is_empty() {
        true => texts.map(|column| column.name.as_str()).collect(),
        false => Vec::new(),
    }
}

/// Refuses keys that match no row as they stand, and rows as the job spelt them.
pub(super) fn respelt_guard(batch: &LoadBatch<'_>) -> Option<String> {
    let is_asked = batch.glue_keys == GlueKeys::Refused && !text_keys(batch).is_empty();
    is_asked.then(|| guard("COUNT(*) = 0", "no_respelt_keys", &respelt(batch)))
}

/// Refuses keys of the file that the job would have spelt alike. They would take each other's rows.
pub(super) fn one_key_guard(batch: &LoadBatch<'_>) -> Option<String> {
    matches(batch).then(|| guard("COUNT(*) = 0", "no_keys_that_become_one", &become_one(batch)))
}

/// Gives stored keys the file's spelling, where the file has them. What is loaded after it finds
/// them as they stand.
pub(super) fn respell(batch: &LoadBatch<'_>) -> Option<String> {
    matches(batch).then(|| {
        let target = table(batch.target);
        let set = text_keys(batch)
            .into_iter()
            .map(|key| format!("{key} = respelt.{key}", key = ident(key)))
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "UPDATE {target} SET {set} FROM (SELECT {} FROM {} WHERE {}) AS respelt WHERE {}",
            idents(batch.keys),
            staged_keys(batch),
            matches_no_row(batch),
            equal_to_the_job(batch, &target, "respelt"),
        )
    })
}

/// The statement that shows what [`respelt_guard`] has found, behind those that fill the staging
/// table.
pub(super) fn examples(batch: &LoadBatch<'_>) -> String {
    let keys = text_keys(batch);
    let shown = |from: &str| match keys.as_slice() {
        [key] => format!("{from}.{}", ident(key)),
        keys => {
            let keys: Vec<_> = keys.iter().map(|key| format!("{from}.{}", ident(key))).collect();
            keys.join(" || ' / ' || ")
        }
    };
    let quoted: Vec<String> =
        keys.iter().map(|key| is_quoted(&format!("t.{}", ident(key)))).collect();
    format!(
        "SELECT staged, stored, COUNT(*) OVER () AS found, SUM(quoted) OVER () AS quoted FROM \
         (SELECT DISTINCT {} AS staged, {} AS stored, CASE WHEN {} THEN 1 ELSE 0 END AS quoted FROM \
         {}) AS d ORDER BY staged, stored LIMIT {SHOWN}",
        shown("r"),
        shown("t"),
        quoted.join(" OR "),
        respelt(batch),
    )
}

/// The repair of keys that the job stored with their quotes; no other spelling of the job tells
/// what the file's was. (For example, `7` may have been `7` or `007`.)
pub fn unquote(target: &TableName, key: &str) -> String {
    let (target, key) = (table(target), ident(key));
    format!("UPDATE {target} SET {key} = {} WHERE {}", unquoted(&key), is_quoted(&key))
}

/// Keys of the file that match rows as the job spelt them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RespeltKey {
    /// As the file spells it; parts of a key are divided by ` / `.
    pub staged: String,
    /// As the job has stored it.
    pub stored: String,
    /// All pairs that were found, and those of them that the job stored with quotes.
    pub found: u64,
    pub quoted: u64,
}

impl FromRow for RespeltKey {
    fn from_row(row: Row<'_>) -> Result<RespeltKey> {
        // No count is negative, so the sign can be dropped.
        let count = |column| row.integer(column).map(i64::unsigned_abs);
        Ok(RespeltKey {
            staged: row.text("staged")?,
            stored: row.text("stored")?,
            found: count("found")?,
            quoted: count("quoted")?,
        })
    }
}

fn matches(batch: &LoadBatch<'_>) -> bool {
    batch.glue_keys == GlueKeys::Matched && !text_keys(batch).is_empty()
}

fn staged_keys(batch: &LoadBatch<'_>) -> String {
    format!("(SELECT DISTINCT {} FROM {STAGE}) AS r", idents(batch.keys))
}

fn matches_no_row(batch: &LoadBatch<'_>) -> String {
    let equal = equal_keys(batch.keys, "e", "r");
    format!("NOT EXISTS (SELECT 1 FROM {} AS e WHERE {equal})", table(batch.target))
}

/// The staged keys (`r`) that match no row as they stand, each with the rows (`t`) that it matches
/// as the job spelt it.
fn respelt(batch: &LoadBatch<'_>) -> String {
    format!(
        "{} JOIN {} AS t ON {} WHERE {}",
        staged_keys(batch),
        table(batch.target),
        equal_to_the_job(batch, "t", "r"),
        matches_no_row(batch),
    )
}

fn become_one(batch: &LoadBatch<'_>) -> String {
    let texts = text_keys(batch);
    let form = |key: &String| match texts.contains(&key.as_str()) {
        true => form_of_staged(&format!("r.{}", ident(key))),
        false => format!("r.{}", ident(key)),
    };
    let forms: Vec<String> = batch.keys.iter().map(form).collect();
    format!(
        "(SELECT 1 AS twice FROM {} GROUP BY {} HAVING COUNT(*) > 1) AS d",
        staged_keys(batch),
        forms.join(", ")
    )
}

/// The condition that a row of the target has a staged key as the job spelt it.
fn equal_to_the_job(batch: &LoadBatch<'_>, target: &str, staged: &str) -> String {
    let texts = text_keys(batch);
    let equal = |key: &String| {
        let (ours, theirs) =
            (format!("{staged}.{}", ident(key)), format!("{target}.{}", ident(key)));
        match texts.contains(&key.as_str()) {
            true => format!("{} = {}", form_of_stored(&theirs), form_of_staged(&ours)),
            false => format!("{theirs} = {ours}"),
        }
    };
    batch.keys.iter().map(equal).collect::<Vec<_>>().join(" AND ")
}

/// The form of a staged key. `key`: its column.
fn form_of_staged(key: &str) -> String {
    let trimmed =
        format!("BTRIM(REPLACE({key}, {}, {}), {})", text(r"\\"), text(r"\"), text(BLANKS));
    format!(
        "CASE WHEN {trimmed} ~ {} THEN {} ELSE {trimmed} END",
        text(NUMBER),
        form_of_number(&trimmed)
    )
}

/// The form of a key that the job stored. `key`: its column.
// RTRIM takes off what a CHAR is padded with. In a VARCHAR Redshift's `=` ignores such blanks, too.
fn form_of_stored(key: &str) -> String {
    let key = format!("RTRIM({key})");
    format!(
        "CASE WHEN {key} ~ {} THEN {} WHEN {} THEN BTRIM({}, {}) ELSE {key} END",
        text(NUMBER_OF_THE_JOB),
        form_of_number(&key),
        is_quoted(&key),
        unquoted(&key),
        text(BLANKS),
    )
}

/// A number as a blank, its sign, and its digits without the zeros at both ends that say nothing:
/// `007` is ` 7`, `1.50` is ` 1.5`, `-2.000` is ` -2`.
// The point is added to whole numbers, so that `100` keeps its zeros.
fn form_of_number(number: &str) -> String {
    format!(
        "CASE WHEN {number} LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN \
         {number} LIKE '%.%' THEN {number} ELSE {number} || '.' END, '+-0'), '0'), '.')"
    )
}

fn is_quoted(key: &str) -> String {
    format!("{key} ~ {}", text(QUOTED))
}

fn unquoted(key: &str) -> String {
    format!("REPLACE(SUBSTRING({key}, 2, LENGTH({key}) - 2), '\"\"', '\"')")
}
