//! What holds for every file: it reads as the slow reader reads it, and where it is cut never
//! shows.

use loader_csv::{
    CsvError, CsvErrorKind, DecodeAs, DelimiterTail, Dialect, FieldForm, FileProfile, LeadingZeros,
    LogicalType, Oddity, Quotes, Ragged, RepeatedHeader, ShortRows, TrailingDelimiter,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::{naive, read};

pub(crate) fn dialects() -> impl Strategy<Value = Dialect> {
    (
        prop_oneof![4 => Just(Some(b'"')), 1 => Just(None)],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'\\')), 1 => Just(Some(b'"'))],
        any::<bool>(),
        prop_oneof![3 => Just(0u64), 1 => 0u64..3],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'#'))],
        any::<bool>(),
        prop_oneof![3 => Just(RepeatedHeader::Skip), 1 => Just(RepeatedHeader::Keep)],
        (any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(quote, escape, header, skip_rows, comment, nulls, repeated_header, lenient)| {
                let (quotes, short_rows, trailing) = lenient;
                Dialect {
                    delimiter: b',',
                    quote,
                    escape,
                    header,
                    columns: None,
                    header_rows: 1,
                    trim: false,
                    delimiter_tail: DelimiterTail::default(),
                    skip_rows,
                    comment,
                    null_tokens: if nulls { vec!["NA".into(), "a".into()] } else { Vec::new() },
                    leading_zeros: LeadingZeros::Text,
                    repeated_header,
                    quotes: if quotes { Quotes::Lenient } else { Quotes::Strict },
                    short_rows: if short_rows { ShortRows::Fill } else { ShortRows::Reject },
                    trailing_delimiter: match trailing {
                        true => TrailingDelimiter::Allow,
                        false => TrailingDelimiter::Reject,
                    },
                    field_form: FieldForm::Csv,
                    quoted_nulls: false,
                }
            },
        )
}

/// Files that are often CSV by accident, with every kind of mistake in the others.
pub(crate) fn wild_files() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        10 => Just(","),
        6 => prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        6 => select(vec!["\"", "\"\"", "\\", "#", "\",\"", "\n\""]),
        2 => select(vec!["\u{feff}", "\n\u{feff}", "\n\u{feff}\"", "\n\u{feff}#"]),
        8 => select(vec!["a", "NA", "é", "1", " ", "some text that is longer than the others"]),
    ];
    let bom = prop_oneof![4 => Just(""), 1 => Just("\u{feff}")];
    (bom, proptest::collection::vec(piece, 0..60))
        .prop_map(|(bom, pieces)| format!("{bom}{}", pieces.concat()).into_bytes())
}

/// Files that are CSV with any text in their fields, except a few that a quote too many breaks.
pub(crate) fn written_files() -> impl Strategy<Value = Vec<u8>> {
    let text = proptest::collection::vec(
        prop_oneof![
            Just(","),
            Just("\""),
            Just("\n"),
            Just("\r"),
            Just("#"),
            Just("é"),
            Just("a"),
            Just("b")
        ],
        0..6,
    );
    let field = prop_oneof![
        4 => "[a-cNA1 ]{0,3}",
        4 => text.prop_map(|pieces| format!("\"{}\"", pieces.concat().replace('"', "\"\""))),
        1 => Just("a\"b".to_owned()),
        1 => select(vec!["\\\n", "\\\r", "\\\r\\\n", "\\,", "a\\\\"]).prop_map(str::to_owned),
    ];
    let end = prop_oneof![
        6 => Just("\n"),
        3 => Just("\r\n"),
        3 => Just("\r"),
        1 => Just("\n\r\n\n"),
        1 => Just("\n\n#\n\n"),
        1 => Just("\n#\"a,\r")
    ];
    (1usize..5)
        .prop_flat_map(move |width| {
            proptest::collection::vec(
                (proptest::collection::vec(field.clone(), width), end.clone()),
                1..20,
            )
        })
        .prop_flat_map(|records| {
            let lines: Vec<String> =
                records.into_iter().map(|(record, end)| record.join(",") + end).collect();
            let mark = prop_oneof![4 => Just(""), 1 => Just("\u{feff}")];
            // Some lines are the first one again.
            let header = lines[0].clone();
            let line = (mark, prop_oneof![4 => Just(None), 1 => Just(Some(header))]);
            let again = proptest::collection::vec(line, lines.len());
            again.prop_map(move |again| {
                let lines = lines.iter().zip(again);
                let lines = lines.map(|(line, (mark, again))| {
                    format!("{mark}{}", again.as_ref().unwrap_or(line))
                });
                lines.collect::<String>().into_bytes()
            })
        })
}

