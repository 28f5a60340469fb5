//! S3 as the AWS SDK sees it, over HTTP, with its default checksums and signatures.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier,
};

use super::store::hex;
use crate::objects::Objects;
use crate::server::{ACCESS_KEY_ID, HttpServer, SECRET_ACCESS_KEY};
use s3s::crypto::{Checksum as _, Md5};

const BUCKET: &str = "demo";

struct Site {
    dir: tempfile::TempDir,
    endpoint: String,
    s3: Client,
    _server: HttpServer,
}

impl Site {
    /// A server with one bucket, and a client for it.
    async fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join(".loader");
        fs::create_dir_all(dir.path().join(BUCKET)).unwrap();
        let service = super::service(Objects::open(dir.path()).unwrap(), &state).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let s3 = client(&endpoint, SECRET_ACCESS_KEY);
        Site { dir, endpoint, s3, _server: HttpServer::start(listener, service) }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.dir.path().join(BUCKET).join(key)
    }

    /// A file that a person copies into the bucket.
    fn by_hand(&self, key: &str, content: &[u8]) {
        fs::create_dir_all(self.file(key).parent().unwrap()).unwrap();
        fs::write(self.file(key), content).unwrap();
    }

    async fn put(&self, key: &str, content: &[u8]) -> String {
        let put = self.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from(content.to_vec()));
        put.send().await.unwrap().e_tag.unwrap()
    }

    async fn head_etag(&self, key: &str) -> String {
        self.s3.head_object().bucket(BUCKET).key(key).send().await.unwrap().e_tag.unwrap()
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        bytes(self.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap()).await
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let page = self.s3.list_objects_v2().bucket(BUCKET).prefix(prefix).send().await.unwrap();
        page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

fn client(endpoint: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(ACCESS_KEY_ID, secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

async fn bytes(output: GetObjectOutput) -> Vec<u8> {
    output.body.collect().await.unwrap().to_vec()
}

fn etag_of(content: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::checksum(content)))
}

/// `404 NoSuchKey`
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(output) => panic!("accepted: {output:?}"),
        Err(error) => {
            let status = error.raw_response().map_or(0, |response| response.status().as_u16());
            format!("{status} {}", error.code().unwrap_or("-"))
        }
    }
}

#[tokio::test]
async fn an_object_has_one_etag_wherever_one_asks() {
    let site = Site::new().await;
    let etag = site.put("in/x.csv", b"a,b\n1,2\n").await;
    assert_eq!(etag, etag_of(b"a,b\n1,2\n"));
    assert_eq!(site.head_etag("in/x.csv").await, etag);
    let got = site.s3.get_object().bucket(BUCKET).key("in/x.csv").send().await.unwrap();
    assert_eq!((got.e_tag().unwrap(), got.content_length().unwrap()), (etag.as_str(), 8));
    assert_eq!(bytes(got).await, b"a,b\n1,2\n");
    let page = site.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let listed = &page.contents()[0];
    assert_eq!((listed.e_tag().unwrap(), listed.size().unwrap()), (etag.as_str(), 8));
    let copy = site.s3.copy_object().bucket(BUCKET).key("y").copy_source("demo/in/x.csv").send().await.unwrap();
    assert_eq!(copy.copy_object_result().unwrap().e_tag().unwrap(), etag);
    assert_eq!(site.head_etag("y").await, etag);
    assert_eq!(fs::read(site.file("in/x.csv")).unwrap(), b"a,b\n1,2\n");
}

