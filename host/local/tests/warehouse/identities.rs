//! Users, groups and roles, statements that run as one of them (the Data API's `DbUser`), and a
//! whole load by an ordinary user.

use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::types::StatusString;

use crate::support::{ROLE, WORKGROUP, Warehouse};

#[tokio::test]
async fn users_groups_and_roles() {
    let warehouse = Warehouse::start().await;
    identities(&warehouse).await;
    ordinary_users(&warehouse).await;
    a_load_by_an_ordinary_user(&warehouse).await;
    dropping_identities(&warehouse).await;
    warehouse.stop().await;
}

/// Runs one statement as a user.
pub(crate) async fn sql_as(
    warehouse: &Warehouse,
    user: &str,
    sql: &str,
) -> Result<Vec<String>, String> {
    let request = warehouse
        .client
        .execute_statement()
        .sql(sql)
        .cluster_identifier("local")
        .database("dev")
        .db_user(user);
    let id = request.send().await.unwrap().id.unwrap();
    let state = warehouse.described(&id).await;
    match state.status() {
        Some(StatusString::Finished) if state.has_result_set() == Some(true) => {
            Ok(warehouse.rows(&id).await)
        }
        Some(StatusString::Finished) => Ok(vec![state.result_rows().to_string()]),
        _ => Err(state.error.unwrap_or_default()),
    }
}

pub(crate) async fn must_as(warehouse: &Warehouse, user: &str, sql: &str) -> Vec<String> {
    sql_as(warehouse, user, sql).await.unwrap_or_else(|error| panic!("{user}: {sql}: {error}"))
}

pub(crate) async fn error_as(warehouse: &Warehouse, user: &str, sql: &str) -> String {
    sql_as(warehouse, user, sql).await.expect_err(sql)
}

async fn identities(warehouse: &Warehouse) {
    for statement in [
        "CREATE GROUP readers",
        "CREATE USER \"Anna\" PASSWORD 'Secret123' NOCREATEDB IN GROUP readers VALID UNTIL \
         '2100-01-01' CONNECTION LIMIT 20 SESSION TIMEOUT 60",
        "CREATE USER ben WITH PASSWORD DISABLE SYSLOG ACCESS RESTRICTED",
        "CREATE USER chief PASSWORD DISABLE CREATEUSER CREATEDB",
        "CREATE USER watcher PASSWORD DISABLE SYSLOG ACCESS UNRESTRICTED",
        "CREATE GROUP writers WITH USER anna, ben",
        "CREATE ROLE etl",
        "CREATE ROLE \"Night Shift\"",
        // A user, a group and a role of one name.
        "CREATE USER twin PASSWORD DISABLE",
        "CREATE GROUP twin",
        "CREATE ROLE twin",
        "GRANT ROLE etl TO ben WITH ADMIN OPTION, ROLE \"night shift\"",
        "ALTER GROUP readers ADD USER ben, twin",
        "ALTER GROUP readers DROP USER twin",
        "ALTER USER twin CREATEDB PASSWORD 'Secret123'",
        "ALTER USER twin SET query_group TO 'x'",
        "ALTER USER twin RENAME TO twin2",
    ] {
        warehouse.must(statement).await;
    }
    assert_eq!(
        warehouse
            .must(
                "SELECT usename, usesuper, usecreatedb, usecatupd, valuntil FROM pg_user ORDER \
                   BY usename"
            )
            .await,
        [
            "anna|false|false|false|2100-01-01 00:00:00+00",
            "ben|false|false|false|null",
            "chief|true|true|false|null",
            "loader|true|true|false|null",
            "twin2|false|true|false|null",
            "watcher|false|false|false|null",
        ]
    );
    let members = "SELECT g.groname, u.usename FROM pg_group g LEFT JOIN pg_user u ON u.usesysid = \
                   ANY (g.grolist) ORDER BY 1, 2";
    assert_eq!(
        warehouse.must(members).await,
        ["readers|anna", "readers|ben", "twin|null", "writers|anna", "writers|ben"]
    );
    assert_eq!(
        warehouse.must("SELECT role_name FROM svv_roles ORDER BY 1").await,
        ["etl", "night shift", "twin"]
    );
    assert_eq!(
        warehouse.must("SELECT user_name, role_name, admin_option FROM svv_user_grants").await,
        ["ben|etl|true"]
    );
    assert_eq!(
        warehouse.must("SELECT role_name, granted_role_name FROM svv_role_grants").await,
        ["night shift|etl"]
    );
    assert_eq!(
        warehouse
            .must(
                "SELECT user_name FROM svv_user_info WHERE syslog_access = 'UNRESTRICTED' \
                        ORDER BY 1"
            )
            .await,
        ["chief", "loader", "watcher"]
    );
    warehouse.must("REVOKE ADMIN OPTION FOR ROLE etl FROM ben").await;
    warehouse.must("REVOKE ROLE etl FROM ROLE \"night shift\"").await;
    assert_eq!(warehouse.must("SELECT admin_option FROM svv_user_grants").await, ["false"]);
    assert_eq!(warehouse.must("SELECT role_name FROM svv_role_grants").await, [] as [&str; 0]);
    for (statement, expected) in [
        ("CREATE USER anna PASSWORD DISABLE", "ERROR: user \"anna\" already exists"),
        ("CREATE GROUP readers", "ERROR: group \"readers\" already exists"),
        ("CREATE ROLE etl", "ERROR: role \"etl\" already exists"),
        ("ALTER GROUP readers ADD USER nobody", "ERROR: user \"nobody\" does not exist"),
        ("ALTER GROUP nothing ADD USER ben", "ERROR: group \"nothing\" does not exist"),
        ("ALTER USER readers CREATEDB", "ERROR: user \"readers\" does not exist"),
        ("GRANT ROLE readers TO ben", "ERROR: role \"readers\" does not exist"),
        ("DROP USER nobody", "ERROR: user \"nobody\" does not exist"),
        (
            "DROP GROUP IF EXISTS nothing",
            "ERROR: syntax error at or near \"exists\"\n  Position: 15",
        ),
        ("CREATE USER x SUPERUSER", "ERROR: syntax error at or near \"SUPERUSER\"\n  Position: 15"),
    ] {
        assert_eq!(
            warehouse.error(statement).await.replace("EXISTS", "exists"),
            expected,
            "{statement}"
        );
    }
    let error = warehouse.error("CREATE USER x CREATEDB").await;
    assert!(error.contains("CREATE USER needs PASSWORD"), "{error}");
    warehouse.must("DROP USER IF EXISTS nobody").await;
}

