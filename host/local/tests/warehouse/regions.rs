//! Buckets in other Regions than the warehouse's: S3 sends clients there, and COPY reads them only
//! when the statement names the Region, which Parquet does not allow.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::support::{BUCKET, ROLE, Warehouse};

const AFAR: &str = "afar";
const REGION: &str = "eu-west-1";

fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    let error = result.unwrap_err();
    let response = error.raw_response().unwrap();
    let region = response.headers().get("x-amz-bucket-region").unwrap_or("-");
    format!("{} {} {region}", response.status().as_u16(), error.code().unwrap_or("-"))
}

async fn create(
    warehouse: &Warehouse,
    bucket: &str,
    signed: &str,
    wanted: Option<&str>,
) -> Result<(), String> {
    let wanted = wanted.map(|wanted| {
        let constraint = BucketLocationConstraint::from(wanted);
        CreateBucketConfiguration::builder().location_constraint(constraint).build()
    });
    let request = warehouse.s3_in(signed).create_bucket().bucket(bucket);
    let made = request.set_create_bucket_configuration(wanted).send().await;
    made.map(drop).map_err(|error| error.code().unwrap_or("-").to_owned())
}

#[tokio::test]
async fn s3_sends_clients_to_the_bucket_s_region() {
    let warehouse = Warehouse::start().await;
    create(&warehouse, AFAR, "us-east-1", Some(REGION)).await.unwrap();
    for (bucket, signed, wanted, expected) in [
        ("beside", "us-east-1", None, Ok(())),
        ("beside", "us-east-1", None, Ok(())),
        ("north", "eu-north-1", Some("eu-north-1"), Ok(())),
        ("north", "eu-north-1", Some("eu-north-1"), Err("BucketAlreadyOwnedByYou")),
        (AFAR, "us-east-1", None, Err("BucketAlreadyOwnedByYou")),
        ("south", "eu-west-1", None, Err("IllegalLocationConstraintException")),
        ("south", "eu-west-1", Some("us-west-2"), Err("IllegalLocationConstraintException")),
        ("south", "us-east-1", Some("../x"), Err("InvalidLocationConstraint")),
    ] {
        let made = create(&warehouse, bucket, signed, wanted).await;
        assert_eq!(made, expected.map_err(str::to_owned), "{bucket} {signed} {wanted:?}");
    }

    let warehouse = warehouse.restarted().await;
    let (near, afar) = (warehouse.s3(), warehouse.s3_in(REGION));
    afar.put_object().bucket(AFAR).key("x").send().await.unwrap();
    let head = afar.head_bucket().bucket(AFAR).send().await.unwrap();
    assert_eq!(head.bucket_region(), Some(REGION));
    let location = near.get_bucket_location().bucket(AFAR).send().await.unwrap();
    assert_eq!(location.location_constraint().map(|region| region.as_str()), Some(REGION));
    let location = near.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    let of_first = location.location_constraint().map_or("", |region| region.as_str());
    assert_eq!(of_first, "", "S3's first Region has no name there");
    let redirected = "301 PermanentRedirect eu-west-1";
    assert_eq!(refusal(near.put_object().bucket(AFAR).key("y").send().await), redirected);
    assert_eq!(refusal(near.get_object().bucket(AFAR).key("x").send().await), redirected);
    assert_eq!(refusal(near.list_objects_v2().bucket(AFAR).send().await), redirected);
    assert_eq!(refusal(near.delete_object().bucket(AFAR).key("x").send().await), redirected);
    assert_eq!(refusal(near.delete_bucket().bucket(AFAR).send().await), redirected);
    // An answer to HEAD has no body, and so no code.
    let head = refusal(near.head_bucket().bucket(AFAR).send().await);
    assert!(head.starts_with("301 ") && head.ends_with(" eu-west-1"), "{head}");
    let redirected = "301 PermanentRedirect us-east-1";
    assert_eq!(refusal(afar.get_object().bucket(BUCKET).key("x").send().await), redirected);
    // A copy is asked for where its target is.
    let copy = near.copy_object().bucket(BUCKET).key("copy").copy_source("afar/x");
    copy.send().await.unwrap();

    // A bucket that is made anew has nothing of the old one.
    afar.delete_object().bucket(AFAR).key("x").send().await.unwrap();
    afar.delete_bucket().bucket(AFAR).send().await.unwrap();
    create(&warehouse, AFAR, "us-east-1", None).await.unwrap();
    near.put_object().bucket(AFAR).key("y").send().await.unwrap();
    warehouse.stop().await;
}

#[tokio::test]
async fn copy_looks_in_the_region_that_it_is_told() {
    let warehouse = Warehouse::start().await;
    create(&warehouse, AFAR, "us-east-1", Some(REGION)).await.unwrap();
    warehouse.must("CREATE TABLE t (a int)").await;
    let manifest = r#"{"entries": [{"url": "s3://afar/x.csv", "mandatory": true, "meta": {"content_length": 2}}]}"#;
    for path in [AFAR, BUCKET] {
        warehouse.put(&format!("../{path}/x.csv"), "1\n");
        warehouse.put(&format!("../{path}/manifest"), manifest);
    }
    let elsewhere = "S3ServiceException:The S3 bucket addressed by the query is in a different \
                     region from this cluster.,Status 301,Error PermanentRedirect";
    let manifest_elsewhere = "Problem reading manifest file - S3ServiceException:The bucket you \
                              are attempting to access must be addressed using the specified \
                              endpoint. Please send all future requests to this endpoint.,Status \
                              301,Error PermanentRedirect";
    let no_region = "REGION argument is not supported for PARQUET based COPY";
    for (source, options, expected) in [
        ("afar/x.csv", "CSV", elsewhere),
        ("afar/x.csv", "CSV REGION 'eu-north-1'", elsewhere),
        ("demo/x.csv", "CSV REGION 'eu-west-1'", elsewhere),
        ("afar/manifest", "CSV MANIFEST", manifest_elsewhere),
        ("demo/manifest", "CSV MANIFEST", elsewhere),
        ("demo/manifest", "CSV MANIFEST REGION 'eu-west-1'", manifest_elsewhere),
        ("demo/manifest", "PARQUET MANIFEST", elsewhere),
        ("afar/manifest", "PARQUET MANIFEST", manifest_elsewhere),
        ("afar/x.csv", "PARQUET", elsewhere),
        ("afar/x.csv", "PARQUET REGION 'eu-west-1'", no_region),
    ] {
        let copy = format!("COPY t FROM 's3://{source}' {ROLE} {options}");
        let error = warehouse.error(&copy).await;
        assert!(error.starts_with(&format!("ERROR: {expected}")), "{copy}: {error}");
    }
    for (source, options) in [
        ("afar/x.csv", "CSV REGION 'eu-west-1'"),
        ("afar/manifest", "CSV MANIFEST REGION AS 'EU-West-1'"),
        ("demo/x.csv", "CSV REGION 'us-east-1'"),
    ] {
        warehouse.must(&format!("COPY t FROM 's3://{source}' {ROLE} {options}")).await;
    }
    assert_eq!(warehouse.must("SELECT a FROM t").await, ["1", "1", "1"]);
    warehouse.stop().await;
}