#[tokio::test]
async fn a_file_copied_by_hand_is_an_object() {
    let site = Site::new().await;
    site.by_hand("in/x.csv", b"one");
    assert_eq!(site.head_etag("in/x.csv").await, etag_of(b"one"));
    assert_eq!(site.get("in/x.csv").await, b"one");
    // Same size, at once, without telling: a remembered digest would be wrong now.
    site.by_hand("in/x.csv", b"two");
    assert_eq!(site.head_etag("in/x.csv").await, etag_of(b"two"));

    // Over an object, which had attributes.
    site.s3.put_object().bucket(BUCKET).key("y").metadata("who", "me").body(ByteStream::from_static(b"1")).send().await.unwrap();
    site.by_hand("y", b"22");
    let head = site.s3.head_object().bucket(BUCKET).key("y").send().await.unwrap();
    assert_eq!((head.e_tag().unwrap(), head.content_length().unwrap()), (etag_of(b"22").as_str(), 2));
    assert!(head.metadata().unwrap().is_empty());

    // A quiet one, whose digest is kept, and is not believed when time or size differ.
    let old = |seconds| fs::File::options().write(true).open(site.file("y")).unwrap().set_modified(SystemTime::now() - Duration::from_secs(seconds));
    old(100).unwrap();
    assert_eq!((site.head_etag("y").await, site.head_etag("y").await), (etag_of(b"22"), etag_of(b"22")));
    site.by_hand("y", b"33");
    old(90).unwrap();
    assert_eq!(site.head_etag("y").await, etag_of(b"33"));
    let modified = site.s3.head_object().bucket(BUCKET).key("y").send().await.unwrap().last_modified().unwrap().secs();
    let real = fs::metadata(site.file("y")).unwrap().modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(u64::try_from(modified).unwrap(), real.as_secs());
}

#[tokio::test]
async fn attributes_and_checksums_come_back() {
    let site = Site::new().await;
    let put = site.s3.put_object().bucket(BUCKET).key("x").content_type("text/csv").content_encoding("gzip").metadata("run", "ä 7");
    let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from_static(b"abc")).send().await.unwrap();
    assert_eq!(put.checksum_sha256(), Some("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
    let head = site.s3.head_object().bucket(BUCKET).key("x").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.checksum_sha256(), put.checksum_sha256());
    site.s3.copy_object().bucket(BUCKET).key("y").copy_source("demo/x").send().await.unwrap();
    let copy = site.s3.head_object().bucket(BUCKET).key("y").send().await.unwrap();
    assert_eq!(copy.content_type(), Some("text/csv"));
    let replace = site.s3.copy_object().bucket(BUCKET).key("x").copy_source("demo/x").metadata_directive(MetadataDirective::Replace);
    replace.content_type("text/plain").send().await.unwrap();
    let head = site.s3.head_object().bucket(BUCKET).key("x").send().await.unwrap();
    assert_eq!((head.content_type(), head.content_encoding()), (Some("text/plain"), None));
}

#[tokio::test]
async fn a_wrong_checksum_leaves_nothing() {
    let site = Site::new().await;
    let put = site.s3.put_object().bucket(BUCKET).key("x").checksum_crc32("AAAAAA==").body(ByteStream::from_static(b"abc"));
    assert_eq!(refusal(put.send().await), "400 BadDigest");
    let put = site.s3.put_object().bucket(BUCKET).key("x").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").body(ByteStream::from_static(b"abc"));
    assert_eq!(refusal(put.send().await), "400 BadDigest");
    assert_eq!(site.keys("").await, [""; 0]);
    assert_eq!(fs::read_dir(site.dir.path().join(".loader/s3/temporary")).unwrap().count(), 0);
}

