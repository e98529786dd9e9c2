use super::control;
use crate::{
    broker::{AccountStatus, KeyStatus},
    model::{
        Answer, Changes, Credential, Fault, FaultKind, IssuedToken, Kind, Lookup, Name, Rejection, Reported,
        SignableRequest, SignedRequest, State, ValueDigest,
    },
    proto::v1,
};
use prost_types::Timestamp;
use std::time::{Duration, SystemTime};

/// An answer as a message. This is where a value leaves Valet.
pub(super) fn answer(answer: &Answer) -> v1::Answer {
    v1::Answer {
        value: answer.found.value.expose().to_owned(),
        source: answer.source.as_str().to_owned(),
        version: answer.found.version.as_deref().unwrap_or_default().to_owned(),
        // Protobuf's durations end after 10 000 years; an age does not get there.
        age: answer.age.try_into().ok(),
        fresh_until: Some(time(answer.fresh_until)),
        expires_at: answer.found.expires_at.map(time),
        state: match answer.state {
            State::Fresh => v1::State::Fresh,
            State::Stale => v1::State::Stale,
        }
        .into(),
        mask: answer.mask.iter().map(|secret| secret.expose().to_owned()).collect(),
        ends: answer.found.ends,
    }
}

pub(super) fn reloaded(reloaded: control::Reloaded) -> v1::ReloadResponse {
    v1::ReloadResponse { loaded_at: Some(time(reloaded.loaded_at)), warnings: reloaded.warnings }
}

/// The state without what the transport adds: listeners, tasks and counters.
pub(super) fn status(status: control::Status) -> v1::StatusResponse {
    let control::Status { version, started_at, config, sources, cache, accounts } = status;
    v1::StatusResponse {
        version,
        started_at: Some(time(started_at)),
        config: Some(v1::ConfigStatus {
            path: config.path.map(|path| path.display().to_string()).unwrap_or_default(),
            loaded_at: Some(time(config.loaded_at)),
            last_reload_error: config.last_reload_error.unwrap_or_default(),
        }),
        sources: sources.iter().map(source).collect(),
        cache: Some(v1::CacheStatus {
            values: cache.values,
            not_found: cache.not_found,
            bytes: cache.bytes,
            max_bytes: cache.max_bytes,
            hits: cache.hits,
            misses: cache.misses,
            in_flight: cache.in_flight,
        }),
        accounts: accounts.into_iter().map(account).collect(),
        ..v1::StatusResponse::default()
    }
}

/// What a message of this type names.
///
/// # Errors
/// [`FaultKind::BadRequest`] where it names nothing, [`FaultKind::BadName`] where no name is so.
pub(super) fn lookup(lookup: &v1::Lookup) -> Result<Lookup, Fault> {
    use v1::lookup::Name;
    let (kind, name) = match &lookup.name {
        Some(Name::Connection(name)) => (Kind::Connection, name),
        Some(Name::Variable(name)) => (Kind::Variable, name),
        Some(Name::Config(name)) => (Kind::Config, name),
        None => {
            let message = "the lookup names nothing: set connection, variable or config";
            return Err(Fault::new(FaultKind::BadRequest, message));
        }
    };
    Lookup::parse(kind, name, &lookup.team)
}

/// The least life of a token that a request asks for.
///
/// # Errors
/// [`FaultKind::BadRequest`] where it is less than nothing, or no duration.
pub(super) fn min_remaining(asked: Option<prost_types::Duration>) -> Result<Option<Duration>, Fault> {
    asked.map(Duration::try_from).transpose().map_err(|_| {
        Fault::new(FaultKind::BadRequest, "minRemaining: expected a duration of nothing or more, such as \"3600s\"")
    })
}

/// A token as a message. This is where one leaves Valet.
pub(super) fn issued(issued: &IssuedToken) -> v1::IssueTokenResponse {
    v1::IssueTokenResponse {
        token: issued.token.expose().to_owned(),
        expires_at: issued.expires_at.map(time),
        key_fingerprint: issued.fingerprint.as_deref().unwrap_or_default().to_owned(),
        renewed_at: issued.renewed_at.map(time),
    }
}

