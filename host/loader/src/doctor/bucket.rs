//! What a load does in the bucket, folder by folder, with objects of our own: whether it may, and
//! whether S3 heeds the conditions that keep a file from being lost.

use loader_aws::s3::{ObjectInfo, Onto};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use super::finding::{Ailment, Probed, Remedy, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use crate::cli::Part;
use crate::redshift::evolution::MAX_VIEW_CONFIG_BYTES;
use crate::steps::source::check_region;

const PART: Part = Part::Bucket;
const CONTENT: &[u8] = b"id\n1\n";
/// What S3 asks of an object that is copied in parts: it must be over 5 MB.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
const LARGE_BYTES: usize = 6 * 1024 * 1024;
/// An ETag that no object of ours has.
const OTHER_ETAG: &str = "\"00000000000000000000000000000000\"";

/// Examines the bucket. Returns whether files can be delivered and staged, so that a load can be
/// tried.
pub(super) async fn examine(patient: &Patient, findings: &mut Findings<'_>) -> bool {
    if !findings.wants(PART) {
        return true;
    }
    let found = findings.probe(PART, "credentials", credentials(patient)).await
        && findings.probe(PART, "bucket", reached(patient)).await;
    if !found {
        findings.skip(PART, "all folders", "the bucket cannot be reached");
        return false;
    }
    let delivered = findings.probe(PART, "data/in/", delivered(patient)).await;
    let staged = findings.probe(PART, "data/staging/", staged(patient)).await;
    if delivered {
        moves(patient, findings).await;
    } else {
        let why = "no file could be delivered that a load would move there";
        findings.skip(PART, "data/archive/, data/unprocessed/, large files", why);
    }
    for folder in ["data/rejected/", "logs/"] {
        findings.probe(PART, folder, exported(patient, folder)).await;
    }
    findings.probe(PART, "config/", configured(patient)).await;
    delivered && staged
}

async fn moves(patient: &Patient, findings: &mut Findings<'_>) {
    findings.probe(PART, "data/archive/", archived(patient)).await;
    findings.probe(PART, "data/unprocessed/", put_aside(patient)).await;
    findings.probe(PART, "large files", moved_in_parts(patient)).await;
}

async fn credentials(patient: &Patient) -> Probed {
    let source = patient.aws.credentials_source().await.or_do(
        "give credentials as to any AWS program: AWS_PROFILE, variables, or a role of the machine",
    )?;
    Ok(Verdict::passed(format!("found by {source}")))
}

async fn reached(patient: &Patient) -> Probed {
    let (store, bucket) = (&patient.store, &patient.checkup.bucket);
    let allow = allow(patient, "s3:ListBucket", "");
    store.head_bucket(bucket).await.or_do(format!("check --src-bucket, and {allow}"))?;
    let own = store.own_region();
    let Some(region) = store.other_region() else {
        return Ok(Verdict::passed(format!("it is in {own}, as the warehouse is")));
    };
    let checked = check_region(region, own, bucket, patient.checkup.staging_format);
    checked.or_do(format!("give --staging-format csv, or use a bucket in {own}"))?;
    Ok(Verdict::told(format!("it is in {region}, the warehouse in {own}, which costs traffic")))
}

async fn delivered(patient: &Patient) -> Probed {
    let remedy = allow(patient, "s3:PutObject, s3:GetObject and s3:DeleteObject", "data/in/");
    let uri = patient.object("data/in/", "probe.csv");
    patient.store.write(&uri, CONTENT.to_vec()).await.or_allow(&remedy)?;
    let info = looked_at(patient, &uri).await.or_allow(&remedy)?;
    let list = allow(patient, "s3:ListBucket", "");
    let listed = patient.store.list(&patient.place("data/in/")).await.or_allow(&list)?;
    if !listed.contains(&uri.key) {
        return Err(forgetful("a listing lacks an object that was just written"));
    }
    read_in_one_version(patient, &uri, &info, &remedy).await?;
    Ok(Verdict::passed("a file is delivered, found, and read in one version only"))
}

async fn read_in_one_version(
    patient: &Patient,
    uri: &S3Uri,
    info: &ObjectInfo,
    remedy: &str,
) -> Result<(), Ailment> {
    if read(patient, uri, info).await.or_allow(remedy)? != CONTENT {
        return Err(forgetful("an object has other bytes than were written"));
    }
    let stale = patient.store.read(uri, &of_other_version(info)).await.map(drop);
    heeded("GetObject", "If-Match", remedy, stale)
}

async fn staged(patient: &Patient) -> Probed {
    let remedy = allow(patient, "s3:PutObject and s3:DeleteObject", "data/staging/");
    for name in ["one.parquet", "two.parquet"] {
        let uri = patient.object("data/staging/", name);
        patient.store.write(&uri, CONTENT.to_vec()).await.or_allow(&remedy)?;
    }
    let deleted =
        patient.store.delete_all(&patient.place("data/staging/")).await.or_allow(&remedy)?;
    match deleted {
        2 => Ok(Verdict::passed("parts are written, listed, and deleted together")),
        other => Err(forgetful(&format!("2 objects were written, and {other} listed"))),
    }
}

// Copy and delete name the version of the file, so that another one that was delivered meanwhile is
// neither moved nor deleted.
async fn archived(patient: &Patient) -> Probed {
    let remedy = allow(patient, "s3:PutObject and s3:GetObject", "data/archive/");
    let (from, to) =
        (patient.object("data/in/", "probe.csv"), patient.object("data/archive/", "probe.csv"));
    let info = looked_at(patient, &from).await.or_allow(&remedy)?;
    let other = of_other_version(&info);
    let copied = patient.store.copy(&from, &other, &to).await;
    heeded("CopyObject", "x-amz-copy-source-if-match", &remedy, copied)?;
    let deleted = patient.store.delete_unchanged(&from, &other).await;
    heeded("DeleteObject", "If-Match", &remedy, deleted)?;
    copied_once(patient, &from, &info, &to, &remedy).await?;
    moved(patient, &from, &info, &to).await.or_allow(&remedy)?;
    Ok(Verdict::passed("a file is moved there, unless another version was delivered meanwhile"))
}

/// The loader copies a file without looking whether the name is taken: S3 refuses the copy then.
async fn copied_once(
    patient: &Patient,
    from: &S3Uri,
    info: &ObjectInfo,
    to: &S3Uri,
    remedy: &str,
) -> Result<(), Ailment> {
    if !patient.store.copy_new(from, info, to).await.or_allow(remedy)? {
        return Err(forgetful("CopyObject to a name that is free (If-None-Match) was refused"));
    }
    match patient.store.copy_new(from, info, to).await.or_allow(remedy)? {
        true => Err(unheeded("CopyObject onto an object that is there (If-None-Match)")),
        false => Ok(()),
    }
}

async fn put_aside(patient: &Patient) -> Probed {
    let remedy =
        allow(patient, "s3:PutObject, s3:GetObject and s3:DeleteObject", "data/unprocessed/");
    let (from, to) =
        (patient.object("data/in/", "bad.csv"), patient.object("data/unprocessed/", "bad.csv"));
    patient.store.write(&from, CONTENT.to_vec()).await.or_allow(&remedy)?;
    let info = looked_at(patient, &from).await.or_allow(&remedy)?;
    moved(patient, &from, &info, &to).await.or_allow(&remedy)?;
    let info = looked_at(patient, &to).await.or_allow(&remedy)?;
    moved(patient, &to, &info, &from).await.or_allow(&remedy)?;
    Ok(Verdict::passed("a file is moved there, and back for another try"))
}

async fn moved_in_parts(patient: &Patient) -> Probed {
    let remedy = allow(patient, "s3:PutObject and s3:AbortMultipartUpload", "data/archive/");
    let (from, to) =
        (patient.object("data/in/", "large.csv"), patient.object("data/archive/", "large.csv"));
    patient.store.write(&from, vec![b'\n'; LARGE_BYTES]).await.or_allow(&remedy)?;
    let info = looked_at(patient, &from).await.or_allow(&remedy)?;
    patient.store.copy_in_parts(&from, &info, &to, Onto::FreeName).await.or_allow(&remedy)?;
    match looked_at(patient, &to).await.or_allow(&remedy)?.size_bytes == info.size_bytes {
        true => Ok(Verdict::passed("a file is copied in parts, as those over 5 GB have to be")),
        false => Err(forgetful("a copy in parts has another size than its source")),
    }
}

/// What a run writes for people. Nothing that is there already may be overwritten.
async fn exported(patient: &Patient, folder: &str) -> Probed {
    let uri = patient.object(folder, "probe.txt");
    let remedy = allow(patient, "s3:PutObject", folder);
    if !patient.store.write_new(&uri, CONTENT).await.or_allow(&remedy)? {
        return Err(forgetful("PutObject to a name that is free (If-None-Match) was refused"));
    }
    match patient.store.write_new(&uri, CONTENT).await.or_allow(&remedy)? {
        true => Err(unheeded("PutObject onto an object that is there (If-None-Match)")),
        false => Ok(Verdict::passed("a file is written under a name that is free")),
    }
}

async fn configured(patient: &Patient) -> Probed {
    let remedy = format!("{}, and s3:ListBucket", allow(patient, "s3:GetObject", "config/"));
    let uri = S3Uri::new(&patient.checkup.bucket, "config/view_config.json");
    let content = patient.store.read_whole(&uri, MAX_VIEW_CONFIG_BYTES).await;
    Ok(match content.or_allow(&remedy)? {
        Some(_) => Verdict::passed("view_config.json is there, and can be read"),
        None => Verdict::passed("there is no view_config.json, and none is needed"),
    })
}

/// An object that was just written.
async fn looked_at(patient: &Patient, uri: &S3Uri) -> Result<ObjectInfo> {
    let missing =
        || Error::new(Kind::Internal, format!("{uri} is missing right after it was written"));
    patient.store.head(uri).await?.ok_or_else(missing)
}

async fn read(patient: &Patient, uri: &S3Uri, info: &ObjectInfo) -> Result<Vec<u8>> {
    let mut body = patient.store.read(uri, info).await?;
    let mut content = Vec::new();
    while let Some(piece) = body.next().await {
        content.extend_from_slice(&piece?);
    }
    Ok(content)
}

async fn moved(patient: &Patient, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<()> {
    match patient.store.move_object(from, info, to).await? {
        true => Ok(()),
        false => Err(Error::new(Kind::Transient, format!("{from} was gone before it was moved"))),
    }
}

/// Adds the permission to a refusal that is about one.
trait Permission<T> {
    fn or_allow(self, remedy: &str) -> Result<T, Ailment>;
}

impl<T> Permission<T> for Result<T> {
    // HEAD answers without a body, so the status alone tells.
    fn or_allow(self, remedy: &str) -> Result<T, Ailment> {
        self.map_err(|error| {
            let text = error.to_string();
            match ["AccessDenied", "status 403"].iter().any(|sign| text.contains(sign)) {
                true => Ailment { error, remedy: remedy.to_owned() },
                false => Ailment::from(error),
            }
        })
    }
}

fn of_other_version(info: &ObjectInfo) -> ObjectInfo {
    ObjectInfo { etag: OTHER_ETAG.to_owned(), ..info.clone() }
}

/// Whether a request for another version was refused, as it must be: the loader then takes the
/// object for one that was written anew.
fn heeded(
    operation: &str,
    condition: &str,
    remedy: &str,
    answer: Result<()>,
) -> Result<(), Ailment> {
    match answer {
        Err(error) if error.kind() == Kind::Transient => Ok(()),
        Err(error) => Err(error).or_allow(remedy),
        Ok(()) => {
            Err(unheeded(&format!("{operation} for another version of an object ({condition})")))
        }
    }
}

fn unheeded(request: &str) -> Ailment {
    Ailment::new(
        Kind::Config,
        format!("{request} was carried out"),
        "this storage ignores conditions, so files may be lost; use a bucket of Amazon S3",
    )
}

fn forgetful(fact: &str) -> Ailment {
    Ailment::new(
        Kind::Config,
        fact,
        "this storage does not answer as Amazon S3 does; use a bucket of Amazon S3",
    )
}

/// The sentence that tells what to allow. `folder`: empty for the bucket itself.
fn allow(patient: &Patient, actions: &str, folder: &str) -> String {
    let bucket = &patient.checkup.bucket;
    let resource = match folder {
        "" => format!("arn:aws:s3:::{bucket}"),
        folder => format!("arn:aws:s3:::{bucket}/{folder}*"),
    };
    format!("allow {actions} on {resource} (docs/permissions.md)")
}
