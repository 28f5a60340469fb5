//! Decompression by the file's name, and the error when the stream breaks off.
//!
//! In: the file as it is stored. Out: its content.

use std::io::{self, BufReader, Read};

use loader_model::error::{Error, Kind};

/// Decompresses by suffix: .gz, .zst, .bz2; other files are read as they are. For example,
/// `orders.CSV.GZ` is decompressed as gzip.
///
/// Blocks: a decoder may read as soon as it is made (gzip's reads its header).
// The `Multi` decoders read on after the end of the first stream. `cat a.gz b.gz > ab.gz` makes a
// file of two streams, and a plain decoder would silently lose the second one.
pub fn decompress(name: &str, stored: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let lower = name.to_lowercase();
    if lower.ends_with(".gz") {
        Box::new(flate2::read::MultiGzDecoder::new(stored))
    } else if lower.ends_with(".bz2") {
        Box::new(bzip2::read::MultiBzDecoder::new(stored))
    } else if lower.ends_with(".zst") {
        match zstd::Decoder::new(stored) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(FailedStart(Some(error))),
        }
    } else {
        Box::new(BufReader::with_capacity(1 << 20, stored))
    }
}

/// Makes an error of a failed read. `Transient`: the connection to the store broke, as the reader
/// in `loader-aws` reports by `ConnectionReset`. `Data`: the content cannot be decompressed.
pub(crate) fn read_failure(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Error::new(Kind::Transient, error.to_string()),
        _ => Error::new(
            Kind::Data,
            format!("the file cannot be decompressed as its name asks for: {error}"),
        ),
    }
}

/// A decoder that could not start. The first read from it gives the error, so that `decompress`
/// itself cannot fail.
struct FailedStart(Option<io::Error>);

impl Read for FailedStart {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(name: &str, bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompress(name, io::Cursor::new(bytes)).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn compression_goes_by_the_suffix() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"a,b\n").expect("writes");
        assert_eq!(through("x.CSV.GZ", gz.finish().expect("ends")).expect("reads"), "a,b\n");
        let zst = zstd::encode_all(&b"a,b\n"[..], 1).expect("encodes");
        assert_eq!(through("x.csv.zst", zst).expect("reads"), "a,b\n");
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(b"a,b\n").expect("writes");
        assert_eq!(through("x.bz2", bz2.finish().expect("ends")).expect("reads"), "a,b\n");
        assert_eq!(through("x.csv", b"a,b\n".to_vec()).expect("reads"), "a,b\n");
        assert!(through("x.gz", b"a,b\n".to_vec()).is_err());
    }
}
