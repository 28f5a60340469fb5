//! The names by which requests address this machine's servers. In: a request's `Host` header. Out:
//! what it addresses, or nothing for a name that is not ours.
//!
//! A name that is not ours means that somebody else's name leads here. For example, a page of
//! `evil.example` can let its name point to 127.0.0.1 and have the browser of a person on this
//! machine send requests; the browser then writes `evil.example` into the header.

/// What a `Host` header addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Addressed<'a> {
    /// The server itself: a bucket, if any, is in the path.
    Server,
    /// A bucket by its own name, such as `demo.localhost`.
    Bucket(&'a str),
}

/// Reads the header; `None` for another machine's name.
// The port is not looked at: a tunnel, or a test's proxy, has another one than the server, and a
// foreign page cannot choose the name.
pub(crate) fn addressed(host: &str) -> Option<Addressed<'_>> {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    match name {
        "127.0.0.1" | "localhost" => Some(Addressed::Server),
        _ => {
            let bucket = name.strip_suffix(".localhost").filter(|bucket| !bucket.is_empty());
            bucket.map(Addressed::Bucket)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_ours() {
        for host in ["127.0.0.1:9000", "127.0.0.1", "localhost:1", "localhost"] {
            assert_eq!(addressed(host), Some(Addressed::Server), "{host}");
        }
        assert_eq!(addressed("demo.localhost:9000"), Some(Addressed::Bucket("demo")));
        assert_eq!(addressed("a.b.localhost"), Some(Addressed::Bucket("a.b")));
        for host in [
            "",
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9000",
            "evillocalhost",
            ".localhost",
            "localhost:evil",
            "0.0.0.0:9000",
        ] {
            assert_eq!(addressed(host), None, "{host}");
        }
    }
}
