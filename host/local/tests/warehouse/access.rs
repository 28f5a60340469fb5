//! Who may use the two servers: requests that are signed with the folder's key, and that address
//! this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sigv4::http_request::SignableBody;
use loader_attach::AccessKey;
use s3s::crypto::{Checksum as _, Sha1};

use crate::http::{Request, Scope};
use crate::support::{BUCKET, Warehouse};

const SELECT: &[u8] =
    br#"{"Sql": "CREATE TABLE made (a int)", "Database": "dev", "WorkgroupName": "local"}"#;

struct Site {
    warehouse: Warehouse,
    s3: String,
    data_api: String,
    key: AccessKey,
}

impl Site {
    async fn new() -> Site {
        let warehouse = Warehouse::start().await;
        let endpoints = warehouse.endpoints();
        let (s3, data_api) = (endpoints.s3.clone(), endpoints.redshift_data.clone());
        let key = endpoints.key.clone();
        Site { warehouse, s3, data_api, key }
    }

    fn scope(&self, service: &'static str) -> Scope {
        Scope { key: self.key.clone(), region: "us-east-1", service, time: SystemTime::now() }
    }

    /// A request that makes a table, without a signature.
    fn execute(&self) -> Request {
        Request::new("POST", "/", host(&self.data_api))
            .header("x-amz-target", "RedshiftData.ExecuteStatement")
            .header("content-type", "application/x-amz-json-1.1")
            .body(SELECT)
    }

    fn s3(&self, method: &'static str, path: &str) -> Request {
        Request::new(method, path, host(&self.s3))
    }

    async fn refused(&self, request: Request) -> String {
        request.refusal(&self.data_api).await
    }
}

fn host(endpoint: &str) -> &str {
    endpoint.strip_prefix("http://").unwrap()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[tokio::test]
async fn the_data_api_takes_only_requests_that_are_signed_with_its_key() {
    let site = Site::new().await;
    let right = site.scope("redshift-data");
    let wrong_secret = {
        let mut scope = right.clone();
        scope.key.secret_access_key = "x".repeat(40);
        scope
    };
    let stranger = Scope { key: AccessKey::random().unwrap(), ..right.clone() };
    let elsewhere = Scope { region: "eu-west-1", ..right.clone() };
    let old = Scope { time: right.time - minutes(16), ..right.clone() };
    let early = Scope { time: right.time + minutes(16), ..right.clone() };
    let missing = "400 MissingAuthenticationTokenException";
    let invalid = "400 InvalidSignatureException";
    assert_eq!(site.refused(site.execute()).await, missing);
    for (scope, expected) in [
        (&stranger, "400 UnrecognizedClientException"),
        (&wrong_secret, invalid),
        (&elsewhere, invalid),
        (&site.scope("s3"), invalid),
        (&old, invalid),
        (&early, invalid),
    ] {
        assert_eq!(site.refused(site.execute().signed(scope)).await, expected);
    }
    // What is signed cannot be changed: body, header, path.
    let signed = site.execute().signed(&right);
    assert_eq!(site.refused(signed.clone().body(b"{}")).await, invalid);
    let mut changed = signed.clone();
    changed.headers[1].1 = "RedshiftData.BatchExecuteStatement".to_owned();
    assert_eq!(site.refused(changed).await, invalid);
    assert_eq!(site.refused(Request { path: "/x".to_owned(), ..signed.clone() }).await, invalid);
    let incomplete = "400 IncompleteSignatureException";
    for authorization in ["Bearer x", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=0"] {
        let request = site.execute().header("authorization", authorization);
        assert_eq!(site.refused(request).await, incomplete, "{authorization}");
    }
    // A signature that does not cover the host could be sent to any server.
    let without_host = signed.headers.last().unwrap().1.replace("host;", "");
    let request = site.execute().header("x-amz-date", &signed.headers[3].1);
    assert_eq!(site.refused(request.header("authorization", &without_host)).await, invalid);

    let tables = "SELECT COUNT(*) FROM pg_class WHERE relname = 'made'";
    assert_eq!(site.warehouse.must(tables).await, ["0"]);
    let answer = signed.send(&site.data_api).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"Id\":"), "{answer}");
    // Clocks may differ a little.
    let slow = Scope { time: right.time - minutes(14), ..right };
    let list = Request::new("POST", "/", host(&site.data_api))
        .header("x-amz-target", "RedshiftData.ListStatements")
        .signed(&slow);
    assert!(list.send(&site.data_api).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn s3_takes_only_requests_that_are_signed_with_its_key() {
    let site = Site::new().await;
    let right = site.scope("s3");
    let path = "/demo/x";
    let put = || site.s3("PUT", path).body(b"abc");
    let stranger = Scope { key: AccessKey::random().unwrap(), ..right.clone() };
    let old = Scope { time: right.time - minutes(16), ..right.clone() };
    for (request, expected) in [
        (put(), "403 AccessDenied"),
        (put().signed(&stranger), "403 InvalidAccessKeyId"),
        (put().signed(&old), "403 RequestTimeTooSkewed"),
        (put().signed(&right).body(b"abd"), "400 IncompleteBody"),
        (put().header("x-amz-meta-a", "1").signed(&right), "200 -"),
    ] {
        assert_eq!(request.refusal(&site.s3).await, expected);
    }
    let mut changed = put().header("x-amz-meta-a", "1").signed(&right);
    changed.headers[1].1 = "2".to_owned();
    assert_eq!(changed.refusal(&site.s3).await, "403 SignatureDoesNotMatch");

    // The forms in which clients sign a body that they do not hash before.
    let unsigned = put().signed_with(&right, SignableBody::UnsignedPayload);
    assert_eq!(unsigned.refusal(&site.s3).await, "200 -");
    let chunked = site
        .s3("PUT", path)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "3")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body(b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n")
        .signed_with(&right, SignableBody::StreamingUnsignedPayloadTrailer);
    assert_eq!(chunked.refusal(&site.s3).await, "200 -");
    let answer = site.s3("GET", path).signed(&right).send(&site.s3).await;
    assert!(answer.ends_with("\r\n\r\nabc"), "{answer}");
}

#[tokio::test]
async fn a_presigned_address_opens_one_object_for_a_while() {
    let site = Site::new().await;
    site.warehouse.put("a b.csv", "1,2\n");
    site.warehouse.put("other.csv", "3,4\n");
    let presigned = |seconds| {
        let object = site.warehouse.s3().get_object().bucket(BUCKET).key("a b.csv");
        async move {
            let signed_at = SystemTime::now() - Duration::from_secs(60);
            let config = PresigningConfig::builder()
                .start_time(signed_at)
                .expires_in(Duration::from_secs(seconds))
                .build();
            object.presigned(config.unwrap()).await.unwrap().uri().to_owned()
        }
    };
    let get = |address: &str| {
        let path = address.strip_prefix(&site.s3).unwrap();
        site.s3("GET", path)
    };
    let good = presigned(600).await;
    assert!(get(&good).send(&site.s3).await.ends_with("\r\n\r\n1,2\n"));
    let other = good.replace("a%20b.csv", "other.csv");
    assert_eq!(get(&other).refusal(&site.s3).await, "403 SignatureDoesNotMatch");
    assert_eq!(get(&presigned(10).await).refusal(&site.s3).await, "403 AccessDenied");
}

/// The method before the present one: S3 has given it up, as it knows neither Region nor time.
#[tokio::test]
async fn signature_version_2_is_refused_even_when_it_is_right() {
    let site = Site::new().await;
    let date = "Thu, 01 Jan 2026 00:00:00 +0000";
    let text = format!("GET\n\n\n{date}\n/demo");
    let signature = base64(&hmac_sha1(site.key.secret_access_key.as_bytes(), text.as_bytes()));
    let authorization = format!("AWS {}:{signature}", site.key.access_key_id);
    let list = site.s3("GET", "/demo").header("date", date);
    let list = list.header("authorization", &authorization);
    assert_eq!(list.refusal(&site.s3).await, "400 InvalidRequest");
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> [u8; 20] {
    let pad = |with: u8| {
        let mut pad = [with; 64];
        pad.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        pad
    };
    let inner = Sha1::checksum(&[&pad(0x36), text].concat());
    Sha1::checksum(&[&pad(0x5c), &inner[..]].concat())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(DIGITS[number >> (18 - 6 * place) & 63]));
        }
        text.push_str(&"=".repeat(3 - three.len()));
    }
    text
}