/// Files that are CSV: columns of one kind each, mostly.
fn tame_files() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &str| Just(text.to_owned());
    let field = move |kind: u8| match kind {
        0 => prop_oneof![9 => "-?[1-9][0-9]{0,4}", 1 => text("")].boxed(),
        1 => prop_oneof![20 => "-?[1-9][0-9]{0,18}", 1 => "[0-9]{1,3}"].boxed(),
        2 => prop_oneof![9 => "-?[1-9][0-9]{0,9}\\.[0-9]{1,6}", 1 => "\"[0-9]{1,20}\""].boxed(),
        3 => prop_oneof![9 => "[1-9]e[0-9]{1,2}", 1 => text("NaN"), 1 => text("1.50")].boxed(),
        4 => {
            let moment = text("2024-01-02 03:04:05.6");
            prop_oneof![30 => "20[0-9]{2}-0[1-9]-[12][0-9]", 1 => moment].boxed()
        }
        5 => prop_oneof![20 => text("true"), 20 => text("FALSE"), 1 => text("yes")].boxed(),
        6 => {
            let quoted = text("\"x \"\"y\"\"\r\nz\"");
            prop_oneof![9 => "[a-zé ]{0,12}", 1 => text("\"\""), 1 => quoted].boxed()
        }
        _ => prop_oneof![text("0"), text("1"), text("\"\"")].boxed(),
    };
    proptest::collection::vec(0u8..8, 2..6)
        .prop_flat_map(move |kinds| {
            let record: Vec<_> = kinds.into_iter().map(field).collect();
            (
                record.clone(),
                proptest::collection::vec(record, 0..40),
                prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
            )
        })
        .prop_map(|(header, records, end)| {
            let lines =
                std::iter::once(&header).chain(&records).map(|record| record.join(",") + end);
            lines.collect::<String>().into_bytes()
        })
}

type Outcome = Result<(FileProfile, Vec<Vec<Option<String>>>), CsvError>;

fn outcome(
    file: &[u8],
    dialect: &Dialect,
    target: u64,
    piece: usize,
    batch_rows: usize,
) -> Outcome {
    let read = read(file, dialect, target, piece)?;
    let rows = read.rows(&read.inferred(), batch_rows)?;
    let mut profile = read.profile;
    profile.first_records.clear();
    Ok((profile, rows))
}

/// Bytes that need not be text.
pub(crate) fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'a')];
    proptest::collection::vec(byte, 0..200)
}

