//! The types that the columns of public data sets get, which users know: nycflights13 (CC0; cuts
//! with the least, the greatest, the longest and the odd values of each column) and TPC-H, by its
//! generator.

use std::fmt::Write;

use loader_tests::Place;
use tpchgen::csv::{
    CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv,
};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

/// A thousandth of TPC-H's smallest size: 6,000 rows of `lineitem`.
const SCALE: f64 = 0.001;

/// What the default plugin adds to each table.
const BY_THE_PLUGIN: &str = r#", "run_date" TIMESTAMP, "file_name" VARCHAR(256))"#;

/// The file's columns with their types in the table that a load would make, without a notice.
fn types(place: &Place, table: &str, content: impl AsRef<[u8]>, arguments: &[&str]) -> String {
    let file = format!("{table}.csv");
    place.put(&file, content);
    let planned = place.plan(&file, table, arguments);
    assert_eq!(planned.ended.code, 0, "{table}: {}", planned.error());
    assert!(planned.json["notices"].as_array().is_none_or(Vec::is_empty), "{}", planned.json);
    let statement = planned.json["statements"][0].as_str().expect("the table is made");
    let (_, columns) = statement.split_once(" (").expect("it has columns");
    let of_file = columns.strip_suffix(BY_THE_PLUGIN).expect("the plugin's columns come last");
    format!("{table}: {}\n", of_file.replace('"', ""))
}

#[test]
fn types_of_nycflights13() {
    let place = Place::new("nycflights13");
    let of = |table, content: &str, keys| {
        types(&place, table, content, &["--upsert-keys", keys, "--null-value", "NA"])
    };
    let found = [
        of("airlines", include_str!("../../data/airlines.csv"), "carrier"),
        of("airports", include_str!("../../data/airports.csv"), "faa"),
        of(
            "flights",
            include_str!("../../data/flights.csv"),
            "year,month,day,carrier,flight,origin",
        ),
        of("planes", include_str!("../../data/planes.csv"), "tailnum"),
        of("weather", include_str!("../../data/weather.csv"), "origin,time_hour"),
    ];
    insta::assert_snapshot!(found.concat(), @r"
    airlines: carrier VARCHAR(256) NOT NULL, name VARCHAR(256)
    airports: faa VARCHAR(256) NOT NULL, name VARCHAR(256), lat DECIMAL(38,18), lon DECIMAL(38,18), alt INTEGER, tz INTEGER, dst VARCHAR(256), tzone VARCHAR(256)
    flights: year INTEGER NOT NULL, month INTEGER NOT NULL, day INTEGER NOT NULL, dep_time INTEGER, sched_dep_time INTEGER, dep_delay INTEGER, arr_time INTEGER, sched_arr_time INTEGER, arr_delay INTEGER, carrier VARCHAR(256) NOT NULL, flight INTEGER NOT NULL, tailnum VARCHAR(256), origin VARCHAR(256) NOT NULL, dest VARCHAR(256), air_time INTEGER, distance INTEGER, hour INTEGER, minute INTEGER, time_hour TIMESTAMP
    planes: tailnum VARCHAR(256) NOT NULL, year INTEGER, type VARCHAR(256), manufacturer VARCHAR(256), model VARCHAR(256), engines INTEGER, seats INTEGER, speed INTEGER, engine VARCHAR(256)
    weather: origin VARCHAR(256) NOT NULL, year INTEGER, month INTEGER, day INTEGER, hour INTEGER, temp DECIMAL(38,18), dewp DECIMAL(38,18), humid DECIMAL(38,18), wind_dir INTEGER, wind_speed DECIMAL(38,18), wind_gust DECIMAL(38,18), precip DECIMAL(38,18), pressure DECIMAL(38,18), visib DECIMAL(38,18), time_hour TIMESTAMP NOT NULL
    ");
}

/// The CSV of a table, from its generator.
macro_rules! csv {
    ($csv:ident, $generator:ident) => {{
        let mut csv = format!("{}\n", $csv::header());
        for row in $generator::new(SCALE, 1, 1).iter() {
            writeln!(csv, "{}", $csv::new(row)).expect("a string takes everything");
        }
        csv
    }};
}

#[test]
fn types_of_tpc_h() {
    let place = Place::new("tpc-h");
    let of = |table, content: String, keys| types(&place, table, content, &["--upsert-keys", keys]);
    let found = [
        of("customer", csv!(CustomerCsv, CustomerGenerator), "c_custkey"),
        of("lineitem", csv!(LineItemCsv, LineItemGenerator), "l_orderkey,l_linenumber"),
        of("nation", csv!(NationCsv, NationGenerator), "n_nationkey"),
        of("orders", csv!(OrderCsv, OrderGenerator), "o_orderkey"),
        of("part", csv!(PartCsv, PartGenerator), "p_partkey"),
        of("partsupp", csv!(PartSuppCsv, PartSuppGenerator), "ps_partkey,ps_suppkey"),
        of("region", csv!(RegionCsv, RegionGenerator), "r_regionkey"),
        of("supplier", csv!(SupplierCsv, SupplierGenerator), "s_suppkey"),
    ];
    insta::assert_snapshot!(found.concat(), @r"
    customer: c_custkey INTEGER NOT NULL, c_name VARCHAR(256), c_address VARCHAR(256), c_nationkey INTEGER, c_phone VARCHAR(256), c_acctbal DECIMAL(38,18), c_mktsegment VARCHAR(256), c_comment VARCHAR(256)
    lineitem: l_orderkey INTEGER NOT NULL, l_partkey INTEGER, l_suppkey INTEGER, l_linenumber INTEGER NOT NULL, l_quantity INTEGER, l_extendedprice DECIMAL(38,18), l_discount DECIMAL(38,18), l_tax DECIMAL(38,18), l_returnflag VARCHAR(256), l_linestatus VARCHAR(256), l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR(256), l_shipmode VARCHAR(256), l_comment VARCHAR(256)
    nation: n_nationkey INTEGER NOT NULL, n_name VARCHAR(256), n_regionkey INTEGER, n_comment VARCHAR(256)
    orders: o_orderkey INTEGER NOT NULL, o_custkey INTEGER, o_orderstatus VARCHAR(256), o_totalprice DECIMAL(38,18), o_orderdate DATE, o_orderpriority VARCHAR(256), o_clerk VARCHAR(256), o_shippriority INTEGER, o_comment VARCHAR(256)
    part: p_partkey INTEGER NOT NULL, p_name VARCHAR(256), p_mfgr VARCHAR(256), p_brand VARCHAR(256), p_type VARCHAR(256), p_size INTEGER, p_container VARCHAR(256), p_retailprice DECIMAL(38,18), p_comment VARCHAR(256)
    partsupp: ps_partkey INTEGER NOT NULL, ps_suppkey INTEGER NOT NULL, ps_availqty INTEGER, ps_supplycost DECIMAL(38,18), ps_comment VARCHAR(256)
    region: r_regionkey INTEGER NOT NULL, r_name VARCHAR(256), r_comment VARCHAR(256)
    supplier: s_suppkey INTEGER NOT NULL, s_name VARCHAR(256), s_address VARCHAR(256), s_nationkey INTEGER, s_phone VARCHAR(256), s_acctbal DECIMAL(38,18), s_comment VARCHAR(256)
    ");
}
