//! What a run holds in memory does not grow with what it only passes on.

use loader_tests::Place;

/// The bytes of a rejected row: long, so that holding such rows shows.
const ROW_BYTES: usize = 60_000;
/// More than what is in work may differ by (both files have more ranges than are read at once), and
/// less than the rows that are rejected more.
const MOST_MORE_BYTES: u64 = 32 << 20;

/// Loads a file of which so many rows are rejected. Gives the most memory that the run has taken.
fn peak_bytes(place: &Place, rejected: usize) -> u64 {
    let file = format!("rejected-{rejected}.csv");
    let row = format!("1,{},more\n", "x".repeat(ROW_BYTES));
    place.put(&file, format!("id,note\n{}2,fits\n", row.repeat(rejected)));
    let arguments = ["--strategy", "append", "--max-rejects", "100%"];
    let loaded = place.load(&file, "t", &arguments);
    assert_eq!(loaded.ended.code, 0, "{}", loaded.error());
    let ended = loaded.ended.stderr.lines().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["fields"]["peak_bytes"].as_u64().or(line["peak_bytes"].as_u64())
    });
    ended.unwrap_or_else(|| panic!("no memory is told: {}", loaded.ended.stderr))
}

#[test]
fn rejected_rows_are_not_held_in_memory() {
    let place = Place::new("memory");
    let (few, many) = (peak_bytes(&place, 1000), peak_bytes(&place, 2500));
    assert!(many < few + MOST_MORE_BYTES, "{few} bytes for 1000 rows, and {many} for 2500");
}
