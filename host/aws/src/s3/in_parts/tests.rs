//! How uploads in parts end, and how those are found that have not.

use super::*;
use crate::s3::fake::{on_runtime, refusal, scripted, xml};

/// A page of uploads. `end`: what stands behind them.
fn page(uploads: &[(&str, &str)], end: &str) -> String {
    let upload = |(key, id): &(&str, &str)| {
        format!(
            "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>2025-01-31T10:30:00Z\
             </Initiated></Upload>"
        )
    };
    let uploads: String = uploads.iter().map(upload).collect();
    xml(&format!("<ListMultipartUploadsResult>{uploads}{end}</ListMultipartUploadsResult>"))
}

const MORE: &str = "<IsTruncated>true</IsTruncated>";
const BEHIND: &str = "<NextKeyMarker>p/a+b</NextKeyMarker><NextUploadIdMarker>u1\
                      </NextUploadIdMarker>";

#[test]
fn uploads_are_listed_to_the_last_page() {
    let found = |end: &str| {
        let (first, last) = (page(&[("p/a+b", "u1")], end), page(&[("p/c%2B", "u2")], ""));
        on_runtime(async {
            let (store, _) = scripted(vec![("UPLOADS", first), ("UPLOADS behind", last)]).await;
            let found = store.unfinished(&S3Uri::new("b", "p/")).await.unwrap();
            assert!(found.iter().all(|upload| upload.begun_at.is_some()));
            let found = found.iter().map(|upload| format!("{} {}", upload.uri, upload.id));
            found.collect::<Vec<_>>().join(", ")
        })
    };
    assert_eq!(found(&format!("{MORE}{BEHIND}")), "s3://b/p/a b u1, s3://b/p/c+ u2");
    assert_eq!(found(BEHIND), "s3://b/p/a b u1");
    assert_eq!(found(MORE), "s3://b/p/a b u1");
}

#[test]
fn an_upload_that_is_gone_is_given_up() {
    let ended = |status, code| {
        on_runtime(async {
            let (store, asked) = scripted(vec![("ABORT", refusal(status, code))]).await;
            let uri = S3Uri::new("b", "k");
            let upload = Unfinished { uri, id: "u".to_owned(), begun_at: None };
            let ended = store.give_up(&upload).await;
            assert_eq!(*asked.lock().unwrap(), ["ABORT"]);
            ended.is_ok()
        })
    };
    assert!(ended(204, ""));
    assert!(ended(404, "NoSuchUpload"));
    assert!(!ended(404, "NoSuchBucket"));
    assert!(!ended(403, "AccessDenied"));
}
