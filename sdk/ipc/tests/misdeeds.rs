//! One test for each misdeed of untrusted bytes, with the full message. Messages are forged, since
//! no encoder lies.

mod forged;

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Decimal128Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow_ipc::{MessageHeader, MetadataVersion};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use insta::assert_snapshot;
use loader_ipc::untrusted::{BatchLimits, SchemaLimits, check_batch, check_rejects, check_schema};
use loader_ipc::{Violation, encode_columns, encode_schema};

use crate::forged::{Forged, ROWS};

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    Arc::new(Schema::new(
        fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect::<Vec<_>>(),
    ))
}

fn one_int() -> SchemaRef {
    schema(&[("n", DataType::Int64)])
}

fn refused(bytes: Vec<u8>, schema: &SchemaRef) -> Violation {
    check_batch(bytes, schema, ROWS, &BatchLimits::default()).expect_err("is refused")
}

fn forged(forged: Forged) -> Violation {
    refused(forged.bytes(), &one_int())
}

/// A well-formed message whose values are the misdeed.
fn values(array: ArrayRef) -> Violation {
    let (rows, schema) = (array.len(), schema(&[("v", array.data_type().clone())]));
    let bytes = encode_columns(rows, &[array]).expect("is written");
    check_batch(bytes, &schema, rows, &BatchLimits::default()).expect_err("is refused")
}

#[test]
fn the_honest_message_is_accepted() {
    let batch =
        check_batch(Forged::default().bytes(), &one_int(), ROWS, &BatchLimits::default()).unwrap();
    assert_eq!(batch.num_rows(), ROWS);
}

#[test]
fn too_long() {
    let limits = BatchLimits { max_message_bytes: 100, ..BatchLimits::default() };
    let error = check_batch(vec![0; 101], &one_int(), ROWS, &limits).unwrap_err();
    assert_snapshot!(error, @"message of 101 bytes is over the limit of 100");
}

#[test]
fn too_short() {
    assert_snapshot!(refused(Vec::new(), &one_int()), @"message of 0 bytes is too short to be framed; it takes at least 8");
    assert_snapshot!(refused(vec![0xff; 7], &one_int()), @"message of 7 bytes is too short to be framed; it takes at least 8");
}

#[test]
fn no_continuation_marker() {
    let bytes = Forged::default().bytes()[4..].to_vec();
    assert_snapshot!(refused(bytes, &one_int()), @"message starts with [88, 00, 00, 00] instead of the continuation marker [ff, ff, ff, ff]");
}

#[test]
fn header_longer_than_the_message() {
    let mut bytes = Forged::default().bytes();
    bytes[4..8].copy_from_slice(&100_000_i32.to_le_bytes());
    assert_snapshot!(refused(bytes.clone(), &one_int()), @"header of 100000 bytes does not fit into a message of 208");
    bytes[4..8].copy_from_slice(&(-8_i32).to_le_bytes());
    assert_snapshot!(refused(bytes, &one_int()), @"header of -8 bytes does not fit into a message of 208");
}

#[test]
fn header_that_is_no_flatbuffer() {
    let mut bytes = Forged::default().bytes();
    bytes[8..12].copy_from_slice(&[0xff; 4]);
    assert_snapshot!(refused(bytes, &one_int()), @"header is not a valid flatbuffer: Type `i32` at position 4294967295 is unaligned");
    let empty = [[0xff; 4], [0; 4]].concat();
    assert_snapshot!(refused(empty, &one_int()), @"header is not a valid flatbuffer: Range [0, 4) is out of bounds");
}

#[test]
fn older_metadata_version() {
    assert_snapshot!(forged(Forged { version: MetadataVersion::V4, ..Forged::default() }), @"metadata version is V4; it must be V5");
}

#[test]
fn another_kind_of_message() {
    assert_snapshot!(refused(encode_schema(&one_int()), &one_int()), @"message holds a Schema; it must hold a RecordBatch");
    assert_snapshot!(forged(Forged { header_type: MessageHeader::NONE, ..Forged::default() }), @"header is not a valid flatbuffer: Exactly one of union discriminant (`header`) and value (`header_type`) are present");
    let error = check_schema(&Forged::default().bytes(), &SchemaLimits::default()).unwrap_err();
    assert_snapshot!(error, @"message holds a RecordBatch; it must hold a Schema");
}

#[test]
fn trailing_bytes() {
    let bytes = [Forged::default().bytes(), vec![0; 8]].concat();
    assert_snapshot!(refused(bytes, &one_int()), @"message is 216 bytes long, but its header says that it ends at 208");
}

#[test]
fn body_of_another_length() {
    assert_snapshot!(forged(Forged { body_length: Some(i64::MAX), ..Forged::default() }), @"message is 208 bytes long, but its header says that it ends at 9223372036854775951");
    assert_snapshot!(forged(Forged { body_length: Some(-64), ..Forged::default() }), @"message is 208 bytes long, but its header says that it ends at 80");
}

