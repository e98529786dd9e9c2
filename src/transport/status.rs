use crate::{
    model::{Fault, FaultKind, NOT_FOUND_REASON, REASON_HEADER},
    proto::v1,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use std::time::Duration;
use tonic::{Code, Status, metadata::MetadataMap};

/// The header, or trailer, that carries the reason.
const REASON: HeaderName = HeaderName::from_static(REASON_HEADER);

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The name is not here, which is no fault; the text says which name.
    NotFound(String),
    /// A fault.
    Fault(Fault),
}

/// One line of the table: the same code as gRPC has it, as Connect spells it, and its HTTP status there (Connect protocol, "Error Codes").
struct Row {
    grpc: Code,
    connect: &'static str,
    http: StatusCode,
}

impl Row {
    const fn new(grpc: Code, connect: &'static str, http: StatusCode) -> Self {
        Self { grpc, connect, http }
    }
}

const NOT_FOUND: Row = Row::new(Code::NotFound, "not_found", StatusCode::NOT_FOUND);

/// The one table from faults to statuses.
fn row(kind: FaultKind) -> Row {
    match kind {
        FaultKind::Skipped => NOT_FOUND,
        FaultKind::BadName | FaultKind::BadRequest => {
            Row::new(Code::InvalidArgument, "invalid_argument", StatusCode::BAD_REQUEST)
        }
        FaultKind::OutOfRange => Row::new(Code::OutOfRange, "out_of_range", StatusCode::BAD_REQUEST),
        FaultKind::MalformedValue | FaultKind::BadKey | FaultKind::BadConfig => {
            Row::new(Code::FailedPrecondition, "failed_precondition", StatusCode::BAD_REQUEST)
        }
        FaultKind::DeniedByPolicy | FaultKind::DeniedBySource => {
            Row::new(Code::PermissionDenied, "permission_denied", StatusCode::FORBIDDEN)
        }
        FaultKind::Unauthenticated => Row::new(Code::Unauthenticated, "unauthenticated", StatusCode::UNAUTHORIZED),
        FaultKind::Throttled | FaultKind::SourceDown => {
            Row::new(Code::Unavailable, "unavailable", StatusCode::SERVICE_UNAVAILABLE)
        }
        FaultKind::TimedOut => Row::new(Code::DeadlineExceeded, "deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
        FaultKind::Overloaded | FaultKind::TooLarge => {
            Row::new(Code::ResourceExhausted, "resource_exhausted", StatusCode::TOO_MANY_REQUESTS)
        }
        FaultKind::NotYetAvailable | FaultKind::Unsupported => {
            Row::new(Code::Unimplemented, "unimplemented", StatusCode::NOT_IMPLEMENTED)
        }
        FaultKind::Interrupted => Row::new(Code::Aborted, "aborted", StatusCode::CONFLICT),
        FaultKind::Internal => Row::new(Code::Internal, "internal", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    fn row(&self) -> Row {
        match self {
            Self::NotFound(_) => NOT_FOUND,
            Self::Fault(fault) => row(fault.kind()),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound(_) => NOT_FOUND_REASON,
            Self::Fault(fault) => fault.kind().reason(),
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::NotFound(message) => message,
            Self::Fault(fault) => fault.message(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotFound(_) => None,
            Self::Fault(fault) => fault.retry_delay(),
        }
    }

    /// The headers that say more than the code: `valet-reason`, and `retry-after` in whole seconds, rounded up so that nobody comes too early.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(REASON, HeaderValue::from_static(self.reason()));
        if let Some(wait) = self.retry_after() {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, seconds.into());
        }
        headers
    }

    /// As gRPC has it: a status whose metadata become trailers.
    pub(super) fn to_grpc(&self) -> Status {
        Status::with_metadata(self.row().grpc, self.message(), MetadataMap::from_headers(self.headers()))
    }

    /// As Connect has it: an HTTP status with a JSON body, whatever the call's own encoding.
    pub(super) fn to_connect(&self) -> http::Response<Vec<u8>> {
        let row = self.row();
        let body = serde_json::json!({"code": row.connect, "message": self.message()}).to_string();
        let mut response = http::Response::new(body.into_bytes());
        *response.status_mut() = row.http;
        *response.headers_mut() = self.headers();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// As a batch has it.
    pub(super) fn to_message(&self) -> v1::Fault {
        v1::Fault {
            code: self.row().connect.to_owned(),
            reason: self.reason().to_owned(),
            message: self.message().to_owned(),
            retry_after: self.retry_after().and_then(|wait| wait.try_into().ok()),
        }
    }
}
