//! Uploads at once and in parts.

use std::fs::File;

use super::*;
use crate::s3::fake::{object, on_runtime, refusal, scripted};

/// Uploads a file of so many bytes: what is asked for, and then how it ends.
fn uploaded(bytes: u64, answers: Vec<(&'static str, String)>) -> String {
    let path = std::env::temp_dir().join(format!("loader-upload-{}", uuid::Uuid::now_v7()));
    File::create(&path).unwrap().set_len(bytes).unwrap();
    let told = on_runtime(async {
        let (store, asked) = scripted(answers).await;
        let ended = match store.upload_new(&path, &S3Uri::new("b", "k")).await {
            Ok(done) => done.to_string(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let asked = asked.lock().unwrap().join(", ");
        format!("{asked}: {ended}")
    });
    std::fs::remove_file(&path).unwrap();
    told
}

#[test]
fn a_small_file_is_one_request_that_takes_a_free_name() {
    let told = [
        uploaded(5, vec![]),
        uploaded(5, vec![("PUT k if free", refusal(412, "PreconditionFailed"))]),
        uploaded(5, vec![("PUT k if free", refusal(501, "NotImplemented"))]),
        uploaded(5, vec![("PUT k if free", refusal(403, "AccessDenied"))]),
    ];
    assert_eq!(
        told,
        [
            "PUT k if free: true",
            "PUT k if free, HEAD k: false",
            "PUT k if free: false",
            "PUT k if free: Config",
        ]
    );
}

#[test]
fn a_file_of_one_part_is_one_request() {
    assert_eq!(uploaded(SINGLE_BYTES, vec![]), "PUT k if free: true");
}

#[test]
fn a_large_file_goes_in_parts() {
    let large = |mut answers: Vec<(&'static str, String)>| {
        answers.push(("HEAD k", refusal(404, "")));
        uploaded(SINGLE_BYTES + 1, answers)
    };
    let told = [
        large(vec![]),
        large(vec![("HEAD k", object("e", 5))]),
        large(vec![("CREATE", refusal(403, "AccessDenied"))]),
        large(vec![("PART 67108864", refusal(403, "AccessDenied"))]),
        large(vec![("COMPLETE if free", refusal(412, "PreconditionFailed"))]),
        large(vec![("COMPLETE if free", refusal(403, "AccessDenied"))]),
    ];
    assert_eq!(
        told,
        [
            "HEAD k, CREATE, PART 67108864, PART 1, COMPLETE if free: true",
            "HEAD k: false",
            "HEAD k, CREATE: Config",
            "HEAD k, CREATE, PART 67108864, HEAD k, ABORT: Config",
            "HEAD k, CREATE, PART 67108864, PART 1, COMPLETE if free, HEAD k, ABORT: false",
            "HEAD k, CREATE, PART 67108864, PART 1, COMPLETE if free, HEAD k, ABORT: Config",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_for_the_user_to_mend() {
    let error = on_runtime(async {
        let (store, _) = scripted(Vec::new()).await;
        store.upload_new(Path::new("/no/such/file"), &S3Uri::new("b", "k")).await.unwrap_err()
    });
    assert_eq!(error.kind(), Kind::Config);
}
