//! Late-binding views: nothing is checked when they are made, and they block no change of the
//! tables that they read. Part of the story that `views` tells of one warehouse.

use crate::support::Warehouse;
use crate::views::has;

pub(crate) async fn follow_their_tables(warehouse: &Warehouse) {
    let bare = "ERROR: All the relation names inside should be qualified when creating VIEW WITH \
                NO SCHEMA BINDING.";
    assert_eq!(
        warehouse.error("CREATE VIEW s.late AS SELECT * FROM late_t WITH NO SCHEMA BINDING").await,
        bare
    );
    let nested = "CREATE VIEW s.late AS SELECT 1 FROM s.x WHERE a IN (SELECT a FROM late_t) WITH \
                  NO SCHEMA BINDING";
    assert_eq!(warehouse.error(nested).await, bare);

    // Nothing is looked up before the view is read.
    warehouse.must("CREATE VIEW \"S\".Late AS SELECT * FROM s.late_t WITH NO SCHEMA BINDING").await;
    assert_eq!(
        warehouse.error("SELECT * FROM s.late").await,
        "ERROR: relation \"s.late_t\" does not exist"
    );
    warehouse.must("CREATE TABLE s.late_t (a int, b varchar(10))").await;
    warehouse.must("INSERT INTO s.late_t VALUES (1, 'one'), (2, 'two')").await;
    assert_eq!(warehouse.must("SELECT * FROM s.late ORDER BY 1").await, ["1|one", "2|two"]);

    // The view follows names and columns, and blocks no change of its table.
    warehouse.must("ALTER TABLE s.late_t ADD COLUMN c int").await;
    warehouse.must("ALTER TABLE s.late_t ALTER COLUMN b TYPE varchar(20)").await;
    assert_eq!(
        warehouse.must("SELECT * FROM s.late ORDER BY 1").await,
        ["1|one|null", "2|two|null"]
    );
    warehouse.must("ALTER TABLE s.late_t DROP COLUMN b").await;
    assert_eq!(warehouse.error("SELECT b FROM s.late").await, "ERROR: column \"b\" does not exist");
    warehouse.must("ALTER TABLE s.late_t RENAME TO late_u").await;
    assert_eq!(
        warehouse.error("SELECT * FROM s.late").await,
        "ERROR: relation \"s.late_t\" does not exist"
    );
    warehouse.must("CREATE TABLE s.late_t AS SELECT 7 AS a").await;
    assert_eq!(warehouse.must("SELECT * FROM s.late").await, ["7"]);

    // OR REPLACE with other columns is fine. A view that is dropped and made anew has the new
    // query.
    warehouse
        .must(
            "CREATE OR REPLACE VIEW s.late (x, y) AS SELECT a, a + 1 FROM s.late_t WITH NO \
               SCHEMA BINDING",
        )
        .await;
    assert_eq!(warehouse.must("SELECT late.y, x FROM s.late").await, ["8|7"]);
    has(
        &warehouse.error("CREATE VIEW s.late AS SELECT 1 WITH NO SCHEMA BINDING").await,
        "\"late\" already exists",
    );
    warehouse.must("DROP VIEW s.late").await;
    assert_eq!(
        warehouse.error("SELECT * FROM s.late").await,
        "ERROR: relation \"s.late\" does not exist"
    );
    warehouse.must("CREATE VIEW s.late AS SELECT a FROM s.late_t WITH NO SCHEMA BINDING").await;
    assert_eq!(warehouse.must("SELECT * FROM s.late").await, ["7"]);
    let undone = warehouse
        .transaction(&[
            "CREATE OR REPLACE VIEW s.late AS SELECT 1 AS b WITH NO SCHEMA BINDING",
            "SELECT b FROM s.late",
            "SELECT 1 / 0",
        ])
        .await;
    assert_eq!(undone[2], "FINISHED 1");
    assert_eq!(warehouse.must("SELECT a FROM s.late").await, ["7"]);
}

