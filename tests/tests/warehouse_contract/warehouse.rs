//! A warehouse behind the Data API and the S3 that it copies from: the stand-in, or a real one.
//! Statements in, what became of them out.
//!
//! The real one is named by LOADER_TEST_WORKGROUP or LOADER_TEST_CLUSTER, with
//! LOADER_TEST_DATABASE, LOADER_TEST_DB_USER or LOADER_TEST_SECRET_ARN, LOADER_TEST_BUCKET (objects
//! are left in it; it must be in the warehouse's Region) and LOADER_TEST_IAM_ROLE; credentials and
//! Region as every AWS program finds them. Its user must be a superuser, as some cases create users.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_redshiftdata::error::DisplayErrorContext;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{ExecutionMode, Field, SqlParameter, StatusString};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use loader_attach::Endpoints;

/// Where the cases run.
pub(crate) struct Warehouse {
    pub(crate) name: String,
    pub(crate) is_real: bool,
    pub(crate) database: String,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) role: String,
    workgroup: Option<String>,
    cluster: Option<String>,
    user: Option<String>,
    secret: Option<String>,
    data: aws_sdk_redshiftdata::Client,
    s3: aws_sdk_s3::Client,
}

/// How statements are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Execute,
    /// The service's default.
    Transaction,
    AutoCommit,
}

/// Where a request runs.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) database: &'a str,
    /// The id of a session.
    pub(crate) session: Option<&'a str>,
    pub(crate) keep_alive: Option<i32>,
    /// Whether the warehouse and the database are named also in a session.
    pub(crate) names_database: bool,
}

impl<'a> Place<'a> {
    /// A database, outside of sessions.
    pub(crate) fn plain(database: &'a str) -> Place<'a> {
        Place { database, session: None, keep_alive: None, names_database: false }
    }
}

/// A request.
pub(crate) struct Sent<'a> {
    pub(crate) statements: &'a [String],
    pub(crate) mode: Mode,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) place: Place<'a>,
}

/// A request that was taken.
pub(crate) struct Submitted {
    pub(crate) id: Option<String>,
    pub(crate) session: Option<String>,
}

#[derive(Default)]
struct Members {
    database: Option<String>,
    workgroup: Option<String>,
    cluster: Option<String>,
    user: Option<String>,
    secret: Option<String>,
    session: Option<String>,
}

/// What became of a statement.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) status: String,
    pub(crate) error: String,
    pub(crate) count: i64,
    /// `name type` of the columns, and the rows as lines.
    pub(crate) result: Option<(String, Vec<String>)>,
}

/// What became of a request.
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) statements: Vec<Found>,
}

impl Warehouse {
    pub(crate) async fn stand_in(local: &Endpoints) -> Warehouse {
        let credentials = Credentials::new(
            &local.key.access_key_id,
            &local.key.secret_access_key,
            None,
            None,
            "stand-in",
        );
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .region(Region::new(local.region.clone()));
        let config = config.load().await;
        let data = aws_sdk_redshiftdata::config::Builder::from(&config)
            .endpoint_url(&local.redshift_data)
            .build();
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .endpoint_url(&local.s3)
            .force_path_style(true)
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let bucket = "contract".to_owned();
        s3.create_bucket().bucket(&bucket).send().await.expect("a new bucket");
        Warehouse {
            name: "the stand-in".to_owned(),
            is_real: false,
            database: "dev".to_owned(),
            bucket,
            region: local.region.clone(),
            role: local.iam_role.clone(),
            workgroup: Some("local".to_owned()),
            cluster: None,
            user: None,
            secret: None,
            data: aws_sdk_redshiftdata::Client::from_conf(data),
            s3,
        }
    }

