//! Findings as people read them.

use loader_data::content;
use loader_model::choices::FileFormat;
use loader_sniff::{Finding, Findings, Sureness};

use crate::commands::table::table;
use crate::found::key::{Key, keys};
use crate::settings::dialect_settings::DialectSettings;
use crate::words::plain;

/// Columns of the preview, and characters of its fields.
const SHOWN_COLUMNS: usize = 12;
const SHOWN_CHARACTERS: usize = 30;

/// The findings of a file.
pub(super) fn findings(found: &Findings, name: &str) -> String {
    let mut out = format!("{name}\n\n{}\n", parts(found));
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n{title}\n"));
            lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
        }
    };
    section("What else fits", alternatives(found));
    section("What only you can decide", suggestions(found));
    section("Notices", found.remarks.clone());
    section("As flags", vec![flags(found)]);
    section("The first rows", vec![preview(found)]);
    out
}

/// A file that is no CSV.
pub(super) fn format(format: FileFormat, name: &str) -> String {
    let title = content::title(format);
    format!("{name}\n\nThe file is {title}, which has no dialect: it is read without a setting.\n")
}

fn parts(found: &Findings) -> String {
    let mut table = table(["part", "found", "how sure", "because"]);
    let mut row = |part: &str, value: String, sureness: Sureness, because: &str| {
        table.add_row([part, &value, sureness.word(), because]);
    };
    fn add<T>(
        part: &str,
        finding: &Finding<T>,
        value: String,
        row: &mut impl FnMut(&str, String, Sureness, &str),
    ) {
        row(part, value, finding.sureness, &finding.because);
    }
    let character = |value: Option<char>, none: &str| {
        value.map_or(none.to_owned(), |character| format!("`{character}`"))
    };
    add("encoding", &found.encoding, found.encoding.value.to_string(), &mut row);
    let end = found.record_end.value.word().to_owned();
    add("record end", &found.record_end, end, &mut row);
    add("delimiter", &found.delimiter, found.delimiter.value.to_string(), &mut row);
    add("quote", &found.quote, character(found.quote.value, "none"), &mut row);
    add("escape", &found.escape, character(found.escape.value, "none"), &mut row);
    add("comment", &found.comment, character(found.comment.value, "none"), &mut row);
    add("lines before", &found.skip_rows, found.skip_rows.value.to_string(), &mut row);
    let rows = found.header_rows.value.0.to_string();
    add("header rows", &found.header_rows, rows, &mut row);
    match &found.footer {
        Some(footer) => add("rows behind", footer, footer.value.to_string(), &mut row),
        None => row("rows behind", "?".to_owned(), Sureness::Undecided, "the end was not seen"),
    }
    table.to_string()
}

fn alternatives(found: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(other) = &found.other_delimiter {
        lines.push(format!("delimiter: {other} fits too, but not as well"));
    }
    if found.header_rows.sureness == Sureness::Undecided {
        lines.push("header: it cannot be told; with a header and without one, both fit".to_owned());
    }
    if found.encoding.sureness == Sureness::Undecided {
        lines.push("encoding: others of one byte a letter fit too".to_owned());
    }
    lines
}

fn suggestions(found: &Findings) -> Vec<String> {
    let nulls = found.null_texts.iter().map(|null| {
        let times =
            if null.count == 1 { "once".to_owned() } else { format!("{} times", null.count) };
        format!(
            "`{}` stands there {times}, for example in `{}`: --null-value '{}' makes it NULL",
            null.text, null.column, null.text
        )
    });
    let commas = found.decimal_commas.iter().map(|column| {
        format!(
            "`{}` has numbers with a decimal comma ({}): decimal-mark of its column reads them",
            column.name, column.count
        )
    });
    let dates = found.dates.iter().map(|column| {
        format!(
            "`{}` has dates as {}: format of its column reads them",
            column.name,
            column.formats.join(" or ")
        )
    });
    nulls.chain(commas).chain(dates).collect()
}

fn flags(found: &Findings) -> String {
    let usual = DialectSettings::default();
    // What no setting says is no flag, but worth to be seen.
    let is_said = |key: &Key| key.in_place_of(&usual).is_none() || key.changes(&usual);
    let keys = keys(found).into_iter().filter(is_said);
    let flags: Vec<String> = keys
        .map(|key| match key.in_place_of(&usual) {
            Some(_) => key.to_string(),
            None => format!("(no flag says so: {key})"),
        })
        .collect();
    if flags.is_empty() {
        "none: the file is written by the default".to_owned()
    } else {
        flags.join(" ")
    }
}

fn preview(found: &Findings) -> String {
    let shorten = |text: &String| match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", plain(&text[..end])),
        None => plain(text),
    };
    let shown = |row: &Vec<String>| -> Vec<String> {
        let mut fields: Vec<String> = row.iter().take(SHOWN_COLUMNS).map(shorten).collect();
        if row.len() > SHOWN_COLUMNS {
            fields.push("…".to_owned());
        }
        fields
    };
    let mut table = table(shown(&found.names));
    for row in &found.preview {
        table.add_row(shown(row));
    }
    table.to_string()
}
