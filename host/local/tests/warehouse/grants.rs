//! GRANT, REVOKE and default privileges by Redshift's grammar, refused in Redshift's words, and
//! shown by Redshift's views.

use crate::identities::{error_as, must_as};
use crate::support::Warehouse;

#[tokio::test]
async fn privileges() {
    let warehouse = Warehouse::start().await;
    set_up(&warehouse).await;
    privileges_of_relations(&warehouse).await;
    privileges_of_columns_and_schemas(&warehouse).await;
    visibility(&warehouse).await;
    views_of_all_kinds(&warehouse).await;
    default_privileges(&warehouse).await;
    refused_statements(&warehouse).await;
    warehouse.stop().await;
}

async fn set_up(warehouse: &Warehouse) {
    for statement in [
        "CREATE USER anna PASSWORD DISABLE",
        "CREATE USER ben PASSWORD DISABLE",
        "CREATE USER other PASSWORD DISABLE",
        "CREATE USER watcher PASSWORD DISABLE SYSLOG ACCESS UNRESTRICTED",
        "CREATE GROUP readers WITH USER anna, ben",
        "CREATE GROUP writers WITH USER anna",
        "CREATE GROUP twin",
        "CREATE ROLE etl",
        "CREATE ROLE twin",
        "CREATE ROLE \"Night Shift\"",
        "GRANT ROLE etl TO ben",
        "CREATE TABLE owned (id int, name varchar(9))",
        "CREATE VIEW seen AS SELECT id FROM owned",
        "CREATE SCHEMA closed",
        "CREATE TABLE closed.inside (id int)",
    ] {
        warehouse.must(statement).await;
    }
}

const PRIVILEGES: &str = "SELECT privilege_type, identity_name, identity_type, admin_option FROM \
                          svv_relation_privileges WHERE namespace_name = 'public' AND \
                          relation_name = ";

async fn privileges_of(warehouse: &Warehouse, relation: &str) -> Vec<String> {
    warehouse.must(&format!("{PRIVILEGES}'{relation}' ORDER BY 3, 2, 1")).await
}

