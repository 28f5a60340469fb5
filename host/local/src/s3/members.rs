//! Members that several of S3's requests and answers share. The crate `s3s` gives each request a
//! type of its own, and these types have no trait in common; so macros read and write the members
//! by name.

/// The [`Claims`](super::spool::Claims) of a request about its body.
macro_rules! claims {
    ($input:ident, $trailers:expr) => {
        $crate::s3::spool::Claims {
            md5: $input.content_md5,
            algorithm: $input.checksum_algorithm,
            checksum: s3s::dto::Checksum {
                checksum_crc32: $input.checksum_crc32,
                checksum_crc32c: $input.checksum_crc32c,
                checksum_crc64nvme: $input.checksum_crc64nvme,
                checksum_sha1: $input.checksum_sha1,
                checksum_sha256: $input.checksum_sha256,
                checksum_type: None,
            },
            trailers: $trailers,
        }
    };
}

/// The attributes that a request gives to its object:
/// [`Attributes`](super::records::Attributes).
macro_rules! attributes {
    ($input:ident, $content_encoding:expr, $checksums:expr) => {
        $crate::s3::records::Attributes {
            content_type: $input.content_type,
            content_encoding: $content_encoding,
            content_disposition: $input.content_disposition,
            content_language: $input.content_language,
            cache_control: $input.cache_control,
            metadata: $input.metadata.into_iter().flatten().collect(),
            checksums: $checksums,
        }
    };
}

/// The conditions on an object that is written.
macro_rules! change_conditions {
    ($input:ident) => {
        $crate::s3::conditions::Conditions {
            if_match: $input.if_match,
            if_none_match: $input.if_none_match,
            ..Default::default()
        }
    };
}

/// The conditions on an object that is read.
macro_rules! read_conditions {
    ($input:ident) => {
        $crate::s3::conditions::Conditions {
            if_match: $input.if_match,
            if_none_match: $input.if_none_match,
            if_modified_since: $input.if_modified_since,
            if_unmodified_since: $input.if_unmodified_since,
            ..Default::default()
        }
    };
}

/// The conditions on the source of a copy.
macro_rules! source_conditions {
    ($input:ident) => {
        $crate::s3::conditions::Conditions {
            if_match: $input.copy_source_if_match,
            if_none_match: $input.copy_source_if_none_match,
            if_modified_since: $input.copy_source_if_modified_since,
            if_unmodified_since: $input.copy_source_if_unmodified_since,
            ..Default::default()
        }
    };
}

/// An answer of this type with the checksums of `$checksum`, and nothing else.
macro_rules! with_checksums {
    ($answer:ident, $checksum:expr) => {
        $answer {
            checksum_crc32: $checksum.checksum_crc32,
            checksum_crc32c: $checksum.checksum_crc32c,
            checksum_crc64nvme: $checksum.checksum_crc64nvme,
            checksum_sha1: $checksum.checksum_sha1,
            checksum_sha256: $checksum.checksum_sha256,
            ..Default::default()
        }
    };
}

pub(super) use {
    attributes, change_conditions, claims, read_conditions, source_conditions, with_checksums,
};
