//! Moving: the copy is verified before the source is deleted, so that a file which its producer has
//! replaced meanwhile is never lost.

use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::failure;
use crate::s3::mark::{MARK, Mark};
use crate::s3::store::{ANYTHING, ObjectInfo, Store, replaced};

/// The largest object that one CopyObject takes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
const MAX_SINGLE_COPY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Part size of a multipart copy: 10,000 parts of it make 5 TB, the largest object there is.
const COPY_PART_BYTES: u64 = 512 * 1024 * 1024;
/// The letters that are percent-encoded in the header with the source of a copy: all but letters,
/// digits and these five. (For example, `data/in/a b.csv` becomes `data/in/a%20b.csv`.)
const ENCODED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

impl Store {
    /// Moves an object: copies what `info` describes, verifies the copy, and deletes the source if
    /// it is unchanged. Returns false when the source is gone already.
    ///
    /// A move may be repeated after a stop in between, and ends the same way.
    // The order keeps the file safe. The source goes last, so a stop in between leaves two objects
    // and never none. Copy and delete carry the ETag of `info`: if the producer has written a new
    // file under the name, neither touches it.
    pub async fn move_object(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<bool> {
        match self.head(from).await? {
            None => return Ok(false),
            Some(now) if now.etag != info.etag => return Err(replaced(from)),
            Some(_) => {}
        }
        self.copy_of_any_size(from, info, to).await?;
        match self.head(to).await? {
            Some(copy) if copy.size_bytes == info.size_bytes => {
                self.delete_unchanged(from, info).await.map(|()| true)
            }
            _ => Err(Error::new(
                Kind::Transient,
                format!("the copy {to} of {from} is not whole; the source was kept"),
            )),
        }
    }

    /// The same to a name that is free. False: an object has that name, or the source is gone; then
    /// nothing is moved.
    pub async fn move_to_free_name(
        &self,
        from: &S3Uri,
        info: &ObjectInfo,
        to: &S3Uri,
    ) -> Result<bool> {
        if self.copy_new(from, info, to).await? {
            return self.delete_unchanged(from, info).await.map(|()| true);
        }
        match self.head(to).await? {
            // The copy itself, whose answer was lost, or the same content.
            Some(there) => match self.is_copy((from, info), (to, &there)).await? {
                true => self.delete_unchanged(from, info).await.map(|()| true),
                false => Ok(false),
            },
            None => self.move_object(from, info, to).await,
        }
    }

    /// Copies the object that `info` describes, in one request or in parts. Errors: `Transient`
    /// when it was written anew.
    pub async fn copy_of_any_size(
        &self,
        from: &S3Uri,
        info: &ObjectInfo,
        to: &S3Uri,
    ) -> Result<()> {
        match info.size_bytes > MAX_SINGLE_COPY_BYTES {
            true => self.copy_in_parts(from, info, to, Onto::AnyName).await.map(drop),
            false => self.copy(from, info, to).await,
        }
    }

    /// Copies the object that `info` describes. Errors: `Transient` when it was written anew.
    pub async fn copy(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<()> {
        let copy = self.copy_request(from, info, to).customize();
        let copy = copy.config_override(self.patient_copy(info.size_bytes));
        match self.sent(copy.send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_changed(&error) => Err(replaced(from)),
            Err(error) => Err(failure::read_failure(&format!("copying {from} to {to}"), error)),
        }
    }

    /// The same to a name that is free. The answer says that the copy is whole. False: nothing is
    /// copied, because an object has that name already, the source is gone or was written anew, or
    /// the store takes no such condition.
    // Which of these it is, the caller finds out by requests that it can do without otherwise.
    pub async fn copy_new(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<bool> {
        if info.size_bytes > MAX_SINGLE_COPY_BYTES {
            return self.copy_in_parts(from, info, to, Onto::FreeName).await;
        }
        let copy = self.copy_request(from, info, to).if_none_match(ANYTHING).customize();
        let copy = copy.config_override(self.patient_copy(info.size_bytes));
        match self.sent(copy.send()).await {
            Ok(_) => Ok(true),
            Err(error)
                if failure::is_changed(&error)
                    || failure::is_missing(&error)
                    || failure::is_not_implemented(&error) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure::read_failure(&format!("copying {from} to {to}"), error)),
        }
    }

    fn copy_request(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> CopyObjectFluentBuilder {
        self.calls.count("CopyObject");
        let request = self.client().copy_object().bucket(&to.bucket).key(&to.key);
        request.copy_source(copy_source(from)).copy_source_if_match(&info.etag)
    }

    /// The same in parts, as objects over 5 GiB have to be copied. False: nothing is copied,
    /// because an object has that name, or the store takes no such condition.
    pub async fn copy_in_parts(
        &self,
        from: &S3Uri,
        info: &ObjectInfo,
        to: &S3Uri,
        onto: Onto,
    ) -> Result<bool> {
        // S3 looks at the name when all parts are there, which takes long.
        if onto == Onto::FreeName && self.head(to).await?.is_some() {
            return Ok(false);
        }
        let doing = format!("copying {from} to {to}");
        self.calls.count("CreateMultipartUpload");
        let mark = Mark::new();
        let create = self.client().create_multipart_upload().bucket(&to.bucket).key(&to.key);
        let upload = self.sent(create.metadata(MARK, &mark.0).send()).await;
        let upload = upload.map_err(|error| failure::read_failure(&doing, error))?;
        let id = upload.upload_id.unwrap_or_default();
        let copy = MultipartCopy { store: self, from, info, to, onto, id: &id, doing: &doing };
        let done = copy.run().await;
        self.ended_in_parts(to, &id, &mark, &doing, done).await
    }
}

/// What a copy may take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onto {
    AnyName,
    /// Nothing.
    FreeName,
}

/// The copy of a large object, which S3 puts together from parts.
struct MultipartCopy<'a> {
    store: &'a Store,
    from: &'a S3Uri,
    info: &'a ObjectInfo,
    to: &'a S3Uri,
    onto: Onto,
    /// The upload's id.
    id: &'a str,
    doing: &'a str,
}

impl MultipartCopy<'_> {
    async fn run(&self) -> Result<bool> {
        let mut parts = Vec::new();
        let starts = (0..self.info.size_bytes).step_by(COPY_PART_BYTES as usize);
        for (number, start) in (1..).zip(starts) {
            parts.push(self.copy_part(number, start).await?);
        }
        self.complete(parts).await
    }

