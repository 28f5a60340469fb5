//! The way of tasks to S3.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use loader_aws::s3::{ObjectInfo, Store};
use loader_data::stored::{Access, StoredObject};
use loader_model::error::Result;
use loader_model::names::S3Uri;
use tokio::runtime::Handle;

use crate::data_path::object_reader;
use crate::progress::Progress;

/// S3, for threads that may block.
#[derive(Clone)]
pub(crate) struct StoreAccess {
    store: Store,
    runtime: Handle,
}

impl StoreAccess {
    pub(crate) fn new(store: Store, runtime: Handle) -> StoreAccess {
        StoreAccess { store, runtime }
    }
}

impl Access for StoreAccess {
    fn read(&self, object: &StoredObject, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        let info = ObjectInfo {
            etag: object.etag.clone(),
            size_bytes: object.size_bytes,
            version_id: None,
        };
        let bytes = range.end - range.start;
        let body = self.store.read_part(&object.uri, &info, range);
        // The download runs in a task of the runtime.
        let _entered = self.runtime.enter();
        Ok(Box::new(object_reader::of_body(body, bytes, Progress::hidden())))
    }

    fn write(&self, path: &Path, to: &S3Uri) -> Result<u64> {
        self.runtime.block_on(self.store.write_file(to, path))
    }
}
