use super::Request;
use crate::sign::{AccountName, SignError};

/// Everything that some layout signs of a request.
struct Parts<'a> {
    method: &'a str,
    content_encoding: &'a str,
    content_language: &'a str,
    content_length: &'a str,
    content_md5: &'a str,
    content_type: &'a str,
    date: &'a str,
    if_modified_since: &'a str,
    if_match: &'a str,
    if_none_match: &'a str,
    if_unmodified_since: &'a str,
    range: &'a str,
    /// The canonical headers, each with its line break, and the resource: no break of their own, because there may be no headers.
    headers_and_resource: &'a str,
}

impl<'a> Parts<'a> {
    fn of(request: &'a Request, date: &'a str, length: &'a str, headers_and_resource: &'a str) -> Self {
        Self {
            method: request.method(),
            content_encoding: request.header("content-encoding"),
            content_language: request.header("content-language"),
            content_length: length,
            content_md5: request.header("content-md5"),
            content_type: request.header("content-type"),
            date,
            if_modified_since: request.header("if-modified-since"),
            if_match: request.header("if-match"),
            if_none_match: request.header("if-none-match"),
            if_unmodified_since: request.header("if-unmodified-since"),
            range: request.header("range"),
            headers_and_resource,
        }
    }
}

/// Shared Key for blob, queue, file and dfs.
pub(super) fn storage(account: &AccountName, request: &Request) -> Result<String, SignError> {
    let rest = request.storage_headers()? + &request.resource(account);
    Ok(Full::of(&Parts::of(request, request.slot_date()?, request.length()?, &rest)).text())
}

/// Shared Key Lite for blob, queue, file and dfs.
pub(super) fn storage_lite(account: &AccountName, request: &Request) -> Result<String, SignError> {
    let rest = request.storage_headers()? + &request.resource_with_comp(account)?;
    Ok(Short::of(&Parts::of(request, request.slot_date()?, "", &rest)).text())
}

/// Shared Key for table.
pub(super) fn table(account: &AccountName, request: &Request) -> Result<String, SignError> {
    let rest = request.resource_with_comp(account)?;
    Ok(Short::of(&Parts::of(request, request.date()?, "", &rest)).text())
}

/// Shared Key Lite for table.
pub(super) fn table_lite(account: &AccountName, request: &Request) -> Result<String, SignError> {
    let rest = request.resource_with_comp(account)?;
    Ok(TableLite::of(&Parts::of(request, request.date()?, "", &rest)).text())
}

/// Shared Key for Batch: the headers of its own are `ocp-`, and writes without a body sign their length.
pub(in crate::sign) fn batch(account: &AccountName, request: &Request) -> Result<String, SignError> {
    let rest = request.batch_headers() + &request.resource(account);
    Ok(Full::of(&Parts::of(request, request.batch_date()?, request.batch_length(), &rest)).text())
}

/// Declares a string-to-sign as a struct of its lines, in order.
macro_rules! layout {
    ($(#[$doc:meta])* $name:ident { $($line:ident)+ }) => {
        $(#[$doc])*
        struct $name<'a> {
            $($line: &'a str,)+
        }

        impl<'a> $name<'a> {
            fn of(parts: &Parts<'a>) -> Self {
                Self { $($line: parts.$line,)+ }
            }

            fn text(&self) -> String {
                [$(self.$line),+].join("\n")
            }
        }
    };
}

layout! {
    /// Storage since 2009-09-19, and Batch. Encoding before language, whatever some SDKs do.
    Full {
        method content_encoding content_language content_length content_md5 content_type date
        if_modified_since if_match if_none_match if_unmodified_since range headers_and_resource
    }
}

layout! {
    /// Tables, whose resource comes without headers, and the Lite scheme of all others.
    Short { method content_md5 content_type date headers_and_resource }
}

layout! {
    /// The Lite scheme of tables.
    TableLite { date headers_and_resource }
}
