//! Decompression by the file's first bytes, and the error when the stream breaks off.
//!
//! In: the file as it is stored. Out: its content.

mod bounded;
mod format;
mod zip;

use std::io::{self, BufReader, Cursor, Read};

use loader_model::error::{Error, Kind, Result};

use bounded::{Bounded, Stored};
use format::{Codec, Foreign, Format, HEAD_BYTES};
use lzma_rust2::XzReader;
use zip::Zip;

/// Decompresses gzip, zstd, bzip2, xz, and the one file of a ZIP archive; other files are read as
/// they are. The file's name does not matter: `orders.csv` may be gzip, and `orders.csv.gz` text.
///
/// Blocks: it reads the first bytes. Errors: `Data`, for a file that is known not to be read (a
/// workbook, an Avro file, UTF-32) or is compressed twice; those of reading.
pub fn decompress(stored: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    let (format, stored) = look(stored)?;
    let (codec, content): (Codec, Box<dyn Read + Send>) = match format {
        Format::Text => return Ok(Box::new(BufReader::with_capacity(1 << 20, stored))),
        Format::Foreign(foreign) => return Err(refusal(foreign)),
        Format::Compressed(codec) => {
            let (stored, taken_bytes) = Stored::new(stored);
            (codec, Box::new(Bounded::new(decoder(codec, stored)?, taken_bytes)))
        }
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

/// Whether a file that begins like this is not compressed.
pub(crate) fn is_text(head: &[u8]) -> bool {
    let length = head.len().min(usize::try_from(HEAD_BYTES).unwrap_or(usize::MAX));
    matches!(Format::of(&head[..length]), Format::Text)
}

/// The most memory that a file of xz may ask for, in KiB: twice what `xz -9` needs.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

// The `Multi` decoders read on after the end of the first stream. `cat a.gz b.gz > ab.gz` makes a
// file of two streams, and a plain decoder would silently lose the second one.
fn decoder(codec: Codec, stored: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    Ok(match codec {
        Codec::Gzip => Box::new(flate2::read::MultiGzDecoder::new(stored)),
        Codec::Zstd => Box::new(zstd::Decoder::new(stored).map_err(read_failure)?),
        Codec::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(stored)),
        Codec::Xz => Box::new(XzReader::new_mem_limit(BufReader::new(stored), true, XZ_MEMORY_KIB)),
        Codec::Zip => Box::new(Zip::new(stored).map_err(read_failure)?),
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
        io::ErrorKind::OutOfMemory => Error::new(
            Kind::Data,
            format!(
                "the file takes more than {} MiB of memory to decompress; compress it with \
                 `xz -9` or less",
                XZ_MEMORY_KIB / 1024
            ),
        ),
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
    fn a_file_that_unpacks_to_more_than_a_table_can_is_refused() {
        let bomb = |megabytes: usize| {
            let mut zst = zstd::Encoder::new(Vec::new(), 1).expect("begins");
            let zeros = vec![b'0'; 1 << 20];
            (0..megabytes).for_each(|_| zst.write_all(&zeros).expect("writes"));
            zst.finish().expect("ends")
        };
        let unpacked = |bytes: Vec<u8>| {
            let mut content = decompress(Cursor::new(bytes)).expect("begins");
            io::copy(&mut content, &mut io::sink()).map_err(read_failure)
        };
        assert_eq!(unpacked(bomb(64)).expect("it is small"), 64 << 20);
        let error = unpacked(bomb(300)).expect_err("it is a bomb");
        assert_eq!(error.kind(), Kind::Data);
        let said = error.to_string();
        assert!(said.starts_with("the file unpacks to more than 2000 times its size ("), "{said}");
    }

    /// Two files that xz has written, one behind the other.
    const TWO_OF_XZ: &[u8] =
        b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\
        \x0fid,name\x0a1,a\x0a2,b\x0a\x00\xe4\xea\xf4\x22\xd1\xe3oY\x00\x01(\x10\xe5\x0b\
        l`\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ\xfd7zXZ\x00\x00\x01i\x22\xde6\x02\x00!\
        \x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x033,c\x0a\x00\xad\xe6\x88\x5c\x00\x01\
        \x18\x04k\xe9\xf0\xa5\x90B\x99\x0d\x01\x00\x00\x00\x00\x01YZ";
    /// The second one begins here.
    const SECOND: usize = 72;

    /// A file that asks for a dictionary of 512 MiB.
    const LARGE_OF_XZ: &[u8] =
        b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x22\x00\x00\x00\x82@\xac\xdc\x01\
        \x00\x0bid,name\x0a1,a\x0a\x00e]A\x22r&\xf1\xba\x00\x01$\x0c\xa6\x18\xd8\xd8\x1f\
        \xb6\xf3}\x01\x00\x00\x00\x00\x04YZ";

    #[test]
    fn files_of_xz_are_read_or_refused() {
        let csv = "id,name\n1,a\n2,b\n3,c\n";
        assert_eq!(through(TWO_OF_XZ.to_vec()), csv);
        for length in (6..TWO_OF_XZ.len()).filter(|length| *length != SECOND) {
            let cut = through(TWO_OF_XZ[..length].to_vec());
            assert!(cut.starts_with("the file cannot be decompressed: "), "{length}: {cut}");
        }
        for bit in 6 * 8..TWO_OF_XZ.len() * 8 {
            let mut harmed = TWO_OF_XZ.to_vec();
            harmed[bit / 8] ^= 1 << (bit % 8);
            let text = through(harmed);
            assert!(text == csv || text.starts_with("the file "), "bit {bit}: {text}");
        }
        assert_eq!(
            through(LARGE_OF_XZ.to_vec()),
            "the file takes more than 128 MiB of memory to decompress; compress it with `xz -9` or \
             less"
        );
        let twice = "the file is compressed twice, with xz and with gzip; compress it once";
        assert_eq!(through(gzip(TWO_OF_XZ)), twice);
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