async fn ordinary_users(warehouse: &Warehouse) {
    assert_eq!(
        must_as(warehouse, "anna", "SELECT current_user, session_user").await,
        ["anna|anna"]
    );
    assert_eq!(warehouse.must("SELECT current_user").await, ["loader"]);
    let question = "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user";
    assert_eq!(must_as(warehouse, "ben", question).await, ["ben|false"]);
    assert_eq!(must_as(warehouse, "chief", question).await, ["chief|true"]);
    assert_eq!(
        error_as(warehouse, "nobody", "SELECT 1").await,
        "FATAL: user \"nobody\" does not exist"
    );
    let request = warehouse
        .client
        .batch_execute_statement()
        .sqls("SELECT 1")
        .cluster_identifier("c")
        .db_user("nobody");
    let id = request.database("dev").send().await.unwrap().id.unwrap();
    let state = warehouse.described(&id).await;
    assert_eq!(state.error(), Some("FATAL: user \"nobody\" does not exist"));
    assert_eq!(state.sub_statements()[0].error(), Some("Connection or an prior query failed."));
    let request = warehouse
        .client
        .execute_statement()
        .sql("SELECT 1")
        .workgroup_name(WORKGROUP)
        .db_user("anna");
    let error = request.database("dev").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
    let lists = warehouse.client.list_tables().cluster_identifier("c").database("dev");
    assert_eq!(
        lists.clone().db_user("nobody").send().await.unwrap_err().code(),
        Some("DatabaseConnectionException")
    );
    lists.db_user("anna").send().await.unwrap();

    warehouse.must("CREATE TABLE owned (id int, name varchar(9))").await;
    warehouse.must("CREATE VIEW seen AS SELECT id FROM owned").await;
    warehouse.must("CREATE SCHEMA closed").await;
    warehouse.must("CREATE TABLE closed.inside (id int)").await;
    for (statement, expected) in [
        ("SELECT * FROM owned", "ERROR: permission denied for relation owned"),
        ("SELECT * FROM seen", "ERROR: permission denied for relation seen"),
        ("INSERT INTO owned VALUES (1)", "ERROR: permission denied for relation owned"),
        ("DROP TABLE owned", "ERROR: must be owner of relation owned"),
        ("DROP VIEW seen", "ERROR: must be owner of relation seen"),
        ("ALTER TABLE owned ADD COLUMN x int", "ERROR: must be owner of relation owned"),
        (
            "ALTER TABLE owned ALTER COLUMN name TYPE varchar(10)",
            "ERROR: must be owner of relation owned",
        ),
        ("ALTER TABLE owned ALTER SORTKEY (id)", "ERROR: must be owner of relation owned"),
        ("GRANT SELECT ON owned TO ben", "ERROR: permission denied for relation owned"),
        ("GRANT DROP ON owned TO ben", "ERROR: permission denied for relation owned"),
        ("SELECT * FROM closed.inside", "ERROR: permission denied for schema closed"),
        ("CREATE TABLE closed.mine (id int)", "ERROR: permission denied for schema closed"),
        ("SELECT * FROM svv_table_info", "ERROR: permission denied for relation svv_table_info"),
        (
            "SET SESSION AUTHORIZATION 'loader'",
            "ERROR: permission denied to set session authorization \"loader\"",
        ),
    ] {
        assert_eq!(error_as(warehouse, "anna", statement).await, expected, "{statement}");
    }
    assert!(error_as(warehouse, "anna", "SET ROLE loader").await.contains("syntax error"));
    warehouse.must("ALTER TABLE seen OWNER TO ben").await;
    assert_eq!(
        warehouse
            .must(
                "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.seen'::regclass"
            )
            .await,
        ["ben"]
    );
    warehouse.must("ALTER TABLE seen OWNER TO loader").await;
}

