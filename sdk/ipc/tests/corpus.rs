//! The fuzzing of the validator, as far as a test has time for it: every file that the fuzzer
//! started from or has left, and mutations of them that are the same in every run. `sdk/ipc/fuzz`
//! has the longer runs.

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own where the fuzzer uses it")]
mod fuzz;

mod forged;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow_ipc::{MessageHeader, MetadataVersion};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use loader_ipc::{encode_columns, encode_schema};

use crate::forged::{Forged, ROWS};
use crate::fuzz::mutate::{Dice, mutate};
use crate::fuzz::{KINDS, NOT_NULL};

/// Mutations of a run, spread evenly over the files.
const MUTATIONS: usize = 100_000;

type Seeds = BTreeMap<String, Vec<u8>>;

fn place(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target)
}

fn files(dir: &Path) -> Seeds {
    let entries = std::fs::read_dir(dir).expect("the folder is there");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("it can be read"))
    };
    entries.map(file).collect()
}

/// Where the fuzzer starts and where it got to.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    [files(&place("seeds", target)), files(&place("corpus", target))]
        .into_iter()
        .flat_map(Seeds::into_values)
        .collect()
}

/// What a batch of `rows` of these kinds looks like to the fuzzer.
fn input(kinds: &[u8], rows: usize, message: &[u8]) -> Vec<u8> {
    [&[kinds.len() as u8], kinds, &(rows as u16).to_le_bytes(), message].concat()
}

/// Values of a type, each third one null unless `nulls` is false.
fn column(data_type: &DataType, rows: usize, nulls: bool) -> ArrayRef {
    let numbers = || (0..rows).map(|row| (!nulls || row % 3 != 2).then_some(row as i64 % 10));
    macro_rules! primitive {
        ($kind:ty) => {{
            let numbers = numbers().map(|number| number.map(|number| number as _));
            Arc::new(numbers.collect::<PrimitiveArray<$kind>>().with_data_type(data_type.clone()))
        }};
    }
    match data_type {
        DataType::Boolean => {
            Arc::new(numbers().map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>())
        }
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int16 => primitive!(Int16Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::Float32 => primitive!(Float32Type),
        DataType::Float64 => primitive!(Float64Type),
        DataType::Date32 => primitive!(Date32Type),
        DataType::Timestamp(TimeUnit::Microsecond, None) => primitive!(TimestampMicrosecondType),
        DataType::Decimal128(_, _) => primitive!(Decimal128Type),
        DataType::Utf8 => {
            Arc::new(numbers().map(|n| n.map(|n| format!("größe {n}"))).collect::<StringArray>())
        }
        DataType::Binary => {
            Arc::new(numbers().map(|n| n.map(i64::to_le_bytes)).collect::<BinaryArray>())
        }
        other => panic!("{other} does not cross the sandbox"),
    }
}

/// Honest batches of every type, and the misdeeds that `misdeeds.rs` forges.
fn batch_seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for (kind, data_type) in KINDS.iter().enumerate() {
        for (rows, nulls) in [(0, true), (1, false), (9, true)] {
            let message =
                encode_columns(rows, &[column(data_type, rows, nulls)]).expect("is written");
            let kind = kind as u8 | if nulls { 0 } else { NOT_NULL };
            seeds.insert(format!("{kind:02x}-{rows}"), input(&[kind], rows, &message));
        }
    }
    let all: Vec<u8> = (0..KINDS.len() as u8).collect();
    let columns: Vec<ArrayRef> = KINDS.iter().map(|data_type| column(data_type, 5, true)).collect();
    seeds.insert("all-5".into(), input(&all, 5, &encode_columns(5, &columns).expect("is written")));
    seeds.insert("none".into(), input(&[], 3, &[]));
    for (name, message) in forgeries() {
        seeds.insert(format!("forged-{name}"), input(&[4], ROWS, &message));
    }
    let texts = Forged {
        buffers: vec![(0, 0), (0, 20), (20, 4)],
        body: (0..5_i32).flat_map(i32::to_le_bytes).chain(*b"a\xffbc").collect(),
        ..Forged::default()
    };
    seeds.insert("forged-text".into(), input(&[7], ROWS, &texts.bytes()));
    seeds
}

