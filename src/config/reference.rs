use super::{
    context::Context,
    context::Names,
    credential,
    path::{Content, PathTo},
    place::{Place, Placed},
    record::Record,
    shape::{NameOf, OfKeys, Shape, Wrong, expected, scalar},
    text::{VARIABLE, opaque},
    units::DurationOf,
};
use crate::{
    broker::{EntraTokenConfig, PartConfig},
    model::{
        Name, Origin, Reference, SourceName,
        document::{Node, Value},
    },
};
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Where a secret of an identity is to be found: `{env: NAME}` or `{file: PATH}`. A secret itself is refused, and so is a secret of a
/// source, which would need the identity before it can be asked.
pub(super) struct ReferenceTo(pub(super) Content);

/// Where a key of an account is to be found: `{secret: SOURCE/NAME}`, `{env: NAME}` or `{file: PATH}`. A key itself is refused.
pub(super) struct KeyOrigin;

/// Where a text of a connection comes from: as written, a reference, `{grant: NAME}` or `{entra_token: …}`.
pub(super) struct PartOf {
    /// Whether it is a secret, so that it is refused where it is written out.
    pub(super) is_secret: bool,
}

/// The keys of which a mapping has exactly one where it is a reference and no mapping.
pub(super) const PART_KEYS: [&str; 5] = ["secret", "env", "file", "grant", "entra_token"];

/// What a reference may be, for messages.
struct Forms {
    expected: &'static str,
    example: &'static str,
    /// For two at once.
    keep: &'static str,
    /// In place of a secret that is written out.
    instead: &'static str,
}

const OF_IDENTITY: Forms = Forms {
    expected: "expected `{env: NAME}` or `{file: PATH}`",
    example: "for a secret in the variable AZURE_CLIENT_SECRET write `{env: AZURE_CLIENT_SECRET}`",
    keep: "keep `env` or `file`",
    instead: "say where it is: `{env: NAME}` or `{file: PATH}`; and change it, now that it has been written down",
};

const OF_KEY: Forms = Forms {
    expected: "expected `{secret: SOURCE/NAME}`, `{env: NAME}` or `{file: PATH}`",
    example: "for a key that the source prod has as landing-key1 write `{secret: prod/landing-key1}`",
    keep: "keep one of them",
    instead: "say where it is: `{secret: SOURCE/NAME}`, `{env: NAME}` or `{file: PATH}`; and change it, now that it has been written down",
};

const OF_PART: Forms = Forms {
    expected: "expected text, or one of `{secret: …}`, `{env: …}`, `{file: …}`, `{grant: …}` and `{entra_token: …}`",
    example: "for a value that the source prod has as app-name write `{secret: prod/app-name}`",
    ..OF_KEY
};

impl Forms {
    /// A secret that stands in the file.
    fn refuse_literal<T>(&self, place: &Place, cx: &mut Context<'_>) -> Option<T> {
        cx.note(place.error("a secret must not stand in this file", self.instead))
    }