async fn a_load_by_an_ordinary_user(warehouse: &Warehouse) {
    must_as(
        warehouse,
        "ben",
        "CREATE TABLE public.bens (id bigint NOT NULL DISTKEY, name varchar(5), PRIMARY KEY (id)) \
         SORTKEY (id)",
    )
    .await;
    warehouse.put("bens.csv", "1,a\n2,b\n");
    warehouse.put("wrong.csv", "1,toolong\n");
    let batch = [
        "LOCK public.bens".to_owned(),
        "CREATE TEMP TABLE stage (LIKE public.bens)".to_owned(),
        format!("COPY stage FROM 's3://demo/bens.csv' {ROLE} CSV"),
        "DELETE FROM public.bens USING stage WHERE public.bens.id = stage.id".to_owned(),
        "INSERT INTO public.bens SELECT * FROM stage".to_owned(),
        "ALTER TABLE public.bens ADD COLUMN more varchar(7)".to_owned(),
        "SELECT pg_last_copy_count(), current_user".to_owned(),
    ];
    let request = warehouse
        .client
        .batch_execute_statement()
        .set_sqls(Some(batch.to_vec()))
        .cluster_identifier("c");
    let id = request.db_user("ben").database("dev").send().await.unwrap().id.unwrap();
    let state = warehouse.described(&id).await;
    assert_eq!(state.status(), Some(&StatusString::Finished), "{:?}", state.sub_statements());
    assert_eq!(warehouse.rows(&format!("{id}:7")).await, ["2|ben"]);
    assert_eq!(
        warehouse.must("SELECT id, name, more FROM bens ORDER BY id").await,
        ["1|a|null", "2|b|null"]
    );
    must_as(warehouse, "ben", "ALTER TABLE bens ALTER COLUMN name TYPE varchar(6)").await;
    let too_long = "ERROR: value too long for type character varying(7)";
    assert_eq!(
        error_as(warehouse, "ben", "INSERT INTO bens VALUES (3, 'a', '12345678')").await,
        too_long
    );

    // Load errors are seen by the user who made them, and by superusers.
    let copy = format!("COPY bens (id, name) FROM 's3://demo/wrong.csv' {ROLE} CSV");
    assert!(error_as(warehouse, "ben", &copy).await.contains("Load into table 'bens' failed."));
    assert_eq!(
        error_as(warehouse, "anna", &copy).await,
        "ERROR: permission denied for relation bens"
    );
    let errors = "SELECT TRIM(e.colname), u.usename FROM stl_load_errors e JOIN pg_user u ON \
                  u.usesysid = e.userid";
    assert_eq!(must_as(warehouse, "ben", errors).await, ["name|ben"]);
    assert_eq!(must_as(warehouse, "anna", errors).await, [] as [&str; 0]);
    assert_eq!(must_as(warehouse, "watcher", errors).await, ["name|ben"]);
    assert_eq!(warehouse.must(errors).await, ["name|ben"]);
    let loads = "SELECT COUNT(*) FROM sys_load_history WHERE table_name = 'bens'";
    assert_eq!(must_as(warehouse, "anna", loads).await, ["1"], "only her own, refused one");
    assert_eq!(warehouse.must(loads).await, ["2"]);
    // COPY needs the privilege INSERT and no other.
    warehouse.must("GRANT INSERT ON bens TO anna").await;
    warehouse.put("right.csv", "9,z\n");
    must_as(warehouse, "anna", &copy.replace("wrong", "right")).await;
    assert_eq!(
        error_as(warehouse, "anna", "SELECT * FROM bens").await,
        "ERROR: permission denied for relation bens"
    );
    must_as(warehouse, "ben", "DROP TABLE bens").await;
}

