//! Objects: written, read, replaced, broken off, copied in by hand.

use super::*;

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
    let copy = site
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("y")
        .copy_source("demo/in/x.csv")
        .send()
        .await
        .unwrap();
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
    site.s3
        .put_object()
        .bucket(BUCKET)
        .key("y")
        .metadata("who", "me")
        .body(ByteStream::from_static(b"1"))
        .send()
        .await
        .unwrap();
    site.by_hand("y", b"22");
    let head = site.s3.head_object().bucket(BUCKET).key("y").send().await.unwrap();
    assert_eq!(
        (head.e_tag().unwrap(), head.content_length().unwrap()),
        (etag_of(b"22").as_str(), 2)
    );
    assert!(head.metadata().unwrap().is_empty());

    // A quiet one, whose digest is kept, and is not believed when time or size differ.
    let old = |seconds| {
        fs::File::options()
            .write(true)
            .open(site.file("y"))
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(seconds))
    };
    old(100).unwrap();
    assert_eq!(
        (site.head_etag("y").await, site.head_etag("y").await),
        (etag_of(b"22"), etag_of(b"22"))
    );
    site.by_hand("y", b"33");
    old(90).unwrap();
    assert_eq!(site.head_etag("y").await, etag_of(b"33"));
    let modified = site
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("y")
        .send()
        .await
        .unwrap()
        .last_modified()
        .unwrap()
        .secs();
    let real = fs::metadata(site.file("y"))
        .unwrap()
        .modified()
        .unwrap()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(u64::try_from(modified).unwrap(), real.as_secs());
}

#[tokio::test]
async fn attributes_and_checksums_come_back() {
    let site = Site::new().await;
    let put = site
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("x")
        .content_type("text/csv")
        .content_encoding("gzip")
        .metadata("run", "ä 7");
    let put = put
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from_static(b"abc"))
        .send()
        .await
        .unwrap();
    assert_eq!(put.checksum_sha256(), Some("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
    let head = site
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("x")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.checksum_sha256(), put.checksum_sha256());
    site.s3.copy_object().bucket(BUCKET).key("y").copy_source("demo/x").send().await.unwrap();
    let copy = site.s3.head_object().bucket(BUCKET).key("y").send().await.unwrap();
    assert_eq!(copy.content_type(), Some("text/csv"));
    let replace = site
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("x")
        .copy_source("demo/x")
        .metadata_directive(MetadataDirective::Replace);
    replace.content_type("text/plain").send().await.unwrap();
    let head = site.s3.head_object().bucket(BUCKET).key("x").send().await.unwrap();
    assert_eq!((head.content_type(), head.content_encoding()), (Some("text/plain"), None));
}

#[tokio::test]
async fn a_wrong_checksum_leaves_nothing() {
    let site = Site::new().await;
    let put = site
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("x")
        .checksum_crc32("AAAAAA==")
        .body(ByteStream::from_static(b"abc"));
    assert_eq!(refusal(put.send().await), "400 BadDigest");
    let put = site
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("x")
        .content_md5("AAAAAAAAAAAAAAAAAAAAAA==")
        .body(ByteStream::from_static(b"abc"));
    assert_eq!(refusal(put.send().await), "400 BadDigest");
    assert_eq!(site.keys("").await, [""; 0]);
    assert_eq!(fs::read_dir(site.dir.path().join(".loader/s3/temporary")).unwrap().count(), 0);
}

#[tokio::test]
async fn only_the_right_key_is_let_in() {
    let site = Site::new().await;
    let mut key = site.key.clone();
    key.secret_access_key.push('x');
    let stranger = client(&site.endpoint, &key);
    assert_eq!(refusal(stranger.list_buckets().send().await), "403 SignatureDoesNotMatch");
    assert_eq!(
        refusal(stranger.put_object().bucket(BUCKET).key("x").send().await),
        "403 SignatureDoesNotMatch"
    );
    let stranger = client(&site.endpoint, &AccessKey::random().unwrap());
    assert_eq!(refusal(stranger.list_buckets().send().await), "403 InvalidAccessKeyId");
    assert_eq!(site.keys("").await, [""; 0]);
}

#[tokio::test]
async fn what_is_not_there_has_its_own_error() {
    let site = Site::new().await;
    let s3 = &site.s3;
    assert_eq!(refusal(s3.get_object().bucket(BUCKET).key("no").send().await), "404 NoSuchKey");
    assert_eq!(
        refusal(s3.head_object().bucket(BUCKET).key("no").send().await).split(' ').next(),
        Some("404")
    );
    assert_eq!(refusal(s3.get_object().bucket("none").key("x").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.list_objects_v2().bucket("none").send().await), "404 NoSuchBucket");
    assert_eq!(refusal(s3.put_object().bucket("none").key("x").send().await), "404 NoSuchBucket");
    assert_eq!(
        refusal(s3.copy_object().bucket("none").key("x").copy_source("demo/x").send().await),
        "404 NoSuchBucket"
    );
    assert_eq!(
        refusal(s3.copy_object().bucket(BUCKET).key("x").copy_source("demo/no").send().await),
        "404 NoSuchKey"
    );
    assert_eq!(
        refusal(s3.head_bucket().bucket("none").send().await).split(' ').next(),
        Some("404")
    );
    s3.delete_object().bucket(BUCKET).key("no").send().await.unwrap();
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
    let config =
        aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
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
    site.s3
        .put_object()
        .bucket(BUCKET)
        .key("x")
        .content_type("text/csv")
        .body(ByteStream::from_static(b"1"))
        .send()
        .await
        .unwrap();
    let temporary = site.dir.path().join(".loader/s3/temporary");
    fs::write(temporary.join("half"), "of an object").unwrap();
    let service = super::super::service(
        Objects::open(site.dir.path()).unwrap(),
        &site.dir.path().join(".loader"),
        site.key.clone(),
        Policy::default(),
    )
    .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let s3 = client(&format!("http://{}", listener.local_addr().unwrap()), &site.key);
    let _server = HttpServer::start(listener, service);
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
    let head = s3.head_object().bucket(BUCKET).key("x").send().await.unwrap();
    assert_eq!(
        (head.e_tag(), head.content_type()),
        (Some(etag_of(b"1").as_str()), Some("text/csv"))
    );
}
