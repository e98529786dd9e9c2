use super::Drafts;
use crate::{
    config::{
        context::{Context, Names},
        place::{Keys, Placed},
        problem::Problem,
        record::MISSING,
        sections::Grant,
    },
    mint::{AccountConfig, BadGrant, GrantConfig, GrantKind, check_grant},
    model::Right,
};
use std::time::Duration;

/// Grants that no token can be made of, those that had better not be there, and those that nobody can use.
pub(super) fn check(drafts: &Drafts<'_>, cx: &mut Context<'_>) {
    for Placed { place, value: Grant { config, places } } in drafts.grants {
        if let Some(account) = drafts.account(&config.account) {
            let problems = refusals(config, account).into_iter().map(|bad| problem(&bad, places));
            cx.problems.extend(problems);
        }
        let (right, if_unused) = match config.kind {
            GrantKind::SharedKey => (
                Right::Signatures,
                (
                    "no listener allows `signatures`, so nobody can use this grant",
                    "add `signatures` to what a listener allows",
                ),
            ),
            _ => (
                Right::Tokens,
                ("nothing uses this grant", "name it in a connection, or let a listener allow `tokens`"),
            ),
        };
        if !drafts.allows(right) && !cx.mentions_name(Names::Grant, &config.name) {
            cx.problems.push(place.warning(if_unused.0, if_unused.1));
        }
        cx.problems.extend(doubts(config, places));
    }
}

/// What is allowed and hardly meant.
fn doubts(grant: &GrantConfig, places: &Keys) -> Vec<Problem> {
    let has_life = !matches!(grant.kind, GrantKind::SharedKey | GrantKind::AccountKey);
    let mut doubts = Vec::new();
    if grant.kind == GrantKind::AccountKey {
        doubts.push(places.of("kind").warning(
            "this hands out the account's key itself, which opens everything in the account and never ends",
            "use a SAS wherever the hook takes one",
        ));
    }
    if has_life && grant.min_remaining == grant.lifetime && !grant.lifetime.is_zero() {
        doubts.push(places.of("min_remaining").warning(
            "this is the whole lifetime, so every lookup gets a new token",
            "make it shorter than `lifetime`, such as half of it",
        ));
    }
    for key in ["lifetime", "min_remaining"] {
        if let (false, Some(place)) = (has_life, places.written(key)) {
            doubts
                .push(place.warning("this changes nothing: what this kind hands out has no lifetime", "leave it out"));
        }
    }
    doubts
}

/// Everything that keeps tokens of this grant from being made. The signer says one thing at a time; so what it refused is put right and it is
/// asked again.
fn refusals(grant: &GrantConfig, account: &AccountConfig) -> Vec<BadGrant> {
    let mut grant = grant.clone();
    let mut found: Vec<BadGrant> = Vec::new();
    while let Err(bad) = check_grant(&grant, account) {
        let may_go_on = mend(&mut grant, bad.field);
        if found.iter().all(|known| known.field != bad.field) {
            found.push(bad);
        }
        if !may_go_on {
            break;
        }
    }
    found
}

/// Leaves the field out, or where that is wrong too, puts something there that Azure takes. `false` where nothing is left to try, so that this
/// comes to an end.
fn mend(grant: &mut GrantConfig, field: &str) -> bool {
    let scope = &mut grant.scope;
    let (slot, good) = match field {
        "min_remaining" => return !std::mem::take(&mut grant.min_remaining).is_zero(),
        "lifetime" => {
            grant.min_remaining = Duration::ZERO;
            return std::mem::replace(&mut grant.lifetime, GrantConfig::LIFETIME) != GrantConfig::LIFETIME;
        }
        "container" => (&mut scope.container, "container"),
        "blob" => (&mut scope.blob, "blob"),
        "directory" => (&mut scope.directory, "directory"),
        "snapshot" => (&mut scope.snapshot, ""),
        "version_id" => (&mut scope.version_id, ""),
        "share" => (&mut scope.share, "share"),
        "path" => (&mut scope.path, "path"),
        "queue" => (&mut scope.queue, "queue"),
        "table" => (&mut scope.table, "table"),
        "start_pk" => (&mut scope.start_pk, "a"),
        "start_rk" => (&mut scope.start_rk, "a"),
        "end_pk" => (&mut scope.end_pk, "z"),
        "end_rk" => (&mut scope.end_rk, "z"),
        "services" => (&mut scope.services, "b"),
        "resource_types" => (&mut scope.resource_types, "o"),
        "permissions" => (&mut scope.permissions, "r"),
        "identifier" => (&mut scope.identifier, ""),
        "ip" => (&mut scope.ip, ""),
        "encryption_scope" => (&mut scope.encryption_scope, ""),
        "service_version" => (&mut scope.service_version, ""),
        "authorized_object_id" => (&mut scope.authorized_object_id, ""),
        "unauthorized_object_id" => (&mut scope.unauthorized_object_id, ""),
        "correlation_id" => (&mut scope.correlation_id, ""),
        _ => return false,
    };
    match slot.take() {
        Some(text) => text != good,
        None if good.is_empty() => false,
        None => {
            *slot = Some(good.to_owned());
            true
        }
    }
}

/// At the key that the signer means; where the grant lacks it, where it would be.
fn problem(BadGrant { field, problem }: &BadGrant, places: &Keys) -> Problem {
    if field.is_empty() {
        let (what, hint) = problem.split_once(": ").unwrap_or((problem, "name another account, or write another kind"));
        return places.whole().error(what.to_owned(), hint.to_owned());
    }
    // Of a namespace's whole address, only the entity is the grant's own.
    let field = if *field == "resource" { "entity" } else { field };
    let (what, hint) = problem.split_once(": ").unwrap_or((problem, "leave it out"));
    match places.written(field) {
        None if what == "is missing" => places.of(field).error(MISSING, format!("add `{field}`: {hint}")),
        Some(place) if what == "is missing" => place.error("this is empty", hint.to_owned()),
        _ => places.of(field).error(format!("this {what}"), hint.to_owned()),
    }
}
