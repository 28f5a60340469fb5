//! What is asked for to delete objects, and which refusals are none.

use super::*;
use crate::s3::fake::{on_runtime, refusal, scripted, xml};

const DENIED: &str = "<Error><Key>k1</Key><Code>AccessDenied</Code></Error>";

fn answer(errors: &str) -> Vec<(&'static str, String)> {
    vec![("DELETE several", xml(&format!("<DeleteResult>{errors}</DeleteResult>")))]
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("k{n}")).collect()
}

#[test]
fn keys_go_by_the_thousand() {
    let asked = |count: usize| {
        on_runtime(async {
            let (store, asked) = scripted(answer("")).await;
            store.delete_keys(&S3Uri::new("b", "p/"), &keys(count)).await.unwrap();
            asked.lock().unwrap().len()
        })
    };
    assert_eq!([0, 1, 1000, 1001].map(asked), [0, 1, 1, 2]);
}

#[test]
fn a_key_that_cannot_be_deleted_is_told() {
    on_runtime(async {
        let (store, _) = scripted(answer(DENIED)).await;
        let refused = store.delete_keys(&S3Uri::new("b", "p/"), &keys(2)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Transient);
        assert_eq!(refused.to_string(), "deleting below s3://b/p/ failed for k1: AccessDenied");
    });
}

#[test]
fn all_objects_below_a_prefix_are_counted() {
    let listed = "<ListBucketResult><Contents><Key>p/1</Key></Contents><Contents><Key>p/2</Key>\
                  </Contents></ListBucketResult>";
    on_runtime(async {
        let mut answers = answer("");
        answers.push(("GET ", xml(listed)));
        let (store, asked) = scripted(answers).await;
        assert_eq!(store.delete_all(&S3Uri::new("b", "p/")).await.unwrap(), 2);
        assert_eq!(*asked.lock().unwrap(), ["GET ", "DELETE several"]);
    });
}

#[test]
fn of_unchanged_objects_those_are_told_that_are_still_there() {
    let errors = "<Error><Key>gone</Key><Code>NoSuchKey</Code></Error>\
                  <Error><Key>new</Key><Code>PreconditionFailed</Code></Error>\
                  <Error><Key>k1</Key><Code>AccessDenied</Code></Error>";
    let (uri, etag) = (S3Uri::new("b", "k"), "e".to_owned());
    let info = ObjectInfo { etag, version_id: None, size_bytes: 5 };
    on_runtime(async {
        let (store, _) = scripted(answer(errors)).await;
        let told = store.delete_all_unchanged("b", &[(&uri, &info)]).await.unwrap();
        let told: Vec<String> = told.iter().map(Error::to_string).collect();
        assert_eq!(
            told,
            [
                "s3://b/new was replaced while it was being loaded; the new file was left alone, \
                 run again for it",
                "deleting 1 objects of s3://b failed for k1: AccessDenied",
            ]
        );
    });
}

#[test]
fn an_object_that_is_gone_counts_as_deleted() {
    let ended = |name: &'static str, status, code| {
        on_runtime(async {
            let (store, _) = scripted(vec![(name, refusal(status, code))]).await;
            let uri = S3Uri::new("b", "k");
            let info = ObjectInfo { etag: "e".to_owned(), version_id: None, size_bytes: 5 };
            let ended = match name {
                "DELETE k" => store.delete(&uri).await,
                _ => store.delete_unchanged(&uri, &info).await,
            };
            ended.map_or_else(|error| format!("{:?}", error.kind()), |()| "done".to_owned())
        })
    };
    assert_eq!(ended("DELETE k", 404, "NoSuchKey"), "done");
    assert_eq!(ended("DELETE k", 403, "AccessDenied"), "Config");
    assert_eq!(ended("DELETE k if same", 404, "NoSuchKey"), "done");
    assert_eq!(ended("DELETE k if same", 412, "PreconditionFailed"), "Transient");
    assert_eq!(ended("DELETE k if same", 403, "AccessDenied"), "Config");
    assert_eq!(ended("another", 200, ""), "done");
}