    /// `None` when no real one is named.
    pub(crate) async fn real() -> Option<Warehouse> {
        let optional = |name: &str| std::env::var(format!("LOADER_TEST_{name}")).ok();
        let needed = |name: &str| {
            optional(name).unwrap_or_else(|| panic!("a real warehouse needs LOADER_TEST_{name}"))
        };
        let (workgroup, cluster) = (optional("WORKGROUP"), optional("CLUSTER"));
        let name = workgroup.clone().or_else(|| cluster.clone())?;
        let http = aws_smithy_http_client::Builder::new();
        let http = http.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
        Some(Warehouse {
            name,
            is_real: true,
            database: needed("DATABASE"),
            bucket: needed("BUCKET"),
            region: config.region().expect("a Region is set").to_string(),
            role: needed("IAM_ROLE"),
            workgroup,
            cluster,
            user: optional("DB_USER"),
            secret: optional("SECRET_ARN"),
            data: aws_sdk_redshiftdata::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
        })
    }

    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(bytes.into());
        put.send().await.unwrap_or_else(|error| panic!("{key}: {}", DisplayErrorContext(error)));
    }

    /// Sends a request. Out: its id. The error is that of a request that was refused.
    pub(crate) async fn submit(&self, sent: &Sent<'_>) -> Result<Submitted, String> {
        let refused = |error: &dyn std::error::Error| DisplayErrorContext(error).to_string();
        let parameter = |(name, value): (&String, &String)| {
            SqlParameter::builder().name(name).value(value).build().expect("name and value")
        };
        let parameters: Vec<SqlParameter> = sent.parameters.iter().map(parameter).collect();
        let parameters = (!parameters.is_empty()).then_some(parameters);
        let place = self.place(&sent.place);
        if sent.mode == Mode::Execute {
            let request = self.data.execute_statement().sql(&sent.statements[0]);
            let request = request.set_parameters(parameters).set_database(place.database);
            let request = request.set_workgroup_name(place.workgroup).set_db_user(place.user);
            let request = request.set_cluster_identifier(place.cluster);
            let request = request.set_secret_arn(place.secret).set_session_id(place.session);
            let request = request.set_session_keep_alive_seconds(sent.place.keep_alive);
            let answer = request.send().await.map_err(|error| refused(&error))?;
            Ok(Submitted { id: answer.id, session: answer.session_id })
        } else {
            let mode = (sent.mode == Mode::AutoCommit).then_some(ExecutionMode::AutoCommit);
            let request = self.data.batch_execute_statement().set_execution_mode(mode);
            let request = request.set_sqls(Some(sent.statements.to_vec()));
            let request = request.set_parameters(parameters).set_database(place.database);
            let request = request.set_workgroup_name(place.workgroup).set_db_user(place.user);
            let request = request.set_cluster_identifier(place.cluster);
            let request = request.set_secret_arn(place.secret).set_session_id(place.session);
            let request = request.set_session_keep_alive_seconds(sent.place.keep_alive);
            let answer = request.send().await.map_err(|error| refused(&error))?;
            Ok(Submitted { id: answer.id, session: answer.session_id })
        }
    }

    /// The members that say where a request runs.
    fn place(&self, place: &Place<'_>) -> Members {
        let session = place.session.map(str::to_owned);
        if session.is_some() && !place.names_database {
            return Members { session, ..Members::default() };
        }
        Members {
            database: Some(place.database.to_owned()),
            workgroup: self.workgroup.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            secret: self.secret.clone(),
            session,
        }
    }

    pub(crate) async fn cancel(&self, id: &str) {
        let cancel = self.data.cancel_statement().id(id).send().await;
        cancel.unwrap_or_else(|error| panic!("{id}: {}", DisplayErrorContext(error)));
    }

    pub(crate) async fn session_status(&self, session: &str) -> String {
        let listed = self.data.list_sessions().session_id(session).send().await;
        let listed =
            listed.unwrap_or_else(|error| panic!("{session}: {}", DisplayErrorContext(error)));
        let session = listed.sessions().first();
        session.map(|session| session.status().as_str().to_owned()).unwrap_or_default()
    }

    /// Waits for the end of a request.
    pub(crate) async fn ended(&self, id: &str, mode: Mode) -> Answer {
        let described = self.described(id).await;
        let status = described.status().map_or("", StatusString::as_str).to_owned();
        let mut statements = Vec::new();
        if mode == Mode::Execute {
            let error = described.error().unwrap_or_default().to_owned();
            let found = Found {
                status: status.clone(),
                error,
                count: described.result_rows(),
                result: None,
            };
            statements.push(self.with_result(found, id, described.has_result_set()).await);
        }
        for item in described.sub_statements() {
            let item_status = item.status().map_or("", |status| status.as_str()).to_owned();
            let error = item.error().unwrap_or_default().to_owned();
            let found =
                Found { status: item_status, error, count: item.result_rows(), result: None };
            // What a batch did before it failed is not to be had.
            let has_result =
                item.has_result_set().filter(|_| status == "FINISHED" || mode == Mode::AutoCommit);
            statements.push(self.with_result(found, item.id(), has_result).await);
        }
        Answer { status, statements }
    }

    async fn described(&self, id: &str) -> DescribeStatementOutput {
        loop {
            let described =
                self.data.describe_statement().id(id).wait_time_seconds(20).send().await;
            let described =
                described.unwrap_or_else(|error| panic!("{id}: {}", DisplayErrorContext(error)));
            if let Some(StatusString::Finished | StatusString::Failed | StatusString::Aborted) =
                described.status()
            {
                return described;
            }
        }
    }

    async fn with_result(&self, mut found: Found, id: &str, has_result: Option<bool>) -> Found {
        if found.status != "FINISHED" || has_result != Some(true) {
            return found;
        }
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        let mut pages = self.data.get_statement_result().id(id).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.unwrap_or_else(|error| panic!("{id}: {}", DisplayErrorContext(error)));
            let column = |column: &aws_sdk_redshiftdata::types::ColumnMetadata| {
                format!(
                    "{} {}",
                    column.name().unwrap_or_default(),
                    column.type_name().unwrap_or_default()
                )
            };
            columns = page.column_metadata().iter().map(column).collect();
            rows.extend(
                page.records().iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join("|")),
            );
        }
        found.result = Some((columns.join(", "), rows));
        found
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::IsNull(_) => "null".to_owned(),
        Field::BooleanValue(value) => value.to_string(),
        Field::LongValue(value) => value.to_string(),
        Field::DoubleValue(value) => value.to_string(),
        Field::StringValue(value) => value.clone(),
        other => format!("{other:?}"),
    }
}
