//! Files that a table was written to, in generated dialects: they read as the csv crate reads them,
//! which shares nothing with this crate, and with delimiters of several characters as with one.

use loader_csv::{DecodeAs, DelimiterTail, Dialect};
use proptest::prelude::*;
use proptest::sample::select;

use crate::broken_records::sift;
use crate::read;

/// How a table is written.
#[derive(Clone, Debug)]
struct Style {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    end: &'static str,
    all_quoted: bool,
    ends_with_line_end: bool,
}

fn styles() -> impl Strategy<Value = Style> {
    (
        select(b",;\t|:^~ ".to_vec()),
        select(b"\"'`".to_vec()),
        prop_oneof![2 => Just(None), 1 => Just(Some(b'\\'))],
        select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(delimiter, quote, escape, end, all_quoted, ends_with_line_end)| Style {
            delimiter,
            quote,
            escape,
            end,
            all_quoted,
            ends_with_line_end,
        })
}

/// Two columns or more: a row of one empty field is a blank line.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let piece = select(vec![
        ",", ";", "\t", "|", "||", ":", "^", "~", " ", "\"", "'", "`", "\\", "\n", "\r\n", "\r",
        "a", "bc", "1", "2.5", "é", "#",
    ]);
    let field = proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    (2usize..5).prop_flat_map(move |width| {
        proptest::collection::vec(proptest::collection::vec(field.clone(), width), 1..12)
    })
}

/// The table under a header of its own, which no row equals.
fn written(table: &[Vec<String>], style: &Style, delimiter: &str) -> String {
    let header = (0..table[0].len()).map(|column| format!("column{column}")).collect();
    let quote = char::from(style.quote);
    let field = |value: &String| {
        let is_special = |c: char| delimiter.contains(c) || c == quote || "\r\n".contains(c);
        if !style.all_quoted && !value.contains(is_special) {
            return value.clone();
        }
        let inner = match style.escape.map(char::from) {
            None => value.replace(quote, &format!("{quote}{quote}")),
            Some(escape) => value
                .replace(escape, &format!("{escape}{escape}"))
                .replace(quote, &format!("{escape}{quote}")),
        };
        format!("{quote}{inner}{quote}")
    };
    let rows = std::iter::once(&header).chain(table);
    let lines: Vec<String> = rows
        .map(|row: &Vec<String>| row.iter().map(field).collect::<Vec<_>>().join(delimiter))
        .collect();
    lines.join(style.end) + if style.ends_with_line_end { style.end } else { "" }
}

fn dialect(style: &Style) -> Dialect {
    Dialect {
        delimiter: style.delimiter,
        quote: Some(style.quote),
        escape: style.escape,
        ..Dialect::default()
    }
}

/// The values of a file that has no broken record.
fn sifted(file: &str, dialect: &Dialect, target: usize) -> Result<Vec<Vec<String>>, TestCaseError> {
    let sifted = sift(file.as_bytes(), dialect, target);
    let sifted = sifted.ok_or_else(|| TestCaseError::fail("refused"))?;
    prop_assert_eq!(&sifted.broken, &[]);
    let values = |(_, row): (u64, Vec<Option<String>>)| {
        row.into_iter().map(Option::unwrap_or_default).collect()
    };
    Ok(sifted.rows.into_iter().map(values).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_written_table_reads_as_the_csv_crate_reads_it(
        table in tables(),
        style in styles(),
        target in 1u64..100,
        piece in 1usize..50,
    ) {
        let file = written(&table, &style, &char::from(style.delimiter).to_string());
        let mut other = csv::ReaderBuilder::new();
        other.delimiter(style.delimiter).quote(style.quote).escape(style.escape);
        let mut other = other.double_quote(style.escape.is_none()).from_reader(file.as_bytes());
        let expected: Vec<Vec<String>> = other
            .records()
            .map(|record| record.map(|record| record.iter().map(str::to_owned).collect()))
            .collect::<Result<_, _>>()
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let failed = |error: loader_csv::CsvError| TestCaseError::fail(error.to_string());
        let dialect = dialect(&style);
        let read = read(file.as_bytes(), &dialect, target, piece).map_err(failed)?;
        let rows = read.rows(&vec![DecodeAs::Text; table[0].len()], 5).map_err(failed)?;
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| row.into_iter().skip(1).map(Option::unwrap_or_default).collect())
            .collect();
        prop_assert_eq!(&rows, &expected);
        prop_assert_eq!(&rows, &table);
    }

    #[test]
    fn a_delimiter_of_several_characters_reads_as_one(
        table in tables(),
        style in styles(),
        delimiter in select(vec!["||", "::", "~|~", ", ", "^^^^^^^^", " | ", ";|"]),
        target in 1usize..100,
    ) {
        // A field may end with the beginning of a delimiter only in quotes.
        let style = Style { delimiter: delimiter.as_bytes()[0], ..style };
        let file = written(&table, &style, delimiter);
        let tail = DelimiterTail::new(&delimiter.as_bytes()[1..]).expect("short");
        let dialect = Dialect { delimiter_tail: tail, ..dialect(&style) };
        prop_assert!(dialect.check().is_ok());
        let rows = sifted(&file, &dialect, target)?;
        prop_assert_eq!(rows, table);
    }

    #[test]
    fn blanks_around_fields_are_trimmed(
        table in tables(),
        blanks in proptest::collection::vec(select(vec!["", " ", "  ", "\t"]), 1..20),
        style in styles(),
        target in 1usize..100,
    ) {
        let without = |field: &String| field.replace(['|', '"'], "");
        let table: Vec<Vec<String>> =
            table.iter().map(|row| row.iter().map(without).collect()).collect();
        let style = Style { delimiter: b'|', quote: b'"', all_quoted: true, ..style };
        let plain = written(&table, &style, "|");
        // Only the delimiters between quotes are those of the file, so blanks are put there.
        let mut around = blanks.iter().cycle();
        let mut blank = || around.next().copied().unwrap_or_default();
        let pieces: Vec<&str> = plain.split("\"|\"").collect();
        let mut file = pieces[0].to_owned();
        for piece in &pieces[1..] {
            file.push_str(&format!("\"{}|{}\"{piece}", blank(), blank()));
        }
        let dialect = Dialect { trim: true, ..dialect(&style) };
        let rows = sifted(&file, &dialect, target)?;
        prop_assert_eq!(rows, table);
    }
}
