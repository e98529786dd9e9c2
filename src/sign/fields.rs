use super::{Signed, Timestamp, Window};
use crate::model::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Every field of every SAS, as the one text that is both signed and sent; empty where there is none.
///
/// The layouts take what they sign from it and the token takes what it says, so the two cannot differ.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields<'a> {
    pub(super) account: &'a str,
    pub(super) permissions: &'a str,
    pub(super) start: &'a str,
    pub(super) expiry: &'a str,
    pub(super) resource: &'a str,
    pub(super) identifier: &'a str,
    pub(super) ip: &'a str,
    pub(super) protocol: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) time: &'a str,
    pub(super) depth: &'a str,
    pub(super) encryption_scope: &'a str,
    pub(super) cache_control: &'a str,
    pub(super) content_disposition: &'a str,
    pub(super) content_encoding: &'a str,
    pub(super) content_language: &'a str,
    pub(super) content_type: &'a str,
    pub(super) table: &'a str,
    pub(super) start_pk: &'a str,
    pub(super) start_rk: &'a str,
    pub(super) end_pk: &'a str,
    pub(super) end_rk: &'a str,
    pub(super) services: &'a str,
    pub(super) resource_types: &'a str,
    pub(super) key_oid: &'a str,
    pub(super) key_tid: &'a str,
    pub(super) key_start: &'a str,
    pub(super) key_expiry: &'a str,
    pub(super) key_service: &'a str,
    pub(super) key_version: &'a str,
    pub(super) key_delegated_tid: &'a str,
    pub(super) authorized_oid: &'a str,
    pub(super) unauthorized_oid: &'a str,
    pub(super) correlation_id: &'a str,
    pub(super) delegated_oid: &'a str,
    /// `name:value\n` of each signed header.
    pub(super) request_headers: &'a str,
    pub(super) request_header_names: &'a str,
    /// `\nname:value` of each signed query parameter.
    pub(super) request_query: &'a str,
    pub(super) request_query_names: &'a str,
}

/// What RFC 3986 never escapes; all else is, so that no reader can take `+` for a space or `/` for a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// More than a token needs besides its values: names, separators and the signature.
const ROOM: usize = 256;

impl<'a> Fields<'a> {
    /// The token for a signature of these fields.
    pub(super) fn signed(&self, signature: &str, string_to_sign: String, expires_at: Option<Timestamp>) -> Signed {
        let mut token = String::with_capacity(string_to_sign.len() + ROOM);
        for (name, value) in self.parameters().into_iter().filter(|(_, value)| !value.is_empty()) {
            token.extend([name, "="]);
            token.extend(escape(value));
            token.push('&');
        }
        token.push_str("sig=");
        token.extend(escape(signature));
        Signed { token: Secret::new(token), string_to_sign: Secret::new(string_to_sign), expires_at }
    }

    pub(super) fn set_window(&mut self, window: &'a Window) {
        (self.start, self.expiry) = window.texts();
    }

    pub(super) fn set_response_headers(&mut self, headers: &'a [String; 5]) {
        let [cache_control, content_disposition, content_encoding, content_language, content_type] = headers;
        self.cache_control = cache_control;
        self.content_disposition = content_disposition;
        self.content_encoding = content_encoding;
        self.content_language = content_language;
        self.content_type = content_type;
    }

    /// What the token says, by the names of the REST API. A snapshot's time is signed but goes on the request's URL.
    fn parameters(&self) -> [(&'static str, &str); 35] {
        [
            ("sv", self.version),
            ("ss", self.services),
            ("srt", self.resource_types),
            ("spr", self.protocol),
            ("st", self.start),
            ("se", self.expiry),
            ("sip", self.ip),
            ("si", self.identifier),
            ("sr", self.kind),
            ("sdd", self.depth),
            ("tn", self.table),
            ("spk", self.start_pk),
            ("srk", self.start_rk),
            ("epk", self.end_pk),
            ("erk", self.end_rk),
            ("sp", self.permissions),
            ("ses", self.encryption_scope),
            ("skoid", self.key_oid),
            ("sktid", self.key_tid),
            ("skt", self.key_start),
            ("ske", self.key_expiry),
            ("sks", self.key_service),
            ("skv", self.key_version),
            ("skdutid", self.key_delegated_tid),
            ("saoid", self.authorized_oid),
            ("suoid", self.unauthorized_oid),
            ("scid", self.correlation_id),
            ("sduoid", self.delegated_oid),
            ("srh", self.request_header_names),
            ("srq", self.request_query_names),
            ("rscc", self.cache_control),
            ("rscd", self.content_disposition),
            ("rsce", self.content_encoding),
            ("rscl", self.content_language),
            ("rsct", self.content_type),
        ]
    }
}

/// Text as one component of a URI.
pub(super) fn escape(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, ESCAPED)
}

/// Declares a string-to-sign as a struct of its lines, in order: `of` takes them from all fields, `text` joins them.
macro_rules! layout {
    ($(#[$doc:meta])* $name:ident of $source:ident { $($line:ident)+ }) => {
        $(#[$doc])*
        struct $name<'a> {
            $($line: &'a str,)+
        }

        impl<'a> $name<'a> {
            fn of(fields: &$source<'a>) -> Self {
                Self { $($line: fields.$line,)+ }
            }

            fn text(&self) -> String {
                [$(self.$line),+].join("\n")
            }
        }
    };
}

pub(super) use layout;
