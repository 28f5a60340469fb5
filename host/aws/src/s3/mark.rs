//! A mark on an object that is written under a free name, by which its writer knows it again. When
//! the answer to such a write is lost and the request is sent again, S3 says that the name is
//! taken: the mark says by whom.

use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::store::Store;

/// The name of the mark among the object's metadata.
pub(super) const MARK: &str = "loader-write";

/// One write.
pub(super) struct Mark(pub(super) String);

impl Mark {
    pub(super) fn new() -> Mark {
        Mark(uuid::Uuid::now_v7().simple().to_string())
    }
}

impl Store {
    /// Whether the object of that name is the one of this write. Where it may not be looked at, it
    /// is taken for another one: a writer needs no right to read.
    pub(super) async fn is_marked(&self, uri: &S3Uri, mark: &Mark) -> Result<bool> {
        self.calls.count("HeadObject");
        let head = self.client().head_object().bucket(&uri.bucket).key(&uri.key);
        match self.sent(head.send()).await {
            Ok(head) => {
                let marks = head.metadata.unwrap_or_default();
                Ok(marks.get(MARK) == Some(&mark.0))
            }
            Err(error) if failure::is_missing(&error) => Ok(false),
            Err(error) if failure::status(&error) == Some(403) => Ok(false),
            Err(error) => Err(failure::read_failure(&format!("looking at {uri}"), error)),
        }
    }
}
