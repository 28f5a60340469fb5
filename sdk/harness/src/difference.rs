//! The first difference of two outputs of a plugin, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::output::{OutputColumn, PluginOutput, Rejected};

/// What became of one row.
#[derive(Clone, Copy, PartialEq)]
enum Fate<'a> {
    Kept(&'a [Option<String>]),
    Rejected(&'a Rejected),
    Lost,
}

/// Says where `there` first differs from `here`.
///
/// `here_how` and `there_how` begin the two halves of the sentence. For example, "in one session"
/// and "in two" give: in two, row 3, column total is 6, in one session it is 10.
// Rows are compared by the number of their record, not by their place in the output: when one run
// has rejected row 2, row 3 has moved up in that output only. Counters and log lines are left out:
// they tell how often the plugin was called, not what became of the rows.
pub(crate) fn first(
    here: &PluginOutput,
    here_how: &str,
    there: &PluginOutput,
    there_how: &str,
) -> Option<String> {
    if here.columns != there.columns {
        let (theirs, ours) = (columns(there), columns(here));
        return Some(format!("{there_how} the columns are {theirs}, {here_how} {ours}"));
    }
    let (ours, theirs) = (fates(here), fates(there));
    let records: BTreeSet<&u64> = ours.keys().chain(theirs.keys()).collect();
    records.into_iter().find_map(|record| {
        let (what, one, other) = row(fate(&ours, record), fate(&theirs, record), &here.columns)?;
        Some(format!("{there_how}, row {record}{what} is {other}, {here_how} it is {one}"))
    })
}

fn columns(output: &PluginOutput) -> String {
    let column = |column: &OutputColumn| format!("{} {}", column.name, column.data_type);
    output.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// Which part of a row differs, and what it is here and there. An empty text stands for the whole
/// row: it is kept here and rejected there, for example.
fn row(
    here: Fate<'_>,
    there: Fate<'_>,
    columns: &[OutputColumn],
) -> Option<(String, String, String)> {
    match (here, there) {
        (here, there) if here == there => None,
        (Fate::Kept(here), Fate::Kept(there)) => {
            let index =
                here.iter().zip(there).position(|(here, there)| here != there).unwrap_or_default();
            let name = columns.get(index).map_or("?", |column| column.name.as_str());
            let cell = |row: &[Option<String>]| quoted(row.get(index).and_then(Option::as_deref));
            Some((format!(", column `{name}`"), cell(here), cell(there)))
        }
        (here, there) => Some((String::new(), told(here), told(there))),
    }
}

fn fates(output: &PluginOutput) -> BTreeMap<u64, Fate<'_>> {
    let kept =
        output.records.iter().zip(&output.rows).map(|(record, row)| (*record, Fate::Kept(row)));
    kept.chain(output.rejects.iter().map(|reject| (reject.record, Fate::Rejected(reject))))
        .collect()
}

fn fate<'a>(fates: &BTreeMap<u64, Fate<'a>>, record: &u64) -> Fate<'a> {
    fates.get(record).copied().unwrap_or(Fate::Lost)
}

fn told(fate: Fate<'_>) -> String {
    match fate {
        Fate::Kept(_) => "kept".to_owned(),
        Fate::Lost => "lost".to_owned(),
        Fate::Rejected(Rejected { code, message, column, .. }) => {
            let column =
                column.as_ref().map_or(String::new(), |column| format!(" for column `{column}`"));
            format!("rejected{column} as {code} ({message})")
        }
    }
}

/// A cell in a sentence: numbers bare, text quoted, both short.
pub(crate) fn quoted(cell: Option<&str>) -> String {
    const SHOWN: usize = 60;
    match cell {
        None => "NULL".to_owned(),
        Some(text)
            if !text.is_empty()
                && text.len() <= SHOWN
                && text.bytes().all(|b| b"0123456789.-".contains(&b)) =>
        {
            text.to_owned()
        }
        Some(text) if text.chars().count() > SHOWN => {
            let start: String = text.chars().take(SHOWN).collect();
            format!("{start:?}… ({} bytes)", text.len())
        }
        Some(text) => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::DataType;

    use super::*;

    fn output(kept: &[(u64, Option<&str>)], rejected: &[(u64, &str)]) -> PluginOutput {
        PluginOutput {
            columns: vec![OutputColumn { name: "total".into(), data_type: DataType::Int64 }],
            records: kept.iter().map(|(record, _)| *record).collect(),
            rows: kept.iter().map(|(_, cell)| vec![cell.map(str::to_owned)]).collect(),
            rejects: rejected
                .iter()
                .map(|(record, message)| Rejected {
                    record: *record,
                    line: record + 1,
                    column: Some("n".into()),
                    code: "odd".into(),
                    message: (*message).into(),
                })
                .collect(),
            ..PluginOutput::default()
        }
    }

    fn say(here: &PluginOutput, there: &PluginOutput) -> String {
        first(here, "with one batch", there, "with two").unwrap_or_default()
    }

    #[test]
    fn the_first_difference_is_told_by_row_and_column() {
        let here = output(&[(1, Some("1")), (2, Some("x")), (4, None)], &[(3, "not even")]);
        assert_eq!(say(&here, &here.clone()), "");
        let there = output(&[(1, Some("1")), (2, None), (4, Some("7"))], &[(3, "not even")]);
        assert_eq!(
            say(&here, &there),
            "with two, row 2, column `total` is NULL, with one batch it is \"x\""
        );
        let there = output(&[(1, Some("1")), (2, Some("x")), (3, Some("3")), (4, None)], &[]);
        assert_eq!(
            say(&here, &there),
            "with two, row 3 is kept, with one batch it is rejected for column `n` as odd (not \
             even)"
        );
        let there = output(&[(1, Some("1")), (2, Some("x")), (4, None)], &[(3, "strange")]);
        assert_eq!(
            say(&here, &there),
            "with two, row 3 is rejected for column `n` as odd (strange), with one batch it is \
             rejected for column `n` as odd (not even)"
        );
        let there = output(&[(1, Some("1")), (2, Some("x"))], &[(3, "not even")]);
        assert_eq!(say(&here, &there), "with two, row 4 is lost, with one batch it is kept");
    }
}
