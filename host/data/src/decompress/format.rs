//! What a file is, by its first bytes. Its name says nothing: people name gzip files `.csv`.

/// The bytes that [`Format::of`] should get, unless the file has fewer.
pub(super) const HEAD_BYTES: u64 = 128;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Nothing else that is known here.
    Text,
    Compressed(Codec),
    Foreign(Foreign),
}

/// A compression that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    /// An archive, of which one file is read.
    Zip,
}

/// A format that is not read: its name, and what its owner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) name: &'static str,
    pub(super) remedy: &'static str,
}

const fn foreign(name: &'static str, remedy: &'static str) -> Format {
    Format::Foreign(Foreign { name, remedy })
}

const WORKBOOK: Format = foreign("an Excel workbook", "save the sheet as CSV in UTF-8");
const OPEN_DOCUMENT: Format =
    foreign("an OpenDocument spreadsheet", "save the sheet as CSV in UTF-8");
const ROWS_AS_CSV: &str = "write its rows as CSV";
const COMPRESS: &str = "compress the CSV file with gzip, zstd, bzip2, xz or zip, or not at all";
const UTF_32: &str = "convert it to UTF-8, for example by `iconv -f UTF-32 -t UTF-8`";

/// How files begin. The first entry counts that fits.
const BEGINNINGS: [(&[u8], Format); 16] = [
    (b"\x1f\x8b", Format::Compressed(Codec::Gzip)),
    (b"\x28\xb5\x2f\xfd", Format::Compressed(Codec::Zstd)),
    (b"\xfd7zXZ\0", Format::Compressed(Codec::Xz)),
    (b"7z\xbc\xaf\x27\x1c", foreign("a 7-Zip archive", COMPRESS)),
    (b"\x04\x22\x4d\x18", foreign("compressed with lz4", COMPRESS)),
    (b"\xff\x06\0\0sNaPpY", foreign("compressed with Snappy", COMPRESS)),
    (b"PK\x03\x04", Format::Compressed(Codec::Zip)),
    (b"PK\x05\x06", foreign("a ZIP archive without a file in it", "deliver the CSV file")),
    (b"PK\x07\x08", foreign("a part of a split ZIP archive", COMPRESS)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", WORKBOOK),
    (b"Obj\x01", foreign("an Avro file", ROWS_AS_CSV)),
    (b"ARROW1\0\0", foreign("an Arrow file", ROWS_AS_CSV)),
    (b"PARE", foreign("an encrypted Parquet file", ROWS_AS_CSV)),
    (b"ORC", foreign("an ORC file", ROWS_AS_CSV)),
    (b"\xff\xfe\0\0", foreign("UTF-32 text", UTF_32)),
    (b"\0\0\xfe\xff", foreign("UTF-32 text", UTF_32)),
];

impl Format {
    /// The format of a file that begins like this.
    pub(super) fn of(head: &[u8]) -> Format {
        let known = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
        match known {
            None if is_bzip2(head) => Format::Compressed(Codec::Bzip2),
            None if is_skippable_zstd(head) => Format::Compressed(Codec::Zstd),
            None => Format::Text,
            // A header may begin with these letters, but has no such bytes behind them.
            Some((b"PARE" | b"ORC", _)) if !has_control_bytes(head) => Format::Text,
            Some((b"PK\x03\x04", archive)) => document(head).unwrap_or(*archive),
            Some((_, format)) => *format,
        }
    }
}

impl Codec {
    pub(super) fn name(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
            Codec::Bzip2 => "bzip2",
            Codec::Xz => "xz",
            Codec::Zip => "zip",
        }
    }
}

/// A CSV file may begin with `BZh9` too, so the six bytes count that come next: those of a block or
/// of the end.
fn is_bzip2(head: &[u8]) -> bool {
    let rest = head.strip_prefix(b"BZh").and_then(<[u8]>::split_first);
    rest.is_some_and(|(level, rest)| {
        level.is_ascii_digit()
            && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
    })
}

/// Programs that compress in parallel, such as `pzstd`, write a frame without content first.
fn is_skippable_zstd(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

fn has_control_bytes(head: &[u8]) -> bool {
    head.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// A document in a ZIP archive, by the name of the archive's first file.
fn document(head: &[u8]) -> Option<Format> {
    let first_file = head.get(30..)?;
    let office: [&[u8]; 4] = [b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/"];
    if office.iter().any(|name| first_file.starts_with(name)) {
        return Some(WORKBOOK);
    }
    let is_open = first_file.starts_with(b"mimetypeapplication/vnd.oasis.opendocument");
    is_open.then_some(OPEN_DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let check = |head: &[u8], expected: &str| {
            let name = match Format::of(head) {
                Format::Text => "text",
                Format::Compressed(codec) => codec.name(),
                Format::Foreign(foreign) => foreign.name,
            };
            assert_eq!(name, expected, "{}", head.escape_ascii());
        };
        check(b"", "text");
        check(b"id,name\n1,a\n", "text");
        check(b"\xef\xbb\xbfid,name\n", "text");
        check(b"\x1f\x8b\x08", "gzip");
        check(b"\x28\xb5\x2f\xfd\x04", "zstd");
        check(b"\x5a\x2a\x4d\x18\x04", "zstd");
        check(b"BZh91AY&SY\x12", "bzip2");
        check(b"BZh9\x17\x72\x45\x38\x50\x90", "bzip2");
        check(b"BZh9,BZh1\n", "text");
        check(b"PARE\x15\x04\x15", "an encrypted Parquet file");
        check(b"PARE,PARF\n", "text");
        check(b"ORC\x08\x03\x10", "an ORC file");
        check(b"ORC_ID,n\n", "text");
        check(b"Obj\x01\x04\x16avro.schema", "an Avro file");
        check(b"\xff\xfei\0d\0", "text");
        check(b"\xff\xfe\0\0i\0\0\0", "UTF-32 text");
        let zip = |name: &[u8]| [b"PK\x03\x04", &[0; 26][..], name].concat();
        check(&zip(b"orders.csv"), "zip");
        check(&zip(b"[Content_Types].xml"), "an Excel workbook");
        check(
            &zip(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
            "an OpenDocument spreadsheet",
        );
        check(b"PK\x03\x04", "zip");
        check(b"\xfd7zXZ\0", "xz");
        check(b"PK\x05\x06", "a ZIP archive without a file in it");
        check(b"PK,name\n", "text");
    }
}