#[tokio::test]
async fn other_names_of_this_machine_are_not_served() {
    let site = Site::new().await;
    let data_api = site.scope("redshift-data");
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", ""] {
        let execute = Request { headers: vec![("host".into(), host.into())], ..site.execute() };
        let execute = execute.header("x-amz-target", "RedshiftData.ListStatements");
        assert_eq!(execute.signed(&data_api).refusal(&site.data_api).await, "403 -", "{host}");
        let list = Request::new("GET", "/demo", host).signed(&site.scope("s3"));
        assert_eq!(list.refusal(&site.s3).await, "403 -", "{host}");
    }
    site.warehouse.put("x.csv", "1\n");
    let port = site.s3.rsplit_once(':').unwrap().1;
    for (host, path) in [("localhost", "/demo/x.csv"), ("demo.localhost", "/x.csv")] {
        let get = Request::new("GET", path, &format!("{host}:{port}")).signed(&site.scope("s3"));
        assert!(get.send(&site.s3).await.ends_with("\r\n\r\n1\n"), "{host}");
    }
}

#[tokio::test]
async fn the_key_is_random_private_and_kept() {
    let first = Warehouse::start().await;
    let key = first.endpoints().key.clone();
    assert_ne!(key, Warehouse::start().await.endpoints().key);
    let file =
        |warehouse: &Warehouse, name: &str| warehouse.object("..").join(".loader").join(name);
    let mode = |warehouse: &Warehouse, name: &str| {
        fs::metadata(file(warehouse, name)).unwrap().permissions().mode() & 0o777
    };
    for name in ["access_key.json", "endpoints.json"] {
        assert_eq!(mode(&first, name), 0o600, "{name}");
    }
    assert_eq!(mode(&first, "") & !0o010, 0o700, "PostgreSQL's group may pass, nobody else");
    assert!(!format!("{:?}", first.endpoints()).contains(&key.secret_access_key));

    // A key that others could have read is worth nothing, and a folder that is open is closed.
    let (folder, key_file) = (file(&first, ""), file(&first, "access_key.json"));
    let first = first.restarted().await;
    assert_eq!(first.endpoints().key, key);
    for (path, mode) in [(&folder, 0o755), (&key_file, 0o644)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let first = first.restarted().await;
    assert_ne!(first.endpoints().key, key);
    assert_eq!(mode(&first, "access_key.json"), 0o600);
    assert_eq!(mode(&first, "") & !0o010, 0o700);
    first.stop().await;
}
