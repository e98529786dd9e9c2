//! How a fault looks on the wire. It takes the regular answer and spoils, delays or replaces it; which request meets a fault is
//! decided in [`crate::faults`].

use std::{
    future::Future,
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    entra,
    fault::{ErrorBody, Fault, RetryAfter},
    log::Face,
    managed_identity,
    reply::{Outcome, Reply},
    vault,
    visit::Visit,
    world::World,
};

/// Spoils the regular answer. It is made when the request comes (what a fault delays is already decided), or never where a fault
/// takes its place (a throttled write writes nothing).
pub(crate) async fn spoil(world: &World, visit: &Visit, fault: Fault, regular: impl Future<Output = Reply>) -> Outcome {
    let face = visit.face;
    Outcome::Whole(match fault {
        Fault::Throttled { retry_after } => hint(world, throttled(world, face), retry_after.as_ref()),
        Fault::Status { status, body, retry_after } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            hint(world, failed(world, face, status, body), retry_after.as_ref())
        }
        Fault::Forbidden { code } => vault::errors::forbidden(visit, code),
        Fault::Storage { status, code } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            storage_error(status, &code)
        }
        Fault::Unauthorized {} => vault::errors::unauthorized(world, visit, vault::errors::NO_TOKEN),
        Fault::ForeignChallenge { authorization, resource } => vault::errors::challenge(&authorization, &resource),
        Fault::SlowHeaders { millis } => {
            let reply = regular.await;
            sleep(Duration::from_millis(millis)).await;
            reply
        }
        Fault::SlowBody { millis } => return Outcome::Paced(regular.await, Duration::from_millis(millis)),
        Fault::Hold {} => {
            let reply = regular.await;
            world.released().await;
            reply
        }
        Fault::Reset {} => return Outcome::Reset,
        Fault::CutBody {} => return Outcome::Cut(regular.await),
        Fault::TruncatedJson {} => {
            let reply = regular.await;
            let body = reply.body.slice(..reply.body.len() / 2);
            Reply { status: StatusCode::OK, body, ..reply }
        }
        Fault::Html {} => html(StatusCode::OK),
        Fault::Empty {} => Reply::empty(StatusCode::OK),
        Fault::WrongJson {} => Reply::json(StatusCode::OK, &json!({"unexpected": [UPSTREAM_CANARY]})),
        Fault::HugeBody { bytes } => {
            let id = format!("https://{}/secrets/huge/{:032}", visit.host, 0);
            let secret = json!({"value": "a".repeat(bytes), "id": id, "attributes": {"enabled": true}});
            Reply::json(StatusCode::OK, &secret)
        }
        Fault::Redirect { location } => {
            let location = location.unwrap_or_else(|| format!("{}{}", world.endpoints().foreign_url, visit.path));
            Reply::empty(StatusCode::FOUND).with(header::LOCATION, &location)
        }
        Fault::ForeignNextLink { location } => foreign_next_link(world, location, regular.await),
    })
}

fn throttled(world: &World, face: Face) -> Reply {
    let status = StatusCode::TOO_MANY_REQUESTS;
    match face {
        Face::Vault | Face::Foreign => vault::errors::throttled(),
        Face::Entra => entra::errors::busy(world, status),
        Face::Proxied => storage_error(status, "TooManyRequests"),
        Face::ManagedIdentity => managed_identity::error(status, "throttled", "API Rate Limits have been exceeded."),
    }
}

fn failed(world: &World, face: Face, status: StatusCode, body: ErrorBody) -> Reply {
    match (body, face) {
        (ErrorBody::Empty, _) => Reply::empty(status),
        (ErrorBody::Html, _) => html(status),
        (ErrorBody::Json, Face::Vault | Face::Foreign) => vault::errors::error(
            status,
            "InternalServerError",
            &format!("Internal server error {UPSTREAM_CANARY}"),
            None,
        ),
        (ErrorBody::Json, Face::Proxied) => storage_error(status, "InternalError"),
        (ErrorBody::Json, Face::Entra) => entra::errors::busy(world, status),
        (ErrorBody::Json, Face::ManagedIdentity) => {
            managed_identity::error(status, "unknown", &format!("Failed to retrieve token {UPSTREAM_CANARY}"))
        }
    }
}

/// As Azure Storage has them: the code in a header and in XML.
fn storage_error(status: StatusCode, code: &str) -> Reply {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{UPSTREAM_CANARY}</Message></Error>"
    );
    Reply::new(status, "application/xml", body).with(HeaderName::from_static("x-ms-error-code"), code)
}

fn html(status: StatusCode) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\r\n<html><head><title>Sign in</title></head><body>{UPSTREAM_CANARY}</body></html>\r\n"
    );
    Reply::new(status, "text/html; charset=utf-8", page)
}

fn hint(world: &World, reply: Reply, retry_after: Option<&RetryAfter>) -> Reply {
    let text = match retry_after {
        None => return reply,
        Some(RetryAfter::Seconds(seconds)) => seconds.to_string(),
        Some(RetryAfter::Date { date_in }) => {
            let then = u64::try_from(world.clock().now().saturating_add(*date_in)).unwrap_or(0);
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(then))
        }
        Some(RetryAfter::Text(text)) => text.clone(),
    };
    reply.with(header::RETRY_AFTER, &text)
}

fn foreign_next_link(world: &World, location: Option<String>, regular: Reply) -> Reply {
    let Ok(Value::Object(mut page)) = serde_json::from_slice(&regular.body) else { return regular };
    let default = || format!("{}/secrets?api-version=7.4&%24skiptoken=Zm9yZWlnbg%3D%3D", world.endpoints().foreign_url);
    page.insert("nextLink".to_owned(), location.unwrap_or_else(default).into());
    Reply { body: Value::Object(page).to_string().into(), ..regular }
}

/// Part of each body that no client should repeat: tests search messages and logs for it.
pub const UPSTREAM_CANARY: &str = "upstream-body-canary";
