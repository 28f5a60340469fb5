//! The life of the PostgreSQL behind the warehouse, with a real one.

use std::time::Instant;

use super::leftover::pid_file;
use super::*;

async fn query(postgres: &Postgres, sql: &str) -> String {
    let (client, connection) = postgres.config().connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let answers = client.simple_query(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    answers
        .iter()
        .find_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .unwrap_or_default()
}

#[tokio::test]
async fn data_outlives_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    let first = began.elapsed();
    query(&postgres, "CREATE TABLE t AS SELECT 7 AS n").await;
    assert_eq!(query(&postgres, "SELECT current_database()").await, "dev");
    assert_eq!(query(&postgres, "SHOW server_encoding").await, "UTF8");
    let sockets = postgres._sockets.path().to_owned();
    postgres.stop().await.unwrap();
    assert!(!sockets.exists());

    let began = Instant::now();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    eprintln!("first start {first:?}, second {:?}", began.elapsed());
    assert_eq!(query(&postgres, "SELECT n FROM t").await, "7");
    postgres.stop().await.unwrap();
}

/// As when the server was killed and its watchdog too.
#[tokio::test]
async fn a_left_over_postgresql_is_stopped_and_its_data_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Postgres::start(dir.path(), None).await.unwrap();
    query(&killed, "CREATE TABLE t AS SELECT 7 AS n").await;
    killed.watchdog.take().unwrap().kill().await.unwrap();
    let old = killed.child.id();
    let sockets = killed._sockets.path().to_owned();

    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    assert_ne!(postgres.child.id(), old);
    assert!(killed.child.wait().await.unwrap().success());
    assert!(!sockets.exists());
    assert_eq!(query(&postgres, "SELECT n FROM t").await, "7");
    postgres.stop().await.unwrap();
}

/// Killed together with its own PostgreSQL, as by the end of a container.
#[tokio::test]
async fn recovers_when_everything_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Postgres::start(dir.path(), None).await.unwrap();
    query(&killed, "CREATE TABLE t AS SELECT 7 AS n").await;
    killed.child.kill().await.unwrap();
    assert!(pid_file(&dir.path().join("postgres/data")).exists());

    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT n FROM t").await, "7");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_half_made_data_folder_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let half = dir.path().join("postgres/data.new");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("PG_VERSION"), "15").unwrap();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    postgres.stop().await.unwrap();
    assert!(!half.exists());
}

#[tokio::test]
async fn data_of_another_version_is_refused_with_both_ways_out() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "8.4\n").unwrap();
    let message = Postgres::start(dir.path(), None).await.unwrap_err().to_string();
    assert!(message.contains("was made by version 8.4"), "{message}");
    assert!(
        message.contains("set LOADER_POSTGRES_BIN to version 8.4, or remove that folder"),
        "{message}"
    );
}

#[tokio::test]
async fn when_it_does_not_start_its_log_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    Postgres::start(dir.path(), None).await.unwrap().stop().await.unwrap();
    std::fs::write(dir.path().join("postgres/data/postgresql.conf"), "no_such_setting = 1\n")
        .unwrap();
    let message = Postgres::start(dir.path(), None).await.unwrap_err().to_string();
    assert!(
        message.contains("unrecognized configuration parameter \"no_such_setting\""),
        "{message}"
    );
}

#[tokio::test]
async fn postgresql_ends_when_the_program_that_started_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut orphan = Postgres::start(dir.path(), None).await.unwrap();
    let sockets = orphan._sockets.path().to_owned();
    // What the end of our process does to the pipe.
    let watchdog = orphan.watchdog.as_mut().unwrap();
    drop(watchdog.stdin.take());
    assert!(watchdog.wait().await.unwrap().success());
    assert!(orphan.child.wait().await.unwrap().success());
    assert!(!sockets.exists());
}

/// PostgreSQL asks for no password, so whoever reaches its socket or its data rules it.
#[tokio::test]
async fn other_users_of_the_machine_do_not_reach_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let dir = tempfile::tempdir().unwrap();
    // The folder of a user: others may look into it.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let postgres = Postgres::start(&state, None).await.unwrap();
    let home = state.join("postgres");
    let sockets = postgres._sockets.path();
    for private in [sockets, &home, &home.join("data")] {
        let metadata = std::fs::metadata(private).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o700, "{}", private.display());
    }
    assert_eq!(std::fs::metadata(home.join("postgres.log")).unwrap().mode() & 0o777, 0o600);
    if rustix::process::geteuid().is_root() {
        assert_ne!(std::fs::metadata(sockets).unwrap().uid(), 0, "PostgreSQL runs as another user");
        for private in [sockets, &state, &home] {
            let listed = std::process::Command::new("ls").arg(private).uid(54_321).output();
            assert!(!listed.unwrap().status.success(), "{}", private.display());
        }
    }
    postgres.stop().await.unwrap();
}

/// Data that was made before statements ran as ordinary roles, or by another program.
#[tokio::test]
async fn data_without_its_superuser_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    query(&postgres, "CREATE ROLE other SUPERUSER LOGIN").await;
    let mut config = postgres.config().clone();
    let (client, connection) = config.user("other").connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("ALTER ROLE rdsdb RENAME TO elder").await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    postgres.stop().await.unwrap();
    let message = Postgres::start(dir.path(), None).await.unwrap_err().to_string();
    assert!(message.contains("was made by an older version of this program"), "{message}");
    assert!(message.contains("remove that folder to start with an empty warehouse"), "{message}");
}

/// Only root has this trouble, so other users have nothing to test.
#[tokio::test]
async fn data_goes_elsewhere_when_postgresqls_user_cannot_reach_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let postgres = Postgres::start(&state, None).await.unwrap();
    query(&postgres, "CREATE TABLE t AS SELECT 7 AS n").await;
    postgres.stop().await.unwrap();
    let elsewhere = std::fs::read_link(state.join("postgres")).unwrap();
    assert!(
        elsewhere.starts_with("/var/tmp") && elsewhere.join("data/PG_VERSION").exists(),
        "{}",
        elsewhere.display()
    );

    let postgres = Postgres::start(&state, None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT n FROM t").await, "7");
    postgres.stop().await.unwrap();

    // A folder that was deleted and made again is a new one.
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    let postgres = Postgres::start(&state, None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT count(*) FROM pg_tables WHERE tablename = 't'").await, "0");
    postgres.stop().await.unwrap();
    std::fs::remove_dir_all(elsewhere).unwrap();
}
