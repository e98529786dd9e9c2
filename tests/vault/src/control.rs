//! The control API: JSON over plain HTTP on loopback, one route for each method of [`World`]. It trusts whoever reaches it and must
//! never listen elsewhere.

use http::{Method, StatusCode, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    access::{Authorization, Grant, Network},
    directory::{App, ManagedIdentity},
    faults::FaultRule,
    line::Site,
    options::Leaf,
    reply::Reply,
    store::SecretSpec,
    world::{TokenSpec, World},
};

/// The answer: 200 with JSON, 404 for an unknown route, 400 with what is wrong.
pub(crate) fn answer(world: &World, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().trim_matches('/');
    let segments: Vec<_> = path.split('/').collect();
    let query = |name: &str| {
        let mut pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    match route(world, &parts.method, &segments, query, body) {
        Ok(Some(answer)) => Reply::json(StatusCode::OK, &answer),
        Ok(None) => {
            Reply::json(StatusCode::NOT_FOUND, &json!({"error": format!("there is no {} /{path}", parts.method)}))
        }
        Err(problem) => Reply::json(StatusCode::BAD_REQUEST, &json!({"error": problem})),
    }
}

fn route(
    world: &World,
    method: &Method,
    segments: &[&str],
    query: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<Option<Value>, String> {
    let done = Ok(Some(json!({})));
    match (method.as_str(), segments) {
        ("GET", ["endpoints"]) => Ok(Some(json!(world.endpoints()))),
        ("POST", ["reset"]) => {
            world.reset();
            done
        }
        (method, ["vaults", vault, rest @ ..]) => of_vault(world, vault, (method, rest), query, body),
        ("POST", ["grants"]) => {
            world.grant(parse(body)?);
            done
        }
        ("POST", ["grants", "revoke"]) => {
            world.revoke(&parse::<Grant>(body)?);
            done
        }
        ("PUT", ["apps", appid]) => {
            world.register_app(appid, parse::<App>(body)?).map_err(text)?;
            done
        }
        ("POST", ["identities"]) => {
            world.register_identity(parse::<ManagedIdentity>(body)?);
            done
        }
        ("DELETE", ["identities"]) => {
            world.remove_identities();
            done
        }
        ("PUT", ["clock"]) => {
            let Clock { offset } = parse(body)?;
            world.set_clock_offset(offset);
            Ok(Some(json!({"now": world.clock().now()})))
        }
        ("GET", ["clock"]) => Ok(Some(json!({"now": world.clock().now(), "offset": world.clock().offset()}))),
        ("POST", ["tokens"]) => Ok(Some(json!({"token": world.sign_token(parse::<TokenSpec>(body)?)}))),
        ("PUT", ["tokens", "lifetime"]) => {
            let Lifetime { seconds } = parse(body)?;
            world.set_token_lifetime(seconds);
            done
        }
        ("PUT", ["line"]) => {
            let Line { site, leaf } = parse(body)?;
            world.set_line(site, leaf);
            done
        }
        ("PUT", ["entra"]) => {
            world.set_entra_crlf(parse::<Entra>(body)?.crlf);
            done
        }
        ("POST", ["faults"]) => {
            let rule = FaultRule::from_json(parse::<Map<String, Value>>(body)?).map_err(text)?;
            Ok(Some(json!({"id": world.inject(rule)})))
        }
        ("GET", ["faults"]) => {
            let faults = world.faults().into_iter().map(|(id, rule)| json!({"id": id, "rule": rule}));
            Ok(Some(faults.collect()))
        }
        ("DELETE", ["faults"]) => {
            world.clear_faults(None);
            done
        }
        ("DELETE", ["faults", id]) => {
            world.clear_faults(Some(id.parse().map_err(text)?));
            done
        }
        ("GET", ["log"]) => {
            let since = query("since").map_or(Ok(0), |since| since.parse()).map_err(text)?;
            Ok(Some(json!({"requests": world.log(since)})))
        }
        ("DELETE", ["log"]) => {
            world.clear_log();
            done
        }
        ("GET", ["counters"]) => Ok(Some(json!(world.counters()))),
        _ => Ok(None),
    }
}

/// What a test does to one vault.
fn of_vault(
    world: &World,
    vault: &str,
    (method, segments): (&str, &[&str]),
    query: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<Option<Value>, String> {
    match (method, segments) {
        ("PUT", ["secrets", name]) => {
            let id = world.put_secret(vault, name, parse(body)?).map_err(text)?;
            return Ok(Some(json!({"version": id})));
        }
        ("PATCH", ["secrets", name, rest @ ..]) => {
            let spec: SecretSpec = parse(body)?;
            world.update_secret(vault, name, rest.first().copied(), spec).map_err(text)?;
        }
        ("DELETE", ["secrets", name]) => {
            let purge = query("purge").is_some_and(|purge| purge == "true");
            let deed = if purge { World::purge_secret } else { World::delete_secret };
            deed(world, vault, name).map_err(text)?;
        }
        ("PUT", ["network"]) => {
            let Rule { rule } = parse(body)?;
            world.set_network(vault, rule);
        }
        ("PUT", ["limit"]) => {
            world.set_limit(vault, Some(parse(body)?));
        }
        ("DELETE", ["limit"]) => {
            world.set_limit(vault, None);
        }
        ("PUT", ["authorization"]) => {
            let Model { model } = parse(body)?;
            world.set_authorization(vault, model);
        }
        _ => return Ok(None),
    }
    Ok(Some(json!({})))
}

/// An empty body is an empty object.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(if body.is_empty() { b"{}" } else { body }).map_err(text)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn text(error: impl ToString) -> String {
    error.to_string()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    rule: Network,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    model: Authorization,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    site: Site,
    leaf: Option<Leaf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entra {
    crlf: bool,
}
