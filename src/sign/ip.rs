use super::SignError;
use std::net::Ipv4Addr;

/// Checks `sip`: one IPv4 address, or two as `FIRST-LAST`. Storage knows neither IPv6 nor prefixes there.
pub(super) fn range(text: &str) -> Result<String, SignError> {
    let address = |text: &str| text.parse::<Ipv4Addr>().ok();
    let good = match text.split_once('-') {
        None => address(text).is_some(),
        Some((first, last)) => matches!((address(first), address(last)), (Some(first), Some(last)) if first <= last),
    };
    if good {
        Ok(text.to_owned())
    } else {
        let problem = "is no IPv4 address or ascending range: write 203.0.113.7 or 203.0.113.1-203.0.113.9";
        Err(SignError::Invalid { field: "ip", problem })
    }
}
