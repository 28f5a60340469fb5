//! Tables of many kinds, made from numbers of a fixed seed.

/// A generator of numbers: xorshift, so that a seed gives the same files on every machine.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A header and its rows.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Values {
    Id,
    Name,
    City,
    Prose,
    Lines,
    Amount,
    Count,
    Day,
    Moment,
    Clock,
    Url,
    Flag,
    Code,
    Sparse,
}

const NAMES: [&str; 12] = [
    "Ann",
    "Bob Smith",
    "O'Neil",
    "Zoë",
    "Jürgen",
    "van der Berg",
    "Li",
    "Ana María",
    "D'Arcy",
    "Kim",
    "Smith, John",
    "Mr. X",
];
const CITIES: [&str; 8] =
    ["Oslo", "New York", "Rome", "São Paulo", "Bern", "Den Haag", "Lyon", "Washington, D.C."];
const WORDS: [&str; 16] = [
    "late", "order", "was", "sent", "again", "red,", "box", "and", "no", "more;", "said",
    "\"fine\"", "they", "item:", "with", "5%",
];
const CODES: [&str; 6] = ["A-17", "B-03", "C-99", "D-41", "E-00", "F-12"];

/// The kinds of tables: text heavy, numbers, days, wide, narrow, with lines in fields.
const KINDS: [(&str, &[Values]); 8] = [
    ("orders", &[Values::Id, Values::Name, Values::City, Values::Amount, Values::Day]),
    ("prose", &[Values::Id, Values::Prose, Values::Prose, Values::City]),
    ("numbers", &[Values::Amount, Values::Amount, Values::Count, Values::Amount, Values::Count]),
    ("events", &[Values::Moment, Values::Clock, Values::Code, Values::Count, Values::Url]),
    (
        "wide",
        &[
            Values::Id,
            Values::Code,
            Values::Amount,
            Values::Count,
            Values::Day,
            Values::City,
            Values::Flag,
            Values::Sparse,
            Values::Amount,
            Values::Count,
            Values::Moment,
            Values::Name,
            Values::Sparse,
            Values::Url,
            Values::Count,
            Values::Amount,
        ],
    ),
    ("narrow", &[Values::Id, Values::Amount]),
    ("lines", &[Values::Id, Values::Lines, Values::Day]),
    ("sparse", &[Values::Id, Values::Sparse, Values::Sparse, Values::Code, Values::Flag]),
];

/// The table of a kind, of so many rows.
pub(crate) fn table(kind: usize, rows: usize, numbers: &mut Numbers) -> Table {
    let (_, columns) = KINDS[kind % KINDS.len()];
    let header = columns.iter().enumerate().map(|(place, values)| name(*values, place));
    let row = |number: usize, numbers: &mut Numbers| {
        columns.iter().map(|values| value(*values, number, numbers)).collect()
    };
    Table {
        header: header.collect(),
        rows: (1..=rows).map(|number| row(number, numbers)).collect(),
    }
}

fn name(values: Values, place: usize) -> String {
    let name = match values {
        Values::Id => "order_id",
        Values::Name => "customer",
        Values::City => "city",
        Values::Prose => "remark",
        Values::Lines => "message",
        Values::Amount => "amount",
        Values::Count => "pieces",
        Values::Day => "placed on",
        Values::Moment => "seen_at",
        Values::Clock => "clock",
        Values::Url => "link",
        Values::Flag => "paid",
        Values::Code => "part",
        Values::Sparse => "extra",
    };
    format!("{name}{}", if place == 0 { String::new() } else { format!("_{place}") })
}

fn value(values: Values, number: usize, numbers: &mut Numbers) -> String {
    let mut below = |end: usize| numbers.below(end);
    match values {
        Values::Id => (1000 + number).to_string(),
        Values::Name => NAMES[below(NAMES.len())].to_owned(),
        Values::City => CITIES[below(CITIES.len())].to_owned(),
        Values::Prose => words(numbers, " "),
        Values::Lines => words(numbers, "\n"),
        Values::Amount => format!("{}.{:02}", below(5000), below(100)),
        Values::Count => below(300).to_string(),
        Values::Day => format!("2024-{:02}-{:02}", 1 + below(12), 1 + below(28)),
        Values::Moment => {
            format!(
                "2024-{:02}-{:02} {:02}:{:02}:00",
                1 + below(12),
                1 + below(28),
                below(24),
                below(60)
            )
        }
        Values::Clock => format!("{:02}:{:02}", below(24), below(60)),
        Values::Url => format!("https://shop.example/p/{}?q={}", below(900), below(9)),
        Values::Flag => numbers.one_of(&["true", "false"]).to_owned(),
        Values::Code => numbers.one_of(&CODES).to_owned(),
        Values::Sparse => numbers.one_of(&["", "", "", "7", "x"]).to_owned(),
    }
}

fn words(numbers: &mut Numbers, gap: &str) -> String {
    let count = 1 + numbers.below(9);
    let words: Vec<&str> = (0..count).map(|_| numbers.one_of(&WORDS)).collect();
    words.join(gap)
}