fn forgeries() -> [(&'static str, Vec<u8>); 12] {
    let honest = Forged::default;
    [
        ("honest", honest().bytes()),
        ("version", Forged { version: MetadataVersion::V4, ..honest() }.bytes()),
        ("header", Forged { header_type: MessageHeader::DictionaryBatch, ..honest() }.bytes()),
        ("rows", Forged { rows: 1 << 40, nodes: vec![(1 << 40, 0)], ..honest() }.bytes()),
        ("columns", Forged { nodes: vec![(4, 0), (4, 0)], ..honest() }.bytes()),
        (
            "nulls",
            Forged { nodes: vec![(4, 2)], buffers: vec![(0, 1), (8, 32)], ..honest() }.bytes(),
        ),
        ("negative", Forged { buffers: vec![(0, 0), (-8, 32)], ..honest() }.bytes()),
        ("outside", Forged { buffers: vec![(0, 0), (i64::MAX, i64::MAX)], ..honest() }.bytes()),
        ("aliased", Forged { buffers: vec![(0, 32), (0, 32)], ..honest() }.bytes()),
        ("compressed", Forged { compressed: true, ..honest() }.bytes()),
        ("variadic", Forged { variadic: vec![1], ..honest() }.bytes()),
        ("length", Forged { body_length: Some(i64::MAX), ..honest() }.bytes()),
    ]
}

/// Honest schemas, and types that do not cross.
fn schema_seeds() -> Seeds {
    let item = || Arc::new(Field::new("item", DataType::Int64, true));
    let refused = [
        DataType::UInt64,
        DataType::Utf8View,
        DataType::List(item()),
        DataType::Struct(vec![item()].into()),
        DataType::Map(
            Arc::new(Field::new("entries", DataType::Struct(vec![item(), item()].into()), false)),
            false,
        ),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::RunEndEncoded(Arc::new(Field::new("run_ends", DataType::Int32, false)), item()),
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        DataType::FixedSizeBinary(4),
        DataType::Decimal256(50, 2),
        DataType::Decimal128(9, 9),
    ];
    let mut seeds = Seeds::new();
    for (index, data_type) in KINDS.iter().chain(&refused).enumerate() {
        let schema = Schema::new(vec![Field::new("c", data_type.clone(), index % 2 == 0)]);
        seeds.insert(format!("one-{index:02}"), encode_schema(&schema));
    }
    let metadata = [("loader.logical".to_owned(), "decimal".to_owned())].into();
    let all = KINDS
        .iter()
        .enumerate()
        .map(|(index, kind)| Field::new(format!("größe {index}"), kind.clone(), true));
    let all: Vec<Field> =
        all.map(|field| field.with_metadata(std::collections::HashMap::clone(&metadata))).collect();
    seeds.insert("all".into(), encode_schema(&Schema::new_with_metadata(all, metadata)));
    let twice =
        ["a", "A", "", "\u{1b}[2J"].map(|name| Field::new(name, DataType::Int64, true)).to_vec();
    seeds.insert("names".into(), encode_schema(&Schema::new(twice)));
    seeds.insert("none".into(), encode_schema(&Schema::empty()));
    seeds.insert("forged-batch".into(), Forged::default().bytes());
    seeds
}

/// The seeds in the repository are those that this file makes; `UPDATE=1` writes them.
#[test]
fn seeds_are_up_to_date() {
    for (target, seeds) in [("batch", batch_seeds()), ("schema", schema_seeds())] {
        let dir = place("seeds", target);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&dir).expect("the folder can be made");
            seeds.iter().for_each(|(name, bytes)| {
                std::fs::write(dir.join(name), bytes).expect("it can be written")
            });
        }
        assert!(
            files(&dir) == seeds,
            "seeds of {target} are stale: UPDATE=1 cargo test -p loader-ipc --test corpus"
        );
    }
}

#[test]
fn honest_batches_of_the_seeds_are_accepted() {
    let accepted = batch_seeds().into_iter().filter(|(_, bytes)| fuzz::batch(bytes));
    assert_eq!(accepted.count(), 3 * KINDS.len() + 3);
    let accepted = schema_seeds().into_iter().filter(|(_, bytes)| fuzz::schema(bytes));
    assert_eq!(accepted.count(), KINDS.len() + 2);
}

#[test]
fn batches_of_the_corpus_and_their_mutations_are_survived() {
    survive("batch", fuzz::batch);
}

#[test]
fn schemas_of_the_corpus_and_their_mutations_are_survived() {
    survive("schema", fuzz::schema);
}

fn survive(target: &str, check: fn(&[u8]) -> bool) {
    let inputs = inputs(target);
    let mut dice = Dice(1);
    for input in &inputs {
        check(input);
        for _ in 0..MUTATIONS.div_ceil(inputs.len()) {
            let mut mutated = input.clone();
            mutate(&mut mutated, &mut dice);
            check(&mutated);
        }
    }
}
