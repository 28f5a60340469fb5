//! One request in, one answer out: reads the operation's name and the body, checks the signature,
//! and calls the function that answers the operation.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use jiff::Timestamp;
use loader_attach::{AccessKey, REGION};
use serde_json::Value;

use super::protocol::{self, ApiError, parse};
use super::result::Format;
use super::warehouse::Warehouse;
use super::{catalog, describe, execute, list, list_sessions, permissions};
use crate::policy::Policy;
use crate::signature::Signatures;
use crate::throttle;

/// The largest body that is read. The service takes 40 statements of 100 KB, so no request that it
/// would accept is larger.
const MAX_BODY_BYTES: usize = 8 << 20;

/// The Data API of one warehouse.
pub(crate) struct Service {
    warehouse: Arc<Warehouse>,
    signatures: Signatures,
    policy: Policy,
}

impl Service {
    /// Serves requests that are signed with `key` and that `policy` allows.
    pub(crate) fn new(warehouse: Arc<Warehouse>, key: AccessKey, policy: Policy) -> Service {
        let signatures = Signatures { key, region: REGION, service: "redshift-data" };
        Service { warehouse, signatures, policy }
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let request_id = uuid::Uuid::now_v7().to_string();
        let operation = operation(&request);
        let answer = match self.body(request).await {
            Ok(body) => self.answer(&operation, &body).await,
            Err(error) => Err(error),
        };
        protocol::respond(answer, &request_id)
    }

    async fn answer(&self, operation: &str, body: &[u8]) -> Result<Value, ApiError> {
        if let Some(kind) = throttle::refusal(self.warehouse.objects.root(), operation) {
            return Err(ApiError::throttled(&kind));
        }
        permissions::check(&self.policy, &self.warehouse, operation, body)?;
        answer(&self.warehouse, operation, body).await
    }

    /// The body of a request with a right signature, which covers the body too.
    async fn body(&self, request: Request<Incoming>) -> Result<Bytes, ApiError> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| {
            ApiError::validation(format!("the request is larger than {MAX_BODY_BYTES} bytes"))
        })?;
        let body = body.to_bytes();
        let checked = self.signatures.check(&head, &body, Timestamp::now());
        checked.map(|()| body).map_err(ApiError::unsigned)
    }
}

// `X-Amz-Target: RedshiftData.ListTables` becomes `ListTables`. Without the header, or with one of
// another service, the operation is empty and `answer` refuses it as unknown.
fn operation(request: &Request<Incoming>) -> String {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
    target.strip_prefix("RedshiftData.").unwrap_or_default().to_owned()
}

async fn answer(
    warehouse: &Arc<Warehouse>,
    operation: &str,
    body: &[u8],
) -> Result<Value, ApiError> {
    match operation {
        "ExecuteStatement" => execute::execute(warehouse, parse(body)?).await,
        "BatchExecuteStatement" => execute::batch(warehouse, parse(body)?).await,
        "DescribeStatement" => describe::describe(warehouse, parse(body)?).await,
        "GetStatementResult" => describe::result(warehouse, parse(body)?, Format::Json).await,
        "GetStatementResultV2" => describe::result(warehouse, parse(body)?, Format::Csv).await,
        "CancelStatement" => describe::cancel(warehouse, parse(body)?).await,
        "ListStatements" => list::statements(warehouse, &parse(body)?),
        "ListDatabases" => catalog::databases(warehouse, parse(body)?).await,
        "ListSchemas" => catalog::schemas(warehouse, parse(body)?).await,
        "ListTables" => catalog::tables(warehouse, parse(body)?).await,
        "DescribeTable" => catalog::describe_table(warehouse, parse(body)?).await,
        "ListSessions" => list_sessions::sessions(warehouse, &parse(body)?),
        _ => Err(ApiError::unknown_operation()),
    }
}
