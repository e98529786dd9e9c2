use super::{Limits, body, methods::Methods, status::Refusal, watch::Messages};
use crate::{
    model::{Caller, Fault, FaultKind, REASON_HEADER},
    proto::{
        self,
        v1::{self, admin_server, broker_server},
    },
};
use http::HeaderMap;
use std::sync::Arc;
use tonic::{Code, Request, Response, Status, async_trait, service::Routes};
use tonic_health::server::HealthReporter;

/// The gRPC face: [`Methods`] behind tonic's services, with health and reflection.
#[derive(Clone)]
struct Grpc(Arc<Methods>);

/// All services, and the one that says how they are.
pub(super) fn routes(methods: &Arc<Methods>, limits: &Limits) -> (Routes, HealthReporter) {
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let face = Grpc(Arc::clone(methods));
    let routes = Routes::new(
        broker_server::BrokerServer::new(face.clone())
            .max_decoding_message_size(limits.request_bytes)
            // Ours is checked before; tonic's would end the call without a reason.
            .max_encoding_message_size(usize::MAX),
    )
    .add_service(admin_server::AdminServer::new(face).max_decoding_message_size(limits.request_bytes))
    .add_service(health.max_decoding_message_size(limits.request_bytes))
    .add_service(reflection().build_v1().expect("the build compiled these descriptors"))
    .add_service(reflection().build_v1alpha().expect("the build compiled these descriptors"))
    .prepare();
    (routes, reporter)
}

/// Why tonic itself refused a call, if it did: it gives no reason, and codes of its own, where the Connect face has one.
pub(super) fn refusal(headers: &HeaderMap, limits: &Limits) -> Option<Fault> {
    let status = Status::from_header_map(headers).filter(|_| !headers.contains_key(REASON_HEADER))?;
    Some(match status.code() {
        Code::OutOfRange => body::too_large(limits.request_bytes),
        Code::Unimplemented if status.message().is_empty() => {
            Fault::new(FaultKind::Unsupported, "there is no such method")
        }
        Code::Unimplemented => Fault::new(FaultKind::Unsupported, status.message()),
        // tonic says so of a message that it cannot decode or frame.
        Code::Internal => Fault::new(FaultKind::BadRequest, "the request is not a message of this method"),
        _ => return None,
    })
}

/// The caller, who was put there before tonic was called, and the message.
fn open<T>(mut request: Request<T>) -> Result<(Caller, T), Status> {
    let caller = request.extensions_mut().remove::<Caller>();
    caller.map(|caller| (caller, request.into_inner())).ok_or_else(|| Status::internal("no caller"))
}

fn close<T>(outcome: Result<T, Refusal>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|refusal| refusal.to_grpc())
}

type Reply<T> = Result<Response<T>, Status>;

#[async_trait]
impl broker_server::Broker for Grpc {
    async fn get_connection(&self, request: Request<v1::GetConnectionRequest>) -> Reply<v1::Answer> {
        let (caller, request) = open(request)?;
        close(self.0.get_connection(&caller, request).await)
    }

    async fn get_variable(&self, request: Request<v1::GetVariableRequest>) -> Reply<v1::Answer> {
        let (caller, request) = open(request)?;
        close(self.0.get_variable(&caller, request).await)
    }

    async fn get_config(&self, request: Request<v1::GetConfigRequest>) -> Reply<v1::Answer> {
        let (caller, request) = open(request)?;
        close(self.0.get_config(&caller, request).await)
    }

    async fn batch_get(&self, request: Request<v1::BatchGetRequest>) -> Reply<v1::BatchGetResponse> {
        let (caller, request) = open(request)?;
        close(self.0.batch_get(&caller, request).await)
    }

    async fn issue_token(&self, request: Request<v1::IssueTokenRequest>) -> Reply<v1::IssueTokenResponse> {
        let (caller, request) = open(request)?;
        close(self.0.issue_token(&caller, request).await)
    }

    async fn sign_request(&self, request: Request<v1::SignRequestRequest>) -> Reply<v1::SignRequestResponse> {
        let (caller, request) = open(request)?;
        close(self.0.sign_request(&caller, request).await)
    }

    async fn report_rejected(&self, request: Request<v1::ReportRejectedRequest>) -> Reply<v1::ReportRejectedResponse> {
        let (caller, request) = open(request)?;
        close(self.0.report_rejected(&caller, request).await)
    }

    type WatchStream = Messages;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Reply<Self::WatchStream> {
        let (caller, _) = open(request)?;
        close(self.0.watch(&caller))
    }
}

#[async_trait]
impl admin_server::Admin for Grpc {
    async fn status(&self, request: Request<v1::StatusRequest>) -> Reply<v1::StatusResponse> {
        let (caller, request) = open(request)?;
        close(self.0.status(&caller, request))
    }

    async fn reload(&self, request: Request<v1::ReloadRequest>) -> Reply<v1::ReloadResponse> {
        let (caller, request) = open(request)?;
        close(self.0.reload(&caller, request).await)
    }

    async fn invalidate(&self, request: Request<v1::InvalidateRequest>) -> Reply<v1::InvalidateResponse> {
        let (caller, request) = open(request)?;
        close(self.0.invalidate(&caller, request))
    }

    async fn explain(&self, request: Request<v1::ExplainRequest>) -> Reply<v1::ExplainResponse> {
        let (caller, _) = open(request)?;
        close(self.0.admin_not_yet(&caller))
    }
}
