//! Not a digit is lost: TPC-H `lineitem` by its generator, and the sums that floating point gets
//! wrong.

use std::fmt::Write;

use loader_tests::{Place, Report, run};
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

const DECIMALS: [(usize, &str); 3] = [(5, "l_extendedprice"), (6, "l_discount"), (7, "l_tax")];

#[test]
fn sums_of_lineitem_are_those_of_the_text() {
    let place = Place::new("lineitem");
    let mut csv = format!("{}\n", LineItemCsv::header());
    let mut cents = [0_i128; 3];
    let mut rows = 0;
    for item in LineItemGenerator::new(0.005, 1, 1).iter() {
        let line = LineItemCsv::new(item).to_string();
        let fields: Vec<&str> = line.split(',').collect();
        for (sum, (column, _)) in cents.iter_mut().zip(DECIMALS) {
            *sum += hundredths(fields[column]);
        }
        rows += 1;
        writeln!(csv, "{line}").expect("a string takes everything");
    }
    place.put("lineitem.csv", csv);
    let keys = ["--upsert-keys", "l_orderkey,l_linenumber"];
    let report = place.load("lineitem.csv", "lineitem", &keys).succeeded();
    assert_eq!(
        [report.rows("read"), report.rows("inserted"), report.rows("duplicates")],
        [rows, rows, 0]
    );
    for (sum, (_, name)) in cents.iter().zip(DECIMALS) {
        let expected = format!("{}.{:02}0000000000000000", sum / 100, sum % 100);
        assert_eq!(
            place.value(&format!("SELECT SUM({name}) FROM {{s}}.lineitem")),
            expected,
            "{name}"
        );
    }
}

fn hundredths(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').expect("a point");
    assert_eq!(fraction.len(), 2, "{text}");
    whole.parse::<i128>().expect("digits") * 100 + fraction.parse::<i128>().expect("digits")
}

#[test]
fn a_tenth_and_two_tenths_are_three_tenths() {
    let place = Place::new("tenths");
    place.put(
        "x.csv",
        "id,a,b\n1,0.1,0.2\n2,1.1,1234567.89\n3,12345678901234567890.123456789012345678,-0.000000000000000001\n",
    );
    let _ = place.load("x.csv", "x", &["--upsert-keys", "id"]).succeeded();
    assert_eq!(place.value("SELECT a + b FROM {s}.x WHERE id = 1"), "0.300000000000000000");
    let row = &place.select("SELECT a, b FROM {s}.x WHERE id = 2")[0];
    assert_eq!(
        (&row["a"], &row["b"]),
        (&"1.100000000000000000".into(), &"1234567.890000000000000000".into())
    );
    let row = &place.select("SELECT a, b FROM {s}.x WHERE id = 3")[0];
    assert_eq!(row["a"], "12345678901234567890.123456789012345678");
    assert_eq!(row["b"], "-0.000000000000000001");
}

#[test]
fn surplus_digits_round_half_up_and_types_follow_an_existing_table() {
    let place = Place::new("existing-types");
    place.execute(
        "CREATE TABLE {s}.t (id BIGINT NOT NULL, code VARCHAR(20), price DECIMAL(12,2), ratio \
         DOUBLE PRECISION, small SMALLINT, ok BOOLEAN, day DATE, at TIMESTAMP, run_date TIMESTAMP, \
         file_name VARCHAR(256))",
    );
    let header = "id,code,price,ratio,small,ok,day,at";
    place.put("x.csv", format!("{header}\n1,007,0.125,0.1,-5,1,2025-01-19,2025-01-19\n2,1e5,-0.125,3,,no,,\n3,TRUE,2,1e-3,7,t,1999-12-31,1999-12-31T23:59:59Z\n"));
    let _ = place.load("x.csv", "t", &["--upsert-keys", "id"]).succeeded();
    let rows =
        place.select("SELECT id, code, price, ratio, small, ok, day, at FROM {s}.t ORDER BY id");
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    assert_eq!(
        rows,
        [
            r#"{"id":1,"code":"007","price":"0.13","ratio":0.1,"small":-5,"ok":true,"day":"2025-01-19","at":"2025-01-19 00:00:00"}"#,
            r#"{"id":2,"code":"1e5","price":"-0.13","ratio":3.0,"small":null,"ok":false,"day":null,"at":null}"#,
            r#"{"id":3,"code":"TRUE","price":"2.00","ratio":0.001,"small":7,"ok":true,"day":"1999-12-31","at":"1999-12-31 23:59:59"}"#,
        ]
    );
}

