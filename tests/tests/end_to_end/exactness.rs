//! Not a digit is lost: TPC-H `lineitem` by its generator, and the sums that floating point gets
//! wrong.

use std::fmt::Write;

use loader_tests::Place;
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
