//! Uploads in parts.

use super::*;

const MIB: usize = 1024 * 1024;

struct Multipart<'a> {
    site: &'a Site,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Multipart<'_> {
    async fn start(site: &Site) -> Multipart<'_> {
        let created = site
            .s3
            .create_multipart_upload()
            .bucket(BUCKET)
            .key("big")
            .content_type("text/csv")
            .send()
            .await
            .unwrap();
        Multipart { site, id: created.upload_id.unwrap(), parts: Vec::new() }
    }

    async fn part(&mut self, number: i32, content: &[u8]) {
        let upload = self
            .site
            .s3
            .upload_part()
            .bucket(BUCKET)
            .key("big")
            .upload_id(&self.id)
            .part_number(number);
        let part = upload.body(ByteStream::from(content.to_vec())).send().await.unwrap();
        assert_eq!(part.e_tag(), Some(etag_of(content).as_str()));
        self.add(number, part.e_tag);
    }

    fn add(&mut self, number: i32, etag: Option<String>) {
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
    }

    async fn complete(&self) -> Result<String, String> {
        let upload =
            CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let complete = self
            .site
            .s3
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("big")
            .upload_id(&self.id)
            .multipart_upload(upload);
        let answer = complete.send().await;
        match answer {
            Ok(answer) => Ok(answer.e_tag.unwrap()),
            Err(error) => Err(refusal(Err::<(), _>(error))),
        }
    }
}

#[tokio::test]
async fn parts_become_one_object() {
    let site = Site::new().await;
    let content: Vec<u8> = (0..11 * MIB).map(|i| u8::try_from(i % 253).unwrap()).collect();
    site.put("source", &content).await;
    let mut multipart = Multipart::start(&site).await;
    multipart.part(1, &content[..5 * MIB]).await;
    let copy = site
        .s3
        .upload_part_copy()
        .bucket(BUCKET)
        .key("big")
        .upload_id(&multipart.id)
        .part_number(2)
        .copy_source("demo/source");
    let copied =
        copy.copy_source_range(format!("bytes={}-{}", 5 * MIB, 10 * MIB - 1)).send().await.unwrap();
    multipart.add(2, copied.copy_part_result.unwrap().e_tag);
    multipart.part(7, &content[10 * MIB..]).await;
    assert_eq!(site.keys("").await, ["source"]);
    let listed = site
        .s3
        .list_parts()
        .bucket(BUCKET)
        .key("big")
        .upload_id(&multipart.id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        listed.parts().iter().map(|part| part.part_number().unwrap()).collect::<Vec<_>>(),
        [1, 2, 7]
    );
    let under_way = site.s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(under_way.uploads()[0].upload_id(), Some(multipart.id.as_str()));

    let etag = multipart.complete().await.unwrap();
    let parts =
        [&content[..5 * MIB], &content[5 * MIB..10 * MIB], &content[10 * MIB..]].map(Md5::checksum);
    assert_eq!(etag, format!("\"{}-3\"", hex(&Md5::checksum(&parts.concat()))));
    assert_eq!(site.get("big").await, content);
    let head = site.s3.head_object().bucket(BUCKET).key("big").send().await.unwrap();
    assert_eq!((head.e_tag(), head.content_type()), (Some(etag.as_str()), Some("text/csv")));
    assert_eq!(multipart.complete().await, Err("404 NoSuchUpload".to_owned()));

    // Its copy is one piece, and is named so.
    let copy = site
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source("demo/big")
        .copy_source_if_match(&etag)
        .send()
        .await
        .unwrap();
    assert_eq!(copy.copy_object_result().unwrap().e_tag(), Some(etag_of(&content).as_str()));
    assert_eq!(site.head_etag("copy").await, etag_of(&content));
}

#[tokio::test]
async fn parts_that_do_not_fit_are_refused() {
    let site = Site::new().await;
    let mut multipart = Multipart::start(&site).await;
    multipart.part(1, b"short").await;
    multipart.part(2, b"shorter").await;
    assert_eq!(multipart.complete().await, Err("400 EntityTooSmall".to_owned()));
    multipart.parts.reverse();
    assert_eq!(multipart.complete().await, Err("400 InvalidPartOrder".to_owned()));
    multipart.parts =
        vec![CompletedPart::builder().part_number(1).e_tag(etag_of(b"other")).build()];
    assert_eq!(multipart.complete().await, Err("400 InvalidPart".to_owned()));
    multipart.parts.clear();
    // A part that is sent again replaces the first.
    multipart.part(1, b"again").await;
    multipart.complete().await.unwrap();
    assert_eq!(site.get("big").await, b"again");

    let aborted = Multipart::start(&site).await;
    site.s3
        .abort_multipart_upload()
        .bucket(BUCKET)
        .key("big")
        .upload_id(&aborted.id)
        .send()
        .await
        .unwrap();
    let part =
        site.s3.upload_part().bucket(BUCKET).key("big").upload_id(&aborted.id).part_number(1);
    assert_eq!(refusal(part.body(ByteStream::from_static(b"x")).send().await), "404 NoSuchUpload");
    assert_eq!(fs::read_dir(site.dir.path().join(".loader/s3/uploads")).unwrap().count(), 0);
}
