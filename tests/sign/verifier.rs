//! A verifier that does what the storage service does: it knows the resource that is asked for and the token, builds the string-to-sign from
//! both, and compares. It shares no code with the signer; its layouts are those of Microsoft's pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::collections::BTreeMap;

pub(crate) const KEY: &str = "m0hB1Q1cOMfVnTsG4xk2W9cL8Qv7yYb3pR6uJtZeXaHdKsNf5gCwEi+/oPzLqA0TjUxMrSyVlDk1FhB2nG7Y4w==";
pub(crate) const DELEGATION_VALUE: &str = "kq8N0c7mS4+f1Yb2zXwH/9uGvR6tJpLdEaQo3iTn5Ag=";

const HEADERS: &str = "rscc rscd rsce rscl rsct";

/// The lines of a kind and version, by the names of the token's parameters; `@` is the canonical resource, `#` the snapshot's time.
fn layout(kind: &str, sv: &str) -> String {
    let of_key = "sp st se @ skoid sktid skt ske sks skv";
    match kind {
        "service-sas-blob" if sv >= "2020-12-06" => format!("sp st se @ si sip spr sv sr # ses {HEADERS}"),
        "service-sas-blob" if sv >= "2018-11-09" => format!("sp st se @ si sip spr sv sr # {HEADERS}"),
        "service-sas-blob" | "service-sas-file" => format!("sp st se @ si sip spr sv {HEADERS}"),
        "service-sas-queue" => "sp st se @ si sip spr sv".to_owned(),
        "service-sas-table" => "sp st se @ si sip spr sv spk srk epk erk".to_owned(),
        "udk-sas-blob" if sv >= "2026-04-06" => {
            format!("{of_key} saoid suoid scid skdutid sduoid sip spr sv sr # ses no-srh no-srq {HEADERS}")
        }
        "udk-sas-blob" if sv >= "2025-07-05" => {
            format!("{of_key} saoid suoid scid skdutid sduoid sip spr sv sr # ses {HEADERS}")
        }
        "udk-sas-blob" if sv >= "2020-12-06" => format!("{of_key} saoid suoid scid sip spr sv sr # ses {HEADERS}"),
        "udk-sas-blob" if sv >= "2020-02-10" => format!("{of_key} saoid suoid scid sip spr sv sr # {HEADERS}"),
        "udk-sas-blob" => format!("{of_key} sip spr sv sr # {HEADERS}"),
        "udk-sas-file" => format!("{of_key} skdutid sduoid sip spr sv {HEADERS}"),
        "udk-sas-queue" => format!("{of_key} skdutid sduoid sip spr sv"),
        "udk-sas-table" => format!("{of_key} skdutid sduoid sip spr sv spk srk epk erk"),
        other => panic!("no layout for {other}"),
    }
}

/// What somebody asks for with a token: the canonical name, and the time of a snapshot or version.
pub(crate) struct Asked<'a> {
    pub(crate) resource: &'a str,
    pub(crate) time: &'a str,
}

/// Whether the service would take the token for what is asked for.
pub(crate) fn accepts(kind: &str, token: &BTreeMap<String, String>, asked: &Asked) -> bool {
    let sv = &token["sv"];
    let line = |name: &str| match name {
        "@" => asked.resource.to_owned(),
        "#" => asked.time.to_owned(),
        name => token.get(name).cloned().unwrap_or_default(),
    };
    let text = layout(kind, sv).split(' ').map(line).collect::<Vec<_>>().join("\n");
    let key = if kind.starts_with("udk") { DELEGATION_VALUE } else { KEY };
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
    mac.update(text.as_bytes());
    token["sig"] == STANDARD.encode(mac.finalize().into_bytes())
}
