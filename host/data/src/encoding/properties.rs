//! Property tests: random text in random encodings, read in pieces of any size, is what
//! `encoding_rs` makes of the whole, and every place in it is the true one.

use std::io::{Cursor, Write};

use encoding_rs::UTF_16LE;
use proptest::prelude::*;
use proptest::sample::select;

use super::decode::{Decode, MISTAKE};
use super::*;

/// A piece of a source and its text. A sequence that the encoding does not have is `MISTAKE`.
type Piece = (Vec<u8>, Vec<u8>);

/// What each encoding has beside the text that it can encode: bytes that are malformed, or that
/// another sequence of bytes means too.
fn peculiar(label: &str) -> Vec<(&'static [u8], &'static [u8])> {
    match label {
        "windows-1252" => vec![(b"\x81", b"\xff"), (b"\x9d", b"\xff"), (b"\x80", "€".as_bytes())],
        "iso-8859-2" => vec![(b"\x80", b"\xff"), (b"\x85", b"\xff"), (b"\xb3", "ł".as_bytes())],
        "utf-16le" => vec![
            (b"\x00\xd8,\0", b"\xff,"),
            (b"\x00\xdc", b"\xff"),
            (b"\x3d\xd8\x00\xde", "😀".as_bytes()),
        ],
        "utf-16be" => vec![(b"\xd8\x00\0\n", b"\xff\n"), (b"\xdc\x00", b"\xff")],
        "shift_jis" => vec![
            (b"\x81,", b"\xff,"),
            (b"\x80", b"\xff"),
            (b"\xa0", b"\xff"),
            (b"\xb1", "ｱ".as_bytes()),
            (b"\x95\x5c", "表".as_bytes()),
        ],
        "euc-jp" => vec![
            (b"\x8f\xb0\xa1", "丂".as_bytes()),
            (b"\x8e\xb1", "ｱ".as_bytes()),
            (b"\x8f\xb0,", b"\xff,"),
            (b"\xff", b"\xff"),
        ],
        "gbk" => vec![
            (b"\x80", "€".as_bytes()),
            (b"\xa2\xe3", "€".as_bytes()),
            (b"\x94\x39\xda\x33", "💩".as_bytes()),
            (b"\x81\x30,", b"\xff0,"),
            (b"\x81\x30\x81\n", b"\xff0\xff\n"),
            (b"\xff", b"\xff"),
        ],
        "big5" => vec![(b"\x88\x62", "Ê̄".as_bytes()), (b"\x81\n", b"\xff\n")],
        "euc-kr" => vec![(b"\xb0\xa1", "가".as_bytes()), (b"\x81\n", b"\xff\n")],
        "iso-2022-jp" => vec![
            (b"\x1b$BF|K\\\x1b(B", "日本".as_bytes()),
            (b"\x1b(I1\x1b(B", "ｱ".as_bytes()),
            (b"\x80", b"\xff"),
        ],
        _ => Vec::new(),
    }
}

const LABELS: [&str; 11] = [
    "windows-1252",
    "iso-8859-2",
    "koi8-r",
    "utf-16le",
    "utf-16be",
    "shift_jis",
    "euc-jp",
    "gbk",
    "big5",
    "euc-kr",
    "iso-2022-jp",
];

/// Pieces of a file: peculiar ones, text that the encoding has, and the characters of CSV, of which
/// one stands behind each of the others.
fn pieces(label: &'static str) -> impl Strategy<Value = Vec<Piece>> {
    let encoding = Encoding::of_label(label).expect("known").0;
    let plain = move |text: &str| -> Piece {
        let bytes = match label {
            "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => match encoding.encode(text) {
                (bytes, _, false) => bytes.into_owned(),
                _ => return (b"?".to_vec(), b"?".to_vec()),
            },
        };
        (bytes, text.as_bytes().to_vec())
    };
    let peculiar: Vec<Piece> = peculiar(label)
        .into_iter()
        .map(|(bytes, text)| (bytes.to_vec(), text.to_vec()))
        .chain([plain("é"), plain("я"), plain("漢字"), plain("한글"), plain("x")])
        .collect();
    let text = prop_oneof![select(peculiar), "[a-zà-ÿа-я]{0,3}".prop_map(move |text| plain(&text))];
    let mark = select(vec![",", "\n", "\r\n", "\""]).prop_map(plain);
    let pair = (text, mark).prop_map(|(text, mark)| vec![text, mark]);
    prop::collection::vec(pair, 0..40).prop_map(|pairs| pairs.concat())
}

/// Reads a source in pieces of these sizes.
struct InPieces(Cursor<Vec<u8>>, Vec<usize>);