async fn privileges_of_relations(warehouse: &Warehouse) {
    assert_eq!(privileges_of(warehouse, "seen").await, [] as [&str; 0]);
    warehouse
        .must(
            "GRANT SELECT, INSERT ON public.seen TO \"anna\" WITH GRANT OPTION, \"ben\", GROUP \
               \"readers\", ROLE \"night shift\", PUBLIC",
        )
        .await;
    warehouse.must("GRANT DROP, TRUNCATE ON TABLE seen TO ben").await;
    assert_eq!(
        privileges_of(warehouse, "seen").await,
        [
            "INSERT|readers|group|false",
            "SELECT|readers|group|false",
            "INSERT|public|public|false",
            "SELECT|public|public|false",
            "INSERT|night shift|role|false",
            "SELECT|night shift|role|false",
            "INSERT|anna|user|true",
            "SELECT|anna|user|true",
            "DROP|ben|user|false",
            "INSERT|ben|user|false",
            "SELECT|ben|user|false",
            "TRUNCATE|ben|user|false",
        ]
    );
    let acl = "SELECT array_to_string(c.relacl, ',') FROM pg_class c WHERE c.oid = \
               'public.seen'::regclass";
    assert_eq!(
        warehouse.must(acl).await,
        ["loader=arwdDxt/loader,ben=arD/loader,group readers=ar/loader,role \"night \
             shift\"=ar/loader,=ar/loader,anna=a*r*/loader"]
    );
    assert_eq!(
        warehouse
            .must(
                "SELECT has_table_privilege('anna', 'seen', 'SELECT'), \
                   has_table_privilege('ben', 'seen', 'DELETE')"
            )
            .await,
        ["true|false"]
    );
    assert_eq!(
        warehouse.error("SELECT has_table_privilege('nobody', 'seen', 'SELECT')").await,
        "ERROR: user \"nobody\" does not exist"
    );
    // A user with the grant option grants.
    must_as(warehouse, "anna", "GRANT SELECT ON seen TO watcher").await;
    assert_eq!(must_as(warehouse, "watcher", "SELECT COUNT(*) FROM seen").await, ["0"]);
    let error = warehouse.error("REVOKE SELECT ON seen FROM anna").await;
    assert!(error.starts_with("ERROR: dependent privileges exist"), "{error}");
    for statement in [
        "REVOKE GRANT OPTION FOR INSERT ON seen FROM anna",
        "REVOKE SELECT ON seen FROM anna CASCADE",
        "REVOKE ALL PRIVILEGES ON seen FROM ben, GROUP readers, ROLE \"night shift\", PUBLIC \
         RESTRICT",
    ] {
        warehouse.must(statement).await;
    }
    assert_eq!(privileges_of(warehouse, "seen").await, ["INSERT|anna|user|false"]);
    // ALL is everything that can be granted, with DROP and ALTER.
    warehouse.must("REVOKE INSERT ON seen FROM anna").await;
    warehouse.must("GRANT ALL ON seen, owned TO GROUP writers").await;
    let all: Vec<String> =
        ["ALTER", "DELETE", "DROP", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE"]
            .map(|privilege| format!("{privilege}|writers|group|false"))
            .to_vec();
    assert_eq!(privileges_of(warehouse, "seen").await, all);
    assert_eq!(privileges_of(warehouse, "owned").await, all);
    must_as(warehouse, "anna", "INSERT INTO owned VALUES (7, 'seven')").await;
    // A view that is dropped and made anew has no privileges left.
    warehouse.must("DROP VIEW seen").await;
    warehouse.must("CREATE VIEW seen AS SELECT id FROM owned").await;
    assert_eq!(privileges_of(warehouse, "seen").await, [] as [&str; 0]);
    warehouse.must("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM GROUP writers").await;
    assert_eq!(privileges_of(warehouse, "owned").await, [] as [&str; 0]);
    warehouse.must("GRANT SELECT, DROP ON ALL TABLES IN SCHEMA public TO ROLE etl").await;
    assert_eq!(
        privileges_of(warehouse, "seen").await,
        ["DROP|etl|role|false", "SELECT|etl|role|false"]
    );
    assert_eq!(
        must_as(warehouse, "ben", "SELECT COUNT(*) FROM owned").await,
        ["1"],
        "through his role"
    );
}

async fn privileges_of_columns_and_schemas(warehouse: &Warehouse) {
    warehouse
        .must("GRANT SELECT (\"Id\"), UPDATE (id, name) ON owned TO anna, GROUP readers")
        .await;
    warehouse.must("GRANT ALL (name) ON owned TO PUBLIC").await;
    let columns = "SELECT column_name, privilege_type, identity_name, identity_type FROM \
                   svv_column_privileges WHERE namespace_name = 'public' AND relation_name = \
                   'owned' ORDER BY 1, 3, 2";
    assert_eq!(
        warehouse.must(columns).await,
        [
            "id|SELECT|anna|user",
            "id|UPDATE|anna|user",
            "id|SELECT|readers|group",
            "id|UPDATE|readers|group",
            "name|UPDATE|anna|user",
            "name|SELECT|public|public",
            "name|UPDATE|public|public",
            "name|UPDATE|readers|group",
        ]
    );
    assert_eq!(must_as(warehouse, "anna", "SELECT id FROM owned").await, ["7"]);
    warehouse.must("REVOKE SELECT (id) ON owned FROM anna, GROUP readers").await;
    assert_eq!(
        error_as(warehouse, "anna", "SELECT id FROM owned").await,
        "ERROR: permission denied for relation owned"
    );
    warehouse.must("GRANT USAGE, CREATE ON SCHEMA closed TO anna WITH GRANT OPTION").await;
    assert_eq!(
        warehouse
            .must(
                "SELECT privilege_type, identity_name, admin_option FROM svv_schema_privileges \
                   WHERE namespace_name = 'closed' ORDER BY 1"
            )
            .await,
        ["CREATE|anna|true", "USAGE|anna|true"]
    );
    assert_eq!(
        error_as(warehouse, "anna", "SELECT * FROM closed.inside").await,
        "ERROR: permission denied for relation inside"
    );
    must_as(warehouse, "anna", "CREATE TABLE closed.hers (id int)").await;
    warehouse.must("GRANT CREATE, TEMP ON DATABASE dev TO anna").await;
    must_as(warehouse, "anna", "CREATE SCHEMA hers").await;
    warehouse.must("GRANT SELECT ON svv_table_info TO anna").await;
    assert_eq!(must_as(warehouse, "anna", "SELECT \"table\" FROM svv_table_info").await, ["owned"]);
}

async fn visibility(warehouse: &Warehouse) {
    warehouse.must("GRANT SELECT ON seen TO watcher").await;
    must_as(warehouse, "anna", "GRANT SELECT ON closed.hers TO ROLE twin").await;
    let rows = "SELECT relation_name, identity_name FROM svv_relation_privileges ORDER BY 1, 2";
    assert_eq!(
        warehouse.must(rows).await,
        ["hers|twin", "owned|etl", "owned|etl", "seen|etl", "seen|etl", "seen|watcher"]
    );
    assert_eq!(must_as(warehouse, "anna", rows).await, ["hers|twin"], "what she owns");
    assert_eq!(
        must_as(warehouse, "ben", rows).await,
        ["owned|etl", "owned|etl", "seen|etl", "seen|etl"],
        "his role's"
    );
    assert_eq!(must_as(warehouse, "other", rows).await, [] as [&str; 0]);
    assert_eq!(must_as(warehouse, "watcher", rows).await.len(), 6, "SYSLOG ACCESS UNRESTRICTED");
    // The lists of columns leave out relations that a user has no privilege on.
    let columns = "SELECT column_name FROM svv_columns WHERE table_name = 'seen'";
    assert_eq!(must_as(warehouse, "other", columns).await, [] as [&str; 0]);
    assert_eq!(must_as(warehouse, "watcher", columns).await, ["id"]);
}

async fn views_of_all_kinds(warehouse: &Warehouse) {
    warehouse.must("CREATE VIEW late AS SELECT id FROM public.owned WITH NO SCHEMA BINDING").await;
    warehouse.must("CREATE MATERIALIZED VIEW kept AS SELECT id FROM public.owned").await;
    for view in ["late", "kept"] {
        let select = format!("SELECT COUNT(*) FROM {view}");
        assert_eq!(
            error_as(warehouse, "other", &select).await,
            format!("ERROR: permission denied for relation {view}")
        );
        warehouse.must(&format!("GRANT SELECT, DROP ON {view} TO other")).await;
        assert_eq!(
            privileges_of(warehouse, view).await,
            ["DROP|other|user|false", "SELECT|other|user|false"]
        );
    }
    assert_eq!(must_as(warehouse, "other", "SELECT COUNT(*) FROM kept").await, ["1"]);
    warehouse.must("GRANT SELECT ON owned TO other").await;
    assert_eq!(must_as(warehouse, "other", "SELECT COUNT(*) FROM late").await, ["1"]);
    // An ordinary user makes views of the tables that the user may read.
    must_as(warehouse, "other", "CREATE VIEW public.his AS SELECT id FROM public.owned").await;
    must_as(warehouse, "other", "COMMENT ON VIEW public.his IS 'his'").await;
    must_as(warehouse, "other", "GRANT SELECT ON public.his TO GROUP readers").await;
    assert_eq!(must_as(warehouse, "anna", "SELECT COUNT(*) FROM public.his").await, ["1"]);
    must_as(warehouse, "other", "DROP VIEW public.his").await;
    warehouse.must("DROP VIEW late").await;
    warehouse.must("DROP MATERIALIZED VIEW kept").await;
    warehouse.must("REVOKE SELECT ON owned FROM other").await;
}

async fn default_privileges(warehouse: &Warehouse) {
    warehouse
        .must(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anna WITH GRANT \
               OPTION, GROUP twin",
        )
        .await;
    warehouse
        .must(
            "ALTER DEFAULT PRIVILEGES FOR USER anna IN SCHEMA closed GRANT INSERT ON TABLES \
                    TO ROLE etl",
        )
        .await;
    warehouse.must("CREATE TABLE later (id int)").await;
    assert_eq!(
        privileges_of(warehouse, "later").await,
        ["SELECT|twin|group|false", "SELECT|anna|user|true"]
    );
    assert_eq!(
        warehouse
            .must(
                "SELECT schema_name, owner_name, privilege_type, grantee_name, grantee_type, \
                   admin_option FROM svv_default_privileges ORDER BY 1, 4"
            )
            .await,
        [
            "closed|anna|INSERT|etl|role|false",
            "public|loader|SELECT|anna|user|true",
            "public|loader|SELECT|twin|group|false"
        ]
    );
    warehouse
        .must(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM anna, GROUP twin",
        )
        .await;
    warehouse
        .must(
            "ALTER DEFAULT PRIVILEGES FOR USER anna IN SCHEMA closed REVOKE INSERT ON TABLES \
               FROM ROLE etl",
        )
        .await;
    warehouse.must("DROP TABLE later").await;
    warehouse.must("CREATE TABLE later (id int)").await;
    assert_eq!(privileges_of(warehouse, "later").await, [] as [&str; 0]);
}

async fn refused_statements(warehouse: &Warehouse) {
    let only_users = "grant options can only be granted to individual users";
    for (statement, expected) in [
        ("GRANT SELECT ON owned TO GROUP readers WITH GRANT OPTION", only_users),
        ("GRANT SELECT ON owned TO ROLE etl WITH GRANT OPTION", only_users),
        ("GRANT SELECT ON owned TO PUBLIC WITH GRANT OPTION", only_users),
        ("GRANT SELECT (id) ON owned TO anna WITH GRANT OPTION", "no grant option on columns"),
        ("GRANT INSERT (id) ON owned TO anna", "SELECT and UPDATE on columns"),
        ("GRANT SELECT ON owned TO nobody", "user \"nobody\" does not exist"),
        ("GRANT SELECT ON owned TO readers", "user \"readers\" does not exist"),
        ("GRANT SELECT ON owned TO GROUP nothing", "group \"nothing\" does not exist"),
        ("GRANT DROP ON owned TO ROLE nothing", "role \"nothing\" does not exist"),
        ("GRANT SELECT ON nothing TO anna", "relation \"nothing\" does not exist"),
        ("GRANT USAGE ON SCHEMA nothing TO anna", "schema \"nothing\" does not exist"),
        ("GRANT USAGE ON owned TO anna", "invalid privilege type USAGE for relation"),
        ("GRANT SELECT ON SCHEMA closed TO anna", "invalid privilege type SELECT for schema"),
        ("GRANT SELECT ON owned FROM anna", "syntax error at or near \"FROM\""),
        ("GRANT readers TO anna", "syntax error at or near \"readers\""),
        (
            "GRANT EXECUTE ON FUNCTION f() TO anna",
            "privilege EXECUTE is not supported by the local stand-in",
        ),
        ("GRANT DROP ON SCHEMA closed TO anna", "is not supported by the local stand-in"),
    ] {
        let error = warehouse.error(statement).await;
        assert!(error.contains(expected), "{statement}: {error}");
    }
}