#[tokio::test]
async fn only_the_right_secret_is_let_in() {
    let site = Site::new().await;
    let stranger = client(&site.endpoint, "wrong");
    assert_eq!(refusal(stranger.list_buckets().send().await), "403 SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_write_happens_only_under_its_conditions() {
    let site = Site::new().await;
    let put = |content: &'static [u8]| site.s3.put_object().bucket(BUCKET).key("x").body(ByteStream::from_static(content));
    put(b"1").if_none_match("*").send().await.unwrap();
    assert_eq!(refusal(put(b"2").if_none_match("*").send().await), "412 PreconditionFailed");
    assert_eq!(refusal(put(b"2").if_match(etag_of(b"9")).send().await), "412 PreconditionFailed");
    put(b"2").if_match(etag_of(b"1")).send().await.unwrap();
    assert_eq!(site.get("x").await, b"2");
    assert_eq!(refusal(put(b"3").key("y").if_match(etag_of(b"2")).send().await), "404 NoSuchKey");
    // The same for what came by hand.
    site.by_hand("x", b"hand");
    assert_eq!(refusal(put(b"3").if_match(etag_of(b"2")).send().await), "412 PreconditionFailed");
    put(b"3").if_match(etag_of(b"hand")).send().await.unwrap();
}

#[tokio::test]
async fn of_many_writers_that_want_to_be_first_one_is() {
    let site = Site::new().await;
    let tries = (0..16).map(|i| {
        let put = site.s3.put_object().bucket(BUCKET).key("lock").if_none_match("*").body(ByteStream::from(vec![i; 100_000]));
        async move { put.send().await.is_ok() }
    });
    let won = futures::future::join_all(tries).await;
    assert_eq!(won.iter().filter(|&&won| won).count(), 1);
    let winner = u8::try_from(won.iter().position(|&won| won).unwrap()).unwrap();
    assert_eq!(site.get("lock").await, vec![winner; 100_000]);
}

#[tokio::test]
async fn reads_copies_and_deletes_only_under_their_conditions() {
    let site = Site::new().await;
    let etag = site.put("x", b"1").await;
    let get = || site.s3.get_object().bucket(BUCKET).key("x");
    assert_eq!(refusal(get().if_match(etag_of(b"2")).send().await), "412 PreconditionFailed");
    assert_eq!(refusal(get().if_none_match(&etag).send().await).split(' ').next(), Some("304"));
    let head = site.s3.head_object().bucket(BUCKET).key("x").if_match(etag_of(b"2"));
    assert_eq!(refusal(head.send().await).split(' ').next(), Some("412"));

    let copy = |etag: String| site.s3.copy_object().bucket(BUCKET).key("y").copy_source("demo/x").copy_source_if_match(etag);
    assert_eq!(refusal(copy(etag_of(b"2")).send().await), "412 PreconditionFailed");
    copy(etag.clone()).send().await.unwrap();

    let delete = |etag: String| site.s3.delete_object().bucket(BUCKET).key("x").if_match(etag);
    assert_eq!(refusal(delete(etag_of(b"2")).send().await), "412 PreconditionFailed");
    assert!(site.file("x").exists());
    delete(etag.clone()).send().await.unwrap();
    assert!(!site.file("x").exists());
    delete(etag).send().await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_has_its_own_error() {
    let site = Site::new().await;
    let s3 = &site.s3;
    assert_eq!(refusal(s3.get_object().bucket(BUCKET).key("no").send().await), "404 NoSuchKey");
    assert_eq!(refusal(s3.head_object().bucket(BUCKET).key("no").send().await).split(' ').next(), Some("404"));
    assert_eq!(refusal(s3.get_object().bucket("none").key("x").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.list_objects_v2().bucket("none").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.put_object().bucket("none").key("x").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.copy_object().bucket("none").key("x").copy_source("demo/x").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.copy_object().bucket(BUCKET).key("x").copy_source("demo/no").send().await), "404 NoSuchKey");
    assert_eq!(refusal(s3.head_bucket().bucket("none").send().await).split(' ').next(), Some("404"));
    s3.delete_object().bucket(BUCKET).key("no").send().await.unwrap();
}

#[tokio::test]
async fn buckets_are_folders() {
    let site = Site::new().await;
    site.s3.create_bucket().bucket("second").send().await.unwrap();
    site.s3.create_bucket().bucket("second").send().await.unwrap();
    fs::create_dir(site.dir.path().join("third")).unwrap();
    fs::write(site.dir.path().join("loose.csv"), "").unwrap();
    let names = |buckets: &[aws_sdk_s3::types::Bucket]| buckets.iter().map(|bucket| bucket.name().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(site.s3.list_buckets().send().await.unwrap().buckets()), ["demo", "second", "third"]);
    site.s3.head_bucket().bucket("third").send().await.unwrap();
    site.put("x", b"1").await;
    assert_eq!(refusal(site.s3.delete_bucket().bucket(BUCKET).send().await), "409 BucketNotEmpty");
    site.s3.delete_bucket().bucket("second").send().await.unwrap();
    assert!(!site.dir.path().join("second").exists());
}

#[tokio::test]
async fn listings_page_to_the_end() {
    let site = Site::new().await;
    for i in 0..2_503 {
        site.by_hand(&format!("data/in/{i:05}.csv"), b"");
    }
    let mut pages = site.s3.list_objects_v2().bucket(BUCKET).prefix("data/").into_paginator().send();
    let mut sizes = Vec::new();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.key_count().unwrap());
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!(sizes, [1000, 1000, 503]);
    assert_eq!(keys, (0..2_503).map(|i| format!("data/in/{i:05}.csv")).collect::<Vec<_>>());

    let after = site.s3.list_objects_v2().bucket(BUCKET).start_after("data/in/02500.csv").send().await.unwrap();
    assert_eq!(after.contents().len(), 2);
    let wrong = site.s3.list_objects_v2().bucket(BUCKET).continuation_token("bogus").send().await;
    assert_eq!(refusal(wrong), "400 InvalidArgument");

    let missing = "data/in/none".to_owned();
    let all = keys.iter().take(1000).chain([&missing]).map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let batch = |keys: Vec<ObjectIdentifier>| {
        let delete = Delete::builder().set_objects(Some(keys)).build().unwrap();
        site.s3.delete_objects().bucket(BUCKET).delete(delete).send()
    };
    assert_eq!(refusal(batch(all.clone().collect()).await), "400 MalformedXML");
    let deleted = batch(all.skip(1).collect()).await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (1000, 0));
    assert_eq!(site.keys("data/in/00").await, ["data/in/00000.csv"]);
}

