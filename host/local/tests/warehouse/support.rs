//! A server on an empty folder and short ways to ask it things. Rows come as lines, values with `|`
//! between, NULL as `null`.

use std::fs;
use std::path::PathBuf;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{ExecutionMode, Field, StatusString};
use loader_attach::{AccessKey, Endpoints};
use loader_local::{LocalOptions, Server};

pub(crate) const BUCKET: &str = "demo";
pub(crate) const WORKGROUP: &str = "local";
pub(crate) const ROLE: &str = "IAM_ROLE 'arn:aws:iam::000000000000:role/loader'";

pub(crate) struct Warehouse {
    pub(crate) client: Client,
    server: Server,
    root: tempfile::TempDir,
}

impl Warehouse {
    pub(crate) async fn start() -> Warehouse {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("dir");
        fs::create_dir_all(dir.join(BUCKET)).unwrap();
        Warehouse::on(root, dir).await
    }

    async fn on(root: tempfile::TempDir, dir: PathBuf) -> Warehouse {
        let server = Server::start(LocalOptions { dir, ..LocalOptions::default() }).await.unwrap();
        let endpoints = server.endpoints();
        let config = aws_sdk_redshiftdata::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&endpoints.redshift_data)
            .region(Region::new(endpoints.region.clone()))
            .credentials_provider(credentials(&endpoints.key))
            .build();
        Warehouse { client: Client::from_conf(config), server, root }
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        self.server.endpoints()
    }

    /// A client for S3 in the warehouse's Region.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        self.s3_in(&self.endpoints().region)
    }

    /// A client for S3 that signs for this Region.
    pub(crate) fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        let endpoints = self.endpoints();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&endpoints.s3)
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials(&endpoints.key))
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await.unwrap();
    }

    /// Stops the server and starts another one on the same folder.
    pub(crate) async fn restarted(self) -> Warehouse {
        self.server.stop().await.unwrap();
        let dir = self.root.path().join("dir");
        Warehouse::on(self.root, dir).await
    }

    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.root.path().join("dir").join(BUCKET).join(key)
    }

    pub(crate) fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let path = self.object(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) async fn described(&self, id: &str) -> DescribeStatementOutput {
        loop {
            let state =
                self.client.describe_statement().id(id).wait_time_seconds(30).send().await.unwrap();
            if let Some(StatusString::Finished | StatusString::Failed | StatusString::Aborted) =
                state.status()
            {
                return state;
            }
        }
    }

    /// All pages of a result.
    pub(crate) async fn rows(&self, id: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut pages = self.client.get_statement_result().id(id).into_paginator().send();
        while let Some(page) = pages.next().await {
            lines.extend(
                page.unwrap()
                    .records()
                    .iter()
                    .map(|row| row.iter().map(text).collect::<Vec<_>>().join("|")),
            );
        }
        lines
    }

    /// Runs one statement: its rows, or its count as a line, or its error.
    pub(crate) async fn sql(&self, sql: &str) -> Result<Vec<String>, String> {
        let request =
            self.client.execute_statement().sql(sql).workgroup_name(WORKGROUP).database("dev");
        let id = request.send().await.unwrap().id.unwrap();
        let state = self.described(&id).await;
        match state.status() {
            Some(StatusString::Finished) if state.has_result_set() == Some(true) => {
                Ok(self.rows(&id).await)
            }
            Some(StatusString::Finished) => Ok(vec![state.result_rows().to_string()]),
            _ => Err(state.error.unwrap_or_default()),
        }
    }

    /// Runs one statement that must work.
    pub(crate) async fn must(&self, sql: &str) -> Vec<String> {
        self.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Runs one statement that must not work.
    pub(crate) async fn error(&self, sql: &str) -> String {
        self.sql(sql).await.expect_err(sql)
    }

    /// Runs a batch: its status, then a line per statement.
    pub(crate) async fn batch(&self, statements: &[&str], mode: ExecutionMode) -> Vec<String> {
        let statements = statements.iter().map(|sql| (*sql).to_owned()).collect();
        let request =
            self.client.batch_execute_statement().set_sqls(Some(statements)).execution_mode(mode);
        let id =
            request.workgroup_name(WORKGROUP).database("dev").send().await.unwrap().id.unwrap();
        let state = self.described(&id).await;
        let mut lines =
            vec![format!("{} {}", state.status().unwrap().as_str(), state.error().unwrap_or("-"))];
        for item in state.sub_statements() {
            let status = item.status().unwrap().as_str();
            lines.push(match item.error() {
                Some(error) => format!("{status} {error}"),
                None if item.has_result_set() == Some(true) => {
                    format!("{status} {}", self.rows(item.id()).await.join(" / "))
                }
                None => format!("{status} {}", item.result_rows()),
            });
        }
        lines
    }

    pub(crate) async fn transaction(&self, statements: &[&str]) -> Vec<String> {
        self.batch(statements, ExecutionMode::Transaction).await
    }
}

fn credentials(key: &AccessKey) -> Credentials {
    Credentials::new(&key.access_key_id, &key.secret_access_key, None, None, "test")
}

fn text(field: &Field) -> String {
    match field {
        Field::IsNull(_) => "null".to_owned(),
        Field::BooleanValue(value) => value.to_string(),
        Field::LongValue(value) => value.to_string(),
        Field::DoubleValue(value) => value.to_string(),
        Field::StringValue(value) => value.clone(),
        other => panic!("{other:?}"),
    }
}
