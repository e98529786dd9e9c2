use crate::model::Secret;
use azure_core::xml;
use serde::{Deserialize, Serialize};

/// A user delegation key, element by element as the service gave it: each is signed along, so none is rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDelegationKey {
    /// `SignedOid`: the object id of the identity.
    pub oid: String,
    /// `SignedTid`: its tenant.
    pub tid: String,
    /// `SignedStart`: from when it signs, as a UTC time.
    pub start: String,
    /// `SignedExpiry`: until when.
    pub expiry: String,
    /// `SignedService`: `b`, `f`, `q` or `t`.
    pub service: String,
    /// `SignedVersion`: the version of the service that made it.
    pub version: String,
    /// `SignedDelegatedUserTid`: the tenant of the only user who may use what it signs, where there is one.
    pub delegated_user_tid: Option<String>,
    /// `Value`: the key, base64.
    pub value: Secret,
}

impl UserDelegationKey {
    /// Reads an answer; `None` where it is something else. The parser knows no entity but XML's own five, and reads no DTD.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let answer: Answer = xml::from_xml(body).ok()?;
        Some(Self {
            oid: answer.oid,
            tid: answer.tid,
            start: answer.start,
            expiry: answer.expiry,
            service: answer.service,
            version: answer.version,
            delegated_user_tid: answer.delegated_user_tid.filter(|tid| !tid.is_empty()),
            value: Secret::new(answer.value),
        })
    }
}

/// The body that asks for a key.
pub(super) fn question(start: &str, expiry: &str) -> bytes::Bytes {
    xml::to_xml(&KeyInfo { start, expiry }).expect("two texts can be written as XML")
}

#[derive(Serialize)]
struct KeyInfo<'a> {
    #[serde(rename = "Start")]
    start: &'a str,
    #[serde(rename = "Expiry")]
    expiry: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SignedOid")]
    oid: String,
    #[serde(rename = "SignedTid")]
    tid: String,
    #[serde(rename = "SignedStart")]
    start: String,
    #[serde(rename = "SignedExpiry")]
    expiry: String,
    #[serde(rename = "SignedService")]
    service: String,
    #[serde(rename = "SignedVersion")]
    version: String,
    #[serde(rename = "SignedDelegatedUserTid")]
    delegated_user_tid: Option<String>,
    #[serde(rename = "Value")]
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid>\
        <SignedStart>2026-11-24T00:00:00Z</SignedStart><SignedExpiry>2026-11-25T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
        <SignedVersion>2022-11-02</SignedVersion><Value>a2V5</Value></UserDelegationKey>";

    fn expected() -> UserDelegationKey {
        UserDelegationKey {
            oid: "o".to_owned(),
            tid: "t".to_owned(),
            start: "2026-11-24T00:00:00Z".to_owned(),
            expiry: "2026-11-25T00:00:00Z".to_owned(),
            service: "b".to_owned(),
            version: "2022-11-02".to_owned(),
            delegated_user_tid: None,
            value: Secret::new("a2V5"),
        }
    }

    #[test]
    fn a_key_is_read_whatever_else_is_in_the_answer() {
        let user = |tid: &str| format!("<SignedDelegatedUserTid>{tid}</SignedDelegatedUserTid><Value>");
        let of_user = UserDelegationKey { delegated_user_tid: Some("u".to_owned()), ..expected() };
        for (answer, expected) in [
            (ANSWER.to_owned(), expected()),
            (ANSWER.replace("><", ">\r\n  <"), expected()),
            (ANSWER.replace("<Value>", "<New a=\"1\"><Deep>x</Deep></New><Value>"), expected()),
            (ANSWER.replace("<Value>", &user("u")), of_user),
            (ANSWER.replace("<Value>", &user("")), expected()),
        ] {
            assert_eq!(UserDelegationKey::read(answer.as_bytes()), Some(expected), "{answer}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_taken_for_one() {
        let declared = "<!DOCTYPE x [<!ENTITY e \"secret\">]><UserDelegationKey>";
        for answer in [
            String::new(),
            "<html><body>hello</body></html>".to_owned(),
            "{\"SignedOid\": \"o\"}".to_owned(),
            ANSWER[..ANSWER.len() - 30].to_owned(),
            ANSWER.replace("<Value>a2V5</Value>", ""),
            ANSWER.replace("<SignedOid>o</SignedOid>", "<SignedOid>o</SignedOid><SignedOid>p</SignedOid>"),
            ANSWER.replace("<UserDelegationKey>", declared).replace("a2V5", "&e;"),
        ] {
            assert_eq!(UserDelegationKey::read(answer.as_bytes()), None, "{answer}");
        }
        assert_eq!(UserDelegationKey::read(b"\xff\xfe<"), None);
    }

    #[test]
    fn the_question_is_the_one_that_the_service_expects() {
        let question = question("2026-11-24T00:00:00Z", "</Expiry>&");
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyInfo><Start>2026-11-24T00:00:00Z</Start>\
            <Expiry>&lt;/Expiry&gt;&amp;</Expiry></KeyInfo>";
        assert_eq!(str::from_utf8(&question), Ok(expected));
    }
}
