//! The Data API itself: statuses, batches, tokens, pages, parameters, cancelling, lists, and the
//! requests that it refuses.

use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::types::{ExecutionMode, SqlParameter, StatusString};

use crate::support::{WORKGROUP, Warehouse};

#[tokio::test]
async fn statements() {
    let warehouse = Warehouse::start().await;
    pages(&warehouse).await;
    types_of_results(&warehouse).await;
    tokens_and_parameters(&warehouse).await;
    cancelling(&warehouse).await;
    lists(&warehouse).await;
    refused_requests(&warehouse).await;
    warehouse.stop().await;
}

async fn pages(warehouse: &Warehouse) {
    let request = warehouse
        .client
        .execute_statement()
        .sql("SELECT generate_series(1, 250) AS n")
        .workgroup_name(WORKGROUP)
        .database("dev");
    let id = request.send().await.unwrap().id.unwrap();
    assert_eq!(warehouse.described(&id).await.result_rows(), 250);
    let first = warehouse.client.get_statement_result().id(&id).send().await.unwrap();
    assert_eq!(
        (first.records().len(), first.total_num_rows(), first.next_token().is_some()),
        (100, 250, true)
    );
    let all: Vec<String> = (1..=250).map(|n| n.to_string()).collect();
    assert_eq!(warehouse.rows(&id).await, all);
    let strange =
        warehouse.client.get_statement_result().id(&id).next_token("7").send().await.unwrap_err();
    assert_eq!(strange.code(), Some("ValidationException"));
}