impl Read for InPieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.pop().unwrap_or(7).clamp(1, buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

/// Reads the source; returns its text, and where the places are in the source.
fn read(label: &str, source: &[u8], sizes: Vec<usize>, places: &[u64]) -> (Vec<u8>, Vec<u64>) {
    let encoding = Encoding::of_label(label).expect("known");
    let counted = Arc::new(Places::new(encoding).expect("makes a file"));
    let source = InPieces(Cursor::new(source.to_vec()), sizes);
    let mut transcoder = Transcoder::new(source, encoding, Arc::clone(&counted));
    let mut text = Vec::new();
    transcoder.read_to_end(&mut text).expect("reads");
    let mut file = tempfile::tempfile().expect("makes a file");
    file.write_all(&text).expect("writes");
    let mut places = places.to_vec();
    counted.locate(&file, places.iter_mut().collect()).expect("reads");
    (text, places)
}

/// The whole source and its text, and where each piece begins in the text and in the source.
fn put_together(pieces: &[Piece]) -> (Vec<u8>, Vec<u8>, Vec<u64>, Vec<u64>) {
    let (mut source, mut text) = (Vec::new(), Vec::new());
    let (mut in_text, mut in_source) = (Vec::new(), Vec::new());
    for (bytes, piece) in pieces {
        in_text.push(text.len() as u64);
        in_source.push(source.len() as u64);
        source.extend_from_slice(bytes);
        text.extend_from_slice(piece);
    }
    (source, text, in_text, in_source)
}

fn check(label: &'static str, pieces: &[Piece], sizes: Vec<usize>) {
    let (source, expected, in_text, in_source) = put_together(pieces);
    let (text, found) = read(label, &source, sizes, &in_text);
    assert_eq!(text.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{label}");
    // A field begins behind a delimiter. What stands before an escape sequence of ISO-2022-JP or
    // behind it is one place in the text.
    let is_field = |at: &usize| label != "iso-2022-jp" || at.is_multiple_of(2);
    for at in (0..found.len()).filter(is_field) {
        assert_eq!(found[at], in_source[at], "{label}: {}", source.escape_ascii());
    }
    let is_mistake = text.contains(&MISTAKE);
    let encoding = Encoding::of_label(label).expect("known").0;
    let whole = encoding.decode_without_bom_handling_and_without_replacement(&source);
    if !is_mistake {
        assert_eq!(whole.expect("no mistake").as_bytes(), text, "{label}");
    }
}

proptest! {
    #[test]
    fn text_and_places_are_those_of_the_whole_source(
        (label, pieces) in select(LABELS.to_vec()).prop_flat_map(|label| (Just(label), pieces(label))),
        sizes in prop::collection::vec(1_usize..20, 0..20),
    ) {
        check(label, &pieces, sizes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn places_far_into_a_file_are_right(
        (label, pieces) in select(LABELS.to_vec()).prop_flat_map(|label| (Just(label), pieces(label))),
        sizes in prop::collection::vec(1_usize..100_000, 0..20),
    ) {
        let many: Vec<Piece> = pieces.iter().cycle().take(pieces.len() * 500).cloned().collect();
        check(label, &many, sizes);
    }
}

/// A decoder may remember bytes where a reading of the source ends: no place is counted from there.
#[test]
fn places_are_right_where_a_line_has_no_end_or_the_decoder_remembers() {
    let far = 40_000;
    let long_line = b"\x95\x5c".repeat(far);
    let (text, places) = read("shift_jis", &long_line, vec![9; 100], &[3 * (far as u64 - 1)]);
    assert_eq!((text.len(), places), (3 * far, vec![2 * (far as u64 - 1)]));
    // Behind ESC ( J, which holds until the next escape sequence, the backslash is a yen sign.
    let yen = [b"\x1b(J".as_slice(), &b"\\\n".repeat(far)].concat();
    let (text, places) = read("iso-2022-jp", &yen, vec![9; 100], &[3 * (far as u64 - 1)]);
    assert_eq!((text.len(), places), (3 * far, vec![3 + 2 * (far as u64 - 1)]));
    // The second byte shows that the first is none of a character, and is one of its own.
    let (text, places) = read("gbk", b"\x81\x30,x", vec![1; 9], &[0, 1, 2, 3]);
    assert_eq!((text, places), (b"\xff0,x".to_vec(), vec![0, 1, 2, 3]));
}

/// Any bytes in any encoding: what is not a mistake is what the standard makes of it.
#[test]
fn every_byte_of_every_encoding_is_text_or_a_mistake() {
    for label in LABELS {
        let encoding = Encoding::of_label(label).expect("known").0;
        for pair in 0..=u16::MAX {
            let mut source = pair.to_be_bytes().to_vec();
            source.extend_from_slice(if encoding == UTF_16LE { b"\n\0" } else { b"\0\n" });
            let mut text = Vec::new();
            Decode::new(Encoding(encoding)).push(&source, true, &mut text);
            let whole = encoding.decode_without_bom_handling_and_without_replacement(&source);
            match whole {
                None => assert!(text.contains(&MISTAKE), "{label} {pair:04x}"),
                Some(whole) if text == whole.as_bytes() => (),
                Some(whole) => {
                    let control = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
                    assert!(whole.contains(control), "{label} {pair:04x}");
                }
            }
        }
    }
}
