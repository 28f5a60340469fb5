//! What holds for any file of JSON Lines: its rows are those of its objects, and each is found again
//! as it stands.

use std::io::Cursor;
use std::num::NonZeroUsize;

use arrow::array::AsArray;
use loader_csv::{DecodeAs, Decoder, Dialect};
use loader_model::choices::FileFormat;
use loader_model::max_rejects::MaxRejects;
use loader_model::stop::StopFlag;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::Content;
use crate::infer::{self, Reading, Spool};

const KEYS: [&str; 4] = ["id", "näme", "a b", "x"];

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z0-9 \\\\\"\n\t\r\u{1F}\u{E9}\u{1F600},;{}]{0,6}".prop_map(Value::from),
        Just(Value::from("null")),
    ];
    prop_oneof![
        3 => text,
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => "[a-z\r\n]{0,3}".prop_map(|text| serde_json::json!({"in": [text, null, 1.5]})),
    ]
}

/// An object, how it is written, and whether a blank line stands in front of it.
fn row() -> impl Strategy<Value = (Map<String, Value>, u8, bool)> {
    let members = prop::sample::subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_shuffle();
    (members, prop::collection::vec(value(), KEYS.len()), 0_u8..4, any::<bool>()).prop_map(
        |(keys, values, style, is_blank)| {
            let members = keys.into_iter().map(str::to_owned).zip(values);
            (members.collect(), style, is_blank)
        },
    )
}

fn written(object: &Map<String, Value>, style: u8) -> String {
    let plain = Value::from(object.clone()).to_string();
    match style {
        0 => plain,
        1 => format!(" {plain}\t"),
        // As other programs write what is not ASCII.
        2 => plain.chars().map(escaped).collect(),
        _ => format!("{plain}\r"),
    }
}

fn escaped(character: char) -> String {
    let units = |unit: &u16| format!("\\u{unit:04x}");
    match character.is_ascii() {
        true => character.to_string(),
        false => character.encode_utf16(&mut [0; 2]).iter().map(units).collect(),
    }
}

fn read(text: &str) -> Spool {
    let (stop, dialect) = (StopFlag::default(), Dialect::default());
    let content =
        Content::of(Box::new(Cursor::new(text.to_owned())), None, FileFormat::Json, &stop);
    let reading = Reading {
        dialect: &dialect,
        columns: &[],
        column_names: None,
        max_rejects: MaxRejects::default(),
        footer: None,
    };
    infer::run(content.expect("text"), &reading, None, NonZeroUsize::MIN, &stop).expect("reads")
}

/// The texts of a column, decoded so.
fn column(spool: &Spool, place: usize, decode_as: DecodeAs) -> Vec<Option<String>> {
    let mut as_types = vec![DecodeAs::Skip; spool.header.names.len()];
    as_types[place] = decode_as;
    let mut decoder = Decoder::new(&spool.dialect, &spool.header, &as_types, 100);
    let (mut texts, mut bytes) = (Vec::new(), Vec::new());
    for spooled in &spool.chunks {
        spool.read(&spooled.chunk, &mut bytes).expect("reads");
        for decoded in decoder.decode_chunk(&bytes, &spooled.chunk, spooled.first_record) {
            let batch = decoded.expect("decodes").batch;
            let column = batch.column(0).as_string::<i32>();
            texts.extend(column.iter().map(|text| text.map(str::to_owned)));
        }
    }
    texts
}

fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rows_are_objects_and_are_found_again(rows in prop::collection::vec(row(), 1..12)) {
        prop_assume!(rows.iter().any(|(object, _, _)| !object.is_empty()));
        let mut text = String::new();
        let mut starts = Vec::new();
        for (object, style, is_blank) in &rows {
            text += if *is_blank { "\n" } else { "" };
            starts.push(text.len() as u64);
            text += &written(object, *style);
            text += "\n";
        }
        let spool = read(&text);
        prop_assert_eq!(spool.profile.records, rows.len() as u64);
        for (place, name) in spool.header.names.iter().enumerate() {
            let objects = || rows.iter().map(|(object, _, _)| object.get(name));
            let texts: Vec<_> = objects().map(text_of).collect();
            prop_assert_eq!(column(&spool, place, DecodeAs::Text), texts);
            let values: Vec<_> =
                objects().map(|value| value.filter(|value| !value.is_null()).cloned()).collect();
            let read: Vec<Option<Value>> = column(&spool, place, DecodeAs::Json)
                .into_iter()
                .map(|json| json.map(|json| serde_json::from_str(&json).expect("JSON")))
                .collect();
            prop_assert_eq!(read, values);
        }
        let numbers: Vec<u64> = (1..=rows.len() as u64).collect();
        let found = spool.records(&numbers);
        for (number, ((object, style, _), start)) in numbers.iter().zip(rows.iter().zip(&starts)) {
            let record = &found[number];
            let line = text[..usize::try_from(*start).expect("small")].matches('\n').count() + 1;
            prop_assert_eq!(record.position.byte, *start);
            prop_assert_eq!(record.position.line, line as u64);
            let line = written(object, *style);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            prop_assert_eq!(String::from_utf8_lossy(&record.text), line);
        }
    }
}

#[test]
fn places_are_right_far_into_a_file() {
    let rows = 40_000_u64;
    let text: String =
        (1..=rows).map(|row| format!("{{ \"id\" : {row} , \"b\":\"x\" }}\n")).collect();
    let spool = read(&text);
    let found = spool.records(&[1, 9_999, 10_000, 39_999, rows]);
    for (number, record) in &found {
        let start = text.find(&format!("{{ \"id\" : {number} ,")).expect("it is there") as u64;
        assert_eq!((record.position.byte, record.position.line), (start, *number));
        assert!(record.text.starts_with(format!("{{ \"id\" : {number} ,").as_bytes()));
    }
    assert_eq!(found.len(), 5);
}
