//! Files that people have, and what comes of them.

use loader_csv::{
    CsvError, CsvErrorKind, DecodeAs, Decoder, Dialect, LOGICAL_KEY, LeadingZeros, LogicalType,
    MAX_ROW_BYTES, Splitter, arrow_schema,
};

use crate::{Read, read};

pub(crate) fn read_all<'a>(file: &'a str, dialect: &'a Dialect) -> Result<Read<'a>, CsvError> {
    read(file.as_bytes(), dialect, 1 << 20, 1 << 16)
}

/// The inferred type of each column, in one line.
pub(crate) fn types(file: &str, dialect: &Dialect) -> String {
    match read_all(file, dialect) {
        Ok(read) => {
            let columns = read
                .profile
                .columns
                .iter()
                .map(|column| format!("{}:{}", column.name, column.logical()));
            columns.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

/// The rows as inferred, NULL as `~`, fields between bars.
pub(crate) fn rows(file: &str, dialect: &Dialect) -> String {
    let read = read_all(file, dialect).expect("a good file");
    let rows = read.rows(&read.inferred(), 2).expect("a profiled file decodes");
    let line = |row: Vec<Option<String>>| {
        row.into_iter().map(|value| value.unwrap_or("~".into())).collect::<Vec<_>>().join("|")
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn error(file: &[u8], dialect: &Dialect) -> String {
    let errors: Vec<String> = [1 << 20, 1, 7]
        .map(|target| {
            read(file, dialect, target, 5)
                .err()
                .map_or("no error".to_owned(), |error| error.to_string())
        })
        .to_vec();
    assert!(errors.windows(2).all(|pair| pair[0] == pair[1]), "{errors:#?}");
    errors[0].clone()
}

fn column_type(values: &[&str], dialect: &Dialect) -> LogicalType {
    let file =
        format!("v,w\n{}", values.iter().map(|value| format!("{value},x\n")).collect::<String>());
    read_all(&file, dialect).expect("a good file").profile.columns[0].logical()
}

#[test]
fn a_file_of_every_type() {
    let file = "b,i,l,n,f,d,t,s\n\
        true,1,3000000000,0.10,3.2e-45,2024-02-29,2024-02-29T12:00:00Z,007\n\
        FALSE,-2,1,12,NaN,2024-03-01,2024-03-01,x\n\
        ,,,,,,,\n";
    let dialect = Dialect::default();
    assert_eq!(
        types(file, &dialect),
        "b:boolean i:int32 l:int64 n:decimal f:double d:date t:timestamp s:text"
    );
    assert_eq!(
        rows(file, &dialect),
        "1|true|1|3000000000|0.10|3.2e-45|2024-02-29|2024-02-29 12:00:00|007\n\
         2|false|-2|1|12|NaN|2024-03-01|2024-03-01 00:00:00|x\n\
         3|~|~|~|~|~|~|~|~"
    );
    let read = read_all(file, &dialect).expect("a good file");
    let schema = arrow_schema(&read.header, &read.inferred());
    let logical: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.metadata().get(LOGICAL_KEY).map_or("", String::as_str))
        .collect();
    assert_eq!(logical, ["", "", "", "decimal", "double", "", "", ""]);
}

#[test]
fn the_narrowest_type_that_takes_every_value() {
    let check = |values: &[&str], expected| {
        assert_eq!(column_type(values, &Dialect::default()), expected, "{values:?}")
    };
    check(&["1", "2", "-3", "0"], LogicalType::Int32);
    check(&["1", "+2", "-3", "0"], LogicalType::Text);
    check(&["2147483647", "-2147483648"], LogicalType::Int32);
    check(&["2147483648"], LogicalType::Int64);
    check(&["9223372036854775807", "-9223372036854775808"], LogicalType::Int64);
    check(&["1", "9223372036854775808"], LogicalType::Decimal);
    check(&["12345678901234567890123456789012345678"], LogicalType::Decimal);
    check(&["123456789012345678901234567890123456789"], LogicalType::Text);
    check(&["1.5", ".5", "1.", "-0.25"], LogicalType::Decimal);
    check(&["1.5", "1e-3"], LogicalType::Decimal);
    check(&["1.5", "3.2e-45"], LogicalType::Double);
    check(&["1.5", "-inf"], LogicalType::Decimal);
    check(&["1e999"], LogicalType::Text);
    check(&["1", "007"], LogicalType::Text);
    check(&["00.5"], LogicalType::Text);
    check(&["0.5", "0", "-0"], LogicalType::Decimal);
    check(&["1", " 2"], LogicalType::Text);
    check(&["1,5".replace(',', ";").as_str()], LogicalType::Text);
    check(&["\"1\"", "\"2\""], LogicalType::Int32);
    check(&["1", "\"\"", ""], LogicalType::Int32);
    check(&["\"\"", ""], LogicalType::Text);
    check(&[], LogicalType::Text);
    check(&["true", "1"], LogicalType::Text);
    check(&["t", "f"], LogicalType::Text);
    check(&["2024-01-01", "2024-01-01 10:00"], LogicalType::Timestamp);
    check(&["2024-01-01", "2024-02-30"], LogicalType::Text);
    check(&["2024-01-01", "1"], LogicalType::Text);
    let number = Dialect { leading_zeros: LeadingZeros::Number, ..Dialect::default() };
    assert_eq!(column_type(&["007", "-01"], &number), LogicalType::Int32);
    assert_eq!(column_type(&["00.5"], &number), LogicalType::Decimal);
}

#[test]
fn every_type_has_its_first_violation() {
    let file = "n\n1\n40000\n3000000000\n1.25\n1e25\nNaN\nyes\nx\n";
    let dialect = Dialect::default();
    let read = read(file.as_bytes(), &dialect, 9, 4).expect("a good file");
    let column = &read.profile.columns[0];
    let at = |logical| column.accepts(logical).err().map_or(0, |position| position.record);
    use LogicalType::{Boolean, Date, Decimal, Double, Int16, Int32, Int64, Text, Timestamp};
    assert_eq!(
        [Boolean, Int16, Int32, Int64, Decimal, Double, Date, Timestamp, Text].map(at),
        [1, 2, 3, 4, 5, 7, 1, 1, 0]
    );
    assert_eq!(column.accepts_boolean_literals().map_err(|position| position.record), Err(2));
    assert_eq!(
        column.accepts(Double).map_err(|position| position.to_string()),
        Err("record 7, line 8, byte 35, column \"n\"".to_owned())
    );
}

#[test]
fn facts_for_targets() {
    let file = "n,s,z\n1.50,aé,1\n-1234.5,\"a \"\"b\"\"\",02\n12e3,,3\n";
    let dialect = Dialect::default();
    let read = read_all(file, &dialect).expect("a good file");
    let [n, s, z] = &read.profile.columns[..] else { panic!("three columns") };
    assert_eq!((n.max_integer_digits, n.max_fraction_digits), (5, 1));
    assert_eq!(n.accepts_integer_digits(5), Ok(()));
    assert_eq!(n.accepts_integer_digits(4).map_err(|position| position.record), Err(3));
    assert_eq!((s.max_bytes, s.nulls), (5, 1));
    assert_eq!(
        s.longest_at.as_ref().map(|position| (position.record, position.line, position.byte)),
        Some((2, 3, 25))
    );
    assert_eq!(z.leading_zeros_at.as_ref().map(|position| position.record), Some(2));
    assert_eq!((z.min_int, z.max_int, z.logical()), (None, None, LogicalType::Text));
}

#[test]
fn quoted_empty_is_text_or_null_by_the_column() {
    let dialect = Dialect::default();
    assert_eq!(rows("i,s\n\"\",\"\"\n1,\n,x\n", &dialect), "1|~|\n2|1|~\n3|~|x");
}

#[test]
fn null_tokens_are_unquoted() {
    let dialect = Dialect { null_tokens: vec!["NA".into()], ..Dialect::default() };
    assert_eq!(rows("i,s\nNA,NA\n1,\"NA\"\n2,NAN\n", &dialect), "1|~|~\n2|1|NA\n3|2|NAN");
}

#[test]
fn line_ends_and_byte_order_marks() {
    let dialect = Dialect::default();
    for end in ["\n", "\r\n", "\r"] {
        for last in ["", end, "\n\n"] {
            let file = format!("\u{feff}a,b{end}{end}1,\"x{end}y\"{end}2,z{last}");
            assert_eq!(types(&file, &dialect), "a:int32 b:text");
            assert_eq!(rows(&file, &dialect), format!("1|1|x{end}y\n2|2|z"));
        }
    }
}

#[test]
fn other_dialects() {
    let tabs = Dialect { delimiter: b'\t', quote: None, header: false, ..Dialect::default() };
    assert_eq!(rows("1\t\"a\n2\tb,c\n", &tabs), "1|1|\"a\n2|2|b,c");
    assert_eq!(types("1\tx\n", &tabs), "column_1:int32 column_2:text");
    let preamble = Dialect { skip_rows: 2, comment: Some(b'#'), ..Dialect::default() };
    let file = "it's \"free\r\ntext\n# a comment, \"too\n\na,b\n1,2\n#,\"\n\"#3\",4\n";
    assert_eq!(types(file, &preamble), "a:text b:int32");
    assert_eq!(rows(file, &preamble), "1|1|2\n2|#3|4");
    let escapes =
        Dialect { delimiter: b';', quote: Some(b'\''), escape: Some(b'\\'), ..Dialect::default() };
    let unload = Dialect {
        delimiter: b'|',
        quote: None,
        escape: Some(b'\\'),
        comment: Some(b'#'),
        ..Dialect::default()
    };
    let file = "a\\||b\n1|C:\\\\x\\\n#y\n#z\\\n2|\\|\"\\\r\\\n\n";
    assert_eq!(types(file, &unload), "a|:int32 b:text");
    assert_eq!(rows(file, &unload), "1|1|C:\\x\n#y\n2|2||\"\r\n");
    assert_eq!(rows("a;b\n'it\\'s';'a\\\\'\n'x''y';'\\n'\n", &escapes), "1|it's|a\\\n2|x'y|n");
}

#[test]
fn an_escaped_line_end_may_be_cut_anywhere() {
    let escape = Some(b'\\');
    let dialect = Dialect { quote: None, escape, comment: Some(b'#'), ..Dialect::default() };
    let file = "a,b\n1,x\\\n#y\\\nz\n2,\\\n\u{feff}#y\\\n\n#,\\\n3,\\\r\n";
    for piece in 1..50 {
        let read = read(file.as_bytes(), &dialect, 1, piece).expect("a good file");
        let rows = read.rows(&read.inferred(), 9).expect("a profiled file decodes");
        let texts: Vec<&str> = rows.iter().filter_map(|row| row[2].as_deref()).collect();
        assert_eq!(texts, ["x\n#y\nz", "\n\u{feff}#y\n", "\r"], "{piece}");
    }
    // The last value comes after so many that only lengths still count, and it is longer as it
    // stands in the file than it is.
    let long = format!("a,b\n{}1,C:\\\\y\n", "1,xyz\n".repeat(2000));
    let profile = read_all(&long, &dialect).expect("a good file").profile;
    assert_eq!(profile.columns[1].max_bytes, 4);
}

#[test]
fn headers_are_taken_as_they_are() {
    let names = |file: &str| {
        read_all(file, &Dialect::default())
            .map(|read| read.header.names)
            .map_err(|error| error.kind)
    };
    assert_eq!(
        names("a,a,,\"\",\"x\ny\"\n"),
        Ok(vec!["a".into(), "a".into(), "".into(), "".into(), "x\ny".into()])
    );
    assert_eq!(names("one"), Ok(vec!["one".into()]));
    let wide: Vec<String> = (0..1599).map(|number| format!("c{number}")).collect();
    let file = format!("{}\n{}\n", wide.join(","), vec!["1"; 1599].join(","));
    assert_eq!(names(&file), Ok(wide));
    assert_eq!(rows(&file, &Dialect::default()).len(), 1 + 2 * 1599);
}

#[test]
fn header_only_is_a_file_without_records() {
    let dialect = Dialect::default();
    for file in ["a,b", "a,b\n", "a,b\r\n"] {
        let read = read_all(file, &dialect).expect("a good file");
        assert_eq!((read.chunks.len(), read.profile.records), (0, 0));
        assert_eq!(read.profile.columns.len(), 2);
        assert_eq!(read.profile.columns[1].logical(), LogicalType::Text);
    }
    assert_eq!(types("a,b\n\n\r\n", &dialect), "a:text b:text");
}

#[test]
fn mistakes_have_a_place_and_a_remedy() {
    let dialect = Dialect::default();
    let check = |file: &[u8], expected: &str| {
        let actual = error(file, &dialect);
        assert!(actual.starts_with(expected), "{actual:?} for {expected:?}");
    };
    check(
        b"",
        "line 1, byte 0: the file is empty: it has not even a header; write at least the line that \
         names the columns",
    );
    check(b"\xEF\xBB\xBF\n\n", "line 3, byte 5: the file is empty");
    check(
        b"a,b\n1,2\n\n3\n",
        "record 2, line 4, byte 9: the row has 1 field, but the header has 2; it is the last row:",
    );
    check(
        b"a,b\n1,2,3,4\n",
        "record 1, line 2, byte 4: the row has 4 fields, but the header has 2;",
    );
    check(
        b"a,b\n1,2\n3,\"x\n4,5\n",
        "record 2, line 3, byte 10, column \"b\": the quoted field that begins here is never \
         closed;",
    );
    check(
        b"a,b\n1,\"2\" \n",
        "record 1, line 2, byte 9, column \"b\": a blank follows the closing quote;",
    );
    check(
        b"a,b\n1,\"2\"3\n",
        "record 1, line 2, byte 9, column \"b\": text follows the closing quote;",
    );
    check(
        b"a,b\n1,\"x\n\xFF\"\n",
        "record 1, line 3, byte 9, column \"b\": these bytes are not UTF-8",
    );
    check(
        b"a,b\n1,2\n3\0,4\n",
        "record 2, line 3, byte 9, column \"a\": the field holds a NUL byte,",
    );
    check(b"a,b\n1\n3,\xFF\n", "record 1, line 2, byte 4: the row has 1 field,");
    check(
        b"a,b\n1,\xE2\x82\n3\n",
        "record 1, line 2, byte 6, column \"b\": these bytes are not UTF-8",
    );
    check(b"a,\"b\n1,2\n", "line 1, byte 2: the quoted field that begins here is never closed");
    check(b"a,\"b\"c\n1,2\n", "line 1, byte 5: text follows the closing quote");
    check(b"a,\xC3\n1,2\n", "line 1, byte 2: these bytes are not UTF-8");
    check(b"a\0,b\n1,2\n", "line 1, byte 1: the field holds a NUL byte");
}

#[test]
fn rows_may_be_as_long_as_redshift_takes_and_no_longer() {
    let dialect = Dialect::default();
    let limit = MAX_ROW_BYTES as usize;
    let good = format!("a,b\n1,2\n3,{}\n5,6\n", "x".repeat(limit - 2));
    let read_good =
        read(good.as_bytes(), &dialect, 1000, 1 << 16).expect("a row of the greatest length");
    assert_eq!(read_good.profile.columns[1].max_bytes as usize, limit - 2);
    assert_eq!(read_good.rows(&read_good.inferred(), 10).map(|rows| rows.len()), Ok(3));

    let long = format!("a,b\n1,2\n3,{}\n5,6\n", "x".repeat(limit - 1));
    for target in [16, 1 << 23] {
        let error = read(long.as_bytes(), &dialect, target, 1 << 16).err().expect("too long");
        assert_eq!(error.kind, CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: false });
        assert_eq!((error.position.line, error.position.byte), (3, 8));
    }

    let open = format!("a,b\n1,2\n3,\"{}", "x\n".repeat(limit));
    let mut splitter = Splitter::new(&dialect, 1000);
    let error = open
        .as_bytes()
        .chunks(1 << 16)
        .find_map(|bytes| splitter.push(bytes).err())
        .expect("too long");
    assert_eq!(error.kind, CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: true });
    assert_eq!((error.position.line, error.position.byte), (3, 10));

    let header = format!("\"{}", "x".repeat(limit + 1));
    let error = Splitter::new(&dialect, 1000).push(header.as_bytes()).expect_err("too long");
    assert_eq!(error.kind, CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: true });
}

#[test]
fn a_type_that_the_profile_refuses_is_an_error_when_decoded() {
    let dialect = Dialect::default();
    let file = "a,b\n1,x\n2,y\n3000000000,z\n";
    let read = read(file.as_bytes(), &dialect, 4, 64).expect("a good file");
    let error =
        read.rows(&[DecodeAs::Int32, DecodeAs::Text], 100).err().map(|error| error.to_string());
    let expected = "record 3, line 4, byte 12, column \"a\": the value does not read as int32; \
                    load the column as text, or correct the value";
    assert_eq!(error.as_deref(), Some(expected));
}

#[test]
fn skipped_columns_are_left_out() {
    let dialect = Dialect::default();
    let read = read_all("a,b,c\n1,2,3\n4,5,6\n", &dialect).expect("a good file");
    let rows = read.rows(&[DecodeAs::Skip, DecodeAs::Int64], 100).expect("decodes");
    assert_eq!(rows, [[Some("1".into()), Some("2".into())], [Some("2".into()), Some("5".into())]]);
    let none = read.rows(&[], 100).expect("decodes");
    assert_eq!(none, [[Some("1".to_owned())], [Some("2".to_owned())]]);
}

#[test]
fn boolean_columns_take_the_literals_of_redshift() {
    let dialect = Dialect::default();
    let read = read_all("a\nT\nno\n1\n\"\"\nfalse\n", &dialect).expect("a good file");
    assert_eq!(read.profile.columns[0].accepts_boolean_literals(), Ok(()));
    let rows = read.rows(&[DecodeAs::Boolean], 100).expect("decodes");
    let values: Vec<Option<&str>> = rows.iter().map(|row| row[1].as_deref()).collect();
    assert_eq!(values, [Some("true"), Some("false"), Some("true"), None, Some("false")]);
}

#[test]
fn a_decoder_starts_afresh_after_an_error() {
    let dialect = Dialect::default();
    let file = b"a\n1\n2\n3\nx\n4\n";
    let read = read(file, &dialect, 8, 64).expect("a good file");
    let [bad_from, last] = &read.chunks[..] else { panic!("two chunks: {:?}", read.chunks) };
    let mut decoder = Decoder::new(&dialect, &read.header, &[DecodeAs::Int32], 2);
    assert_eq!(last.first_line, 5);
    let outcomes = |decoder: &mut Decoder, chunk, first| {
        let batches = decoder.decode_chunk(crate::bytes_of(file, chunk), chunk, first);
        batches
            .map(|batch| {
                batch.map(|decoded| decoded.batch.num_rows()).map_err(|error| error.position.record)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&mut decoder, last, 4), [Err(4)]);
    assert_eq!(outcomes(&mut decoder, bad_from, 1), [Ok(2), Ok(1)]);
}
