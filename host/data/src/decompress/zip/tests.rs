//! Archives as several programs write them, and as they come to harm.

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::refusal::MAX_PASSED;
use super::*;
use crate::decompress::read_failure;

const CSV: &str = "id,name\n1,a\n2,b\n3,a\n4,b\n";

/// A member of an archive, as it is written.
#[derive(Clone, Copy)]
struct Written {
    name: &'static str,
    content: &'static str,
    flags: u16,
    method: u16,
    /// How its sizes are written.
    sizes: SizesAre,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SizesAre {
    Before,
    Before64,
    Behind,
    BehindUnsigned,
    Behind64,
}

const FILE: Written =
    Written { name: "a.csv", content: CSV, flags: 0, method: 8, sizes: SizesAre::Before };

/// The member's bytes in an archive, and its entry in the directory.
fn member(written: &Written) -> (Vec<u8>, Vec<u8>) {
    let Written { name, content, flags, method, sizes } = *written;
    let data = match method {
        8 => {
            let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
            deflate.write_all(content.as_bytes()).expect("writes");
            deflate.finish().expect("ends")
        }
        _ => content.as_bytes().to_vec(),
    };
    let mut crc = flate2::Crc::new();
    crc.update(content.as_bytes());
    let (crc, compressed, size) = (crc.sum(), data.len() as u32, content.len() as u32);
    let small = [crc, compressed, size].map(u32::to_le_bytes).concat();
    let large = |sizes: [u32; 2]| sizes.map(u64::from).map(u64::to_le_bytes).concat();
    let is_behind = !matches!(sizes, SizesAre::Before | SizesAre::Before64);
    let is_64 = matches!(sizes, SizesAre::Before64 | SizesAre::Behind64);
    let flags = flags | if is_behind { 8 } else { 0 };
    let extra = match sizes {
        SizesAre::Before64 => [&[1, 0, 16, 0][..], &large([size, compressed])].concat(),
        SizesAre::Behind64 => [&[1, 0, 16, 0][..], &[0; 16]].concat(),
        _ => Vec::new(),
    };
    let before = match (is_behind, is_64) {
        (false, false) => small.clone(),
        (false, true) => [&crc.to_le_bytes()[..], &[0xFF; 8]].concat(),
        (true, false) => vec![0; 12],
        (true, true) => [[0; 4], [0xFF; 4], [0xFF; 4]].concat(),
    };
    let start = [&[20, 0], &flags.to_le_bytes(), &method.to_le_bytes(), &[0; 2][..], &[0; 2]];
    let start = start.concat();
    let lengths = [name.len() as u16, extra.len() as u16].map(u16::to_le_bytes).concat();
    let sizes_behind = match sizes {
        SizesAre::Before | SizesAre::Before64 => Vec::new(),
        SizesAre::Behind => [&b"PK\x07\x08"[..], &small].concat(),
        SizesAre::BehindUnsigned => small.clone(),
        SizesAre::Behind64 => {
            [&b"PK\x07\x08"[..], &crc.to_le_bytes(), &large([compressed, size])].concat()
        }
    };
    let name = name.as_bytes();
    let local = [b"PK\x03\x04", &start[..], &before, &lengths, name, &extra, &data, &sizes_behind];
    let name_alone = [name.len() as u16, 0, 0].map(u16::to_le_bytes).concat();
    let entry = [b"PK\x01\x02\x14\0", &start[..], &small, &name_alone, &[0; 12], name];
    (local.concat(), entry.concat())
}

fn archive(members: &[Written]) -> Vec<u8> {
    let (locals, entries): (Vec<_>, Vec<_>) = members.iter().map(member).unzip();
    [locals.concat(), entries.concat(), b"PK\x05\x06".to_vec(), vec![0; 18]].concat()
}

/// The content, or what is wrong.
fn through(archive: &[u8]) -> String {
    let mut text = String::new();
    let read = Zip::new(Cursor::new(archive.to_vec()))
        .and_then(|mut zip| zip.read_to_string(&mut text))
        .map_err(read_failure);
    read.map_or_else(|error| error.to_string(), |_| text)
}

#[test]
fn the_one_file_is_read_however_its_sizes_are_written() {
    use SizesAre::*;
    for sizes in [Before, Before64, Behind, BehindUnsigned, Behind64] {
        assert_eq!(through(&archive(&[Written { sizes, ..FILE }])), CSV);
    }
    for sizes in [Before, Before64] {
        assert_eq!(through(&archive(&[Written { method: 0, sizes, ..FILE }])), CSV);
    }
    let folder = Written { name: "data/", content: "", ..FILE };
    let of_java = Written { name: "data/in/", sizes: Behind, ..folder };
    let stored = Written { name: "data/out/", method: 0, ..of_java };
    let of_macos = Written { name: "__MACOSX/data/._a.csv", content: "?", ..FILE };
    assert_eq!(through(&archive(&[folder, of_java, stored, FILE, of_macos])), CSV);
    assert_eq!(through(&archive(&[Written { content: "", ..FILE }])), "");
}

#[test]
fn archives_without_one_file_that_can_be_read_are_refused() {
    let check = |members: &[Written], expected: &str| {
        assert_eq!(
            through(&archive(members)),
            format!("the file is a ZIP archive with {expected}")
        );
    };
    let other = Written { name: "lines.csv", ..FILE };
    let several = "several files, `a.csv` and `lines.csv`; deliver each file by itself";
    check(&[FILE, other], several);
    let folder = Written { name: "data/", content: "", ..FILE };
    check(&[folder], "no file in it; deliver the CSV file");
    check(&[Written { flags: 1, ..FILE }], "an encrypted file; deliver it without encryption");
    let again = "compress the CSV file with deflate, as zip does, or with gzip";
    check(
        &[Written { method: 9, ..FILE }],
        &format!("a file that is packed with Deflate64; {again}"),
    );
    check(
        &[Written { method: 0, sizes: SizesAre::Behind, ..FILE }],
        &format!("a file that is not compressed and has no size; {again}"),
    );
    check(&vec![folder; MAX_PASSED + 1], "very many folders; deliver the file by itself");
    let behind = [archive(&[FILE]), archive(&[other])].concat();
    assert_eq!(
        through(&behind),
        "the file is a ZIP archive with bytes behind its end; deliver one archive with one file"
    );
}

#[test]
fn a_directory_that_does_not_fit_is_refused() {
    let folder = Written { name: "data/", content: "", ..FILE };
    let check = |members: &[Written], entries: &[Written]| {
        let locals: Vec<u8> = members.iter().flat_map(|written| member(written).0).collect();
        let entries: Vec<u8> = entries.iter().flat_map(|written| member(written).1).collect();
        through(&[locals, entries, b"PK\x05\x06".to_vec(), vec![0; 18]].concat())
    };
    let refused = "the file cannot be decompressed: its directory has other files than the \
                   archive; was it cut off? deliver it again";
    assert_eq!(check(&[folder, FILE], &[FILE, folder]), CSV);
    assert_eq!(check(&[folder, FILE], &[FILE]), refused);
    assert_eq!(check(&[FILE], &[FILE, FILE]), refused);
    assert_eq!(check(&[FILE], &[Written { name: "b.csv", ..FILE }]), refused);
    assert_eq!(check(&[FILE], &[Written { content: "id\n", ..FILE }]), refused);
}

#[test]
fn an_archive_that_is_cut_off_is_refused_wherever_it_ends() {
    for sizes in [SizesAre::Before, SizesAre::Behind] {
        let whole = archive(&[Written { sizes, ..FILE }]);
        for length in 4..whole.len() {
            assert_eq!(
                through(&whole[..length]),
                "the file cannot be decompressed: the archive has no end; was it cut off? deliver \
                 it again",
                "{length}"
            );
        }
    }
}

#[test]
fn no_damage_changes_a_value() {
    let folder = Written { name: "data/", content: "", ..FILE };
    for sizes in [SizesAre::Before, SizesAre::Behind, SizesAre::Before64] {
        let whole = archive(&[folder, Written { sizes, ..FILE }]);
        for bit in 0..whole.len() * 8 {
            let mut harmed = whole.clone();
            harmed[bit / 8] ^= 1 << (bit % 8);
            let text = through(&harmed);
            let is_refused = text.contains("cannot be decompressed") || text.contains("archive");
            assert!(is_refused || text == CSV, "bit {bit}: {text}");
        }
    }
}

#[test]
fn a_large_file_that_would_be_passed_over_is_refused() {
    let large: &str = "x".repeat(MAX_PASSED_BYTES as usize + 1).leak();
    let of_macos = Written { name: "__MACOSX/._a.csv", content: large, ..FILE };
    assert_eq!(
        through(&archive(&[FILE, of_macos])),
        "the file is a ZIP archive with a large file beside the data; take it out"
    );
}
