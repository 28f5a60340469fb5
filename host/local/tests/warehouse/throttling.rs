//! Throttling on demand: the first requests of an operation are refused as by a service that is
//! asked too much, and clients that try again succeed.

use std::fs;

use aws_sdk_redshiftdata::config::retry::RetryConfig as DataRetries;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_s3::config::retry::RetryConfig;

use crate::support::{BUCKET, ROLE, WORKGROUP, Warehouse};

/// Refuses the next requests of an operation. `how`: how many, and perhaps how.
fn throttle(warehouse: &Warehouse, operation: &str, how: &str) {
    let folder = warehouse.object("../.loader/throttle");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(operation), how).unwrap();
}

#[tokio::test]
async fn the_first_requests_of_an_operation_are_refused() {
    let warehouse = Warehouse::start().await;
    let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
    let s3 = warehouse.s3();
    let put = || s3.put_object().bucket(BUCKET).key("x").customize().config_override(once.clone());
    throttle(&warehouse, "PutObject", "2");
    for _ in 0..2 {
        let error = put().send().await.unwrap_err();
        let status = error.raw_response().unwrap().status().as_u16();
        assert_eq!((status, error.code()), (503, Some("SlowDown")));
    }
    put().send().await.unwrap();
    throttle(&warehouse, "ListObjectsV2", "1");
    s3.get_object().bucket(BUCKET).key("x").send().await.unwrap();
    // A client that tries again notices nothing.
    assert_eq!(s3.list_objects_v2().bucket(BUCKET).send().await.unwrap().contents().len(), 1);

    let once = aws_sdk_redshiftdata::config::Builder::new().retry_config(DataRetries::disabled());
    let execute = || {
        let request = warehouse.client.execute_statement().sql("CREATE TABLE t (a int)");
        let request = request.workgroup_name(WORKGROUP).database("dev");
        request.customize().config_override(once.clone())
    };
    for (how, expected) in [
        ("1", "ThrottlingException: Rate exceeded"),
        (
            "1 ActiveStatementsExceededException",
            "ActiveStatementsExceededException: Active statements exceeded the allowed quota (200).",
        ),
    ] {
        throttle(&warehouse, "ExecuteStatement", how);
        let error = execute().send().await.unwrap_err();
        let status = error.raw_response().unwrap().status().as_u16();
        let found = format!("{}: {}", error.code().unwrap(), error.message().unwrap());
        assert_eq!((status, found.as_str()), (400, expected));
    }
    assert_eq!(warehouse.must("SELECT COUNT(*) FROM pg_class WHERE relname = 't'").await, ["0"]);
    throttle(&warehouse, "ExecuteStatement", "2");
    throttle(&warehouse, "DescribeStatement", "2");
    warehouse.must("CREATE TABLE t (a int)").await;

    warehouse.put("x.csv", "1\n");
    let copy = format!("COPY t FROM 's3://demo/x.csv' {ROLE} CSV");
    throttle(&warehouse, "COPY", "1");
    let error = warehouse.error(&copy).await;
    let words =
        "ERROR: S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown";
    assert!(error.starts_with(words), "{error}");
    warehouse.must(&copy).await;
    warehouse.stop().await;
}
