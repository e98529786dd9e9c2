//! Entra's errors: an OAuth error, a description that starts with the number (AADSTS…), ids of the trace.

use http::StatusCode;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{faulty::UPSTREAM_CANARY, jwt::guid, reply::Reply, world::World};

pub(super) fn error(world: &World, status: StatusCode, error: &str, number: u32, text: &str) -> Reply {
    let now = world.clock().now();
    let at = OffsetDateTime::from_unix_timestamp(now).ok().and_then(|time| time.format(&Rfc3339).ok());
    let timestamp = at.unwrap_or_default().replace('T', " ");
    let (trace, correlation) = (guid(&format!("trace {now}")), guid(&format!("correlation {now}")));
    let end = if world.state().entra_crlf { "\r\n" } else { " " };
    let description = format!(
        "AADSTS{number}: {text}{end}Trace ID: {trace}{end}Correlation ID: {correlation}{end}Timestamp: {timestamp}"
    );
    let body = json!({
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    Reply::json(status, &body)
}

/// What Entra says when it is not well.
pub(crate) fn busy(world: &World, status: StatusCode) -> Reply {
    let (number, text) = if status == StatusCode::TOO_MANY_REQUESTS {
        (90_055, "The server has terminated an operation because it encountered too many requests.")
    } else {
        (90_033, "A transient error has occurred. Please try again.")
    };
    error(world, status, "temporarily_unavailable", number, &format!("{text} {UPSTREAM_CANARY}"))
}
