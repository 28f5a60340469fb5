//! Ranges that are learnt apart say the same of a file as one reading does.

use proptest::prelude::*;

use super::*;
use crate::profile::FileProfile;

/// What is known of a file: its chunks, and their profile or that there is a mistake.
type Outcome = (Vec<Chunk>, Option<FileProfile>);

/// Cuts a file in pieces of so many bytes, until the splitter finds a mistake.
fn chunks(splitter: &mut Splitter, bytes: &[u8]) -> Option<Vec<Chunk>> {
    splitter.push(bytes).ok()
}

fn profile(file: &[u8], chunk: &Chunk, header: &Header, dialect: &Dialect) -> Option<ChunkProfile> {
    let start = usize::try_from(chunk.offset).expect("small");
    let end = start + usize::try_from(chunk.len).expect("small");
    profile_chunk(&file[start..end], chunk, header, dialect).ok()
}

fn in_order(file: &[u8], dialect: &Dialect, grid: u64) -> Outcome {
    let mut splitter = Splitter::new(dialect, grid);
    let mut all = chunks(&mut splitter, file).unwrap_or_default();
    all.extend(splitter.finish().unwrap_or_default());
    let Some(header) = splitter.header() else { return (all, None) };
    let mut merge = crate::ProfileMerge::new(header);
    for chunk in &all {
        match profile(file, chunk, header, dialect) {
            Some(profile) => merge.push(profile),
            None => return (all, None),
        }
    }
    (all, Some(merge.finish()))
}

/// The same by ranges, and how many chunks had to be profiled here.
fn by_ranges(
    file: &[u8],
    dialect: &Dialect,
    grid: u64,
    range_bytes: usize,
    piece_bytes: usize,
) -> (Outcome, usize) {
    let mut splitter = Splitter::new(dialect, grid);
    // The header is read alone, and the ranges begin behind it.
    let _ = splitter.push(file);
    if splitter.header().is_none() {
        let _ = splitter.finish();
    }
    let Some(header) = splitter.header().cloned() else { return ((Vec::new(), None), 0) };
    let mut splitter = Splitter::at_records(dialect, &header, grid);
    let records = usize::try_from(splitter.offset()).expect("small");
    let (mut matching, mut all, mut known) = (Matching::default(), Vec::new(), Vec::new());
    let mut cut = |cut: Vec<Chunk>, matching: &mut Matching, known: &mut Vec<Known>| {
        for chunk in cut {
            all.push(chunk.clone());
            known.extend(matching.cut(chunk));
        }
    };
    let mut at = records;
    while at < file.len() {
        let end = file.len().min((at / range_bytes + 1) * range_bytes);
        let taken = {
            let range = (at as u64, end as u64);
            let mut learner = match at == records {
                true => RangeLearner::at_records(dialect, &header, grid, range),
                false => RangeLearner::new(dialect, &header, grid, range, &file[..at]),
            };
            for piece in file[at..].chunks(piece_bytes) {
                if !learner.push(piece) {
                    break;
                }
            }
            let sent = postcard::to_stdvec(&learner.finish()).expect("can be sent");
            let learnt: LearntRange = postcard::from_bytes(&sent).expect("is whole");
            splitter.take_learnt(&learnt)
        };
        match taken {
            Some((chunks, runs)) => {
                matching.learn(runs);
                cut(chunks, &mut matching, &mut known);
            }
            None => match chunks(&mut splitter, &file[at..end]) {
                Some(chunks) => cut(chunks, &mut matching, &mut known),
                None => break,
            },
        }
        at = end;
    }
    cut(splitter.finish().unwrap_or_default(), &mut matching, &mut known);
    known.extend(matching.finish());
    let (mut merge, mut here) = (crate::ProfileMerge::new(&header), 0);
    for known in known {
        match known {
            Known::Run(_, run) => {
                let records = run.chunks.iter().map(|chunk| chunk.records);
                merge.push_run(run.profile, records.collect::<Vec<_>>());
            }
            Known::Nothing(chunk) => match profile(file, &chunk, &header, dialect) {
                Some(profile) => (merge.push(profile), here += 1).0,
                None => return ((all, None), here),
            },
        }
    }
    ((all, Some(merge.finish())), here)
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
            short_rows: crate::ShortRows::Fill,
            quotes: crate::Quotes::Lenient,
            ..Dialect::default()
        })
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => prop::sample::select(&b"ab1,\"\"\n\n\r#\\"[..]).prop_map(|byte| vec![byte]),
        1 => Just(b"\r\n".to_vec()),
        3 => Just(b"\n1,x\n".to_vec()),
        2 => Just(b"\n0.25,\"a\nb\"\"\"\n".to_vec()),
        1 => Just(b"\n-7,2024-01-31\n".to_vec()),
        1 => Just(b"\n1e5,t\r\n007,\r\n".to_vec()),
        1 => Just(b"\n\xEF\xBB\xBFa,b\n".to_vec()),
        1 => Just(b"\n\n\n#\n\n".to_vec()),
    ];
    prop::collection::vec(part, 0..40)
        .prop_map(|parts| [b"a,b\n".to_vec(), parts.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]
    #[test]
    fn ranges_say_the_same_of_a_file_as_one_reading(
        file in files(),
        dialect in dialects(),
        grid in 1_u64..30,
        range_bytes in 1_usize..60,
        piece_bytes in 1_usize..20,
    ) {
        let whole = in_order(&file, &dialect, grid);
        let (ranges, _) = by_ranges(&file, &dialect, grid, range_bytes, piece_bytes);
        prop_assert_eq!(ranges, whole);
    }
}

#[test]
fn nearly_all_chunks_are_profiled_with_their_ranges() {
    let row = |n: u64| match n % 5 {
        0 => format!("{n},\"say \"\"{n}\"\",\nthen go\",5\" pipe\r\n"),
        1 => format!("{n},\"#{n}\\\",{n}\r"),
        _ => format!("{n},plain,{}\n", n * n),
    };
    let file = format!("a,b,c\n{}", (0..20_000).map(row).collect::<String>());
    let dialect = Dialect { quotes: crate::Quotes::Lenient, ..Dialect::default() };
    let whole = in_order(file.as_bytes(), &dialect, 4096);
    assert!(whole.1.is_some(), "the file has no mistake");
    for range_bytes in [65_536, 8_192, 4_096] {
        let (ranges, here) = by_ranges(file.as_bytes(), &dialect, 4096, range_bytes, 1000);
        assert_eq!(ranges, whole, "ranges of {range_bytes}");
        assert!(here <= 1, "{here} chunks, ranges of {range_bytes}");
    }
}
