//! Texts that are read by patterns, and what is refused.

use super::*;

fn form(patterns: &[&str]) -> MomentForm {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    MomentForm::new(&patterns).expect("patterns")
}

fn check(spell: impl Fn(&str) -> Option<String>, texts: &[(&str, &str)]) {
    for (text, expected) in texts {
        let spelt = spell(text).unwrap_or_else(|| "refused".to_owned());
        assert_eq!(spelt, *expected, "{text}");
    }
}

#[test]
fn days_are_read_by_their_patterns() {
    let german = form(&["%d.%m.%Y", "%d.%m.%y"]);
    check(
        |text| german.spell_day(text),
        &[
            ("31.01.2024", "2024-01-31"),
            ("1.2.2024", "2024-02-01"),
            ("31.01.99", "1999-01-31"),
            ("31.01.68", "2068-01-31"),
            ("31.01.69", "1969-01-31"),
            ("31.12.9999", "9999-12-31"),
            ("01.01.0001", "0001-01-01"),
            ("30.02.2024", "refused"),
            ("2024-01-31", "refused"),
            ("31.01.2024 ", "refused"),
            ("31.01.202", "refused"),
            ("31.01.9", "refused"),
            ("", "refused"),
        ],
    );
    check(|text| form(&["%d.%m.%Y"]).spell_day(text), &[("31.01.99", "refused")]);
    assert_eq!(german.example(""), "31.01.2024");
    let with_time = form(&["%b %e, %y %I:%M:%S%.f %p %z"]);
    assert_eq!(with_time.example(""), "Jan 31, 24 10:30:00 AM +00:00");
    let named = form(&["%b %d, %Y"]);
    check(
        |text| named.spell_day(text),
        &[
            ("Mar 05, 2024", "2024-03-05"),
            ("march 5, 2024", "2024-03-05"),
            ("Mar  5, 2024", "refused"),
            ("Marc 5, 2024", "refused"),
        ],
    );
    let plain = form(&[]);
    check(
        |text| plain.spell_day(text),
        &[
            ("2024-01-31", "2024-01-31"),
            ("20240131", "20240131"),
            ("2024-01-31 00:00:00", "2024-01-31 00:00:00"),
            ("2024-01-31 10:00:00", "refused"),
            ("2024-01-31 19:00:00-05", "refused"),
            ("31.01.2024", "refused"),
        ],
    );
}

/// A zero that a spreadsheet has taken off must not make another date.
#[test]
fn numbers_beside_each_other_have_all_digits() {
    check(
        |text| form(&["%d%m%y"]).spell_day(text),
        &[("010124", "2024-01-01"), ("10124", "refused"), ("11124", "refused")],
    );
    check(
        |text| form(&["%Y%m%d"]).spell_day(text),
        &[("20240111", "2024-01-11"), ("2024111", "refused")],
    );
    check(
        |text| form(&["%d.%m.%Y %H%M"]).spell_moment(text),
        &[
            ("31.01.2024 0130", "2024-01-31 01:30:00"),
            ("31.01.2024 130", "refused"),
            ("31.01.20240930", "refused"),
            ("31.01.24 0024", "refused"),
        ],
    );
}

#[test]
fn a_day_is_not_cut_from_a_moment() {
    let form = form(&["%d/%m/%Y %H:%M"]);
    check(
        |text| form.spell_day(text),
        &[("31/01/2024 00:00", "2024-01-31"), ("31/01/2024 10:30", "refused")],
    );
}

