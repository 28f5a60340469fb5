//! The URL of a queue: where its service is, and in which Region.

use loader_model::error::{Error, Kind, Result};

/// A queue's URL, such as `https://sqs.eu-central-1.amazonaws.com/123456789012/orders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: String,
    /// The service behind it: the URL up to its path.
    pub(super) endpoint: String,
    /// `None` where the host does not say; then that of the settings counts.
    pub(super) region: Option<String>,
}

impl Address {
    /// Errors: `Config` for another text.
    // The host has the Region behind `sqs` (`sqs.eu-central-1.amazonaws.com`, and an endpoint of a
    // VPC, `vpce-1a2b.sqs.eu-central-1.vpce.amazonaws.com`), or before `queue` (an old form,
    // `eu-central-1.queue.amazonaws.com`).
    // Source: <https://docs.aws.amazon.com/general/latest/gr/sqs-service.html>
    pub(super) fn of(url: &str) -> Result<Address> {
        let parts = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
        let parts = parts.and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?)));
        let Some((scheme, (host, _))) =
            parts.filter(|(_, (host, path))| !host.is_empty() && !path.is_empty())
        else {
            let fact = format!(
                "`{url}` is no URL of a queue; it is like \
                 https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
            );
            return Err(Error::new(Kind::Config, fact));
        };
        let labels: Vec<&str> = host.split('.').collect();
        let at = |label: &str| labels.iter().position(|known| *known == label);
        let region = match (host.contains(".amazonaws.com"), at("sqs"), at("queue")) {
            (true, Some(sqs), _) => labels.get(sqs + 1),
            (true, None, Some(queue)) => queue.checked_sub(1).and_then(|place| labels.get(place)),
            _ => None,
        };
        let region = region.map(|region| (*region).to_owned());
        Ok(Address { url: url.to_owned(), endpoint: format!("{scheme}://{host}"), region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_its_queue_is() {
        let check = |url: &str, endpoint: &str, region: Option<&str>| {
            let address = Address::of(url).expect("a URL");
            assert_eq!((&*address.endpoint, address.region.as_deref()), (endpoint, region));
        };
        let frankfurt = Some("eu-central-1");
        let host = "https://sqs.eu-central-1.amazonaws.com";
        check(&format!("{host}/123456789012/orders"), host, frankfurt);
        let host = "https://vpce-1a2b.sqs.eu-central-1.vpce.amazonaws.com";
        check(&format!("{host}/123456789012/orders"), host, frankfurt);
        let host = "https://eu-central-1.queue.amazonaws.com";
        check(&format!("{host}/123456789012/orders"), host, frankfurt);
        let host = "https://sqs.cn-north-1.amazonaws.com.cn";
        check(&format!("{host}/123456789012/orders"), host, Some("cn-north-1"));
        check("http://127.0.0.1:5000/1/q", "http://127.0.0.1:5000", None);
        for text in ["orders", "arn:aws:sqs:eu-central-1:1:q", "https://host", "https://host/"] {
            assert!(Address::of(text).is_err(), "{text}");
        }
    }
}
