//! Statements stay inside the database: they read and write no file of the machine, start no program
//! and rule no server, whoever sends them. Superusers are superusers in Redshift's sense only.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use aws_sdk_redshiftdata::types::ExecutionMode;

use crate::identities::{error_as, must_as, sql_as};
use crate::support::Warehouse;

#[tokio::test]
async fn statements_stay_inside_the_database() {
    let warehouse = Warehouse::start().await;
    for statement in [
        "CREATE USER anna PASSWORD DISABLE",
        "CREATE USER chief PASSWORD DISABLE CREATEUSER",
        "CREATE TABLE t (a int)",
        "CREATE SCHEMA trap",
        "GRANT ALL ON SCHEMA trap TO anna",
    ] {
        warehouse.must(statement).await;
    }
    for user in ["loader", "chief", "anna"] {
        what_reaches_the_machine(&warehouse, user).await;
        nobody_becomes_postgresqls_superuser(&warehouse, user).await;
        traps(&warehouse, user).await;
    }
    assert_eq!(
        warehouse.must("SELECT rolname FROM pg_roles WHERE rolsuper").await,
        ["rdsdb"],
        "no client is a superuser of PostgreSQL"
    );
    warehouse.stop().await;
}

async fn what_reaches_the_machine(warehouse: &Warehouse, user: &str) {
    for function in [
        "pg_read_file('/etc/hostname')",
        "pg_read_file('postgresql.conf')",
        "pg_read_binary_file('/etc/hostname')",
        "pg_stat_file('/etc/hostname')",
        "pg_ls_dir('/')",
        "pg_ls_logdir()",
        "pg_ls_waldir()",
        "pg_ls_tmpdir()",
        "pg_ls_archive_statusdir()",
        "pg_current_logfile()",
        "lo_import('/etc/hostname')",
        "lo_export(1, '/tmp/x')",
        "lo_creat(-1)",
        "lo_create(1)",
        "lo_from_bytea(1, 'x')",
        "lo_get(1)",
        "lo_put(1, 0, 'x')",
        "loread(1, 1)",
        "pg_reload_conf()",
        "pg_rotate_logfile()",
        "pg_switch_wal()",
        "pg_create_restore_point('x')",
        "pg_log_backend_memory_contexts(1)",
        "pg_stat_reset()",
        "pg_show_all_file_settings()",
        "pg_hba_file_rules()",
    ] {
        let error = error_as(warehouse, user, &format!("SELECT {function}")).await;
        assert!(error.starts_with("ERROR: permission denied for function "), "{function}: {error}");
    }
    for statement in [
        "SELECT dblink('host=/tmp', 'SELECT 1')",
        "SELECT pg_file_write('/tmp/x', 'x', false)",
        "SELECT * FROM pg_file_settings",
        "SELECT rolpassword FROM pg_authid WHERE pg_read_file('/etc/hostname') IS NULL",
        "COPY t FROM '/etc/hostname'",
        "COPY t FROM PROGRAM 'id'",
        "COPY t TO '/tmp/x'",
        "COPY t TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "CREATE EXTENSION dblink",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SERVER s FOREIGN DATA WRAPPER file_fdw",
        "CREATE TABLESPACE s LOCATION '/tmp'",
        "ALTER SYSTEM SET log_directory TO '/tmp'",
        "LOAD 'adminpack'",
        "DO 'BEGIN END'",
        "CALL loader_local.give('t', 'rdsdb')",
        "SET log_directory TO '/tmp'",
        "SET session_preload_libraries TO 'x'",
        "SELECT set_config('log_min_messages', 'debug5', false)",
        "SHOW data_directory",
    ] {
        let outcome = sql_as(warehouse, user, statement).await;
        assert!(outcome.as_ref().is_err_and(|error| !error.is_empty()), "{statement}: {outcome:?}");
    }
    // The sessions of the server itself cannot be ended.
    let others = "SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE backend_type <> 'client backend' OR usename = 'rdsdb') AS ended";
    let outcome = sql_as(warehouse, user, others).await;
    assert!(outcome.is_err() || outcome == Ok(vec!["0".to_owned()]), "{outcome:?}");
}

async fn nobody_becomes_postgresqls_superuser(warehouse: &Warehouse, user: &str) {
    for statement in [
        "SET SESSION AUTHORIZATION rdsdb",
        "SET SESSION AUTHORIZATION loader_local",
        "SET session_authorization TO rdsdb",
        "SET ROLE rdsdb",
        "SELECT set_config('session_authorization', 'rdsdb', false)",
        "SELECT set_config('role', 'rdsdb', false)",
        "ALTER USER rdsdb RENAME TO mine",
        "ALTER USER rdsdb SET role TO 'loader'",
        "ALTER USER loader_local CREATEUSER",
        "ALTER USER loader NOCREATEUSER",
        "DROP USER rdsdb",
        "CREATE USER rdsdb PASSWORD DISABLE",
        "CREATE USER pg_read_server_files PASSWORD DISABLE",
        "ALTER GROUP pg_execute_server_program ADD USER anna",
        "GRANT ROLE pg_execute_server_program TO anna",
        "ALTER TABLE t OWNER TO rdsdb",
        "ALTER TABLE loader_local.loads OWNER TO anna",
        "ALTER SCHEMA trap OWNER TO rdsdb",
        "ALTER DEFAULT PRIVILEGES FOR USER rdsdb GRANT SELECT ON TABLES TO anna",
    ] {
        let outcome = sql_as(warehouse, user, statement).await;
        assert!(outcome.is_err(), "{user}: {statement}: {outcome:?}");
    }
    assert_eq!(
        error_as(warehouse, "rdsdb", "SELECT 1").await,
        "FATAL: user \"rdsdb\" does not exist"
    );
    assert!(error_as(warehouse, "loader_local", "SELECT 1").await.starts_with("FATAL: "));
}