#[tokio::test]
async fn folders_are_seen_through_delimiters_only() {
    let site = Site::new().await;
    for key in ["data/in/a.csv", "data/in/a.csv.1", "data/in/b/c", "data/out", "z"] {
        site.put(key, b"").await;
    }
    assert_eq!(site.keys("data/in/a.csv").await, ["data/in/a.csv", "data/in/a.csv.1"]);
    let page = site.s3.list_objects_v2().bucket(BUCKET).prefix("data/in/").delimiter("/").send().await.unwrap();
    let prefixes: Vec<_> = page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap()).collect();
    assert_eq!((prefixes, page.contents().len(), page.key_count()), (vec!["data/in/b/"], 2, Some(3)));
    let page = site.s3.list_objects().bucket(BUCKET).delimiter("/").max_keys(1).send().await.unwrap();
    assert_eq!((page.next_marker(), page.is_truncated()), (Some("data/"), Some(true)));
    let page = site.s3.list_objects().bucket(BUCKET).delimiter("/").marker("data/").send().await.unwrap();
    assert_eq!((page.contents()[0].key(), page.is_truncated()), (Some("z"), Some(false)));

    // Deleting the last object takes the folder with it, and the bucket stays.
    for key in ["data/in/a.csv", "data/in/a.csv.1", "data/in/b/c", "data/out", "z"] {
        site.s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert_eq!(fs::read_dir(site.file("")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_made_as_an_object_is_one() {
    let site = Site::new().await;
    site.put("in/", b"").await;
    fs::create_dir(site.file("by-hand")).unwrap();
    assert_eq!(site.keys("").await, ["in/"]);
    assert_eq!(site.head_etag("in/").await, etag_of(b""));
    assert_eq!(site.get("in/").await, b"");
    site.put("in/x", b"1").await;
    site.s3.delete_object().bucket(BUCKET).key("in/x").send().await.unwrap();
    assert_eq!(site.keys("").await, ["in/"]);
    site.s3.delete_object().bucket(BUCKET).key("in/").send().await.unwrap();
    assert_eq!(site.keys("").await, [""; 0]);
    assert!(!site.file("in").exists());
}

#[tokio::test]
async fn any_name_that_a_file_can_have() {
    let site = Site::new().await;
    for key in ["in/a b+c%20d.csv", "ünïcödé/日本.csv", "q?x=1&y=#z", "a'b\"<c>;,@$!*()", ".hidden", "x\ty"] {
        let etag = site.put(key, key.as_bytes()).await;
        assert_eq!(site.get(key).await, key.as_bytes());
        assert!(site.file(key).is_file(), "{key}");
        assert_eq!(site.keys(key).await, [key]);
        let source: String = format!("{BUCKET}/{}", super::list::url_encode(key));
        let copy = site.s3.copy_object().bucket(BUCKET).key(format!("copy/{key}")).copy_source(source).send().await.unwrap();
        assert_eq!(copy.copy_object_result().unwrap().e_tag(), Some(etag.as_str()));
        site.s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert!(!site.file(key).exists(), "{key}");
    }
}

#[tokio::test]
async fn a_key_that_no_file_can_have_is_refused() {
    let site = Site::new().await;
    site.put("a", b"1").await;
    site.put("b/c", b"1").await;
    for key in ["x//y", "x/../y", &"s".repeat(256), "a/b", "b"] {
        let put = site.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"2"));
        assert_eq!(refusal(put.send().await), "400 InvalidRequest", "{key}");
    }
    assert_eq!(site.keys("").await, ["a", "b/c"]);
}

#[tokio::test]
async fn ranges() {
    let site = Site::new().await;
    let content: Vec<u8> = (0..2_000_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    site.put("x", &content).await;
    let get = |range: &str| site.s3.get_object().bucket(BUCKET).key("x").range(range).send();
    let part = get("bytes=1000000-1999999").await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 1000000-1999999/2000000"));
    assert_eq!(bytes(part).await, content[1_000_000..]);
    assert_eq!(bytes(get("bytes=-3").await.unwrap()).await, content[content.len() - 3..]);
    assert_eq!(bytes(get("bytes=1999999-").await.unwrap()).await, content[content.len() - 1..]);
    assert_eq!(refusal(get("bytes=2000000-").await), "416 InvalidRange");
    assert_eq!(site.get("x").await, content);
}

#[tokio::test]
async fn a_reader_keeps_the_object_that_it_began_with() {
    let site = Site::new().await;
    let old = vec![1; 8_000_000];
    site.put("x", &old).await;
    let reading = site.s3.get_object().bucket(BUCKET).key("x").send().await.unwrap();
    site.put("x", b"new").await;
    assert_eq!(bytes(reading).await, old);
    assert_eq!(site.get("x").await, b"new");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_no_object() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = Site::new().await;
    site.put("x", b"old").await;
    let config = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = site.s3.put_object().bucket(BUCKET).key("x").presigned(config).await.unwrap();
    let (_, path) = url.uri().split_once("127.0.0.1:").unwrap().1.split_once('/').unwrap();
    let host = site.endpoint.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 3000000\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'n'; 2_000_000]).await.unwrap();
    socket.shutdown().await.unwrap();
    // The server sees the end, gives up, and closes.
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(site.get("x").await, b"old");
    assert_eq!(site.keys("").await, ["x"]);
}

