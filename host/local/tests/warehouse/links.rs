//! Symbolic links that lead out of the buckets: nothing is reached through them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::support::{BUCKET, ROLE, Warehouse};

#[tokio::test]
async fn nothing_is_reached_through_a_link_out_of_the_buckets() {
    let warehouse = Warehouse::start().await;
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim.csv");
    fs::write(&victim, "1\n").unwrap();
    warehouse.put("mine.csv", "2\n");
    let dir = warehouse.object("..").canonicalize().unwrap();
    let secret = fs::read(dir.join(".loader/access_key.json")).unwrap();
    // A bucket and a folder of a bucket; each to another disk, to all of DIR, to the state.
    for (name, to) in [("out", outside.path()), ("all", &dir), ("state", &dir.join(".loader"))] {
        symlink(to, dir.join(format!("{name}-bucket"))).unwrap();
        symlink(to, dir.join(BUCKET).join(name)).unwrap();
    }
    symlink(&victim, dir.join(BUCKET).join("file.csv")).unwrap();

    for bucket in ["out-bucket", "all-bucket", "state-bucket"] {
        through_a_bucket(&warehouse, bucket).await;
    }
    let keys = [
        "out/victim.csv",
        "out/new.csv",
        "out/deep/new.csv",
        "all/new.csv",
        "all/.loader/access_key.json",
        "state/access_key.json",
        "state/new/folder/",
        "file.csv",
    ];
    for key in keys {
        through_a_key(&warehouse, key).await;
    }
    let s3 = warehouse.s3();
    let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().unwrap();
    s3.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(
        listed.contents().iter().map(|one| one.key().unwrap()).collect::<Vec<_>>(),
        ["mine.csv"]
    );
    warehouse.must("CREATE TABLE t (a int)").await;
    for key in ["out/victim.csv", "file.csv"] {
        let copy = format!("COPY t FROM 's3://{BUCKET}/{key}' {ROLE} CSV");
        assert!(warehouse.error(&copy).await.contains("does not exist"), "{key}");
    }

    assert_eq!(fs::read_to_string(&victim).unwrap(), "1\n");
    assert_eq!(files(outside.path()), ["victim.csv"]);
    assert_eq!(fs::read(dir.join(".loader/access_key.json")).unwrap(), secret);
    assert!(!dir.join(".loader/new").exists() && !dir.join("new.csv").exists());
    warehouse.stop().await;
}

async fn through_a_bucket(warehouse: &Warehouse, bucket: &str) {
    let s3 = warehouse.s3();
    assert_eq!(refusal(s3.create_bucket().bucket(bucket).send().await), "BucketAlreadyExists");
    let put = s3.put_object().bucket(bucket).key("new.csv").send().await;
    assert_eq!(refusal(put), "NoSuchBucket", "{bucket}");
    let delete = s3.delete_object().bucket(bucket).key("victim.csv").send().await;
    assert_eq!(refusal(delete), "NoSuchBucket", "{bucket}");
    let get = s3.get_object().bucket(bucket).key("victim.csv").send().await;
    assert_eq!(refusal(get), "NoSuchBucket", "{bucket}");
    assert_eq!(refusal(s3.delete_bucket().bucket(bucket).send().await), "NoSuchBucket");
    assert_eq!(refusal(s3.list_objects_v2().bucket(bucket).send().await), "NoSuchBucket");
}

async fn through_a_key(warehouse: &Warehouse, key: &str) {
    let s3 = warehouse.s3();
    let put = s3.put_object().bucket(BUCKET).key(key).send().await;
    assert_eq!(refusal(put), "InvalidRequest", "{key}");
    let copy = s3.copy_object().bucket(BUCKET).key(key).copy_source("demo/mine.csv");
    assert_eq!(refusal(copy.send().await), "InvalidRequest", "{key}");
    let taken = s3.copy_object().bucket(BUCKET).key("taken").copy_source(format!("demo/{key}"));
    assert_eq!(refusal(taken.send().await), "NoSuchKey", "{key}");
    assert_eq!(refusal(s3.get_object().bucket(BUCKET).key(key).send().await), "NoSuchKey", "{key}");
    // As for any key without an object, there is nothing to delete.
    s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    result.unwrap_err().code().unwrap_or("-").to_owned()
}
