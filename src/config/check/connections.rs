use super::Drafts;
use crate::{
    broker::{ConnectionConfig, ExtraConfig, PartConfig},
    config::{
        context::Context,
        place::Placed,
        problem::Problem,
        sections::{Connection, Places},
    },
    mint::{GrantConfig, GrantKind, check_hook},
};

/// Grants that a connection cannot carry, fields that are filled twice, and what Airflow's own test of a connection cannot see.
pub(super) fn check(drafts: &Drafts<'_>, cx: &mut Context<'_>) {
    for Connection { config, places } in drafts.connections.iter().map(|connection| &connection.value) {
        let Some(grant) = config.grant.as_ref().and_then(|name| drafts.grant(name)) else { continue };
        let Some(account) = drafts.account(&grant.account) else { continue };
        let place = places.fields.of("grant");
        match check_hook(&config.conn_type, grant, account) {
            Err(problem) => {
                let (message, hint) =
                    problem.split_once(": ").unwrap_or((&problem, "use another grant or another type"));
                cx.problems.push(place.error(message.to_owned(), hint.to_owned()));
            }
            Ok(fields) => {
                cx.problems.extend(fields.iter().filter_map(|field| twice(field, config, places)));
                if is_beyond_the_test(&config.conn_type, grant) {
                    cx.problems.push(place.warning(
                        "Airflow's \"Test connection\" will fail, though tasks can use this: it asks about the account, beyond what this SAS opens",
                        "try it in a task; only an account-sas passes that test",
                    ));
                }
            }
        }
    }
    let tokens = std::mem::take(&mut cx.tokens);
    for Placed { place, value: name } in tokens {
        if drafts.grant(&name).is_some_and(|grant| grant.kind == GrantKind::SharedKey) {
            cx.problems.push(place.error(
                "a shared-key grant has no token that could stand here",
                "it signs single requests; use a grant of a SAS",
            ));
        }
    }
}

/// A field that the grant fills, if it is written too.
fn twice(field: &str, config: &ConnectionConfig, places: &Places) -> Option<Problem> {
    let place = match field.split_once('.') {
        Some((_, key)) => places.extra.as_ref()?.written(key)?.clone(),
        None => config.fields.iter().find(|(known, _)| known.as_str() == field).map(|_| places.fields.of(field))?,
    };
    Some(place.error("Valet fills this from the grant", "leave it out"))
}

/// `WasbHook` asks for the account's information, the others list containers or shares (provider 15.2.1, `test_connection`).
fn is_beyond_the_test(conn_type: &str, grant: &GrantConfig) -> bool {
    let is_narrow = matches!(grant.kind, GrantKind::ServiceSas | GrantKind::UserDelegationSas);
    is_narrow && matches!(&*conn_type.replace('-', "_"), "wasb" | "adls" | "azure_fileshare")
}

/// The identities whose Entra tokens stand in a connection.
pub(super) fn identities(connection: &ConnectionConfig) -> Vec<&str> {
    let mut found = Vec::new();
    connection.fields.iter().for_each(|(_, part)| found.extend(identity(part)));
    connection.extra.iter().for_each(|(_, value)| of_extra(value, &mut found));
    found
}

fn identity(part: &PartConfig) -> Option<&str> {
    match part {
        PartConfig::EntraToken(token) => Some(&token.identity),
        PartConfig::Literal(_) | PartConfig::Origin(_) | PartConfig::Grant(_) => None,
    }
}

/// Recursion is bounded: the document was read within its own bound of depth.
fn of_extra<'c>(value: &'c ExtraConfig, found: &mut Vec<&'c str>) {
    match value {
        ExtraConfig::Part(part) => found.extend(identity(part)),
        ExtraConfig::List(items) => items.iter().for_each(|item| of_extra(item, found)),
        ExtraConfig::Map(entries) => entries.iter().for_each(|(_, value)| of_extra(value, found)),
        ExtraConfig::Null | ExtraConfig::Bool(_) | ExtraConfig::Number(_) => {}
    }
}
