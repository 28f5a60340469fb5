//! Sessions of the Data API, where the cases in `tests/warehouse/sessions.toml` cannot look: tokens,
//! members of answers, ListSessions, history.

use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::types::StatusString;

use crate::support::{WORKGROUP, Warehouse};

#[tokio::test]
async fn sessions() {
    let warehouse = Warehouse::start().await;
    let session = opened(&warehouse).await;
    // A request that is sent again with its token finds its statement, not a busy session.
    let again = || {
        let request = warehouse.client.execute_statement().sql("CREATE TEMP TABLE t (id int)");
        request.session_id(&session).client_token("once").send()
    };
    let (first, second) = (again().await.unwrap(), again().await.unwrap());
    assert_eq!((first.id(), first.session_id()), (second.id(), second.session_id()));
    let id = first.id.unwrap();
    let described = warehouse.described(&id).await;
    assert_eq!(described.session_id(), Some(session.as_str()));
    assert_eq!((described.workgroup_name(), described.database()), (Some(WORKGROUP), Some("dev")));
    let listed = warehouse.client.list_statements().send().await.unwrap();
    assert_eq!(listed.statements()[0].session_id(), Some(session.as_str()));

    listed_sessions(&warehouse, &session).await;
    history_of_a_session(&warehouse, &session).await;
    let warehouse = warehouse.restarted().await;
    let gone = warehouse.client.execute_statement().sql("SELECT 1").session_id(&session);
    let gone = gone.send().await.unwrap_err();
    assert_eq!(gone.message(), Some(format!("Session with Id: {session} is invalid").as_str()));
    warehouse.stop().await;
}

/// The id of a new session.
async fn opened(warehouse: &Warehouse) -> String {
    let request = warehouse.client.execute_statement().sql("SELECT 1").workgroup_name(WORKGROUP);
    let request = request.database("dev").session_keep_alive_seconds(60).wait_time_seconds(30);
    request.send().await.unwrap().session_id.unwrap()
}

async fn listed_sessions(warehouse: &Warehouse, session: &str) {
    let client = &warehouse.client;
    let other = opened(warehouse).await;
    let mut pages = client.list_sessions().max_results(1).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().sessions().iter().map(|one| one.session_id().to_owned()));
    }
    assert_eq!(found, [other.as_str(), session]);

    let one = client.list_sessions().session_id(session).send().await.unwrap();
    let one = &one.sessions()[0];
    assert_eq!((one.status().as_str(), one.session_alive_seconds()), ("AVAILABLE", Some(60)));
    assert_eq!((one.workgroup_name(), one.database()), (Some(WORKGROUP), Some("dev")));
    let expected = one.updated_at().unwrap().as_secs_f64() + 60.0;
    assert!((one.session_ttl().unwrap().as_secs_f64() - expected).abs() < 0.001, "{one:?}");
    let none = client.list_sessions().status("CLOSED".into()).send().await.unwrap();
    assert!(none.sessions().is_empty(), "{none:?}");

    let unknown = client.list_sessions().session_id("00000000-0000-0000-0000-000000000000");
    assert_eq!(unknown.send().await.unwrap_err().code(), Some("ResourceNotFoundException"));
    let both = client.list_sessions().session_id(session).database("dev").send().await;
    assert_eq!(both.unwrap_err().code(), Some("ValidationException"));
}

/// The system tables have the statements of a session also when its transaction is rolled back.
async fn history_of_a_session(warehouse: &Warehouse, session: &str) {
    for sql in ["BEGIN", "SELECT 42", "SET statement_timeout TO 1", "ROLLBACK"] {
        let request = warehouse.client.execute_statement().sql(sql).session_id(session);
        let id = request.send().await.unwrap().id.unwrap();
        assert_eq!(warehouse.described(&id).await.status(), Some(&StatusString::Finished));
    }
    let query = "SELECT COUNT(*) FROM sys_query_history WHERE query_text = 'SELECT 42'";
    assert_eq!(warehouse.must(query).await, ["1"]);

    // A user sees the statements of the user's own sessions.
    warehouse.must("CREATE USER reader PASSWORD DISABLE").await;
    let request = warehouse.client.execute_statement().sql("SELECT 43").cluster_identifier("c");
    let request = request.db_user("reader").database("dev").session_keep_alive_seconds(60);
    let session = request.wait_time_seconds(30).send().await.unwrap().session_id.unwrap();
    let query = "SELECT COUNT(*) FROM sys_query_history WHERE query_text = 'SELECT 43'";
    let request = warehouse.client.execute_statement().sql(query).session_id(&session);
    let id = request.send().await.unwrap().id.unwrap();
    warehouse.described(&id).await;
    assert_eq!(warehouse.rows(&id).await, ["1"]);
}
