//! An S3 of a test, which answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_s3::config::Region;

use crate::connect::{Aws, ServiceEndpoints};
use crate::s3::store::Store;
use crate::stop::Stop;

/// A store for an S3 that answers every request until the test ends. `answer`: from the lines of a
/// request's head to the answer, without the header that says that the connection ends with it.
pub(super) async fn store(
    region: &'static str,
    answer: impl Fn(&[String]) -> String + Send + 'static,
) -> Store {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await;
    let endpoints = ServiceEndpoints { s3: listen(answer), redshift_data: String::new() };
    Store::new(&Aws::of_test(config, endpoints), Stop::never())
}

fn listen(answer: impl Fn(&[String]) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|connection| pass(&connection, &answer));
    });
    url
}

fn pass(mut connection: &TcpStream, answer: impl Fn(&[String]) -> String) {
    let mut reader = BufReader::new(connection);
    let lines = reader.by_ref().lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    std::io::copy(&mut reader.take(length.unwrap_or(0)), &mut std::io::sink()).unwrap();
    let answer = answer(&head).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    connection.write_all(answer.as_bytes()).unwrap();
}

pub(super) fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The requests of a test in their order, by the names that [`name`] gives them.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A store for an S3 that answers requests of some names so, and that all others succeed with.
pub(super) async fn scripted(answers: Vec<(&'static str, String)>) -> (Store, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let store = store("us-east-1", move |head| {
        let name = name(head);
        let answer = answers.iter().find(|(known, _)| name == *known);
        let answer = answer.map_or_else(|| success(&name), |(_, answer)| answer.clone());
        heard.lock().unwrap().push(name);
        answer
    });
    (store.await, asked)
}

/// A request's name: what it does to which key, and on which condition.
fn name(head: &[String]) -> String {
    let mut words = head[0].split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = path.rsplit('/').next().unwrap();
    let is = |part: &str| query.split('&').any(|pair| pair.split('=').next() == Some(part));
    let range = header(head, "x-amz-copy-source-range").unwrap_or_default();
    let named = match (method, header(head, "x-amz-copy-source")) {
        ("PUT", source) if is("partNumber") => match source {
            Some(_) => format!("COPY {range}"),
            None => {
                let bytes = header(head, "x-amz-decoded-content-length");
                format!("PART {}", bytes.unwrap_or_default())
            }
        },
        ("PUT", Some(_)) => "COPY".to_owned(),
        ("POST", _) if is("uploads") => "CREATE".to_owned(),
        ("POST", _) if is("uploadId") => "COMPLETE".to_owned(),
        ("POST", _) => "DELETE several".to_owned(),
        ("DELETE", _) if is("uploadId") => "ABORT".to_owned(),
        ("GET", _) if is("upload-id-marker") => "UPLOADS behind".to_owned(),
        ("GET", _) if is("uploads") => "UPLOADS".to_owned(),
        (method, _) => format!("{method} {key}"),
    };
    let has = |name: &str| header(head, name).is_some();
    let is_if_same = has("if-match") || has("x-amz-copy-source-if-match");
    let is_if_free = has("if-none-match");
    let condition = match (is_if_same, is_if_free) {
        (true, true) => " if same and free",
        (true, false) => " if same",
        (false, true) => " if free",
        (false, false) => "",
    };
    named + condition
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The answer of a request that does what it asks for.
fn success(name: &str) -> String {
    match name.split(' ').next().unwrap_or_default() {
        "COPY" if name.contains("bytes=") => {
            xml("<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>")
        }
        "COPY" => xml("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"),
        "CREATE" => xml(
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
        ),
        "COMPLETE" => {
            xml("<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>")
        }
        _ => "HTTP/1.1 200 OK\r\nETag: \"p\"\r\nContent-Length: 0\r\n\r\n".to_owned(),
    }
}

/// An object, as HEAD finds it.
pub(super) fn object(etag: &str, bytes: u64) -> String {
    format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {bytes}\r\n\r\n")
}

/// A refusal with this code; without a code as HEAD has it.
pub(super) fn refusal(status: u16, code: &str) -> String {
    let body = match code {
        "" => String::new(),
        code => format!("<Error><Code>{code}</Code></Error>"),
    };
    format!("HTTP/1.1 {status} No\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(super) fn xml(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}
