//! What is asked for to copy and to move, in which order, and how it ends.

use super::*;
use crate::s3::fake::{object, on_runtime, refusal, scripted};

#[test]
fn copy_sources_are_encoded() {
    let uri = S3Uri::new("b", "data/in/a b+c%ä.csv");
    assert_eq!(copy_source(&uri), "b/data/in/a%20b%2Bc%25%C3%A4.csv");
}

const GIB: u64 = 1024 * 1024 * 1024;

const REPLACED: &str = "s3://b/from was replaced while it was being loaded; the new file was left \
                        alone, run again for it";
const NOT_WHOLE: &str = "the copy s3://b/to of s3://b/from is not whole; the source was kept";
const DENIED: &str = "copying s3://b/from to s3://b/to failed: AccessDenied";

type Answers = Vec<(&'static str, String)>;
type Doing = for<'a> fn(&'a Store, &'a S3Uri, &'a ObjectInfo, &'a S3Uri) -> Moving<'a>;
type Moving<'a> = std::pin::Pin<Box<dyn Future<Output = Result<bool>> + 'a>>;

/// What is asked for, and then how it ends.
fn done(doing: Doing, size_bytes: u64, answers: Answers) -> String {
    let (from, to) = (S3Uri::new("b", "from"), S3Uri::new("b", "to"));
    let info = ObjectInfo { etag: "e".to_owned(), version_id: None, size_bytes };
    on_runtime(async {
        let (store, asked) = scripted(answers).await;
        let ended = match doing(&store, &from, &info, &to).await {
            Ok(done) => done.to_string(),
            Err(error) => {
                let error = error.to_string();
                error.split_once(": no further").map_or(error.clone(), |(fact, _)| fact.to_owned())
            }
        };
        let asked = asked.lock().unwrap().join(", ");
        format!("{asked}: {ended}")
    })
}

fn moved(answers: Answers) -> String {
    done(|store, from, info, to| Box::pin(store.move_object(from, info, to)), 5, answers)
}

fn moved_to_free_name(answers: Answers) -> String {
    done(|store, from, info, to| Box::pin(store.move_to_free_name(from, info, to)), 5, answers)
}

fn copied_new(size_bytes: u64, answers: Answers) -> String {
    let copy: Doing = |store, from, info, to| Box::pin(store.copy_new(from, info, to));
    done(copy, size_bytes, answers)
}

fn copied(size_bytes: u64, answers: Answers) -> String {
    let copy: Doing = |store, from, info, to| {
        Box::pin(async move { store.copy_of_any_size(from, info, to).await.map(|()| true) })
    };
    done(copy, size_bytes, answers)
}

#[test]
fn a_source_goes_when_its_copy_is_whole() {
    let from = || ("HEAD from", object("e", 5));
    let told = [
        moved(vec![from(), ("HEAD to", object("c", 5))]),
        moved(vec![("HEAD from", refusal(404, ""))]),
        moved(vec![("HEAD from", object("other", 5))]),
        moved(vec![from(), ("HEAD to", object("c", 4))]),
        moved(vec![from(), ("HEAD to", refusal(404, ""))]),
        moved(vec![from(), ("COPY if same", refusal(412, "PreconditionFailed"))]),
        moved(vec![from(), ("COPY if same", refusal(403, "AccessDenied"))]),
    ];
    assert_eq!(
        told,
        [
            "HEAD from, COPY if same, HEAD to, DELETE from if same: true",
            "HEAD from: false",
            &format!("HEAD from: {REPLACED}"),
            &format!("HEAD from, COPY if same, HEAD to: {NOT_WHOLE}"),
            &format!("HEAD from, COPY if same, HEAD to: {NOT_WHOLE}"),
            &format!("HEAD from, COPY if same: {REPLACED}"),
            &format!("HEAD from, COPY if same: {DENIED}"),
        ]
    );
}

#[test]
fn a_free_name_is_taken_by_the_copy_or_by_nothing() {
    let copy = |status, code| ("COPY if same and free", refusal(status, code));
    let taken = || copy(412, "PreconditionFailed");
    let told = [
        moved_to_free_name(vec![]),
        moved_to_free_name(vec![taken(), ("HEAD to", object("e", 5))]),
        moved_to_free_name(vec![taken(), ("HEAD to", object("other", 6))]),
        moved_to_free_name(vec![
            taken(),
            ("HEAD to", object("other", 5)),
            ("HEAD from", refusal(404, "")),
        ]),
        moved_to_free_name(vec![
            taken(),
            ("HEAD to", refusal(404, "")),
            ("HEAD from", refusal(404, "")),
        ]),
    ];
    assert_eq!(
        told,
        [
            "COPY if same and free, DELETE from if same: true",
            "COPY if same and free, HEAD to, DELETE from if same: true",
            "COPY if same and free, HEAD to: false",
            "COPY if same and free, HEAD to, HEAD from: false",
            "COPY if same and free, HEAD to, HEAD from: false",
        ]
    );
    let told = [
        copied_new(5, vec![]),
        copied_new(5, vec![taken()]),
        copied_new(5, vec![copy(404, "NoSuchKey")]),
        copied_new(5, vec![copy(501, "NotImplemented")]),
        copied_new(5, vec![copy(403, "AccessDenied")]),
    ];
    assert_eq!(
        told,
        [
            "COPY if same and free: true",
            "COPY if same and free: false",
            "COPY if same and free: false",
            "COPY if same and free: false",
            &format!("COPY if same and free: {DENIED}"),
        ]
    );
}

#[test]
fn an_object_is_copied_in_parts_where_one_request_does_not_take_it() {
    assert_eq!(copied(5 * GIB, vec![]), "COPY if same: true");
    let told = copied(5 * GIB + 1, vec![]);
    let begun = "CREATE, COPY bytes=0-536870911 if same, COPY bytes=536870912-1073741823 if same";
    assert!(told.starts_with(begun), "{told}");
    let ended = "COPY bytes=5368709120-5368709120 if same, COMPLETE: true";
    assert!(told.ends_with(ended), "{told}");
    assert_eq!(told.matches("COPY").count(), 11);
    let (range, changed) = ("COPY bytes=536870912-1073741823 if same", "PreconditionFailed");
    let told = [
        copied(5 * GIB + 1, vec![(range, refusal(412, changed)), ("HEAD to", refusal(404, ""))]),
        copied(
            5 * GIB + 1,
            vec![(range, refusal(403, "AccessDenied")), ("HEAD to", refusal(404, ""))],
        ),
        copied(5 * GIB + 1, vec![("CREATE", refusal(403, "AccessDenied"))]),
    ];
    assert_eq!(
        told,
        [
            format!("{begun}, HEAD to, ABORT: {REPLACED}"),
            format!("{begun}, HEAD to, ABORT: {DENIED}"),
            format!("CREATE: {DENIED}"),
        ]
    );
}

#[test]
fn a_large_copy_takes_a_free_name_or_gives_its_parts_up() {
    let of = |mut answers: Answers| {
        answers.push(("HEAD to", refusal(404, "")));
        let told = copied_new(5 * GIB + 1, answers);
        let parts = |step: &&str| !step.starts_with("COPY");
        told.split(", ").filter(parts).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(copied_new(5 * GIB, vec![]), "COPY if same and free: true");
    let end = |status, code| vec![("COMPLETE if free", refusal(status, code))];
    let told = [
        of(vec![]),
        of(vec![("HEAD to", object("other", 5))]),
        of(end(412, "PreconditionFailed")),
        of(end(501, "NotImplemented")),
        of(end(403, "AccessDenied")),
    ];
    assert_eq!(
        told,
        [
            "HEAD to, CREATE, COMPLETE if free: true",
            "HEAD to: false",
            "HEAD to, CREATE, COMPLETE if free, HEAD to, ABORT: false",
            "HEAD to, CREATE, COMPLETE if free, HEAD to, ABORT: false",
            &format!("HEAD to, CREATE, COMPLETE if free, HEAD to, ABORT: {DENIED}"),
        ]
    );
}
