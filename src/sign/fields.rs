use super::uri::escape;

/// Every field of every SAS but its times, as the one text that is both signed and sent; empty where there is none.
///
/// The layouts take what they sign from it and the token takes what it says, so the two cannot differ.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields<'a> {
    pub(super) account: &'a str,
    pub(super) permissions: &'a str,
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
    /// Always empty: an account SAS, as the only kind, ends its last line too.
    pub(super) end: &'a str,
    /// `name:value\n` of each signed header.
    pub(super) request_headers: &'a str,
    pub(super) request_header_names: &'a str,
    /// `\nname:value` of each signed query parameter.
    pub(super) request_query: &'a str,
    pub(super) request_query_names: &'a str,
}

impl<'a> Fields<'a> {
    /// The token's parameters but for its times and signature, each ended by `&`.
    pub(super) fn query(&self) -> String {
        let given = self.parameters().into_iter().filter(|(_, value)| !value.is_empty());
        given.flat_map(|(name, value)| [name, "="].into_iter().chain(escape(value)).chain(["&"])).collect()
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
    fn parameters(&self) -> [(&'static str, &str); 33] {
        [
            ("sv", self.version),
            ("ss", self.services),
            ("srt", self.resource_types),
            ("spr", self.protocol),
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