async fn types_of_results(warehouse: &Warehouse) {
    let sql = "SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 1.5::float4 AS d, 2.5::float8 \
               AS e, true AS f, 1.20::decimal(5,2) AS g, 'x'::varchar(9) AS h, 'y'::char(3) AS i, \
               '2024-02-29'::date AS j, '2024-02-29 01:02:03.50'::timestamp AS k, '2024-02-29 \
               01:02:03+00'::timestamptz AS l, NULL::int AS m, SUM(0.125) AS n";
    let request = warehouse
        .client
        .execute_statement()
        .sql(sql)
        .cluster_identifier("c")
        .db_user("loader")
        .database("dev");
    let id = request.send().await.unwrap().id.unwrap();
    warehouse.described(&id).await;
    let result = warehouse.client.get_statement_result().id(&id).send().await.unwrap();
    let columns: Vec<String> = result
        .column_metadata()
        .iter()
        .map(|column| {
            format!(
                "{} {}({},{})",
                column.name().unwrap(),
                column.type_name().unwrap(),
                column.precision(),
                column.scale()
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            "a int2(5,0)",
            "b int4(10,0)",
            "c int8(19,0)",
            "d float4(8,8)",
            "e float8(17,17)",
            "f bool(1,0)",
            "g numeric(5,2)",
            "h varchar(9,0)",
            "i bpchar(3,0)",
            "j date(13,0)",
            "k timestamp(29,6)",
            "l timestamptz(35,6)",
            "m int4(10,0)",
            "n numeric(38,3)",
        ]
    );
    let expected = "1|2|3|1.5|2.5|true|1.20|x|y  |2024-02-29|2024-02-29 01:02:03.5|2024-02-29 \
                    01:02:03+00|null|0.125";
    assert_eq!(warehouse.rows(&id).await, [expected]);
}

async fn tokens_and_parameters(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE counted (id int, name varchar(20))").await;
    let insert = || {
        let parameter = |name: &str, value: &str| {
            SqlParameter::builder().name(name).value(value).build().unwrap()
        };
        let request = warehouse
            .client
            .execute_statement()
            .sql("INSERT INTO counted VALUES (:id, :name)")
            .client_token("once");
        request
            .parameters(parameter("id", "7"))
            .parameters(parameter("name", "it's \\ :id"))
            .workgroup_name(WORKGROUP)
            .database("dev")
            .send()
    };
    let (first, second) =
        (insert().await.unwrap().id.unwrap(), insert().await.unwrap().id.unwrap());
    assert_eq!(first, second);
    warehouse.described(&first).await;
    assert_eq!(warehouse.must("SELECT * FROM counted").await, ["7|it's \\ :id"]);
}

async fn cancelling(warehouse: &Warehouse) {
    let request =
        warehouse.client.execute_statement().sql("SELECT pg_sleep(60)").statement_name("slow one");
    let id = request.workgroup_name(WORKGROUP).database("dev").send().await.unwrap().id.unwrap();
    assert_eq!(
        warehouse.client.cancel_statement().id(&id).send().await.unwrap().status(),
        Some(true)
    );
    let state = warehouse.described(&id).await;
    assert_eq!(state.status(), Some(&StatusString::Aborted));
    assert!(state.error().unwrap().ends_with("cancelled on user's request"), "{state:?}");
    let again = warehouse.client.cancel_statement().id(&id).send().await.unwrap_err();
    let expected =
        format!("Could not cancel a query that is already in ABORTED state with ID: {id}");
    assert_eq!(again.message(), Some(expected.as_str()));
}

async fn lists(warehouse: &Warehouse) {
    let client = &warehouse.client;
    let named = client
        .list_statements()
        .statement_name("slow")
        .status(StatusString::All)
        .send()
        .await
        .unwrap();
    assert_eq!(named.statements().len(), 1);
    assert_eq!(
        client.list_statements().statement_name("slow").send().await.unwrap().statements().len(),
        0
    );
    let mut seen = Vec::new();
    let mut pages = client.list_statements().max_results(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        seen.extend(page.unwrap().statements().iter().map(|one| {
            one.query_string().unwrap_or_default().chars().take(12).collect::<String>()
        }));
    }
    assert_eq!(
        seen,
        ["SELECT * FRO", "INSERT INTO ", "CREATE TABLE", "SELECT 1::sm", "SELECT gener"]
    );
    let tables = client
        .list_tables()
        .workgroup_name(WORKGROUP)
        .database("dev")
        .schema_pattern("publ%")
        .send()
        .await
        .unwrap();
    assert_eq!(
        tables.tables().iter().map(|table| table.name().unwrap()).collect::<Vec<_>>(),
        ["counted"]
    );
    let schemas =
        client.list_schemas().workgroup_name(WORKGROUP).database("dev").send().await.unwrap();
    assert_eq!(schemas.schemas(), ["information_schema", "pg_catalog", "public"]);
    let described = client
        .describe_table()
        .workgroup_name(WORKGROUP)
        .database("dev")
        .table("counted")
        .send()
        .await
        .unwrap();
    let columns: Vec<String> = described
        .column_list()
        .iter()
        .map(|column| {
            format!(
                "{} {}({})",
                column.name().unwrap(),
                column.type_name().unwrap(),
                column.length()
            )
        })
        .collect();
    assert_eq!(columns, ["id int4(10)", "name varchar(20)"]);
}

async fn refused_requests(warehouse: &Warehouse) {
    let client = &warehouse.client;
    let execute = |sql: String| client.execute_statement().sql(sql).database("dev");
    let refused = [
        (execute("SELECT 1".into()), "Either ClusterIdentifier or WorkgroupName must be provided"),
        (
            execute("SELECT 1".into()).workgroup_name("abc").cluster_identifier("c"),
            "Only one of ClusterIdentifier and WorkgroupName can be provided",
        ),
        (
            execute("x".repeat(100_001)).workgroup_name("abc"),
            "Cannot process query string larger than 100kB",
        ),
        (
            execute("SELECT 1".into()).workgroup_name("abc").session_keep_alive_seconds(86_401),
            "1 validation error detected: Value '86401' at 'sessionKeepAliveSeconds' failed to \
             satisfy constraint: Member must be between 0 and 86400",
        ),
        (
            execute("SELECT 1".into()).cluster_identifier("c").db_user("loader").secret_arn("s"),
            "Only one of DbUser and SecretArn can be provided",
        ),
        (
            client.execute_statement().sql("SELECT 1").session_id("nobody"),
            "Session with Id: nobody is invalid",
        ),
        (
            execute("SELECT 1".into()).session_id("nobody"),
            "ClusterIdentifier, WorkgroupName, Database, DbUser and SecretArn cannot be provided \
             with SessionId",
        ),
        (
            execute("SELECT 1".into())
                .workgroup_name("abc")
                .parameters(SqlParameter::builder().name("a").value("1").build().unwrap()),
            "Parameters list contains unused parameters. Unused parameters: [a]",
        ),
    ];
    for (request, expected) in refused {
        let error = request.send().await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Some("ValidationException"), Some(expected)));
    }
    let many = client
        .batch_execute_statement()
        .set_sqls(Some(vec!["SELECT 1".into(); 41]))
        .workgroup_name("abc")
        .database("dev");
    assert!(many.send().await.unwrap_err().message().unwrap().contains("less than or equal to 40"));
    let missing = client
        .describe_statement()
        .id("00000000-0000-0000-0000-000000000000")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (missing.code(), missing.message()),
        (Some("ResourceNotFoundException"), Some("Query does not exist."))
    );
    let id = execute("SET query_group TO 'x'".into())
        .workgroup_name("abc")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    warehouse.described(&id).await;
    let no_result = client.get_statement_result().id(&id).send().await.unwrap_err();
    assert_eq!(no_result.code(), Some("ResourceNotFoundException"));
    assert_eq!(
        warehouse.error("SELECT 1; SELECT 2").await,
        "ERROR: cannot insert multiple commands into a prepared statement"
    );
    let id = execute("SELECT 1".into())
        .database("nowhere")
        .workgroup_name("abc")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        warehouse.described(&id).await.error(),
        Some("FATAL: database \"nowhere\" does not exist")
    );
}