    async fn copy_part(&self, number: i32, start: u64) -> Result<CompletedPart> {
        let (client, to) = (self.store.client(), self.to);
        self.store.calls.count("UploadPartCopy");
        // The range includes its last byte: `bytes=0-536870911` is the first part of 512 MiB.
        let end = (start + COPY_PART_BYTES).min(self.info.size_bytes) - 1;
        let request = client.upload_part_copy().bucket(&to.bucket).key(&to.key).upload_id(self.id);
        let request = request
            .part_number(number)
            .copy_source(copy_source(self.from))
            .copy_source_if_match(&self.info.etag)
            .copy_source_range(format!("bytes={start}-{end}"))
            .customize()
            .config_override(self.store.patient_copy(end + 1 - start));
        let part = match self.store.sent(request.send()).await {
            Ok(part) => part,
            Err(error) if failure::is_changed(&error) => return Err(replaced(self.from)),
            Err(error) => return Err(failure::read_failure(self.doing, error)),
        };
        let etag = part.copy_part_result.and_then(|result| result.e_tag);
        Ok(CompletedPart::builder().part_number(number).set_e_tag(etag).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<bool> {
        let (client, to) = (self.store.client(), self.to);
        self.store.calls.count("CompleteMultipartUpload");
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request =
            client.complete_multipart_upload().bucket(&to.bucket).key(&to.key).upload_id(self.id);
        let request = match self.onto {
            Onto::AnyName => request,
            Onto::FreeName => request.if_none_match(ANYTHING),
        };
        let request = request.multipart_upload(parts).customize();
        let request = request.config_override(self.store.patient_copy(self.info.size_bytes));
        match self.store.sent(request.send()).await {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) || failure::is_not_implemented(&error) => {
                Ok(false)
            }
            Err(error) => Err(failure::read_failure(self.doing, error)),
        }
    }
}

/// The source of a copy as the header wants it: `bucket/key`, percent-encoded.
fn copy_source(uri: &S3Uri) -> String {
    format!("{}/{}", uri.bucket, utf8_percent_encode(&uri.key, &ENCODED))
}

#[cfg(test)]
mod tests;