/// A table with a column of each type, and precisions that Parquet stores in different ways.
const EVERY_TYPE: &str = "id INTEGER NOT NULL, d1 DECIMAL(1,0), d9 DECIMAL(9,2), d18 DECIMAL(18,2), \
    d19 DECIMAL(19,2), d38 DECIMAL(38,18), small SMALLINT, big BIGINT, r REAL, p DOUBLE PRECISION, \
    ok BOOLEAN, day DATE, at TIMESTAMP, t VARCHAR(65535), c CHAR(3), doc SUPER, raw VARBYTE(4), \
    instant TIMESTAMPTZ, clock TIME, run_date TIMESTAMP, file_name VARCHAR(256)";

#[test]
fn every_type_arrives_exactly_however_it_is_staged() {
    let place = Place::new("every-type");
    let nines = |digits| "9".repeat(digits);
    let (d18, d38) = (format!("{}.99", nines(16)), format!("{}.{}", nines(20), nines(18)));
    let content = format!(
        "id,d1,d9,d18,d19,d38,small,big,r,p,ok,day,at,t,c,doc,raw,instant,clock\n\
         1,9,9999999.99,{d18},92233720368547758.07,{d38},32767,9223372036854775807,0.5,0.1,true,9999-12-31,\
         9999-12-31 23:59:59.999999,{},xyz,\"{{\"\"a\"\":1}}\",00ff,2024-02-29 10:30:00+01,10:30:00\n\
         2,-9,-9999999.99,-{d18},-92233720368547758.07,-{d38},-32768,-9223372036854775808,-0.25,-1e300,false,\
         0001-01-01,1969-12-31 23:59:59.999999,\"\",a,[],,0001-01-01 00:00:00,00:00:00\n\
         3,,,,,,,,,,,,,,,,,,\n",
        "ä".repeat(32767),
    );
    let ways = ["snappy", "zstd", "gzip"].map(|name| ["--parquet-compression", name]);
    let tables = ways.iter().chain([&["--staging-format", "csv"]]).map(|way| {
        let table = way[1];
        place.execute(&format!("CREATE TABLE {{s}}.{table} ({EVERY_TYPE})"));
        let file = format!("{table}.csv");
        place.put(&file, &content);
        let arguments = [&["--upsert-keys", "id"], &way[..]].concat();
        let _ = place.load(&file, table, &arguments).succeeded();
        let rows = place.select(&format!(
            "SELECT id, d1, d9, d18, d19, d38, small, big, r, p, ok, day, at, OCTET_LENGTH(t) AS t, \
             c, JSON_SERIALIZE(doc) AS doc, TO_HEX(raw) AS raw, instant, clock FROM {{s}}.{table} \
             ORDER BY id"
        ));
        rows.iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    let expected = [
        format!(
            r#"{{"id":1,"d1":"9","d9":"9999999.99","d18":"{d18}","d19":"92233720368547758.07","d38":"{d38}","small":32767,"big":9223372036854775807,"r":0.5,"p":0.1,"ok":true,"day":"9999-12-31","at":"9999-12-31 23:59:59.999999","t":65534,"c":"xyz","doc":"{{\"a\": 1}}","raw":"00ff","instant":"2024-02-29 09:30:00+00","clock":"10:30:00"}}"#
        ),
        format!(
            r#"{{"id":2,"d1":"-9","d9":"-9999999.99","d18":"-{d18}","d19":"-92233720368547758.07","d38":"-{d38}","small":-32768,"big":-9223372036854775808,"r":-0.25,"p":-1e+300,"ok":false,"day":"0001-01-01","at":"1969-12-31 23:59:59.999999","t":0,"c":"a  ","doc":"[]","raw":null,"instant":"0001-01-01 00:00:00+00","clock":"00:00:00"}}"#
        ),
        r#"{"id":3,"d1":null,"d9":null,"d18":null,"d19":null,"d38":null,"small":null,"big":null,"r":null,"p":null,"ok":null,"day":null,"at":null,"t":null,"c":null,"doc":null,"raw":null,"instant":null,"clock":null}"#.to_owned(),
    ];
    for rows in tables {
        assert_eq!(rows, expected);
    }
}

#[test]
fn the_padding_of_a_char_makes_no_other_key() {
    let place = Place::new("padded-keys");
    place.execute("CREATE TABLE {s}.t (code CHAR(4) NOT NULL, v INTEGER)");
    for (file, content) in [("a.csv", "code,v\nab,1\n"), ("b.csv", "code,v\nab ,2\nab,3\n")] {
        place.put(file, content);
        let mut command = place.command("run", file, "t");
        let _ = Report::of(run(command.args(["--upsert-keys", "code"]))).succeeded();
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "1");
    assert_eq!(place.value("SELECT v FROM {s}.t WHERE code = 'ab'"), "3");
}
