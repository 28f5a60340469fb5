//! S3 and Redshift as they can be: a bucket in another Region, and services that ask to slow down.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use loader_attach::Endpoints;
use loader_tests::{Place, Report, program, world};

/// Makes a bucket in eu-west-1. The warehouse is in us-east-1.
async fn make_bucket_afar(local: &Endpoints, bucket: &str) {
    let (key, secret) = (&local.key.access_key_id, &local.key.secret_access_key);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new(key, secret, None, None, "stand-in"))
        .region(Region::new("eu-west-1"))
        .endpoint_url(&local.s3)
        .load()
        .await;
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let request = aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(bucket);
    request.create_bucket_configuration(place).send().await.expect("the bucket is made");
}

#[test]
fn a_bucket_in_another_region_is_followed_and_parquet_is_refused_there() {
    let local = world().endpoints();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(make_bucket_afar(local, "afar"));
    let place = Place::new("afar");
    place.put("a.csv", "id,note\n1,x\n2,y\n");
    let refused = place.load("a.csv", "t", &[]);
    assert_eq!(refused.ended.code, 2, "{}", refused.ended.stderr);
    assert!(
        refused.error().starts_with(
            "the bucket afar is in eu-west-1, the warehouse in us-east-1, and COPY reads Parquet \
             from its own Region only; give --staging-format csv"
        ),
        "{}",
        refused.error()
    );
    let _ = place.load("a.csv", "t", &["--staging-format", "csv"]).succeeded();
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "2");
    assert!(
        place.keys().contains(&"data/archive/YYYY/MM/a_#.csv".to_owned()),
        "{:?}",
        place.keys()
    );
}

/// A load on a stand-in of its own, which nobody else can keep busy.
fn load(dir: &std::path::Path, file: &str) -> Report {
    std::fs::write(dir.join("busy/data/in").join(file), "id,note\n1,x\n2,y\n").expect("it lands");
    let mut command = std::process::Command::new(program());
    command.args(["run", "--src-bucket", "busy", "--source-file-name", file, "--local"]).arg(dir);
    command.args(["--target-table", "t", "--upsert-keys", "id", "--report", "json"]);
    Report::of(loader_tests::run(&mut command))
}

#[test]
fn services_that_ask_to_slow_down_are_asked_again() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(dir.path().join("busy/data/in")).expect("a bucket is a folder");
    let _ = load(dir.path(), "first.csv").succeeded();
    let busy = dir.path().join(".loader/throttle");
    std::fs::create_dir_all(&busy).expect("a folder");
    for (number, operation) in [
        "COPY",
        "GetObject",
        "CopyObject",
        "PutObject",
        "BatchExecuteStatement",
        "DescribeStatement",
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(busy.join(operation), "1").expect("a count");
        let load = load(dir.path(), &format!("{number}.csv")).succeeded();
        assert_eq!((load.rows("updated"), load.rows("inserted")), (2, 0), "{operation}");
        let left = std::fs::read_to_string(busy.join(operation)).unwrap_or_default();
        assert_ne!(left.trim(), "1", "{operation} was not refused");
        assert_eq!(
            load.ended.stderr.contains("\"msg\":\"trying again\""),
            operation == "COPY",
            "{operation}: {}",
            load.ended.stderr
        );
    }
}

/// A file of three ranges: 9 MB of rows that are all different.
fn land_a_file_of_ranges(dir: &std::path::Path, file: &str) {
    let rows = (0..500_000_u64).map(|row| format!("{row},{:x},xxxx\n", row * 7_919));
    let csv = format!("id,note,more\n{}", rows.collect::<String>());
    assert!(csv.len() > 2 * 4 * 1024 * 1024 - 1, "{} bytes", csv.len());
    std::fs::write(dir.join("busy/data/in").join(file), csv).expect("it lands");
}

#[test]
fn a_download_that_breaks_off_is_read_on_from_its_last_byte() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(dir.path().join("busy/data/in")).expect("a bucket is a folder");
    let faults = dir.path().join(".loader/throttle");
    std::fs::create_dir_all(&faults).expect("a folder");
    land_a_file_of_ranges(dir.path(), "cut.csv");
    let load = || {
        let mut command = std::process::Command::new(program());
        command.args(["run", "--src-bucket", "busy", "--source-file-name", "cut.csv", "--local"]);
        command.arg(dir.path()).args(["--target-table", "t", "--report", "json"]);
        Report::of(loader_tests::run(&mut command))
    };
    // Every answer breaks off, so no range ends. (A connection may also break before its answer is
    // read.)
    std::fs::write(faults.join("cut"), "1000 600000").expect("a fault");
    let refused = load();
    assert_eq!(refused.ended.code, 4, "{}", refused.ended.stderr);
    assert!(refused.error().contains("reading s3://busy/data/in/cut.csv "), "{}", refused.error());
    // Each range breaks off once or more, and is read on.
    std::fs::write(faults.join("cut"), "9 1000000").expect("a fault");
    let load = load().succeeded();
    assert_eq!(load.rows("inserted"), 500_000);
    let left = std::fs::read_to_string(faults.join("cut")).unwrap_or_default();
    assert_eq!(left.trim(), "0 1000000", "the answers were cut");
}
