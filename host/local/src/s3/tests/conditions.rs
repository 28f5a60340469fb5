//! Requests with conditions, alone and in a crowd.

use super::*;

#[tokio::test]
async fn a_write_happens_only_under_its_conditions() {
    let site = Site::new().await;
    let put = |content: &'static [u8]| {
        site.s3.put_object().bucket(BUCKET).key("x").body(ByteStream::from_static(content))
    };
    put(b"1").if_none_match("*").send().await.unwrap();
    assert_eq!(refusal(put(b"2").if_none_match("*").send().await), "412 PreconditionFailed");
    assert_eq!(refusal(put(b"2").if_match(etag_of(b"9")).send().await), "412 PreconditionFailed");
    put(b"2").if_match(etag_of(b"1")).send().await.unwrap();
    assert_eq!(site.get("x").await, b"2");
    assert_eq!(refusal(put(b"3").key("y").if_match(etag_of(b"2")).send().await), "404 NoSuchKey");
    // The same for what came by hand.
    site.by_hand("x", b"hand");
    assert_eq!(refusal(put(b"3").if_match(etag_of(b"2")).send().await), "412 PreconditionFailed");
    put(b"3").if_match(etag_of(b"hand")).send().await.unwrap();
}

#[tokio::test]
async fn of_many_writers_that_want_to_be_first_one_is() {
    let site = Site::new().await;
    let tries = (0..16).map(|i| {
        let put = site
            .s3
            .put_object()
            .bucket(BUCKET)
            .key("lock")
            .if_none_match("*")
            .body(ByteStream::from(vec![i; 100_000]));
        async move { put.send().await.is_ok() }
    });
    let won = futures::future::join_all(tries).await;
    assert_eq!(won.iter().filter(|&&won| won).count(), 1);
    let winner = u8::try_from(won.iter().position(|&won| won).unwrap()).unwrap();
    assert_eq!(site.get("lock").await, vec![winner; 100_000]);
}

#[tokio::test]
async fn reads_copies_and_deletes_only_under_their_conditions() {
    let site = Site::new().await;
    let etag = site.put("x", b"1").await;
    let get = || site.s3.get_object().bucket(BUCKET).key("x");
    assert_eq!(refusal(get().if_match(etag_of(b"2")).send().await), "412 PreconditionFailed");
    assert_eq!(refusal(get().if_none_match(&etag).send().await).split(' ').next(), Some("304"));
    let head = site.s3.head_object().bucket(BUCKET).key("x").if_match(etag_of(b"2"));
    assert_eq!(refusal(head.send().await).split(' ').next(), Some("412"));

    let copy = |etag: String| {
        site.s3
            .copy_object()
            .bucket(BUCKET)
            .key("y")
            .copy_source("demo/x")
            .copy_source_if_match(etag)
    };
    assert_eq!(refusal(copy(etag_of(b"2")).send().await), "412 PreconditionFailed");
    copy(etag.clone()).send().await.unwrap();

    let delete = |etag: String| site.s3.delete_object().bucket(BUCKET).key("x").if_match(etag);
    assert_eq!(refusal(delete(etag_of(b"2")).send().await), "412 PreconditionFailed");
    assert!(site.file("x").exists());
    delete(etag.clone()).send().await.unwrap();
    assert!(!site.file("x").exists());
    delete(etag).send().await.unwrap();
}
