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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::s3::fake::{self, on_runtime};

    /// Writes to an S3 whose answer to the first attempt is lost, and which then says that the name
    /// is taken. `answer`: from the mark of the write to what S3 says of the object. `None`: the
    /// write has failed.
    fn written(answer: fn(&str) -> String) -> Option<bool> {
        on_runtime(async {
            let marks: Mutex<Vec<String>> = Mutex::default();
            let store = fake::store("us-east-1", move |head| {
                let mut marks = marks.lock().unwrap();
                if head[0].starts_with("HEAD ") {
                    return answer(&marks[0]);
                }
                let mark =
                    head.iter().find_map(|line| line.strip_prefix("x-amz-meta-loader-write: "));
                marks.extend(mark.map(str::to_owned));
                let status = if marks.len() == 1 { "500 Lost" } else { "412 Taken" };
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
            });
            let uri = S3Uri::new("b", "k");
            store.await.write_new(&uri, b"rows".to_vec()).await.ok()
        })
    }

    #[test]
    fn a_write_whose_answer_was_lost_knows_its_own_object() {
        let with_mark: fn(&str) -> String = |mark| {
            format!(
                "HTTP/1.1 200 OK\r\nx-amz-meta-loader-write: {mark}\r\nContent-Length: 4\r\n\r\n"
            )
        };
        assert_eq!(written(with_mark), Some(true));
        assert_eq!(written(|_| fake::object("e", 4)), Some(false));
        assert_eq!(written(|_| fake::refusal(403, "")), Some(false));
        assert_eq!(written(|_| fake::refusal(404, "")), Some(false));
        assert_eq!(written(|_| fake::refusal(400, "")), None);
    }
}
