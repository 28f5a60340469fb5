//! IDENTITY columns, defaults and types as Redshift spells them. Part of the story that `keys`
//! tells of one warehouse.

use crate::support::Warehouse;

pub(crate) async fn identity_columns(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE counted (v varchar(3), id bigint IDENTITY(0, 1), n int GENERATED \
                    BY DEFAULT AS IDENTITY(10, -5))",
        )
        .await;
    assert_eq!(
        warehouse
            .must(
                "SELECT column_name, REPLACE(column_default, \
                   'public.counted'::regclass::oid::varchar, 'OID'), is_nullable FROM svv_columns \
                   WHERE table_name = 'counted' ORDER BY ordinal_position"
            )
            .await,
        [
            "v|null|YES",
            "id|\"identity\"(OID, 1, '0,1'::text)|NO",
            "n|\"default_identity\"(OID, 2, '10,-5'::text)|NO",
        ]
    );
    warehouse.must("INSERT INTO counted (v) VALUES ('a'), ('b')").await;
    warehouse.must("INSERT INTO counted (v, n) VALUES ('c', 99)").await;
    assert_eq!(
        warehouse.must("SELECT * FROM counted ORDER BY id").await,
        ["a|0|10", "b|1|5", "c|2|99"]
    );
    let refused = "ERROR: cannot set an identity column to a value";
    assert_eq!(warehouse.error("INSERT INTO counted (v, id) VALUES ('d', 5)").await, refused);
    assert_eq!(warehouse.error("UPDATE counted SET id = 5").await, refused);
    assert!(
        warehouse
            .sql("INSERT INTO counted (v, id) OVERRIDING SYSTEM VALUE VALUES ('d', 5)")
            .await
            .is_err()
    );
}

pub(crate) async fn types_and_defaults(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE spelled (a timestamptz, b time, c timetz, d super, e varbyte(10), f \
             varchar(9) DEFAULT 'x', g int DEFAULT 0, h char(3) DEFAULT 'y', i boolean DEFAULT \
             true, j time with time zone, k timestamp without time zone, l binary varying(5), m \
             decimal(5,2) DEFAULT 1.50)",
        )
        .await;
    assert_eq!(
        warehouse
            .must(
                "SELECT column_name, data_type, column_default FROM svv_columns WHERE table_name \
                   = 'spelled' ORDER BY ordinal_position"
            )
            .await,
        [
            "a|timestamp with time zone|null",
            "b|time without time zone|null",
            "c|time with time zone|null",
            "d|super|null",
            "e|binary varying|null",
            "f|character varying|'x'::character varying",
            "g|integer|0",
            "h|character|'y'::bpchar",
            "i|boolean|true",
            "j|time with time zone|null",
            "k|timestamp without time zone|null",
            "l|binary varying|null",
            "m|numeric|1.50",
        ]
    );
}

pub(crate) async fn casts(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE texts (t varchar(40), u varchar(20), v varchar(20), w \
                    varchar(20), x varchar(20), y varchar(20))",
        )
        .await;
    warehouse
        .must(
            "INSERT INTO texts VALUES ('2024-02-29 01:02:03+02', '04:05:06.5', \
                    '04:05:06+01', '{\"a\": [1, null]}', 'c3A4', 'ff')",
        )
        .await;
    warehouse
        .must(
            "CREATE TABLE typed (t timestamptz, u time, v timetz, w super, x varbyte(10), y \
               varbyte, z varbyte)",
        )
        .await;
    warehouse
        .must(
            "INSERT INTO typed SELECT CAST(t AS TIMESTAMPTZ), CAST(u AS TIME), CAST(v AS TIMETZ), \
             JSON_PARSE(w), FROM_HEX(x), TO_VARBYTE(y, 'hex'), CAST(TO_VARBYTE(u, 'utf8') AS \
             VARBYTE(20)) FROM texts",
        )
        .await;
    assert_eq!(
        warehouse
            .must(
                "SELECT t, u, v, JSON_SERIALIZE(w), TO_HEX(x), y, FROM_VARBYTE(z, 'utf8') \
                        FROM typed"
            )
            .await,
        ["2024-02-28 23:02:03+00|04:05:06.5|04:05:06+01|{\"a\": [1, null]}|c3a4|ff|04:05:06.5"]
    );
    warehouse.must("UPDATE texts SET u = 'noon'").await;
    assert!(
        warehouse
            .error("INSERT INTO typed (u) SELECT CAST(u AS TIME) FROM texts")
            .await
            .contains("invalid input syntax for type time")
    );
}
