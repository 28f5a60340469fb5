//! Source: the object as it is now, pinned by its ETag.
//!
//! In: the object's address. Out: what S3 says about the object, its first bytes, which come by the
//! same request, and the identity of the load. The step does not look into the bytes.

use loader_aws::s3::{Beginning, ObjectInfo};
use loader_model::choices::StagingFormat;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::past_runs::{self, LastLoad};

use crate::layout::load_id;
use crate::redshift::query::select_if_there;
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Goal, SourceObject};

/// Errors: `Config` when there is no such object, or when COPY could not read the parts of it;
/// `Transient` when the object breaks off.
pub(crate) async fn run(tools: &Tools) -> Result<(SourceObject, Beginning)> {
    let (source, beginning) = tools.step(Step::Source, open(tools)).await?;
    tools.record.source(&source);
    // Set once: a run has one source.
    let _ = tools.trail.source.set(source.clone());
    Ok((source, beginning))
}

/// The files of a load of several, which were read already.
pub(crate) async fn of_group(tools: &Tools, sources: &[SourceObject]) -> Result<()> {
    // Set once: a run has one group.
    let _ = tools.trail.group.set(sources.to_vec());
    // The first one stands for all: where the bucket is, and whether COPY reads from there.
    tools.step(Step::Source, look(tools)).await?;
    // What was read, and not what has come in its place since then.
    sources.iter().take(1).for_each(|first| tools.record.source(first));
    Ok(())
}

async fn open(tools: &Tools) -> Result<(SourceObject, Beginning)> {
    let uri = tools.job.layout.source();
    let Some((info, beginning)) = tools.store.open(&uri).await? else {
        return Err(missing(tools, &uri).await);
    };
    check_place(tools, &uri)?;
    Ok((identified(uri, info, &tools.job.target), beginning))
}

async fn look(tools: &Tools) -> Result<()> {
    let uri = tools.job.layout.source();
    match tools.store.head(&uri).await? {
        Some(_) => check_place(tools, &uri),
        None => Err(missing(tools, &uri).await),
    }
}

/// Refuses a bucket from which COPY could not read the parts.
fn check_place(tools: &Tools, uri: &S3Uri) -> Result<()> {
    match tools.store.other_region() {
        // `loader stage` copies nothing.
        Some(region) if tools.goal != Goal::Stage => {
            check_region(region, tools.store.own_region(), &uri.bucket, tools.job.staging_format)
        }
        Some(_) | None => Ok(()),
    }
}

/// The error for an object that is not there.
async fn missing(tools: &Tools, uri: &S3Uri) -> Error {
    let before = if tools.goal == Goal::Load { loaded_before(tools, uri).await } else { None };
    let fact = match before {
        Some(run_id) => format!(
            "there is no object {uri}; one of that name was loaded by run {run_id}: if it was this \
             one, nothing is to be done"
        ),
        None => format!("there is no object {uri}; check --src-bucket and --source-file-name"),
    };
    Error::new(Kind::Config, fact)
}

/// The last run that has loaded an object of this name, as far as the ledger can be asked.
async fn loaded_before(tools: &Tools, uri: &S3Uri) -> Option<String> {
    let query = past_runs::last_loads(&tools.job.target.schema, &[uri.to_string()]);
    let rows = select_if_there(&tools.api, &query).await.ok().flatten()?;
    rows.decode::<LastLoad>().ok()?.into_iter().next().map(|load| load.run_id)
}

/// The object with the identity of its load into a table.
pub(crate) fn identified(uri: S3Uri, info: ObjectInfo, target: &TableName) -> SourceObject {
    // In a bucket with versions the version names the content. Without versions the ETag does,
    // which differs for the same bytes uploaded in parts of another size: then the file counts as
    // new.
    let version = info.version_id.as_ref().unwrap_or(&info.etag);
    let load_id = load_id(&uri, version, info.size_bytes, target);
    SourceObject { uri, info, load_id }
}

/// Refuses parts that COPY would refuse: it takes a REGION for text, and none for Parquet.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html>
pub(crate) fn check_region(
    of_bucket: &str,
    own: &str,
    bucket: &str,
    format: StagingFormat,
) -> Result<()> {
    match format {
        StagingFormat::Csv => Ok(()),
        StagingFormat::Parquet => Err(Error::new(
            Kind::Config,
            format!(
                "the bucket {bucket} is in {of_bucket}, the warehouse in {own}, and COPY reads \
                 Parquet from its own Region only; give --staging-format csv, or use a bucket in \
                 {own}"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parquet_in_another_region_is_refused_before_it_is_staged() {
        let check = |format| check_region("eu-west-1", "us-east-1", "b", format);
        assert!(check(StagingFormat::Csv).is_ok());
        let error = check(StagingFormat::Parquet).expect_err("refused");
        assert_eq!(error.kind(), Kind::Config);
        insta::assert_snapshot!(error, @"the bucket b is in eu-west-1, the warehouse in us-east-1, and COPY reads Parquet from its own Region only; give --staging-format csv, or use a bucket in us-east-1");
    }
}
