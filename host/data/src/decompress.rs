//! Decompression by the file's first bytes, and the error when the stream breaks off.
//!
//! In: the file as it is stored. Out: its content, which is text.

mod format;

use std::io::{self, BufReader, Cursor, Read};

use loader_model::error::{Error, Kind, Result};

use format::{Codec, Foreign, Format, HEAD_BYTES};

/// Decompresses gzip, zstd and bzip2; other files are read as they are. The file's name does not
/// matter: `orders.csv` may be gzip, and `orders.csv.gz` text.
///
/// Blocks: it reads the first bytes. Errors: `Data`, for a file that is known to be no CSV (a
/// workbook, a Parquet file, UTF-32) or is compressed twice; those of reading.
pub fn decompress(stored: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    let (format, stored) = look(stored)?;
    let (codec, content): (Codec, Box<dyn Read + Send>) = match format {
        Format::Text => return Ok(Box::new(BufReader::with_capacity(1 << 20, stored))),
        Format::Foreign(foreign) => return Err(refusal(foreign)),
        Format::Compressed(codec) => (codec, decoder(codec, stored)?),
    };
    match look(content)? {
        (Format::Text, content) => Ok(Box::new(content)),
        (Format::Foreign(foreign), _) => Err(refusal(foreign)),
        (Format::Compressed(inner), _) => {
            let fact = format!(
                "the file is compressed twice, with {} and with {}; compress it once",
                inner.name(),
                codec.name()
            );
            Err(Error::new(Kind::Data, fact))
        }
    }
}

// The `Multi` decoders read on after the end of the first stream. `cat a.gz b.gz > ab.gz` makes a
// file of two streams, and a plain decoder would silently lose the second one.
fn decoder(codec: Codec, stored: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    Ok(match codec {
        Codec::Gzip => Box::new(flate2::read::MultiGzDecoder::new(stored)),
        Codec::Zstd => Box::new(zstd::Decoder::new(stored).map_err(read_failure)?),
        Codec::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(stored)),
    })
}

/// The format of a stream, and the same stream from its beginning.
fn look<R: Read + Send>(mut stream: R) -> Result<(Format, impl Read + Send + use<R>)> {
    let mut head = Vec::new();
    stream.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(read_failure)?;
    Ok((Format::of(&head), Cursor::new(head).chain(stream)))
}

fn refusal(Foreign { name, remedy }: Foreign) -> Error {
    Error::new(Kind::Data, format!("the file is {name}, and no CSV file; {remedy}"))
}

/// Makes an error of a failed read. `Transient`: the connection to the store broke, as the reader
/// in `loader-aws` reports by `ConnectionReset`. `Data`: the content cannot be decompressed. A
/// reader of this crate may also fail with an error of this program, which it wraps.
pub(crate) fn read_failure(error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::ConnectionReset => Error::new(Kind::Transient, error.to_string()),
        _ => Error::new(
            Kind::Data,
            format!("the file cannot be decompressed: {error}; was it cut off? deliver it again"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn through(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        let read = decompress(Cursor::new(bytes))
            .and_then(|mut content| content.read_to_string(&mut text).map_err(read_failure));
        read.map_or_else(|error| error.to_string(), |_| text)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).expect("writes");
        gz.finish().expect("ends")
    }

    #[test]
    fn compression_goes_by_the_first_bytes() {
        let long = "a,b\n".repeat(1000);
        assert_eq!(through(gzip(long.as_bytes())), long);
        let zst = zstd::encode_all(long.as_bytes(), 1).expect("encodes");
        assert_eq!(through(zst), long);
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(long.as_bytes()).expect("writes");
        assert_eq!(through(bz2.finish().expect("ends")), long);
        let two = [gzip(b"a,b\n"), gzip(b"1,2\n")].concat();
        assert_eq!(through(two), "a,b\n1,2\n");
        assert_eq!(through(long.clone().into_bytes()), long);
        assert_eq!(through(b"a".to_vec()), "a");
        assert_eq!(through(Vec::new()), "");
    }

    #[test]
    fn what_is_no_csv_file_is_named() {
        let utf_32 = "the file is UTF-32 text, and no CSV file; convert it to UTF-8, for example \
                      by `iconv -f UTF-32 -t UTF-8`";
        assert_eq!(through(b"\xff\xfe\0\0".to_vec()), utf_32);
        assert_eq!(through(gzip(b"\xff\xfe\0\0")), utf_32);
        let twice = "the file is compressed twice, with gzip and with gzip; compress it once";
        assert_eq!(through(gzip(&gzip(b"a"))), twice);
        let cut = through(gzip(b"a,b\n1,2\n")[..20].to_vec());
        assert!(cut.starts_with("the file cannot be decompressed: "), "{cut}");
    }
}
