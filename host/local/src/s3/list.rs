//! Listings: which part of the sorted keys a request gets. In: the bucket's entries and the
//! request's prefix, delimiter and position; out: one page and where the next page starts. No I/O;
//! the caller adds the ETags. For example, the keys `a`, `b/1` and `b/2` with the delimiter `/` are
//! the object `a` and the common prefix `b/`.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use s3s::{S3Result, s3_error};

use super::digest::hex;
use crate::objects::ObjectEntry;

/// The most items of a page, also when the client asks for more.
const MAX_KEYS: i32 = 1000;

/// The last item of the page before; the next page starts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    Start,
    Key(String),
    /// A common prefix. It stands for all keys that start with it, so all of them are behind us.
    Prefix(String),
}

#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: Option<&'a str>,
    pub(crate) after: After,
    pub(crate) max_keys: i32,
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<ObjectEntry>,
    pub(crate) common_prefixes: Vec<String>,
    /// The last item of this page, when more items follow.
    pub(crate) next: Option<After>,
}

/// The number of items that a page may have; `None` asks for the most.
pub(crate) fn max_keys(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(asked) if asked < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647"
        )),
        asked => Ok(asked.unwrap_or(MAX_KEYS).min(MAX_KEYS)),
    }
}

/// One page of `entries`, which must be sorted and all start with the prefix.
// `last` is the position as it moves: the end of the page before, then each item of this one. So
// the same test skips what earlier pages had and the further keys of a common prefix. The page is
// full only when one more item is found, and that is how it is known to be truncated.
pub(crate) fn page(entries: Vec<ObjectEntry>, query: &Query<'_>) -> Page {
    let mut page = Page::default();
    let limit = usize::try_from(query.max_keys).unwrap_or_default();
    let mut last = query.after.clone();
    for entry in entries {
        let common = query
            .delimiter
            .and_then(|delimiter| common_prefix(&entry.key, query.prefix, delimiter));
        if last.includes(&entry.key, common) {
            continue;
        }
        if page.len() == limit {
            page.next = (limit > 0).then_some(last);
            return page;
        }
        match common {
            Some(common) => {
                last = After::Prefix(common.to_owned());
                page.common_prefixes.push(common.to_owned());
            }
            None => {
                last = After::Key(entry.key.clone());
                page.objects.push(entry);
            }
        }
    }
    page
}

impl Page {
    pub(crate) fn len(&self) -> usize {
        self.objects.len() + self.common_prefixes.len()
    }
}

fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key[prefix.len()..].find(delimiter)?;
    Some(&key[..prefix.len() + at + delimiter.len()])
}

impl After {
    /// Whether a key, or the common prefix that it is listed by, is at or before this position.
    fn includes(&self, key: &str, common: Option<&str>) -> bool {
        match self {
            After::Start => false,
            // A client may start after any text. After `b/2`, the prefix `b/` is not listed: it
            // sorts before `b/2`, although `b/3` is still to come.
            After::Key(last) => common.unwrap_or(key) <= last.as_str(),
            After::Prefix(prefix) => key <= prefix.as_str() || key.starts_with(prefix.as_str()),
        }
    }

    /// The continuation token, which is opaque to clients. Its first letter keeps apart a key and a
    /// prefix with the same text: `k` or `p`, then the text in hexadecimal digits.
    pub(crate) fn token(&self) -> String {
        match self {
            After::Start => String::new(),
            After::Key(key) => format!("k{}", hex(key.as_bytes())),
            After::Prefix(prefix) => format!("p{}", hex(prefix.as_bytes())),
        }
    }

    /// The key or prefix itself; `None` at the start.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            After::Start => None,
            After::Key(text) | After::Prefix(text) => Some(text.clone()),
        }
    }

    pub(crate) fn from_token(token: &str) -> S3Result<After> {
        let wrong = || s3_error!(InvalidArgument, "The continuation token provided is incorrect");
        let text = unhex(token.get(1..).ok_or_else(wrong)?).ok_or_else(wrong)?;
        match token.as_bytes().first() {
            Some(b'k') => Ok(After::Key(text)),
            Some(b'p') => Ok(After::Prefix(text)),
            _ => Err(wrong()),
        }
    }
}

// `from_str_radix` alone would read an odd last digit as a byte of its own.
fn unhex(text: &str) -> Option<String> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| {
        u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

/// A key as `encoding-type=url` has it, so that any key fits into XML: `a b` becomes `a%20b`.
pub(crate) fn url_encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'*' => {
                encoded.push(char::from(byte))
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// Every page of a listing as text, prefixes with a `+`.
    fn pages(
        keys: &[&str],
        prefix: &str,
        delimiter: Option<&str>,
        after: After,
        max_keys: i32,
    ) -> Vec<String> {
        let mut after = after;
        let mut pages = Vec::new();
        loop {
            let mut keys: Vec<&str> =
                keys.iter().copied().filter(|key| key.starts_with(prefix)).collect();
            keys.sort_unstable();
            let entries = keys.iter().map(|key| ObjectEntry {
                key: (*key).to_owned(),
                size_bytes: 0,
                modified: UNIX_EPOCH,
            });
            let page = page(entries.collect(), &Query { prefix, delimiter, after, max_keys });
            let objects = page.objects.iter().map(|entry| entry.key.clone());
            let mut items: Vec<String> = objects
                .chain(page.common_prefixes.iter().map(|prefix| format!("+{prefix}")))
                .collect();
            items.sort_unstable();
            pages.push(items.join(" "));
            match page.next {
                Some(next) => after = After::from_token(&next.token()).unwrap(),
                None => return pages,
            }
        }
    }

    const KEYS: [&str; 6] = ["a", "b/1", "b/2", "b/3/x", "c", "d/1"];

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        assert_eq!(pages(&KEYS, "", None, After::Start, 4), ["a b/1 b/2 b/3/x", "c d/1"]);
        assert_eq!(pages(&KEYS, "", None, After::Start, 3), ["a b/1 b/2", "b/3/x c d/1"]);
        assert_eq!(pages(&KEYS, "", Some("/"), After::Start, 2), ["+b/ a", "+d/ c"]);
        assert_eq!(pages(&KEYS, "", Some("/"), After::Start, 1), ["a", "+b/", "c", "+d/"]);
        assert_eq!(pages(&KEYS, "b/", Some("/"), After::Start, 1000), ["+b/3/ b/1 b/2"]);
        assert_eq!(pages(&KEYS, "", None, After::Start, 0), [""]);
        assert_eq!(pages(&[], "", None, After::Start, 5), [""]);
    }

    #[test]
    fn start_after_is_any_text() {
        assert_eq!(pages(&KEYS, "", None, After::Key("b/2".to_owned()), 9), ["b/3/x c d/1"]);
        assert_eq!(pages(&KEYS, "", None, After::Key("bb".to_owned()), 9), ["c d/1"]);
    }

    #[test]
    fn a_token_of_ours_or_an_error() {
        for after in [After::Key("ä/%+ ".to_owned()), After::Prefix("x/".to_owned())] {
            assert_eq!(After::from_token(&after.token()).unwrap(), after);
        }
        for wrong in ["", "k1", "kzz", "x00", "kff", "é"] {
            assert!(After::from_token(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn url_encoding_leaves_slashes() {
        assert_eq!(url_encode("a b+c%/ä\u{1}"), "a%20b%2Bc%25/%C3%A4%01");
    }
}
