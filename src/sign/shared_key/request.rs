use super::{headers::Headers, url::Url};
use crate::sign::{AccountName, SignError, Version, http_date};
use std::time::SystemTime;

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

    /// The request with an `x-ms-date`, which it says: its own, where it has one that is of now.
    pub(super) fn dated(mut self, now: SystemTime) -> Result<(Self, String), SignError> {
        let field = "x-ms-date";
        if self.headers.has(field) {
            let own = self.header(field).to_owned();
            http_date::check_near(field, &own, now)?;
            return Ok((self, own));
        }
        let date = http_date::format(now)?;
        self.headers.push(field, &date);
        Ok((self, date))
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The scheme, host and port as they are sent, in lower case: `https://acme.blob.core.windows.net`. They are not signed.
    pub fn origin(&self) -> String {
        self.url.origin()
    }

    /// The path as it is sent, escapes and all. Whoever decides about the request decides about this one, not about a parse of their own.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The path as it is signed for this account: another one than the one sent where that is of a secondary endpoint.
    pub fn signed_path(&self, account: &AccountName) -> String {
        self.url.signed_path(account)
    }

    /// The query's parameters in the order sent: names in lower case, both decoded. A name may come twice.
    pub fn query(&self) -> &[(String, String)] {
        self.url.query()
    }

    /// The value of a header, whose name is given in lower case; nothing where it is not sent or empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name)
    }

    /// Whether a header, whose name is given in lower case, is sent, be it without a value.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.has(name)
    }

    /// The names of all headers, in lower case, in the order sent.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.names()
    }

    /// The version of the service that it asks for, where it does.
    ///
    /// # Errors
    /// An `x-ms-version` that is no version.
    pub fn version(&self) -> Result<Option<Version>, SignError> {
        self.headers.version()
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