#[test]
fn compressed() {
    assert_snapshot!(forged(Forged { compressed: true, ..Forged::default() }), @"record batch is compressed; send it uncompressed");
}

#[test]
fn variadic_buffers() {
    assert_snapshot!(forged(Forged { variadic: vec![1], ..Forged::default() }), @"record batch has 1 variadic buffer counts; no type in use has such buffers");
}

#[test]
fn bytes_for_no_columns() {
    assert_snapshot!(refused(vec![1, 2, 3], &schema(&[])), @"3 bytes came for a batch without columns; send none");
}

#[test]
fn wrong_row_counts() {
    assert_snapshot!(forged(Forged { rows: 3, ..Forged::default() }), @"returned 3 rows for 4; a computed column has exactly one value for each row");
    assert_snapshot!(forged(Forged { rows: 1 << 40, nodes: vec![(1 << 40, 0)], ..Forged::default() }), @"returned 1099511627776 rows for 4; a computed column has exactly one value for each row");
    assert_snapshot!(forged(Forged { rows: -1, ..Forged::default() }), @"returned -1 rows for 4; a computed column has exactly one value for each row");
}

#[test]
fn more_or_fewer_columns() {
    assert_snapshot!(forged(Forged { nodes: vec![(4, 0), (4, 0)], ..Forged::default() }), @"record batch describes 2 columns; the plan has 1 computed ones");
    assert_snapshot!(forged(Forged { nodes: Vec::new(), ..Forged::default() }), @"record batch describes 0 columns; the plan has 1 computed ones");
}

#[test]
fn more_or_fewer_buffers() {
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0)], ..Forged::default() }), @"record batch has 1 buffers; its columns need 2");
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0); 50_000], ..Forged::default() }), @"record batch has 50000 buffers; its columns need 2");
}

#[test]
fn column_of_another_length() {
    assert_snapshot!(forged(Forged { nodes: vec![(5, 0)], ..Forged::default() }), @r#"column "n": holds 5 values for 4 rows"#);
}

#[test]
fn impossible_null_counts() {
    assert_snapshot!(forged(Forged { nodes: vec![(4, 5)], ..Forged::default() }), @r#"column "n": null count 5 is not between 0 and the 4 rows"#);
    assert_snapshot!(forged(Forged { nodes: vec![(4, -1)], ..Forged::default() }), @r#"column "n": null count -1 is not between 0 and the 4 rows"#);
}

#[test]
fn null_count_that_the_bits_do_not_have() {
    let lying = Forged {
        nodes: vec![(4, 2)],
        buffers: vec![(0, 1), (8, 32)],
        body: vec![0xff; 64],
        ..Forged::default()
    };
    assert_snapshot!(forged(lying), @"record batch is not valid: Invalid argument error: null_count value (2) doesn't match actual number of nulls in array (0)");
}

#[test]
fn negative_buffers() {
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0), (-8, 32)], ..Forged::default() }), @r#"column "n": buffer 1 has offset -8 and length 32; neither may be negative"#);
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0), (0, -1)], ..Forged::default() }), @r#"column "n": buffer 1 has offset 0 and length -1; neither may be negative"#);
}

#[test]
fn buffers_outside_the_body() {
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0), (40, 32)], ..Forged::default() }), @r#"column "n": buffer 1 reaches to byte 72 of a body of 64"#);
    assert_snapshot!(forged(Forged { buffers: vec![(65, 0), (0, 32)], ..Forged::default() }), @r#"column "n": buffer 0 reaches to byte 65 of a body of 64"#);
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0), (i64::MAX, i64::MAX)], ..Forged::default() }), @r#"column "n": buffer 1 reaches to byte 18446744073709551614 of a body of 64"#);
}

