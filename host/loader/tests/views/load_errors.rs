//! A COPY that fails: the message has file, line, column and reason from the system view.

use loader::redshift::load_errors;
use loader_aws::data_api::Outcome;
use loader_model::names::S3Uri;

use crate::support::{BUCKET, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_copy_says_where_and_why() {
    let world = World::new().await;
    world.execute(&["CREATE TABLE t (id INTEGER, name VARCHAR(3))"]).await;
    let explained = async |name: &str, content: &str, at: usize| {
        let uri = S3Uri::new(BUCKET, name);
        world.store.write(&uri, content.as_bytes().to_vec()).await.expect("it can be written");
        let copy = format!(
            "COPY t FROM '{uri}' IAM_ROLE 'arn:aws:iam::000000000000:role/loader' FORMAT AS CSV"
        );
        let mut statements = vec!["SELECT 1".to_owned(); at];
        statements.push(copy);
        let outcome = world.api.execute_batch(&statements).await.expect("the service answers");
        let Outcome::Failed(failure) = outcome else { panic!("{content} was loaded") };
        let message = load_errors::explain(&world.api, &failure).await.to_string();
        message.split(" (statement_id").next().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(explained("digit.csv", "1,a\nx,b\n", 0).await, @"copying the staged parts failed: Load into table 't' failed.  Check 'stl_load_errors' system table for details; load errors: s3://bucket/digit.csv line 2, column id (int4): 1207 Invalid digit, Value 'x', Pos 0, Type: Integer");
    insta::assert_snapshot!(explained("long.csv", "1,a\n2,b\n3,four\n", 2).await, @"copying the staged parts failed: Load into table 't' failed.  Check 'stl_load_errors' system table for details; load errors: s3://bucket/long.csv line 3, column name (varchar): 1204 String length exceeds DDL length");
    world.stop().await;
}