    /// The one that is written. `is_refused`: another one was written, and that has been said.
    fn only<T, const N: usize>(
        &self,
        record: &mut Record<'_, '_>,
        found: [(&'static str, Option<T>); N],
        is_refused: bool,
    ) -> Option<T> {
        let mut written = found.into_iter().filter(|(key, _)| record.has(key)).collect::<Vec<_>>().into_iter();
        let first = written.next();
        if first.is_none() && !is_refused {
            record.note("", |place| place.error(self.expected, self.example));
        }
        let mut is_only = true;
        for (key, _) in written {
            is_only = false;
            record.note(key, |place| place.error("a secret is in one place only", self.keep));
        }
        first.filter(|_| is_only)?.1
    }
}

fn one_of(mut schema: Json) -> Json {
    schema["minProperties"] = json!(1);
    schema["maxProperties"] = json!(1);
    let properties = schema["properties"].as_object_mut().expect("a mapping with known keys has properties");
    properties.retain(|_, schema| *schema != json!(false));
    schema
}

impl Shape for ReferenceTo {
    type Out = Reference;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Reference> {
        match &node.value {
            Value::Scalar(scalar) if !scalar.is_null() => OF_IDENTITY.refuse_literal(place, cx),
            Value::Map(_) => OfKeys(|record: &mut Record<'_, '_>| self.take(record)).read(node, place, cx),
            Value::Scalar(_) | Value::List(_) => cx.note(place.error(OF_IDENTITY.expected, OF_IDENTITY.example)),
        }
    }

    fn schema(&self) -> Json {
        one_of(OfKeys(|record: &mut Record<'_, '_>| self.take(record)).schema())
    }
}

impl ReferenceTo {
    fn take(&self, record: &mut Record<'_, '_>) -> Option<Reference> {
        let env = env(record, true);
        let file = file(record, self.0);
        let is_refused = record.refuse("secret", |place| {
            place.error(
                "an identity cannot take its own secret from a source",
                "a cycle: the source would need the identity first; use `{env: NAME}` or `{file: PATH}`",
            )
        });
        OF_IDENTITY.only(record, [("env", env), ("file", file)], is_refused)
    }
}

impl Shape for KeyOrigin {
    type Out = Origin;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Origin> {
        match &node.value {
            Value::Scalar(scalar) if !scalar.is_null() => OF_KEY.refuse_literal(place, cx),
            Value::Map(_) => OfKeys(key).read(node, place, cx),
            Value::Scalar(_) | Value::List(_) => cx.note(place.error(OF_KEY.expected, OF_KEY.example)),
        }
    }

    fn schema(&self) -> Json {
        one_of(OfKeys(key).schema())
    }
}

fn key(record: &mut Record<'_, '_>) -> Option<Origin> {
    let secret = secret(record);
    // What is in it is looked at once it is known whose key it is.
    let env = env(record, false).map(Origin::Local);
    let file = file(record, Content::Anything).map(Origin::Local);
    let is_refused = record.refuse("grant", |place| {
        place.error(
            "a key cannot come from a grant",
            "a cycle: the grant's token would be signed with the key; use `{secret: SOURCE/NAME}`, `{env: NAME}` or `{file: PATH}`",
        )
    });
    OF_KEY.only(record, [("secret", secret), ("env", env), ("file", file)], is_refused)
}

impl Shape for PartOf {
    type Out = PartConfig;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<PartConfig> {
        match &node.value {
            Value::Map(_) => OfKeys(part).read(node, place, cx),
            Value::Scalar(_) if node.is_null() => scalar("text", node, place, cx).and(None),
            Value::Scalar(scalar) => {
                let text = scalar.text();
                if self.is_secret && !text.is_empty() || credential::is_in(text) {
                    return OF_PART.refuse_literal(place, cx);
                }
                Some(PartConfig::Literal(text.to_owned()))
            }
            Value::List(_) => cx.note(expected("text", node, place, "write one value, without brackets")),
        }
    }

    fn schema(&self) -> Json {
        let literal =
            if self.is_secret { json!({"const": ""}) } else { json!({"type": ["string", "number", "boolean"]}) };
        json!({"anyOf": [literal, one_of(OfKeys(part).schema())]})
    }
}

fn part(record: &mut Record<'_, '_>) -> Option<PartConfig> {
    let secret = secret(record).map(PartConfig::Origin);
    let env = env(record, true).map(|env| PartConfig::Origin(Origin::Local(env)));
    let file = file(record, Content::Anything).map(|file| PartConfig::Origin(Origin::Local(file)));
    let grant = record.optional("grant", "A grant; its token stands here.", &TokenOf).map(PartConfig::Grant);
    let entra = record.optional("entra_token", "An Entra access token stands here.", &OfKeys(entra_token));
    let entra = entra.map(PartConfig::EntraToken);
    OF_PART.only(
        record,
        [("secret", secret), ("env", env), ("file", file), ("grant", grant), ("entra_token", entra)],
        false,
    )
}

fn entra_token(record: &mut Record<'_, '_>) -> Option<EntraTokenConfig> {
    /// Entra's tokens live for 60 to 90 minutes; more than this could hardly ever be had.
    const MOST: Duration = Duration::from_hours(1);
    let scope = record.required(
        "scope",
        "What the token is for, such as https://ossrdbms-aad.database.windows.net/.default.",
        &opaque("a scope"),
    );
    let identity = record.defaulted("identity", "Whose token it is.", &NameOf(Names::Identity), "default".into());
    let min_remaining = record.defaulted(
        "min_remaining",
        "The least life that the token must still have when it is handed out, up to 1h. Entra decides how long tokens live.",
        &DurationOf { max: MOST },
        EntraTokenConfig::MIN_REMAINING,
    );
    let scope = scope?;
    if !scope.ends_with("/.default") {
        record.note("scope", |place| {
            place.warning(
                "this scope does not end with `/.default`",
                "Entra gives services and managed identities tokens for such scopes only",
            )
        });
    }
    Some(EntraTokenConfig { scope, identity, min_remaining })
}

fn secret(record: &mut Record<'_, '_>) -> Option<Origin> {
    record.optional("secret", "SOURCE/NAME: a value of a source, by the name that the source has for it.", &SecretOf)
}

fn file(record: &mut Record<'_, '_>, content: Content) -> Option<Reference> {
    let doc = "A file; one final line break is not part of it.";
    record.optional("file", doc, &PathTo(content)).map(Reference::File)
}

fn env(record: &mut Record<'_, '_>, warn_if_empty: bool) -> Option<Reference> {
    let name = record.optional("env", "A variable of Valet's own environment.", &VARIABLE)?;
    record.note_with("env", |place, cx| match cx.env.var(&name).map(|value| value.map(Zeroizing::new)) {
        Err(_) => Some(place.error("this variable is not UTF-8 text", "set it to text")),
        Ok(None) => Some(place.warning("this variable is not set here", "it must be when Valet runs")),
        Ok(Some(value)) if value.is_empty() && warn_if_empty => {
            Some(place.warning("this variable is empty here", "it must not be when Valet runs"))
        }
        Ok(Some(_)) => None,
    });
    Some(Reference::Env(name))
}

/// `SOURCE/NAME`.
struct SecretOf;

impl Shape for SecretOf {
    type Out = Origin;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Origin> {
        let text = scalar("`SOURCE/NAME`", node, place, cx)?.text();
        let split = text.split_once('/').filter(|(source, _)| Names::Source.allow(source));
        let Some((source, name)) = split.and_then(|(source, name)| Some((source, Name::parse(name).ok()?))) else {
            let hint =
                "write the source's name, a slash, and the name that the source has for the value: `prod/landing-key1`";
            return Wrong::new("this is not `SOURCE/NAME`", hint).note(place, cx);
        };
        cx.mention(Names::Source, source, place);
        let source = SourceName::new(source);
        cx.secrets.push(Placed { place: place.clone(), value: (source.clone(), name.clone()) });
        Some(Origin::Secret { source, name })
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}/.{1,1024}$"})
    }
}

/// The name of a grant that has a token.
struct TokenOf;

impl Shape for TokenOf {
    type Out = Arc<str>;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Arc<str>> {
        let name = NameOf(Names::Grant).read(node, place, cx)?;
        cx.tokens.push(Placed { place: place.clone(), value: Arc::clone(&name) });
        Some(name)
    }

    fn schema(&self) -> Json {
        NameOf(Names::Grant).schema()
    }
}
