//! An S3 of a test, which answers as the test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

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
    let head = BufReader::new(connection).lines().map_while(Result::ok);
    let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
    let answer = answer(&head).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    connection.write_all(answer.as_bytes()).unwrap();
}

pub(super) fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
