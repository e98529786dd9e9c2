use super::{headers::Headers, url::Url};
use crate::sign::{AccountName, SignError, Version};

/// A described HTTP request. Its body is never needed: what is signed of it stands in `Content-Length` and `Content-MD5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    method: String,
    url: Url,
    headers: Headers,
}

impl Request {
    /// Parses a request as it will be sent: an absolute URL with its escapes, and every header that the scheme signs.
    pub fn parse(method: &str, url: &str, headers: &[(String, String)]) -> Result<Self, SignError> {
        if method.is_empty() || method.len() > 16 || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let problem = "is no HTTP method: write GET, PUT, POST, DELETE …";
            return Err(SignError::Invalid { field: "method", problem });
        }
        Ok(Self { method: method.to_ascii_uppercase(), url: Url::parse(url)?, headers: Headers::parse(headers)? })
    }

    /// The request with this `x-ms-date`.
    pub(super) fn dated(mut self, date: &str) -> Result<Self, SignError> {
        for (name, field) in [("x-ms-date", "x-ms-date"), ("date", "Date")] {
            if !self.header(name).is_empty() {
                return Err(SignError::Invalid { field, problem: "is set by the signer: leave it out" });
            }
        }
        self.headers.push("x-ms-date", date);
        Ok(self)
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it is sent, escapes and all. Whoever decides about the request decides about this one, not about a parse of their own.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The query's parameters in the order sent: names in lower case, both decoded. A name may come twice.
    pub fn query(&self) -> &[(String, String)] {
        self.url.query()
    }

    /// The value of a header, whose name is given in lower case; nothing where it is not sent or empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name)
    }

    /// `Content-Length` as versions since 2015-02-21 sign it, where 0 is nothing.
    pub(super) fn length(&self) -> Result<&str, SignError> {
        let zero_is_signed = self.headers.version()?.is_some_and(|version| version < Version::V2015_02_21);
        Ok(match self.header("content-length") {
            "0" if !zero_is_signed => "",
            length => length,
        })
    }

    /// The `x-ms-` headers as they are signed; since 2016-05-31 those without a value too.
    pub(super) fn storage_headers(&self) -> Result<String, SignError> {
        let with_empty = self.headers.version()?.is_none_or(|version| version >= Version::V2016_05_31);
        Ok(self.headers.canonical("x-ms-", with_empty))
    }

    /// The `ocp-` headers as Batch signs them.
    pub(super) fn batch_headers(&self) -> String {
        self.headers.canonical("ocp-", false)
    }

    /// `Content-Length` as Batch signs it: for everything but reads, and where there is none as 0.
    pub(super) fn batch_length(&self) -> &str {
        match (self.method.as_str(), self.header("content-length")) {
            ("GET" | "HEAD", length) => length,
            (_, "") => "0",
            (_, length) => length,
        }
    }

    /// The date for Batch's slot. One of the two headers only: how both together are signed is written nowhere.
    pub(super) fn batch_date(&self) -> Result<&str, SignError> {
        match (self.header("ocp-date"), self.header("date")) {
            ("", "") => Err(SignError::Missing { field: "ocp-date", hint: "the service wants the time of a request" }),
            (ocp, date) if !ocp.is_empty() && !date.is_empty() => {
                Err(SignError::Conflict { field: "ocp-date", other: "Date" })
            }
            (_, date) => Ok(date),
        }
    }

    /// The date for a slot that is empty where another header, which is signed too, says it.
    pub(super) fn slot_date(&self) -> Result<&str, SignError> {
        match (self.header("x-ms-date"), self.header("date")) {
            ("", "") => Err(SignError::Missing { field: "x-ms-date", hint: "the service wants the time of a request" }),
            ("", date) => Ok(date),
            _ => Ok(""),
        }
    }

    /// The date for a slot that is never empty.
    pub(super) fn date(&self) -> Result<&str, SignError> {
        let slot = self.slot_date()?;
        Ok(if slot.is_empty() { self.header("x-ms-date") } else { slot })
    }

    /// The canonical resource with the whole query.
    pub(super) fn resource(&self, account: &AccountName) -> String {
        format!("/{account}{}{}", self.url.signed_path(account), self.url.canonical_query())
    }

    /// The canonical resource with nothing of the query but `comp`.
    pub(super) fn resource_with_comp(&self, account: &AccountName) -> Result<String, SignError> {
        Ok(format!("/{account}{}{}", self.url.signed_path(account), self.url.comp()?))
    }
}