#[tokio::test]
async fn batches() {
    let warehouse = Warehouse::start().await;
    warehouse.must("CREATE TABLE t (id int NOT NULL)").await;
    let failed = warehouse
        .transaction(&["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (NULL)", "SELECT 1"])
        .await;
    assert_eq!(
        failed,
        [
            "FAILED Query #2 failed",
            "FINISHED 1",
            "FAILED ERROR: Cannot insert a NULL value into column id",
            "ABORTED Connection or an prior query failed."
        ]
    );
    assert_eq!(warehouse.must("SELECT COUNT(*) FROM t").await, ["0"]);

    let statements = [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (NULL)",
        "BEGIN",
        "INSERT INTO t VALUES (2)",
        "ROLLBACK",
        "SELECT id FROM t",
    ];
    let each = warehouse.batch(&statements, ExecutionMode::AutoCommit).await;
    assert_eq!((each[0].as_str(), each[6].as_str()), ("FAILED Query #2 failed", "FINISHED 1"));

    let truncated = warehouse
        .transaction(&[
            "INSERT INTO t VALUES (3)",
            "TRUNCATE t",
            "INSERT INTO t VALUES (4)",
            "SELECT nothing",
        ])
        .await;
    assert_eq!(truncated[4], "FAILED ERROR: column \"nothing\" does not exist");
    assert_eq!(
        warehouse.must("SELECT id FROM t").await,
        [] as [&str; 0],
        "TRUNCATE commits itself and what was before it"
    );

    for (statement, refusal) in [
        (
            "ALTER TABLE t ALTER COLUMN id TYPE varchar(9)",
            "ALTER TABLE ALTER COLUMN cannot run inside a transaction block",
        ),
        ("VACUUM", "VACUUM cannot run inside a transaction block"),
        (
            "COMMIT",
            "transaction control is not allowed in a batch that runs as one transaction; use \
             ExecutionMode AUTO_COMMIT",
        ),
        ("SAVEPOINT a", "SQL command \"SAVEPOINT\" not supported."),
    ] {
        assert_eq!(
            warehouse.transaction(&[statement]).await[1],
            format!("FAILED ERROR: {refusal}")
        );
    }
    // The second load waits for the lock before it takes its snapshot, so it sees the rows of the
    // first, and neither fails.
    let load = ["LOCK t", "INSERT INTO t SELECT COUNT(*) FROM t", "SELECT COUNT(*) FROM t"];
    let (one, two) = tokio::join!(warehouse.transaction(&load), warehouse.transaction(&load));
    assert_eq!((one[0].as_str(), two[0].as_str()), ("FINISHED -", "FINISHED -"));
    assert_eq!(warehouse.must("SELECT id FROM t ORDER BY id").await, ["0", "1"]);
    warehouse.stop().await;
}