/// Views with a function that writes a file, put where functions of the server's own could meet
/// them: these run with the rights of PostgreSQL's superuser.
async fn traps(warehouse: &Warehouse, user: &str) {
    let drop = tempfile::tempdir().unwrap();
    // PostgreSQL may run as another user than this test.
    fs::set_permissions(drop.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let written = drop.path().join("written");
    let writes = format!(
        "SELECT relname, oid, relkind, relnamespace, relowner FROM pg_catalog.pg_class WHERE \
         lo_export(lo_from_bytea(0, 'x'), '{}') = 1",
        written.display()
    );
    let batch = [
        format!("CREATE VIEW trap.pg_class AS {writes}"),
        "SELECT loader_local.row_count('trap.pg_class')".to_owned(),
        "SET search_path TO trap, pg_catalog".to_owned(),
        "SELECT loader_local.remember_view('trap.pg_class'::regclass, 'l', 'x', 'y')".to_owned(),
        "DROP VIEW trap.pg_class".to_owned(),
    ];
    let request = warehouse
        .client
        .batch_execute_statement()
        .set_sqls(Some(batch.to_vec()))
        .execution_mode(ExecutionMode::AutoCommit)
        .cluster_identifier("local")
        .database("dev")
        .db_user(user);
    let id = request.send().await.unwrap().id.unwrap();
    let state = warehouse.described(&id).await;
    let errors: Vec<_> = state.sub_statements().iter().map(|item| item.error()).collect();
    let refused = errors[1].unwrap_or_default();
    assert!(refused.starts_with("ERROR: not a table"), "{refused}");
    assert_eq!((errors[0], errors[3], errors[4]), (None, None, None), "{errors:?}");
    assert!(!written.exists(), "{user}");
}

#[tokio::test]
async fn superusers_rule_the_database() {
    let warehouse = Warehouse::start().await;
    for statement in [
        "CREATE USER anna PASSWORD DISABLE",
        "CREATE USER chief PASSWORD DISABLE CREATEUSER",
        "CREATE SCHEMA hers AUTHORIZATION anna",
        "CREATE TABLE loaders (a int)",
    ] {
        warehouse.must(statement).await;
    }
    must_as(&warehouse, "anna", "CREATE TABLE hers.t (a int, s varchar(3))").await;
    must_as(&warehouse, "anna", "CREATE VIEW hers.v AS SELECT a FROM hers.t").await;
    must_as(&warehouse, "chief", "CREATE TABLE chiefs (a int)").await;
    for user in ["loader", "chief"] {
        for statement in [
            "INSERT INTO hers.t VALUES (1, 'x')",
            "ALTER TABLE hers.t ADD COLUMN b int",
            "ALTER TABLE hers.t DROP COLUMN b",
            "GRANT SELECT ON hers.v TO PUBLIC",
            "COMMENT ON VIEW hers.v IS 'seen'",
            "CREATE TABLE hers.more (a int)",
            "DROP TABLE hers.more",
            "CREATE USER ben PASSWORD DISABLE",
            "ALTER USER ben CREATEDB SYSLOG ACCESS UNRESTRICTED",
            "ALTER USER ben SET statement_timeout TO 1000",
            // ben may not create in her schema, and gets the view all the same.
            "ALTER TABLE hers.v OWNER TO ben",
            "ALTER TABLE hers.v OWNER TO anna",
            "DROP USER ben",
            "CREATE GROUP readers WITH USER anna",
            "DROP GROUP readers",
            "TRUNCATE hers.t",
        ] {
            must_as(&warehouse, user, statement).await;
        }
    }
    // Of two superusers, each reads and writes what the other has made, and can take it.
    must_as(&warehouse, "chief", "ALTER TABLE loaders ADD COLUMN b int").await;
    warehouse.must("INSERT INTO chiefs VALUES (1)").await;
    assert_eq!(warehouse.must("SELECT a FROM chiefs").await, ["1"]);
    warehouse.must("ALTER TABLE chiefs OWNER TO loader").await;
    warehouse.must("ALTER TABLE chiefs ADD COLUMN b int").await;

    let authorization = [
        "SET SESSION AUTHORIZATION anna",
        "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user",
        "INSERT INTO loaders VALUES (1)",
        "RESET SESSION AUTHORIZATION",
        "SELECT current_user",
    ];
    let lines = warehouse.batch(&authorization, ExecutionMode::AutoCommit).await;
    assert_eq!(
        lines[2..],
        [
            "FINISHED anna|false",
            "FAILED ERROR: permission denied for relation loaders",
            "FINISHED 0",
            "FINISHED loader"
        ]
    );
    assert_eq!(
        warehouse.error("SET SESSION AUTHORIZATION nobody").await,
        "ERROR: user \"nobody\" does not exist"
    );

    warehouse.must("ALTER USER chief NOCREATEUSER").await;
    let question = "SELECT usesuper FROM pg_user WHERE usename = 'chief'";
    assert_eq!(warehouse.must(question).await, ["false"]);
    assert_eq!(
        error_as(&warehouse, "chief", "SELECT * FROM loaders").await,
        "ERROR: permission denied for relation loaders"
    );
    warehouse.must("ALTER USER anna CREATEUSER").await;
    must_as(&warehouse, "anna", "SELECT * FROM loaders").await;
    assert_eq!(
        error_as(&warehouse, "chief", "ALTER USER chief CREATEUSER").await,
        "ERROR: permission denied"
    );
    warehouse.stop().await;
}