#[tokio::test]
async fn a_new_server_forgets_half_written_files_and_keeps_objects() {
    let site = Site::new().await;
    site.s3.put_object().bucket(BUCKET).key("x").content_type("text/csv").body(ByteStream::from_static(b"1")).send().await.unwrap();
    let temporary = site.dir.path().join(".loader/s3/temporary");
    fs::write(temporary.join("half"), "of an object").unwrap();
    let service = super::service(Objects::open(site.dir.path()).unwrap(), &site.dir.path().join(".loader")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let s3 = client(&format!("http://{}", listener.local_addr().unwrap()), SECRET_ACCESS_KEY);
    let _server = HttpServer::start(listener, service);
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
    let head = s3.head_object().bucket(BUCKET).key("x").send().await.unwrap();
    assert_eq!((head.e_tag(), head.content_type()), (Some(etag_of(b"1").as_str()), Some("text/csv")));
}

const MIB: usize = 1024 * 1024;

struct Multipart<'a> {
    site: &'a Site,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Multipart<'_> {
    async fn start(site: &Site) -> Multipart<'_> {
        let created = site.s3.create_multipart_upload().bucket(BUCKET).key("big").content_type("text/csv").send().await.unwrap();
        Multipart { site, id: created.upload_id.unwrap(), parts: Vec::new() }
    }

    async fn part(&mut self, number: i32, content: &[u8]) {
        let upload = self.site.s3.upload_part().bucket(BUCKET).key("big").upload_id(&self.id).part_number(number);
        let part = upload.body(ByteStream::from(content.to_vec())).send().await.unwrap();
        assert_eq!(part.e_tag(), Some(etag_of(content).as_str()));
        self.add(number, part.e_tag);
    }

    fn add(&mut self, number: i32, etag: Option<String>) {
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
    }

    async fn complete(&self) -> Result<String, String> {
        let upload = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let complete = self.site.s3.complete_multipart_upload().bucket(BUCKET).key("big").upload_id(&self.id).multipart_upload(upload);
        let answer = complete.send().await;
        if answer.is_ok() { Ok(answer.unwrap().e_tag.unwrap()) } else { Err(refusal(answer)) }
    }
}