pub(crate) async fn in_statements(warehouse: &Warehouse) {
    for sql in [
        "CREATE VIEW s.over AS SELECT l.a * 10 AS a FROM s.late l JOIN s.late ON s.late.a = l.a \
         WITH NO SCHEMA BINDING",
        "CREATE TABLE s.made AS SELECT * FROM s.over",
        "INSERT INTO s.made SELECT s.over.a + 1 FROM s.over",
        "CREATE TABLE s.odd AS SELECT 1 AS a",
        "INSERT INTO s.odd (a) WITH late AS (SELECT 5 AS a) SELECT a FROM late",
        "UPDATE s.odd SET a = s.over.a FROM s.over WHERE s.odd.a = 1",
    ] {
        warehouse.must(sql).await;
    }
    assert_eq!(
        warehouse.must("SELECT over.*, (SELECT max(a) FROM s.late) FROM s.over").await,
        ["70|7"]
    );
    assert_eq!(warehouse.must("SELECT a FROM s.made ORDER BY a").await, ["70", "71"]);
    assert_eq!(warehouse.must("SELECT a FROM s.odd ORDER BY a").await, ["5", "70"]);
    assert_eq!(
        warehouse.must("DELETE FROM s.made USING s.over WHERE s.made.a = s.over.a").await,
        ["1"]
    );
    has(&warehouse.must("EXPLAIN SELECT * FROM s.over").await.join("\n"), "late_t");

    let refused = "late-binding view s.late cannot be read by a view with schema binding";
    has(&warehouse.error("CREATE VIEW s.bound AS SELECT a FROM s.late").await, refused);
    has(&warehouse.error("CREATE MATERIALIZED VIEW s.kept AS SELECT a FROM s.late").await, refused);
    has(
        &warehouse.error("CREATE OR REPLACE VIEW s.late AS SELECT a FROM s.late_t").await,
        "cannot replace late-binding view",
    );
    warehouse.must("CREATE VIEW s.bound AS SELECT a FROM s.late_t").await;
    let late = "CREATE OR REPLACE VIEW s.bound AS SELECT a FROM s.late_t WITH NO SCHEMA BINDING";
    has(&warehouse.error(late).await, "cannot replace view s.bound");
    assert!(warehouse.error("INSERT INTO s.late VALUES (1)").await.starts_with("ERROR: "));

    warehouse.must("CREATE VIEW s.ring AS SELECT * FROM s.ring2 WITH NO SCHEMA BINDING").await;
    warehouse.must("CREATE VIEW s.ring2 AS SELECT * FROM s.ring WITH NO SCHEMA BINDING").await;
    has(&warehouse.error("SELECT * FROM s.ring").await, "infinite recursion detected");
}

const EDGES: &str = "SELECT DISTINCT r.ev_class::regclass, d.refobjid::regclass, d.refobjsubid \
                     FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON \
                     c.oid = r.ev_class WHERE d.refobjid <> r.ev_class AND d.deptype = 'n' AND \
                     c.relkind IN ('v', 'm') AND c.relnamespace = (SELECT oid FROM pg_namespace \
                     WHERE nspname = 's') ORDER BY 1, 2, 3";

pub(crate) async fn in_the_catalog(warehouse: &Warehouse) {
    assert_eq!(
        warehouse.must(EDGES).await,
        ["s.bound|s.late_t|1"],
        "only the bound view has edges"
    );
    let listed = "SELECT table_name, table_type FROM svv_tables WHERE table_schema = 's' AND \
                  table_name IN ('late', 'bound') ORDER BY 1";
    assert_eq!(warehouse.must(listed).await, ["bound|VIEW", "late|VIEW"]);
    let columns = "SELECT table_name, column_name FROM svv_columns WHERE table_schema = 's' AND \
                   table_name IN ('late', 'bound')";
    assert_eq!(warehouse.must(columns).await, ["bound|a"]);
    let found = "SELECT schemaname, viewname FROM pg_views WHERE definition ILIKE '%with no schema \
                 binding%' AND definition ILIKE '%late_t%'";
    assert_eq!(warehouse.must(found).await, ["s|late"]);
    let definitions = "SELECT relname, pg_get_viewdef(oid, true) FROM pg_catalog.pg_class WHERE \
                       relname IN ('late', 'bound') ORDER BY 1";
    assert_eq!(
        warehouse.must(definitions).await,
        [
            "bound| SELECT late_t.a\n   FROM s.late_t;",
            "late|CREATE VIEW s.late AS SELECT a FROM s.late_t WITH NO SCHEMA BINDING;"
        ]
    );
    let by_name = "SELECT octet_length(pg_catalog.pg_get_viewdef('s.late'::regclass)) = \
                   octet_length(pg_get_viewdef('s.late'))";
    assert_eq!(warehouse.must(by_name).await, ["true"]);
}