/// What is to be signed, and for which grant.
pub(super) fn signable(request: v1::SignRequestRequest) -> (String, SignableRequest) {
    let headers = request.headers.into_iter().map(|header| (header.name, header.value)).collect();
    (request.grant, SignableRequest { method: request.method, url: request.url, headers })
}

/// A report of a refused credential.
///
/// # Errors
/// [`FaultKind::BadRequest`] where it names none, or its digest is none; [`FaultKind::BadName`] where no name is so.
pub(super) fn rejection(request: &v1::ReportRejectedRequest) -> Result<Rejection, Fault> {
    use v1::report_rejected_request::Credential as Named;
    let of = match &request.credential {
        Some(Named::ConnId(id)) => Credential::Connection(Lookup::parse(Kind::Connection, id, &request.team)?),
        Some(Named::Grant(grant)) => Credential::Grant(Name::parse(grant)?),
        None => return Err(Fault::new(FaultKind::BadRequest, "the report names nothing: set connId or grant")),
    };
    Ok(Rejection { of, value: ValueDigest::parse(&request.value_sha256)? })
}

/// What became of a report, as a message.
pub(super) fn reported(reported: Reported) -> v1::ReportRejectedResponse {
    let Reported { accepted, retry_after, superseded } = reported;
    let retry_after = retry_after.and_then(|wait| wait.try_into().ok());
    v1::ReportRejectedResponse { accepted, retry_after, superseded }
}

/// A signature as a message. This is where one leaves Valet.
pub(super) fn signed(signed: SignedRequest) -> v1::SignRequestResponse {
    v1::SignRequestResponse { authorization: signed.authorization.expose().to_owned(), x_ms_date: signed.x_ms_date }
}

/// What has changed, as a message.
pub(super) fn changes(changes: Changes) -> v1::WatchResponse {
    let lookup = |lookup: Lookup| {
        let name = lookup.name.as_str().to_owned();
        v1::Lookup {
            name: Some(match lookup.kind {
                Kind::Connection => v1::lookup::Name::Connection(name),
                Kind::Variable => v1::lookup::Name::Variable(name),
                Kind::Config => v1::lookup::Name::Config(name),
            }),
            team: lookup.team.map(|team| team.as_str().to_owned()).unwrap_or_default(),
        }
    };
    v1::WatchResponse {
        changed: changes.names.into_iter().map(lookup).collect(),
        grants: changes.grants.iter().map(ToString::to_string).collect(),
    }
}

fn account(account: AccountStatus) -> v1::AccountStatus {
    v1::AccountStatus {
        name: account.name.as_ref().to_owned(),
        kind: account.kind.to_owned(),
        keys: account.keys.into_iter().map(key).collect(),
        earlier_keys: account.earlier_keys.into_iter().map(key).collect(),
    }
}

fn key(key: KeyStatus) -> v1::KeyStatus {
    v1::KeyStatus {
        reference: key.reference,
        fingerprint: key.fingerprint.unwrap_or_default(),
        version: key.version.as_deref().unwrap_or_default().to_owned(),
        created_at: key.created_at.map(time),
        signs: key.signs,
        reason: key.fault.map(|kind| kind.reason().to_owned()).unwrap_or_default(),
        safe_to_regenerate_after: key.safe_to_regenerate_after.map(time),
        suspect_until: key.suspect_until.map(time),
    }
}

fn source(source: &control::SourceStatus) -> v1::SourceStatus {
    v1::SourceStatus {
        name: source.name.as_str().to_owned(),
        kind: source.kind.to_owned(),
        healthy: source.fault.is_none(),
        reason: source.fault.map(|(kind, _)| kind.reason().to_owned()).unwrap_or_default(),
        unhealthy_since: source.fault.map(|(_, since)| time(since)),
        reads: source.reads,
        budget_left: source.standing.map(|standing| standing.budget_left),
        breaker: source.standing.map(|standing| standing.breaker.to_owned()).unwrap_or_default(),
    }
}

fn time(time: SystemTime) -> Timestamp {
    time.into()
}