fn text_of(cell: &naive::Cell) -> String {
    String::from_utf8_lossy(&cell.text).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn files_read_as_a_plain_reader_reads_them(
        file in prop_oneof![wild_files(), written_files()],
        dialect in dialects(),
        target in 1u64..80,
        piece in 1usize..80,
    ) {
        let actual = read(&file, &dialect, target, piece);
        match naive::read(&file, &dialect) {
            Err((number, kind)) => {
                let mut error = actual.err().map(|error| (error.position.record, error.kind));
                if let Some((_, CsvErrorKind::RaggedRow { ragged, .. })) = &mut error {
                    *ragged = Ragged::Long;
                }
                let record = number as u64 + u64::from(!dialect.header);
                let is_preamble = number == 0;
                prop_assert_eq!(error, Some((if is_preamble { 0 } else { record }, kind)));
            }
            Ok(naive::File { mut records, blank_lines, headers, marks, .. }) => {
                let read = actual.map_err(|error| TestCaseError::fail(error.to_string()))?;
                if dialect.header {
                    let header = records.remove(0);
                    let names = header.into_iter().map(|cell| text_of(&cell));
                    let names: Vec<String> = names.collect();
                    prop_assert_eq!(&read.header.names, &names);
                }
                prop_assert_eq!(read.profile.records, records.len() as u64);
                let oddities = read.profile.oddities;
                let counts = [Oddity::BlankLine, Oddity::RepeatedHeader, Oddity::Mark]
                    .map(|oddity| oddities.of(oddity).count);
                prop_assert_eq!(counts, [blank_lines, headers, marks]);
                let as_text = vec![DecodeAs::Text; read.header.names.len()];
                let rows = read.rows(&as_text, 3);
                let rows = rows.map_err(|error| TestCaseError::fail(error.to_string()))?;
                let expected = records.into_iter().enumerate().map(|(index, record)| {
                    let values = record.into_iter().map(|cell| {
                        let text = text_of(&cell);
                        let is_token = text.is_empty() || dialect.null_tokens.contains(&text);
                        (cell.quoted || !is_token).then_some(text)
                    });
                    std::iter::once(Some((index + 1).to_string())).chain(values).collect()
                });
                let expected: Vec<Vec<Option<String>>> = expected.collect();
                prop_assert_eq!(rows, expected);
            }
        }
    }

    #[test]
    fn cuts_never_show(
        file in prop_oneof![wild_files(), written_files(), tame_files(), any_bytes()],
        dialect in dialects(),
        target in 1u64..60,
        piece in 1usize..60,
        batch_rows in 1usize..9,
    ) {
        let whole = outcome(&file, &dialect, 1 << 30, usize::MAX, 1 << 14);
        let cut = outcome(&file, &dialect, target, piece, batch_rows);
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn profiles_agree_with_reading_every_value_as_every_type(
        file in tame_files(),
        target in 1u64..200,
    ) {
        let failed = |error: CsvError| TestCaseError::fail(error.to_string());
        let dialect = Dialect::default();
        let read = read(&file, &dialect, target, 64).map_err(failed)?;
        let as_text = vec![DecodeAs::Text; read.header.names.len()];
        let rows = read.rows(&as_text, 1000).map_err(failed)?;
        for (index, column) in read.profile.columns.iter().enumerate() {
            let texts = rows.iter().map(|values| values[index + 1].as_deref().map(str::as_bytes));
            let values: Vec<(u64, &[u8])> = (1u64..).zip(texts)
                .filter_map(|(record, text)| Some((record, text?)))
                .filter(|(_, text)| !text.is_empty())
                .collect();
            for (logical, reads) in TYPES {
                let first = values.iter().find(|(_, text)| !reads(text)).map(|(record, _)| *record);
                let actual = column.accepts(logical).err().map(|position| position.record);
                prop_assert_eq!(actual, first, "{} in column {}", logical, index);
            }
            let longest = values.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
            prop_assert_eq!(column.max_bytes as usize, longest);
            if column.accepts(LogicalType::Int64).is_ok() {
                let range = values.iter().filter_map(|(_, text)| loader_values::parse_i64(text));
                prop_assert_eq!(column.min_int, range.clone().min());
                prop_assert_eq!(column.max_int, range.max());
            }
            if column.accepts(LogicalType::Double).is_ok() {
                let texts = values.iter().map(|(_, text)| *text);
                let shapes = texts.filter_map(loader_values::number_shape);
                let integer_digits = shapes.clone().map(|shape| shape.integer_digits).max();
                let fraction_digits = shapes.map(|shape| shape.fraction_digits).max();
                prop_assert_eq!(column.max_integer_digits, integer_digits.unwrap_or(0));
                prop_assert_eq!(column.max_fraction_digits, fraction_digits.unwrap_or(0));
            }
        }
    }
}

pub(crate) type Reads = fn(&[u8]) -> bool;

pub(crate) const TYPES: [(LogicalType, Reads); 8] = [
    (LogicalType::Boolean, |text| loader_values::parse_bool(text).is_some()),
    (LogicalType::Int16, |text| integer(text).is_some_and(|value| i16::try_from(value).is_ok())),
    (LogicalType::Int32, |text| integer(text).is_some_and(|value| i32::try_from(value).is_ok())),
    (LogicalType::Int64, |text| integer(text).is_some()),
    (LogicalType::Decimal, |text| {
        let shape =
            loader_values::number_shape(text).filter(|_| !loader_values::has_leading_zeros(text));
        shape.is_some_and(|shape| {
            !shape.exponent && shape.integer_digits + shape.fraction_digits <= 38
        })
    }),
    (LogicalType::Double, |text| {
        loader_values::parse_f64(text).is_some() && !loader_values::has_leading_zeros(text)
    }),
    (LogicalType::Date, |text| loader_values::parse_date(text).is_some()),
    (LogicalType::Timestamp, |text| loader_values::parse_timestamp(text).is_some()),
];

fn integer(text: &[u8]) -> Option<i64> {
    loader_values::parse_i64(text).filter(|_| !loader_values::has_leading_zeros(text))
}