#[test]
fn moments_are_read_by_their_patterns() {
    let american = form(&["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y"]);
    check(
        |text| american.spell_moment(text),
        &[
            ("01/31/2024 10:30:00 PM", "2024-01-31 22:30:00"),
            ("1/31/2024 12:00:00 am", "2024-01-31 00:00:00"),
            ("1/31/2024 12:00:00 PM", "2024-01-31 12:00:00"),
            ("1/31/2024 1:05:09 pm", "2024-01-31 13:05:09"),
            ("1/31/2024 22:30:00 AM", "refused"),
            ("1/31/2024 00:30:00 PM", "refused"),
            ("01/31/2024", "2024-01-31 00:00:00"),
            ("31/01/2024", "refused"),
        ],
    );
    let zoned = form(&["%Y%m%dT%H%M%S%.f%z"]);
    check(
        |text| zoned.spell_moment(text),
        &[
            ("20240131T103000.5+0130", "2024-01-31 09:00:00.5"),
            ("20240131T103000.123456789+00:00", "2024-01-31 10:30:00.123456789"),
            ("19691231T235959.25Z", "1969-12-31 23:59:59.25"),
            ("20240131T103000-05", "2024-01-31 15:30:00"),
            ("20240131T103000", "refused"),
            ("20240131T103000+15:59", "2024-01-30 18:31:00"),
            ("20240131T103000+16:00", "refused"),
            ("20240131T103000+15:60", "refused"),
            ("20240131T103000+25:00", "refused"),
            ("20240131T103000+01:", "refused"),
            ("20161231T235960Z", "refused"),
            ("20240131T240000Z", "refused"),
        ],
    );
    let in_utc = zoned.spell_zoned("20240131T103000+0130");
    assert_eq!(in_utc.as_deref(), Some("2024-01-31 09:00:00+00"));
    let plain = form(&[]);
    let text = "2024-01-31 10:30 -0130";
    assert_eq!(plain.spell_moment(text).as_deref(), Some(text));
    assert_eq!(plain.spell_moment("31.01.2024"), None);
    assert_eq!(plain.spell_zoned("31.01.2024").as_deref(), Some("31.01.2024"));
    let before_a_mark = form(&["%F %H:%M%z: %S"]).spell_moment("2024-01-31 10:30+01: 05");
    assert_eq!(before_a_mark.as_deref(), Some("2024-01-31 09:30:05"));
    let last = form(&["%F %T"]).spell_moment("9999-12-31 23:59:59");
    assert_eq!(last.as_deref(), Some("9999-12-31 23:59:59"));
}

#[test]
fn seconds_since_1970_are_moments() {
    check(
        |text| form(&["epochsecs"]).spell_moment(text),
        &[
            ("1706697000", "2024-01-31 10:30:00"),
            ("-1", "1969-12-31 23:59:59"),
            ("1706697000.5", "2024-01-31 10:30:00.5"),
            ("-0.25", "1969-12-31 23:59:59.75"),
            ("1706697000.", "refused"),
            ("1e9", "refused"),
            ("9999999999999999", "refused"),
        ],
    );
    check(
        |text| form(&["epochmillisecs"]).spell_moment(text),
        &[
            ("1706697000250", "2024-01-31 10:30:00.25"),
            ("-1", "1969-12-31 23:59:59.999"),
            ("1706697000250.5", "refused"),
        ],
    );
    assert_eq!(form(&["epochsecs"]).example(""), "1706697000");
}

#[test]
fn what_a_pattern_lacks_is_said() {
    let error = |pattern: &str| {
        let patterns: Vec<String> = pattern.split('|').map(str::to_owned).collect();
        MomentForm::of_days(&patterns).expect_err("must be refused").to_string()
    };
    insta::assert_snapshot!(error("%d.%m"), @"the format `%d.%m` does not tell the whole day; it needs year, month and day, as %d.%m.%Y has them");
    insta::assert_snapshot!(error("DD.MM.YYYY"), @"the format `DD.MM.YYYY` has no letter behind a percent sign; a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs (all letters: docs/columns.md)");
    insta::assert_snapshot!(error("%F %Q"), @"the format `%F %Q` has `%Q`, which is not known; a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs (all letters: docs/columns.md)");
    insta::assert_snapshot!(error("%F %"), @"the format `%F %` has `%`, which is not known; a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs (all letters: docs/columns.md)");
    insta::assert_snapshot!(error("%F %M"), @"the format `%F %M` does not tell the whole time; %M needs the hour before it, %S the minute, %I goes together with %p, and a zone needs a time");
    insta::assert_snapshot!(error("%F %I:%M"), @"the format `%F %I:%M` does not tell the whole time; %M needs the hour before it, %S the minute, %I goes together with %p, and a zone needs a time");
    assert!(MomentForm::of_days(&["%F".to_owned(), "%d.%m.%Y".to_owned()]).is_ok());
    insta::assert_snapshot!(error("%F %y"), @"the format `%F %y` tells something twice; leave one of the two away");
    insta::assert_snapshot!(error("%FT%T%z"), @"the format `%FT%T%z` has a zone, and a date has none; give the column the type timestamp");
    insta::assert_snapshot!(error("%m/%d/%Y|%d/%m/%Y"), @"the formats `%m/%d/%Y` and `%d/%m/%Y` read 02/01/2024 as two days; keep one of them");
}