#[tokio::test]
async fn parts_become_one_object() {
    let site = Site::new().await;
    let content: Vec<u8> = (0..11 * MIB).map(|i| u8::try_from(i % 253).unwrap()).collect();
    site.put("source", &content).await;
    let mut multipart = Multipart::start(&site).await;
    multipart.part(1, &content[..5 * MIB]).await;
    let copy = site.s3.upload_part_copy().bucket(BUCKET).key("big").upload_id(&multipart.id).part_number(2).copy_source("demo/source");
    let copied = copy.copy_source_range(format!("bytes={}-{}", 5 * MIB, 10 * MIB - 1)).send().await.unwrap();
    multipart.add(2, copied.copy_part_result.unwrap().e_tag);
    multipart.part(7, &content[10 * MIB..]).await;
    assert_eq!(site.keys("").await, ["source"]);
    let listed = site.s3.list_parts().bucket(BUCKET).key("big").upload_id(&multipart.id).send().await.unwrap();
    assert_eq!(listed.parts().iter().map(|part| part.part_number().unwrap()).collect::<Vec<_>>(), [1, 2, 7]);
    let under_way = site.s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(under_way.uploads()[0].upload_id(), Some(multipart.id.as_str()));

    let etag = multipart.complete().await.unwrap();
    let parts = [&content[..5 * MIB], &content[5 * MIB..10 * MIB], &content[10 * MIB..]].map(Md5::checksum);
    assert_eq!(etag, format!("\"{}-3\"", hex(&Md5::checksum(&parts.concat()))));
    assert_eq!(site.get("big").await, content);
    let head = site.s3.head_object().bucket(BUCKET).key("big").send().await.unwrap();
    assert_eq!((head.e_tag(), head.content_type()), (Some(etag.as_str()), Some("text/csv")));
    assert_eq!(multipart.complete().await, Err("404 NoSuchUpload".to_owned()));

    // Its copy is one piece, and is named so.
    let copy = site.s3.copy_object().bucket(BUCKET).key("copy").copy_source("demo/big").copy_source_if_match(&etag).send().await.unwrap();
    assert_eq!(copy.copy_object_result().unwrap().e_tag(), Some(etag_of(&content).as_str()));
    assert_eq!(site.head_etag("copy").await, etag_of(&content));
}

#[tokio::test]
async fn parts_that_do_not_fit_are_refused() {
    let site = Site::new().await;
    let mut multipart = Multipart::start(&site).await;
    multipart.part(1, b"short").await;
    multipart.part(2, b"shorter").await;
    assert_eq!(multipart.complete().await, Err("400 EntityTooSmall".to_owned()));
    multipart.parts.reverse();
    assert_eq!(multipart.complete().await, Err("400 InvalidPartOrder".to_owned()));
    multipart.parts = vec![CompletedPart::builder().part_number(1).e_tag(etag_of(b"other")).build()];
    assert_eq!(multipart.complete().await, Err("400 InvalidPart".to_owned()));
    multipart.parts.clear();
    // A part that is sent again replaces the first.
    multipart.part(1, b"again").await;
    multipart.complete().await.unwrap();
    assert_eq!(site.get("big").await, b"again");

    let aborted = Multipart::start(&site).await;
    site.s3.abort_multipart_upload().bucket(BUCKET).key("big").upload_id(&aborted.id).send().await.unwrap();
    let part = site.s3.upload_part().bucket(BUCKET).key("big").upload_id(&aborted.id).part_number(1);
    assert_eq!(refusal(part.body(ByteStream::from_static(b"x")).send().await), "404 NoSuchUpload");
    assert_eq!(fs::read_dir(site.dir.path().join(".loader/s3/uploads")).unwrap().count(), 0);
}
