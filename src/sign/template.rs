use super::{Signed, Window, hmac::Signature, uri::escape};
use crate::model::Secret;

/// A SAS but for its times, which stand side by side in every layout: what is signed before and after them, and what the token says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    before: String,
    after: String,
    query: String,
}

/// What the times add to a token.
const TIMES: usize = 2 * "st=2030-01-02T03:04:05Z&".len();

impl Template {
    pub(super) fn new(before: &[&str], after: &[&str], query: String) -> Self {
        Self { before: before.join("\n") + "\n", after: "\n".to_owned() + &after.join("\n"), query }
    }

    /// Fills the times in and signs.
    pub(super) fn sign(&self, window: &Window, sign: impl FnOnce(&str) -> Signature) -> Signed {
        let (start, expiry) = window.texts();
        let string_to_sign = [&self.before, start, "\n", expiry, &self.after].concat();
        let signature = sign(&string_to_sign);
        let mut token = String::with_capacity(TIMES + self.query.len() + "sig=".len() + signature.escaped_len());
        for (name, time) in [("st=", start), ("se=", expiry)] {
            if !time.is_empty() {
                // A colon needs no escape in a query (RFC 3986, 3.4).
                token.push_str(name);
                token.push_str(time);
                token.push('&');
            }
        }
        token.push_str(&self.query);
        token.push_str("sig=");
        token.extend(escape(signature.as_str()));
        Signed { token: Secret::new(token), string_to_sign, expires_at: window.expiry() }
    }
}

/// Declares a layout of a SAS as a struct of the lines of its string-to-sign, in order; `[start expiry]` are filled in when it is signed.
macro_rules! sas_layout {
    ($(#[$doc:meta])* $name:ident { $($before:ident)+ [start expiry] $($after:ident)+ }) => {
        $(#[$doc])*
        struct $name<'a> {
            $($before: &'a str,)+
            $($after: &'a str,)+
        }

        impl<'a> $name<'a> {
            fn of(fields: &$crate::sign::fields::Fields<'a>) -> Self {
                Self { $($before: fields.$before,)+ $($after: fields.$after,)+ }
            }

            fn template(&self, query: String) -> $crate::sign::template::Template {
                $crate::sign::template::Template::new(&[$(self.$before),+], &[$(self.$after),+], query)
            }
        }
    };
}

pub(super) use sas_layout;
