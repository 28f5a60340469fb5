//! Names: buckets, keys, folders, pages.

use super::*;

#[tokio::test]
async fn buckets_are_folders() {
    let site = Site::new().await;
    site.s3.create_bucket().bucket("second").send().await.unwrap();
    site.s3.create_bucket().bucket("second").send().await.unwrap();
    fs::create_dir(site.dir.path().join("third")).unwrap();
    fs::write(site.dir.path().join("loose.csv"), "").unwrap();
    let names = |buckets: &[aws_sdk_s3::types::Bucket]| {
        buckets.iter().map(|bucket| bucket.name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(site.s3.list_buckets().send().await.unwrap().buckets()),
        ["demo", "second", "third"]
    );
    site.s3.head_bucket().bucket("third").send().await.unwrap();
    site.put("x", b"1").await;
    assert_eq!(refusal(site.s3.delete_bucket().bucket(BUCKET).send().await), "409 BucketNotEmpty");
    site.s3.delete_bucket().bucket("second").send().await.unwrap();
    assert!(!site.dir.path().join("second").exists());
}

#[tokio::test]
async fn listings_page_to_the_end() {
    let site = Site::new().await;
    for i in 0..2_503 {
        site.by_hand(&format!("data/in/{i:05}.csv"), b"");
    }
    let mut pages =
        site.s3.list_objects_v2().bucket(BUCKET).prefix("data/").into_paginator().send();
    let mut sizes = Vec::new();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.key_count().unwrap());
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!(sizes, [1000, 1000, 503]);
    assert_eq!(keys, (0..2_503).map(|i| format!("data/in/{i:05}.csv")).collect::<Vec<_>>());

    let after = site
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .start_after("data/in/02500.csv")
        .send()
        .await
        .unwrap();
    assert_eq!(after.contents().len(), 2);
    let wrong = site.s3.list_objects_v2().bucket(BUCKET).continuation_token("bogus").send().await;
    assert_eq!(refusal(wrong), "400 InvalidArgument");

    let missing = "data/in/none".to_owned();
    let all = keys
        .iter()
        .take(1000)
        .chain([&missing])
        .map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let batch = |keys: Vec<ObjectIdentifier>| {
        let delete = Delete::builder().set_objects(Some(keys)).build().unwrap();
        site.s3.delete_objects().bucket(BUCKET).delete(delete).send()
    };
    assert_eq!(refusal(batch(all.clone().collect()).await), "400 MalformedXML");
    let deleted = batch(all.skip(1).collect()).await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (1000, 0));
    assert_eq!(site.keys("data/in/00").await, ["data/in/00000.csv"]);
}

#[tokio::test]
async fn folders_are_seen_through_delimiters_only() {
    let site = Site::new().await;
    for key in ["data/in/a.csv", "data/in/a.csv.1", "data/in/b/c", "data/out", "z"] {
        site.put(key, b"").await;
    }
    assert_eq!(site.keys("data/in/a.csv").await, ["data/in/a.csv", "data/in/a.csv.1"]);
    let page = site
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("data/in/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let prefixes: Vec<_> =
        page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap()).collect();
    assert_eq!(
        (prefixes, page.contents().len(), page.key_count()),
        (vec!["data/in/b/"], 2, Some(3))
    );
    let page =
        site.s3.list_objects().bucket(BUCKET).delimiter("/").max_keys(1).send().await.unwrap();
    assert_eq!((page.next_marker(), page.is_truncated()), (Some("data/"), Some(true)));
    let page =
        site.s3.list_objects().bucket(BUCKET).delimiter("/").marker("data/").send().await.unwrap();
    assert_eq!((page.contents()[0].key(), page.is_truncated()), (Some("z"), Some(false)));

    // Deleting the last object takes the folder with it, and the bucket stays, as does a folder
    // that a person made.
    fs::create_dir(site.file("mine")).unwrap();
    site.put("mine/a/x", b"").await;
    site.s3.delete_object().bucket(BUCKET).key("mine/a/x").send().await.unwrap();
    assert!(!site.file("mine/a").exists());
    fs::remove_dir(site.file("mine")).unwrap();
    for key in ["data/in/a.csv", "data/in/a.csv.1", "data/in/b/c", "data/out", "z"] {
        site.s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert_eq!(fs::read_dir(site.file("")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_made_as_an_object_is_one() {
    let site = Site::new().await;
    site.put("in/", b"").await;
    fs::create_dir(site.file("by-hand")).unwrap();
    assert_eq!(site.keys("").await, ["in/"]);
    assert_eq!(site.head_etag("in/").await, etag_of(b""));
    assert_eq!(site.get("in/").await, b"");
    site.put("in/x", b"1").await;
    site.s3.delete_object().bucket(BUCKET).key("in/x").send().await.unwrap();
    assert_eq!(site.keys("").await, ["in/"]);
    site.s3.delete_object().bucket(BUCKET).key("in/").send().await.unwrap();
    assert_eq!(site.keys("").await, [""; 0]);
    assert!(!site.file("in").exists());
}

#[tokio::test]
async fn any_name_that_a_file_can_have() {
    let site = Site::new().await;
    for key in [
        "in/a b+c%20d.csv",
        "ünïcödé/日本.csv",
        "q?x=1&y=#z",
        "a'b\"<c>;,@$!*()",
        ".hidden",
        "x\ty",
    ] {
        let etag = site.put(key, key.as_bytes()).await;
        assert_eq!(site.get(key).await, key.as_bytes());
        assert!(site.file(key).is_file(), "{key}");
        assert_eq!(site.keys(key).await, [key]);
        let source: String = format!("{BUCKET}/{}", super::super::list::url_encode(key));
        let copy = site
            .s3
            .copy_object()
            .bucket(BUCKET)
            .key(format!("copy/{key}"))
            .copy_source(source)
            .send()
            .await
            .unwrap();
        assert_eq!(copy.copy_object_result().unwrap().e_tag(), Some(etag.as_str()));
        site.s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert!(!site.file(key).exists(), "{key}");
    }
}

#[tokio::test]
async fn a_key_that_no_file_can_have_is_refused() {
    let site = Site::new().await;
    site.put("a", b"1").await;
    site.put("b/c", b"1").await;
    for key in ["x//y", "x/../y", &"s".repeat(256), "a/b", "b"] {
        let put = site.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"2"));
        assert_eq!(refusal(put.send().await), "400 InvalidRequest", "{key}");
    }
    assert_eq!(site.keys("").await, ["a", "b/c"]);
}
