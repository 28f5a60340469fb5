//! Names for requests, which are the same in each run: `PutObject data/staging/ .parquet`, or
//! `BatchExecuteStatement LOCK COPY INSERT`. In: a request. Out: its name.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loader_tests::proxy::{Answer, Request, value_of};

/// The name of a request to S3.
pub(crate) fn of_s3(request: &Request) -> String {
    let (method, target) = request.line();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asks = |what: &str| {
        query.split('&').any(|pair| pair == what || pair.starts_with(&format!("{what}=")))
    };
    let copies = request.header("x-amz-copy-source").is_some();
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let operation = match method {
        "GET" if asks("list-type") => "ListObjectsV2",
        "GET" if asks("uploads") => "ListMultipartUploads",
        "GET" => "GetObject",
        "HEAD" if key.is_empty() => "HeadBucket",
        "HEAD" => "HeadObject",
        "PUT" if asks("partNumber") && copies => "UploadPartCopy",
        "PUT" if asks("partNumber") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" if key.is_empty() => "CreateBucket",
        "PUT" => "PutObject",
        "POST" if asks("delete") => "DeleteObjects",
        "POST" if asks("uploads") => "CreateMultipartUpload",
        "POST" => "CompleteMultipartUpload",
        "DELETE" if asks("uploadId") => "AbortMultipartUpload",
        _ => "DeleteObject",
    };
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = prefix.map(|prefix| prefix.replace("%2F", "/"));
    format!("{operation} {}", place(prefix.as_deref().unwrap_or(key)))
}

/// The first two folders of a key, and what the name ends with. (The folders of `doctor` have a name
/// of their own each time.)
fn place(key: &str) -> String {
    let is_the_same = |folder: &&str| !folder.starts_with("loader_doctor_");
    let folders: Vec<&str> = key.split('/').filter(is_the_same).collect();
    let (name, folders) = folders.split_last().map_or(("", [].as_slice()), |(n, f)| (*n, f));
    let folders = folders.iter().take(2).map(|folder| format!("{folder}/")).collect::<String>();
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    format!("{folders} {ending}").trim().to_owned()
}

/// What was sent to the Data API, by the ids that it has given.
#[derive(Default)]
pub(crate) struct Statements(Mutex<HashMap<String, String>>);

impl Statements {
    /// The name of a request to the Data API. One about a statement is named for what the statement
    /// is.
    pub(crate) fn name(&self, request: &Request) -> String {
        let operation = operation(request);
        let body = String::from_utf8_lossy(&request.body);
        match value_of("Id", &body) {
            Some(id) => {
                let id = id.split(':').next().unwrap_or_default().to_owned();
                let what = self.known().get(&id).cloned();
                format!("{operation} of {}", what.unwrap_or_default())
            }
            None => format!("{operation} {}", statements(&body)),
        }
    }

    /// Keeps the id that the answer to a request gives.
    pub(crate) fn keep(&self, request: &Request, answer: &Answer) {
        if let Some(id) = value_of("Id", &answer.body()) {
            let what = statements(&String::from_utf8_lossy(&request.body));
            self.known().entry(id).or_insert(what);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `RedshiftData.DescribeStatement` without its service.
fn operation(request: &Request) -> &str {
    let target = request.header("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// The first words of the statements in a request, each once.
fn statements(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let alone = body["Sql"].as_str().into_iter();
    let several = body["Sqls"].as_array().into_iter().flatten().filter_map(|sql| sql.as_str());
    let mut words: Vec<&str> = Vec::new();
    for sql in alone.chain(several) {
        let word = sql.split_whitespace().next().unwrap_or_default();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}
