//! Databases over a restart of the server, and databases that take the name of another.

use aws_sdk_redshiftdata::types::StatusString;

use crate::support::{WORKGROUP, Warehouse};

const LEVELS: &str = "SELECT TRIM(db_name) || ' ' || TRIM(isolation_level) FROM \
                      stv_db_isolation_level ORDER BY 1";

#[tokio::test]
async fn a_database_keeps_its_isolation_level_over_a_restart() {
    let warehouse = Warehouse::start().await;
    warehouse.must("ALTER DATABASE dev ISOLATION LEVEL SERIALIZABLE").await;
    warehouse.must("CREATE DATABASE other").await;
    let expected = ["dev Serializable", "other Snapshot Isolation"];
    assert_eq!(warehouse.must(LEVELS).await, expected);
    let warehouse = warehouse.restarted().await;
    assert_eq!(warehouse.must(LEVELS).await, expected);
    assert_eq!(warehouse.must("SHOW transaction_isolation").await, ["serializable"]);
    warehouse.stop().await;
}

#[tokio::test]
async fn a_database_may_take_the_name_of_one_that_was_dropped() {
    let warehouse = Warehouse::start().await;
    let long = "n".repeat(100);
    for _ in 0..2 {
        warehouse.must("CREATE DATABASE other").await;
        in_other(&warehouse, &format!("CREATE TABLE {long} (id INT)")).await;
        let found =
            in_other(&warehouse, "SELECT table_name FROM svv_tables WHERE table_schema = 'public'")
                .await;
        assert_eq!(found, [long.as_str()]);
        warehouse.must("DROP DATABASE other").await;
    }
    warehouse.stop().await;
}

async fn in_other(warehouse: &Warehouse, sql: &str) -> Vec<String> {
    let request = warehouse.client.execute_statement().sql(sql).workgroup_name(WORKGROUP);
    let id = request.database("other").send().await.unwrap().id.unwrap();
    let described = warehouse.described(&id).await;
    assert_eq!(described.status(), Some(&StatusString::Finished), "{described:?}");
    match described.has_result_set() {
        Some(true) => warehouse.rows(&id).await,
        _ => Vec::new(),
    }
}
