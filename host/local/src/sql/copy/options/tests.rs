//! COPY statements in, options or refusals out.

use crate::sql::cursor::Name;
use crate::sql::{Action, prepare};
use crate::sql::{Compression, CopyStatement, FileFormat, Moment, TextOptions};

const ROLE: &str = "IAM_ROLE 'arn:aws:iam::000000000000:role/r'";

fn copy(sql: &str) -> Result<CopyStatement, String> {
    match prepare(sql).map_err(|error| error.to_string())?.action {
        Action::Copy(statement) => Ok(*statement),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_of_options_is_free() {
    let plain = CopyStatement {
        table: Name { schema: Some("s".to_owned()), table: "t".to_owned() },
        columns: Some(vec!["a".to_owned(), "b c".to_owned()]),
        bucket: "bucket".to_owned(),
        key: "a/b".to_owned(),
        is_manifest: true,
        region: Some("eu-west-1".to_owned()),
        format: FileFormat::Csv,
        compression: Compression::Zstd,
        explicit_ids: false,
        no_load: false,
        fill_record: true,
        max_errors: 1,
        text: TextOptions {
            delimiter: b'\t',
            quote: Some(b'%'),
            null_as: b"\\N".to_vec(),
            ignore_header: 2,
            time_format: Moment::Auto,
            date_format: Moment::Pattern("MM/DD/YYYY".to_owned()),
            ..TextOptions::default()
        },
    };
    let head = "COPY \"S\".T (a, \"B c\") FROM 's3://bucket/a/b'";
    for options in [
        format!(r"{ROLE} FORMAT AS CSV MANIFEST REGION 'eu-west-1' ZSTD FILLRECORD DELIMITER AS '\t' QUOTE '%' NULL AS '\N' IGNOREHEADER 2 TIMEFORMAT 'auto' DATEFORMAT AS 'MM/DD/YYYY'"),
        format!(r"quote as '%' zstd dateformat 'MM/DD/YYYY' delimiter '\011' csv timeformat as 'auto' manifest fillrecord ignoreheader as 2 maxerror 0 compupdate off statupdate on {ROLE} region as 'EU-WEST-1'"),
        r"CSV QUOTE '%' ZSTD DATEFORMAT 'MM/DD/YYYY' DELIMITER '\t' TIMEFORMAT 'auto' MANIFEST FILLRECORD IGNOREHEADER 2 COMPUPDATE PRESET iam_role default REGION 'eu-west-1' ENCODING UTF8;".to_owned(),
    ] {
        assert_eq!(copy(&format!("{head} {options}")), Ok(plain.clone()), "{options}");
    }
}

#[test]
fn defaults_depend_on_the_format() {
    let text = copy(&format!("COPY t FROM 's3://b' {ROLE}")).unwrap();
    assert_eq!(
        (text.format, text.key.as_str(), text.text),
        (FileFormat::Delimited, "", TextOptions::default())
    );
    let csv = copy(&format!("COPY t FROM 's3://b/' {ROLE} CSV NULL ''")).unwrap();
    assert_eq!((csv.text.delimiter, csv.text.quote, csv.text.null_as.len()), (b',', Some(b'"'), 0));
}

#[test]
fn what_is_refused() {
    for (options, expected) in [
        ("CSV", "COPY needs an authorization"),
        (
            "CSV IAM_ROLE default JSON 'auto'",
            "COPY option JSON is not supported by the local stand-in",
        ),
        ("IAM_ROLE default CSV REMOVEQUOTES", "CSV is not compatible with REMOVEQUOTES"),
        ("IAM_ROLE default QUOTE '%'", "QUOTE is only supported with CSV"),
        ("IAM_ROLE default PARQUET CSV", "CSV argument is not supported for PARQUET based COPY"),
        (
            "IAM_ROLE default PARQUET COMPUPDATE OFF",
            "COMPUPDATE argument is not supported for PARQUET based COPY",
        ),
        (
            "IAM_ROLE default CSV ENCODING UTF16",
            "ENCODING UTF16 is not supported by the local stand-in",
        ),
        ("IAM_ROLE default CSV MAXERROR 100001", "MAXERROR must be between 0 and 100000"),
        ("IAM_ROLE default CSV DATEFORMAT 'Quarter'", "Invalid DATEFORMAT 'Quarter'"),
        ("IAM_ROLE default FORMAT AS", "syntax error"),
    ] {
        let error = copy(&format!("COPY t FROM 's3://b/k' {options}")).unwrap_err();
        assert!(error.contains(expected), "{options}: {error}");
    }
    assert!(
        copy("COPY t FROM 'dynamodb://x' IAM_ROLE default")
            .unwrap_err()
            .contains("only s3:// sources")
    );
    assert!(
        copy("COPY t (a, A) FROM 's3://b/k' IAM_ROLE default")
            .unwrap_err()
            .contains("specified more than once")
    );
}