#[test]
fn shared_or_disordered_buffers() {
    assert_snapshot!(forged(Forged { buffers: vec![(0, 32), (0, 32)], ..Forged::default() }), @r#"column "n": buffer 1 starts at byte 0, before the previous one ends at 32"#);
    assert_snapshot!(forged(Forged { buffers: vec![(32, 1), (0, 32)], ..Forged::default() }), @r#"column "n": buffer 1 starts at byte 0, before the previous one ends at 33"#);
}

#[test]
fn buffer_shorter_than_its_rows() {
    assert_snapshot!(forged(Forged { buffers: vec![(0, 0), (0, 24)], ..Forged::default() }), @"record batch is not valid: Invalid argument error: Need at least 32 bytes in buffers[0] in array of type Int64, but got 24");
}

/// Four texts of one byte each, over given offsets and bytes.
fn text(offsets: [i32; 5], bytes: &[u8]) -> Violation {
    let body: Vec<u8> =
        offsets.into_iter().flat_map(i32::to_le_bytes).chain(bytes.iter().copied()).collect();
    let buffers = vec![(0, 0), (0, 20), (20, bytes.len() as i64)];
    refused(
        Forged { buffers, body, ..Forged::default() }.bytes(),
        &schema(&[("t", DataType::Utf8)]),
    )
}

#[test]
fn text_that_is_none() {
    assert_snapshot!(text([0, 1, 2, 3, 4], &[b'a', 0xff, b'b', b'c']), @"record batch is not valid: Invalid argument error: Invalid UTF8 sequence at string index 1 (1..2): invalid utf-8 sequence of 1 bytes from index 0");
    assert_snapshot!(text([0, 1, 2, 3, 4], "aéb".as_bytes()), @"record batch is not valid: Invalid argument error: incomplete utf-8 byte sequence from index 1");
}

#[test]
fn offsets_that_lead_astray() {
    assert_snapshot!(text([0, 1, 2, 3, 400], b"abcd"), @"record batch is not valid: Invalid argument error: Last offset 400 of Utf8 is larger than values length 4");
    assert_snapshot!(text([0, 3, 2, 3, 4], b"abcd"), @"record batch is not valid: Invalid argument error: Offset invariant failure: non-monotonic offset at slot 1: 3 > 2");
    assert_snapshot!(text([-1, 1, 2, 3, 4], b"abcd"), @"record batch is not valid: Invalid argument error: Error converting offset[0] (-1) to usize for Utf8");
}

#[test]
fn offsets_of_a_broken_length() {
    let broken = Forged { buffers: vec![(0, 0), (0, 21), (24, 4)], ..Forged::default() };
    assert_snapshot!(refused(broken.bytes(), &schema(&[("t", DataType::Utf8)])), @r#"column "t": the offsets take 21 bytes, which is not a multiple of 4"#);
}

#[test]
fn null_in_a_column_that_has_none() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let nulls = Forged {
        nodes: vec![(4, 1)],
        buffers: vec![(0, 1), (8, 32)],
        body: vec![0x07; 64],
        ..Forged::default()
    };
    assert_snapshot!(refused(nulls.bytes(), &schema), @"record batch is not valid: Invalid argument error: Column 'n' is declared as non-nullable but contains null values");
}

#[test]
fn decimal_with_too_many_digits() {
    let decimals = |values: Vec<Option<i128>>, precision, scale| {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
    };
    let too_big = Some(10_i128.pow(38));
    assert_snapshot!(values(decimals(vec![Some(1), too_big], 38, 18)), @r#"column "v", row 1: value has more than the 38 digits of the declared DECIMAL(38,18)"#);
    assert_snapshot!(values(decimals(vec![Some(i128::MIN)], 38, 18)), @r#"column "v", row 0: value has more than the 38 digits of the declared DECIMAL(38,18)"#);
    assert_snapshot!(values(decimals(vec![None, Some(-100)], 2, 1)), @r#"column "v", row 1: value has more than the 2 digits of the declared DECIMAL(2,1)"#);
    // The largest that fits, and what stands behind a null.
    let array =
        Decimal128Array::new(vec![99, -99, 100].into(), Some(vec![true, true, false].into()));
    let array: ArrayRef = Arc::new(array.with_precision_and_scale(2, 1).unwrap());
    let schema = schema(&[("v", DataType::Decimal128(2, 1))]);
    check_batch(encode_columns(3, &[array]).unwrap(), &schema, 3, &BatchLimits::default()).unwrap();
}

#[test]
fn days_that_redshift_does_not_have() {
    assert_snapshot!(values(Arc::new(Date32Array::from(vec![0, i32::MAX]))), @r#"column "v", row 1: date is outside 4713 BC to 294276 AD, which is what Redshift can hold"#);
    assert_snapshot!(values(Arc::new(Date32Array::from(vec![-2_440_551]))), @r#"column "v", row 0: date is outside 4713 BC to 294276 AD, which is what Redshift can hold"#);
    assert_snapshot!(values(Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MIN]))), @r#"column "v", row 1: timestamp is before 4713 BC, which is the first year Redshift can hold"#);
}

#[test]
fn values_too_long_to_load() {
    assert_snapshot!(values(Arc::new(StringArray::from(vec!["a".to_owned(), "é".repeat(32_768)]))), @r#"column "v", row 1: value is 65536 bytes long; the limit is 65535"#);
    assert_snapshot!(values(Arc::new(BinaryArray::from(vec![vec![0; 1_024_001].as_slice()]))), @r#"column "v", row 0: value is 1024001 bytes long; the limit is 1024000"#);
}

#[test]
fn reject_lists() {
    let refused = |rejected: &[u32], reasons: &[u16], messages| {
        check_rejects(ROWS, rejected, reasons, messages).expect_err("is refused")
    };
    assert_snapshot!(refused(&[1, 2], &[0], 1), @"2 rejected rows came with 1 reasons; each row has one");
    assert_snapshot!(refused(&[2, 1], &[0, 0], 1), @"rejected row 1 follows row 2; rows are ascending, each once");
    assert_snapshot!(refused(&[2, 2], &[0, 0], 1), @"rejected row 2 follows row 2; rows are ascending, each once");
    assert_snapshot!(refused(&[0, 4], &[0, 0], 1), @"rejected row 4 is outside the batch of 4 rows");
    assert_snapshot!(refused(&[0, 3], &[0, 1], 1), @"rejected row 3 has reason 1, but there are 1 messages");
    assert_eq!(check_rejects(ROWS, &[0, 3], &[0, 1], 2), Ok(()));
    assert_eq!(check_rejects(ROWS, &[], &[], 0), Ok(()));
}

fn bad_schema(fields: &[(&str, DataType)]) -> Violation {
    check_schema(&encode_schema(&schema(fields)), &SchemaLimits::default()).expect_err("is refused")
}

#[test]
fn schemas_of_no_or_too_many_columns() {
    assert_snapshot!(bad_schema(&[]), @"schema has no columns");
    let names: Vec<String> = (0..1700).map(|index| format!("c{index}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), DataType::Int64)).collect();
    assert_snapshot!(bad_schema(&fields), @"schema has 1700 columns; the limit is 1600");
}

#[test]
fn schema_with_a_body() {
    let bytes = [encode_schema(&one_int()), vec![0; 8]].concat();
    assert_snapshot!(check_schema(&bytes, &SchemaLimits::default()).unwrap_err(), @"message is 136 bytes long, but its header says that it ends at 128");
}

#[test]
fn names_that_no_column_may_have() {
    let named = |name: &str| bad_schema(&[("id", DataType::Int64), (name, DataType::Int64)]);
    assert_snapshot!(named(""), @"column 2 has an empty name");
    assert_snapshot!(named(&"é".repeat(100)), @"column 2 has a name of 200 bytes; the limit is 127");
    assert_snapshot!(named("a\n\u{1b}[2J"), @r#"column 2 has a control character in its name, "a\n\u{1b}[2J""#);
    assert_snapshot!(named("exe.\u{202e}gpj"), @r#"column 2 has a control character in its name, "exe.\u{202e}gpj""#);
    assert_snapshot!(named("ID"), @r#"columns 1 and 2 are both named "ID", case aside"#);
}

#[test]
fn types_that_cannot_be_loaded() {
    let typed = |data_type: DataType| bad_schema(&[("c", data_type)]);
    let item = || Arc::new(Field::new("item", DataType::Int64, true));
    assert_snapshot!(typed(DataType::UInt64), @r#"column "c" has the type UInt64, which cannot be loaded; use Boolean, Int8, Int16, Int32, Int64, Float32, Float64, Decimal128, Utf8, Binary, Date32 or Timestamp in microseconds without a time zone"#);
    for refused in [
        DataType::Null,
        DataType::Float16,
        DataType::Utf8View,
        DataType::LargeUtf8,
        DataType::FixedSizeBinary(4),
        DataType::Date64,
        DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Decimal256(50, 2),
        DataType::List(item()),
        DataType::Struct(vec![item()].into()),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    ] {
        assert!(
            matches!(typed(refused.clone()), Violation::Type { data_type, .. } if data_type == refused)
        );
    }
}

/// Names within a type are not those of columns: any length, any characters.
#[test]
fn types_that_fill_the_screen() {
    let nested = |name: &str| DataType::List(Arc::new(Field::new(name, DataType::Int64, true)));
    let refusal = bad_schema(&[("c", nested("a\n\u{1b}[2Jb"))]).to_string();
    assert!(
        refusal
            .starts_with(r#"column "c" has the type List(Int64, field: 'a��[2Jb'), which cannot"#),
        "{refusal}"
    );
    let refusal = bad_schema(&[("c", nested(&"é".repeat(1 << 20)))]).to_string();
    assert!(refusal.len() < 500 && refusal.contains("éé…, which cannot be loaded"), "{refusal}");
}

#[test]
fn decimals_that_redshift_does_not_have() {
    assert_snapshot!(bad_schema(&[("c", DataType::Decimal128(38, -1))]), @r#"column "c" is declared DECIMAL(38,-1); precision is 1 to 38, scale 0 to the precision"#);
    assert_snapshot!(bad_schema(&[("c", DataType::Decimal128(2, 3))]), @r#"column "c" is declared DECIMAL(2,3); precision is 1 to 38, scale 0 to the precision"#);
    assert_snapshot!(bad_schema(&[("c", DataType::Decimal128(39, 0))]), @r#"column "c" is declared DECIMAL(39,0); precision is 1 to 38, scale 0 to the precision"#);
}
