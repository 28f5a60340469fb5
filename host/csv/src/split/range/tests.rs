//! Ranges that are cut apart make the very chunks of a file that is cut in one go.

use proptest::prelude::*;

use super::*;

/// The chunks of a file, and where the cutting ended with a mistake.
type Outcome = (Vec<Chunk>, Option<CsvError>);

fn in_order(file: &[u8], dialect: &Dialect, grid: u64, piece_bytes: usize) -> Outcome {
    let mut splitter = Splitter::new(dialect, grid);
    let mut chunks = Vec::new();
    for bytes in file.chunks(piece_bytes) {
        match splitter.push(bytes) {
            Ok(some) => chunks.extend(some),
            Err(mistake) => return (chunks, Some(mistake)),
        }
    }
    let mistake = splitter.finish().map(|some| chunks.extend(some)).err();
    (chunks, mistake)
}

/// The same by ranges, and how many of them were taken without their bytes.
fn by_ranges(
    file: &[u8],
    dialect: &Dialect,
    grid: u64,
    range_bytes: usize,
    piece_bytes: usize,
) -> (Outcome, usize) {
    let mut splitter = Splitter::new(dialect, grid);
    let (mut chunks, mut taken) = (Vec::new(), 0);
    for (number, bytes) in file.chunks(range_bytes).enumerate() {
        let at = number * range_bytes;
        let range = CutRange::compared(dialect, grid, at as u64, &file[..at], bytes, piece_bytes);
        match splitter.take(&range) {
            Some(some) => {
                taken += 1;
                chunks.extend(some);
            }
            None => match splitter.push(bytes) {
                Ok(some) => chunks.extend(some),
                Err(mistake) => return ((chunks, Some(mistake)), taken),
            },
        }
    }
    let mistake = splitter.finish().map(|some| chunks.extend(some)).err();
    ((chunks, mistake), taken)
}

fn dialects() -> impl Strategy<Value = Dialect> {
    (
        prop_oneof![3 => Just(Some(b'"')), 1 => Just(None)],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'\\'))],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'#'))],
        any::<bool>(),
    )
        .prop_map(|(quote, escape, comment, header)| Dialect {
            quote,
            escape,
            comment,
            header,
            ..Dialect::default()
        })
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        8 => prop::sample::select(&b"ab,,\"\"\n\n\r#\\"[..]).prop_map(|byte| vec![byte]),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"\n\"\",\"a\nb\"\"\",\\\"\n".to_vec()),
        1 => Just(b"\n\xEF\xBB\xBF\"a\n\"".to_vec()),
        1 => Just(b"\n\n\n#\n\n".to_vec()),
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| [b"h\n".to_vec(), parts.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn ranges_make_the_chunks_of_the_whole_file(
        file in files(),
        dialect in dialects(),
        grid in 1_u64..30,
        range_bytes in 1_usize..40,
        piece_bytes in 1_usize..20,
    ) {
        let whole = in_order(&file, &dialect, grid, range_bytes);
        let (ranges, _) = by_ranges(&file, &dialect, grid, range_bytes, piece_bytes);
        prop_assert_eq!(ranges, whole);
    }
}

#[test]
fn nearly_all_ranges_are_taken_without_their_bytes() {
    let row = |n: u64| match n % 5 {
        0 => format!("{n},\"say \"\"{n}\"\",\nthen go\",5\" pipe\r\n"),
        1 => format!("{n},\"#{n}\\\",{n}\r"),
        _ => format!("{n},plain,{}\n", n * n),
    };
    let file = format!("a,b,c\n{}", (0..20_000).map(row).collect::<String>());
    let dialect = Dialect::default();
    let whole = in_order(file.as_bytes(), &dialect, 4096, 1 << 20);
    for range_bytes in [10_000, 8_192, 4_096] {
        let (ranges, taken) = by_ranges(file.as_bytes(), &dialect, 4096, range_bytes, 256);
        assert_eq!(ranges, whole, "ranges of {range_bytes}");
        let all = file.len().div_ceil(range_bytes);
        // The first has the header.
        assert_eq!(taken, all - 1, "ranges of {range_bytes}");
    }
}

#[test]
fn a_row_that_is_too_long_is_found_where_its_bytes_are_pushed() {
    let limit = usize::try_from(crate::MAX_ROW_BYTES).unwrap_or(usize::MAX);
    let file = format!("a\n1\n\"{}\"\n2\n", "x\n".repeat(limit));
    let dialect = Dialect::default();
    let grid = 1 << 20;
    let (_, whole) = in_order(file.as_bytes(), &dialect, grid, 1 << 20);
    let ((_, ranges), _) = by_ranges(file.as_bytes(), &dialect, grid, 1 << 20, 1 << 16);
    let kind = |mistake: Option<CsvError>| mistake.map(|mistake| (mistake.kind, mistake.position));
    assert_eq!(kind(ranges), kind(whole));
}
