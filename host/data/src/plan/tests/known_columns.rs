//! Columns that both the file and the table have.

use super::*;

#[test]
fn a_value_that_does_not_fit_is_told_how_it_is_written() {
    let refused = |value: &str, column_type: ColumnType| {
        let existing = [column("c", column_type)];
        case(&format!("c,d\n{value},x\n"), &existing).error()
    };
    let decimal = || ColumnType::Decimal { precision: 12, scale: 2 };
    let told = [
        refused("007", ColumnType::Integer),
        refused("007", ColumnType::Double),
        refused("007", ColumnType::Date),
        refused("x", ColumnType::BigInt),
        refused("x", decimal()),
        refused("12345678901.5", decimal()),
        refused("x", ColumnType::Real),
        refused("31.01.2025", ColumnType::Date),
        refused("31.01.2025 10:30", ColumnType::Timestamp),
        refused("31.01.2025 10:30", ColumnType::TimestampTz),
        refused("maybe", ColumnType::Boolean),
        refused("1.5", ColumnType::SmallInt),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    Data: the file has values that public.t cannot take: column `c` is INTEGER, the value in line 2, byte 4 is not (it has leading zeros, which only a VARCHAR column keeps; [columns."c"] of the settings can say that they mean nothing); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is DOUBLE PRECISION, the value in line 2, byte 4 is not (it has leading zeros, which only a VARCHAR column keeps; [columns."c"] of the settings can say that they mean nothing); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is DATE, the value in line 2, byte 4 is not (days are written 2024-01-31, or as --column 'c=date:%d.%m.%Y' says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is BIGINT, the value in line 2, byte 4 is not (numbers are written 1234.56, or as [columns."c"] of the settings says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is DECIMAL(12,2), the value in line 2, byte 4 is not (numbers are written 1234.56, or as [columns."c"] of the settings says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is DECIMAL(12,2), the value in line 2, byte 4 is not (a DECIMAL(12,2) has 10 digits before its point); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is REAL, the value in line 2, byte 4 is not (numbers are written 1234.56, or as [columns."c"] of the settings says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is DATE, the value in line 2, byte 4 is not (days are written 2024-01-31, or as --column 'c=date:%d.%m.%Y' says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is TIMESTAMP, the value in line 2, byte 4 is not (moments are written 2024-01-31 10:30:00, or as --column 'c=timestamp:%d.%m.%Y %H:%M' says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is TIMESTAMPTZ, the value in line 2, byte 4 is not (moments are written 2024-01-31 10:30:00, or as --column 'c=timestamptz:%d.%m.%Y %H:%M' says); correct them in the file
    Data: the file has values that public.t cannot take: column `c` is BOOLEAN, the value in line 2, byte 4 is not; correct them in the file
    SchemaConflict: the file does not fit public.t: column `c` is SMALLINT, the number in line 2, byte 4 is not whole; change the table or the file so that they agree
    "#);
    // Only the value that does not fit counts.
    let existing = [column("c", ColumnType::Integer)];
    insta::assert_snapshot!(case("c,d\nx,1\n007,1\n", &existing).error(), @r#"Data: the file has values that public.t cannot take: column `c` is INTEGER, the value in line 2, byte 4 is not (numbers are written 1234.56, or as [columns."c"] of the settings says); correct them in the file"#);
}

#[test]
fn null_is_refused_for_keys_and_where_the_table_does_not_take_it() {
    let existing = [
        column("k", ColumnType::Integer),
        CatalogColumn { nullable: false, ..column("n", ColumnType::Integer) },
        column("v", ColumnType::Integer),
    ];
    let keys = strings(&["k"]);
    let plan = Case { keys: &keys, ..case("k,n,v\n1,1,1\n", &existing) }.plan().expect("fits");
    let required: Vec<bool> = plan.rows.columns.iter().map(|column| column.required).collect();
    assert_eq!(required, [true, true, false]);
}

#[test]
fn a_text_is_as_long_as_its_column_or_makes_it_longer() {
    let existing = [
        column("v", ColumnType::Varchar { bytes: 20 }),
        column("c", ColumnType::Char { bytes: 3 }),
        column("s", ColumnType::Super),
    ];
    let most = |schema_policy, staging_format| {
        let case = Case { schema_policy, staging_format, ..case("v,c,s\nx,y,1\n", &existing) };
        let plan = case.plan().expect("fits");
        plan.rows.columns.iter().map(|column| column.max_text_bytes).collect::<Vec<_>>()
    };
    let (parquet, csv) = (StagingFormat::Parquet, StagingFormat::Csv);
    assert_eq!(most(SchemaPolicy::Evolve, parquet), [65535, 3, 65535]);
    assert_eq!(most(SchemaPolicy::Freeze, parquet), [20, 3, 65535]);
    assert_eq!(most(SchemaPolicy::Freeze, csv), [20, 3, 16_000_000]);
    let freeze = |value: &str| {
        let existing = [column("v", ColumnType::Varchar { bytes: 3 })];
        let csv = format!("v,d\n{value},x\n");
        let policy = SchemaPolicy::DiscardColumns;
        Case { schema_policy: policy, ..case(&csv, &existing) }.plan().is_ok()
    };
    assert_eq!([freeze("abc"), freeze("abcd")], [true, false]);
}

#[test]
fn an_identity_takes_values_by_default_and_never_grows() {
    let by_default = CatalogColumn {
        default: ColumnDefault::Identity { by_default: true },
        ..column("n", ColumnType::Integer)
    };
    let existing = [by_default];
    assert_eq!(told(&case("n\n7\n", &existing)), "n INTEGER");
    insta::assert_snapshot!(told(&case("n\n3000000000\n", &existing)), @"SchemaConflict: the file does not fit public.t: column `n` is an IDENTITY column of INTEGER, which cannot be made BIGINT; change the table or the file so that they agree");
}

#[test]
fn moments_that_are_cut_are_counted_where_they_become_moments() {
    let existing =
        [column("a", ColumnType::Timestamp), column("b", ColumnType::Varchar { bytes: 40 })];
    let moment = "2025-01-31 10:30:00.1234567";
    let csv = format!("a,b\n{moment},{moment}\n2025-01-31,{moment}\n{moment},x\n");
    assert_eq!(case(&csv, &existing).plan().expect("fits").cut_moments, 2);
}

#[test]
fn the_longest_texts_of_the_file_are_known() {
    let existing =
        [column("a", ColumnType::Varchar { bytes: 20 }), column("b", ColumnType::Integer)];
    let long = "x".repeat(70_000);
    let csv = format!("a,b,c,d\nabc,12345,{long},1.5\n");
    let plan = case(&csv, &existing).plan().expect("fits");
    assert_eq!(plan.longest_known(), [3, 0, 65535, 0]);
}

#[test]
fn a_table_has_no_more_columns_than_redshift_takes() {
    let names: Vec<String> = (0..1600).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let existing = integers(&names);
    let grown = |csv: &str, columns: usize| {
        let another_feed = AnotherFeed::Allow;
        let case = Case { another_feed, ..case(csv, &existing[..columns]) };
        case.plan().map_or_else(|error| error.to_string(), |_| "fits".to_owned())
    };
    assert_eq!(grown("c0\n1\n", 1600), "fits");
    assert_eq!(grown("c0,new\n1,1\n", 1599), "fits");
    insta::assert_snapshot!(grown("c0,new\n1,1\n", 1600), @"the file does not fit public.t: with the file's new columns it would have 1601 columns, Redshift has 1600; change the table or the file so that they agree");
}

#[test]
fn a_column_is_cast_where_it_is_not_read_as_its_type() {
    let existing = [column("a", ColumnType::SmallInt), column("b", ColumnType::Integer)];
    let plan = case("a,b,c,d\n1,1,1,1.5\n", &existing).plan().expect("fits");
    let cast: Vec<bool> = plan.rows.columns.iter().map(|column| column.cast).collect();
    assert_eq!(cast, [true, false, false, true]);
}

#[test]
fn numbers_are_read_as_their_column_has_them() {
    let existing = [column("a", ColumnType::Decimal { precision: 4, scale: 2 })];
    let plan = case("a\n1.25\n", &existing).plan().expect("fits");
    assert_eq!(
        plan.rows.decode_as,
        [DecodeAs::Decimal { precision: 4, scale: 2, is_given: false }]
    );
}
