//! MD5 digests and their text, which ETags are made of. In: bytes and files; out: digests. S3 asks
//! for MD5; nothing here serves security.

use std::fs::File;
use std::io::{self, Read};

use s3s::crypto::{Checksum as _, Md5};

pub(crate) const MD5_OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The MD5 of a file from its current position to its end.
pub(crate) fn md5_of(mut file: &File) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(md5.finalize()),
            n => md5.update(&buffer[..n]),
        }
    }
}

/// The ETag of a multipart object: the MD5 over the MD5s of its parts (16 bytes each, not their
/// text), then the number of parts. An object of three parts has an ETag such as `9b2c…-3`.
pub(crate) fn multipart_etag(parts: &[[u8; 16]]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether the text is the base64 of these bytes.
// Three bytes are 24 bits, which are four digits of 6 bits. A last group of n bytes is shifted up
// to 24 bits and gives n + 1 digits; `=` fills the rest. For example, "fo" is "Zm8=".
pub(crate) fn base64_is(text: &str, bytes: &[u8]) -> bool {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0u32, |value, &byte| value << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let sextet = usize::try_from(value >> (18 - 6 * place) & 63).unwrap_or_default();
            encoded.push(if place <= group.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    encoded == text.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert!(base64_is(text, bytes.as_bytes()), "{bytes}");
        }
        assert!(!base64_is("Zm9v", b"fop"));
    }
}