async fn dropping_identities(warehouse: &Warehouse) {
    must_as(warehouse, "anna", "CREATE TABLE annas (id int)").await;
    warehouse.must("GRANT SELECT ON seen TO watcher, GROUP readers, ROLE etl").await;
    for (statement, expected) in [
        (
            "DROP USER anna",
            "ERROR: user \"anna\" can't be dropped because the user owns some object",
        ),
        (
            "DROP USER watcher",
            "ERROR: user \"watcher\" can't be dropped because the user has a privilege on some \
             object",
        ),
        (
            "DROP GROUP readers",
            "ERROR: group \"readers\" can't be dropped because the group has a privilege on some \
             object",
        ),
        (
            "DROP ROLE etl",
            "ERROR: role \"etl\" can't be dropped because it is granted to an identity or was \
             granted a role; use FORCE",
        ),
    ] {
        assert_eq!(warehouse.error(statement).await, expected, "{statement}");
    }
    warehouse.must("REVOKE ROLE etl FROM ben").await;
    assert_eq!(
        warehouse.error("DROP ROLE etl").await,
        "ERROR: role \"etl\" can't be dropped because the role has a privilege on some object"
    );
    warehouse.must("GRANT ROLE etl TO ben").await;
    // Privileges that are only recorded (DROP, ALTER) count too.
    warehouse.must("GRANT ALTER ON seen TO twin2").await;
    assert!(warehouse.error("DROP USER twin2").await.contains("has a privilege on some object"));
    warehouse.must("REVOKE ALTER ON seen FROM twin2").await;
    warehouse.must("DROP USER twin2").await;
    warehouse.must("DROP GROUP twin").await;
    warehouse.must("DROP ROLE etl FORCE").await;
    assert_eq!(
        warehouse
            .must(
                "SELECT identity_name FROM svv_relation_privileges WHERE relation_name = 'seen' \
                   ORDER BY 1"
            )
            .await,
        ["readers", "watcher"]
    );
    assert_eq!(
        warehouse.must("SELECT role_name FROM svv_roles ORDER BY 1").await,
        ["night shift", "twin"]
    );
}

#[tokio::test]
async fn a_user_has_a_time_zone() {
    let warehouse = Warehouse::start().await;
    warehouse.must("CREATE USER ann PASSWORD DISABLE").await;
    for (change, zone) in [
        ("SET timezone TO 'Asia/Tokyo'", "Asia/Tokyo"),
        ("SET timezone = 'America/New_York'", "America/New_York"),
        ("RESET timezone", "UTC"),
    ] {
        warehouse.must(&format!("ALTER USER ann {change}")).await;
        let request = warehouse.client.execute_statement().sql("SHOW timezone");
        let request = request.cluster_identifier("c").db_user("ann").database("dev");
        let id = request.send().await.unwrap().id.unwrap();
        warehouse.described(&id).await;
        assert_eq!(warehouse.rows(&id).await, [zone], "{change}");
    }
    warehouse.stop().await;
}
