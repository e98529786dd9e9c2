use super::{json::Json, methods::Methods, status::Refusal};
use crate::{
    model::{Caller, Fault, FaultKind},
    proto::v1,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_ENCODING};
use prost::{Message, Name};
use std::sync::Arc;

/// What a client sends and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Json,
    Proto,
}

impl Codec {
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Proto => "application/proto",
        })
    }
}

/// The methods, by their path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    GetConnection,
    GetVariable,
    GetConfig,
    BatchGet,
    IssueToken,
    SignRequest,
    ReportRejected,
    Status,
    Reload,
    Invalidate,
    Watch,
    AdminNotYet,
}

impl Method {
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/valet.v1.Broker/GetConnection" => Self::GetConnection,
            "/valet.v1.Broker/GetVariable" => Self::GetVariable,
            "/valet.v1.Broker/GetConfig" => Self::GetConfig,
            "/valet.v1.Broker/BatchGet" => Self::BatchGet,
            "/valet.v1.Broker/IssueToken" => Self::IssueToken,
            "/valet.v1.Broker/SignRequest" => Self::SignRequest,
            "/valet.v1.Broker/ReportRejected" => Self::ReportRejected,
            "/valet.v1.Broker/Watch" => Self::Watch,
            "/valet.v1.Admin/Status" => Self::Status,
            "/valet.v1.Admin/Reload" => Self::Reload,
            "/valet.v1.Admin/Invalidate" => Self::Invalidate,
            "/valet.v1.Admin/Explain" => Self::AdminNotYet,
            _ => return None,
        })
    }
}

/// The Connect face: unary calls as plain HTTP POSTs (Connect protocol, "Unary").
pub(super) struct Connect {
    methods: Arc<Methods>,
    json: Json,
}

impl Connect {
    pub(super) fn new(methods: Arc<Methods>) -> Self {
        Self { methods, json: Json::new() }
    }

    /// Decodes, calls, encodes.
    pub(super) async fn call(
        &self,
        caller: &Caller,
        method: Method,
        codec: Codec,
        body: Bytes,
    ) -> Result<Vec<u8>, Refusal> {
        let methods = &self.methods;
        Ok(match method {
            Method::GetConnection => {
                encode_answer(codec, &methods.get_connection(caller, self.decode(codec, &body)?).await?)
            }
            Method::GetVariable => {
                encode_answer(codec, &methods.get_variable(caller, self.decode(codec, &body)?).await?)
            }
            Method::GetConfig => encode_answer(codec, &methods.get_config(caller, self.decode(codec, &body)?).await?),
            Method::BatchGet => self.encode(codec, &methods.batch_get(caller, self.decode(codec, &body)?).await?),
            Method::IssueToken => self.encode(codec, &methods.issue_token(caller, self.decode(codec, &body)?).await?),
            Method::SignRequest => self.encode(codec, &methods.sign_request(caller, self.decode(codec, &body)?).await?),
            Method::ReportRejected => {
                self.encode(codec, &methods.report_rejected(caller, self.decode(codec, &body)?).await?)
            }
            Method::Status => self.encode(codec, &methods.status(caller, self.decode(codec, &body)?)?),
            Method::Reload => self.encode(codec, &methods.reload(caller, self.decode(codec, &body)?).await?),
            Method::Invalidate => self.encode(codec, &methods.invalidate(caller, self.decode(codec, &body)?)?),
            Method::Watch => {
                let message = "Watch answers with a stream, which is there over gRPC only";
                return Err(Fault::new(FaultKind::Unsupported, message).into());
            }
            Method::AdminNotYet => return methods.admin_not_yet(caller),
        })
    }

    fn decode<M: Message + Name + Default>(&self, codec: Codec, body: &[u8]) -> Result<M, Fault> {
        match codec {
            Codec::Json => self.json.decode(body),
            Codec::Proto => M::decode(body).map_err(|_| {
                Fault::new(FaultKind::BadRequest, format!("the request is not the binary form of {}", M::NAME))
            }),
        }
    }

    fn encode<M: Message + Name>(&self, codec: Codec, message: &M) -> Vec<u8> {
        match codec {
            Codec::Json => self.json.encode(message),
            Codec::Proto => message.encode_to_vec(),
        }
    }
}

/// As [`Connect::encode`].
fn encode_answer(codec: Codec, answer: &v1::Answer) -> Vec<u8> {
    match codec {
        Codec::Json => Json::encode_answer(answer),
        Codec::Proto => answer.encode_to_vec(),
    }
}

/// What a unary call's headers must not say: another version of the protocol, or a compressed body.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Fault> {
    if headers.get(HeaderName::from_static("connect-protocol-version")).is_some_and(|version| version != "1") {
        return Err(Fault::new(FaultKind::BadRequest, "connect-protocol-version: expected 1"));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Fault::new(FaultKind::Unsupported, "content-encoding: only identity is supported"));
    }
    Ok(())
}
