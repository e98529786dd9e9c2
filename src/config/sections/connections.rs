use super::extra::Extra;
use crate::{
    broker::{ConnectionConfig, ExtraConfig, Field, PartConfig},
    config::{
        context::Names,
        place::Keys,
        record::Record,
        reference::PartOf,
        shape::{NameOf, Parse, Wrong},
        text::Text,
    },
    model::Name,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// One entry of `connections`.
pub(in crate::config) struct Connection {
    pub(in crate::config) config: ConnectionConfig,
    pub(in crate::config) places: Places,
}

/// Where the keys of a connection are written, and those of its `extra`.
pub(in crate::config) struct Places {
    pub(in crate::config) fields: Keys,
    pub(in crate::config) extra: Option<Keys>,
}

/// One entry of `connections`, but for its id.
pub(super) struct Unnamed {
    conn_type: String,
    grant: Option<Arc<str>>,
    fields: Vec<(Field, PartConfig)>,
    port: Option<u16>,
    extra: Vec<(String, ExtraConfig)>,
    places: Places,
}

impl Unnamed {
    pub(super) fn named(self, id: Name) -> Connection {
        let Self { conn_type, grant, fields, port, extra, places } = self;
        Connection { config: ConnectionConfig { id, conn_type, grant, fields, port, extra }, places }
    }
}

/// One entry of `connections`, but for its id.
pub(super) fn connection(record: &mut Record<'_, '_>) -> Option<Unnamed> {
    let conn_type = record.required("type", "The connection type, as Airflow calls it, such as wasb.", &TYPE);
    let grant = record.optional(
        "grant",
        "A grant; its token stands where the type's hook looks for it, with the account's host and name around it.",
        &NameOf(Names::Grant),
    );
    let fields = Field::ALL.map(|field| {
        let part = PartOf { is_secret: field == Field::Password };
        record.optional(field.as_str(), doc(field), &part).map(|part| (field, part))
    });
    let port = record.optional("port", "The port.", &Port);
    let extra = record.optional(
        "extra",
        "The hook's own settings. Text may be a reference here too; everything else is as written.",
        &Extra,
    );
    let (extra, extra_places) = extra.map_or_else(Default::default, |(extra, places)| (extra, Some(places)));
    Some(Unnamed {
        conn_type: conn_type?,
        grant,
        fields: fields.into_iter().flatten().collect(),
        port,
        extra,
        places: Places { fields: record.places()?, extra: extra_places },
    })
}

fn doc(field: Field) -> &'static str {
    match field {
        Field::Description => "What people read.",
        Field::Host => "The host: text or a reference.",
        Field::Login => "The user: text or a reference.",
        Field::Password => "The password: a reference, the token of a grant, or an Entra token.",
        Field::Schema => "The schema or database: text or a reference.",
    }
}

const TYPE: Text = Text {
    noun: "a connection type",
    rule: "it is 1 to 500 letters, digits, `_`, `-`, `.` and `+`",
    is_right: |text| {
        (1..=500).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+'))
    },
    pattern: "^[0-9A-Za-z_.+-]{1,500}$",
};

/// A TCP port; Airflow takes 0 for none.
struct Port;

impl Parse for Port {
    type Out = u16;

    fn noun(&self) -> &'static str {
        "a port"
    }

    fn parse(&self, text: &str) -> Result<u16, Wrong> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let port = text.parse().ok().filter(|_| is_number);
        port.ok_or_else(|| Wrong::new("this is no port", "it is a number up to 65535"))
    }

    fn schema(&self) -> Json {
        json!({"type": ["integer", "string"], "minimum": 0, "maximum": u16::MAX, "pattern": "^[0-9]{1,5}$"})
    }
}
