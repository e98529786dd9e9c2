use super::{
    Limits,
    body::{Bounded, Reply},
    caller,
    connect::{self, Codec, Connect, Method},
    deadline, grpc,
    link::Link,
    methods::Methods,
    status::Refusal,
};
use crate::{
    model::{Caller, Fault, FaultKind},
    telemetry::{Counter, Counters},
};
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode, Version,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING},
};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::{sync::Arc, time::Duration};
use tonic::service::Routes;
use tonic_health::server::HealthReporter;
use tower::ServiceExt as _;

/// When a client that was refused for want of a place should come again.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

/// The one method whose answer goes on and on.
const WATCH: &str = "/valet.v1.Broker/Watch";

/// Where every request comes in: it is checked, its face is found by its content type, and it is answered in time.
pub(super) struct Door {
    limits: Limits,
    counters: Arc<Counters>,
    connect: Connect,
    grpc: Routes,
}

/// How a request wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Grpc,
    Connect(Method, Codec),
}

/// A request that is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoCall {
    Malformed(&'static str),
    NoSuchMethod,
    NotPost,
    ContentType,
}

impl Door {
    pub(super) fn new(methods: &Arc<Methods>) -> (Self, HealthReporter) {
        let limits = methods.limits.clone();
        let (grpc, health) = grpc::routes(methods, &limits);
        let counters = Arc::clone(&methods.counters);
        (Self { limits, counters, connect: Connect::new(Arc::clone(methods)), grpc }, health)
    }

    pub(super) async fn answer(&self, link: &Link, request: Request<Incoming>) -> Response<Reply> {
        let is_http1 = request.version() <= Version::HTTP_11;
        let is_chunked = is_http1 && request.headers().contains_key(TRANSFER_ENCODING);
        let checked = if is_http1 && link.is_refused() {
            Err(NoCall::Malformed(
                "the request has both transfer-encoding and content-length, or a length that is nonsense",
            ))
        } else {
            face(&request)
        };
        let mut response = match checked {
            Ok(face) => self.admit(link, face, request).await,
            // hyper takes the body of an answer to HEAD away on HTTP/1 only.
            Err(no_call) if request.method() == http::Method::HEAD => no_call.answer().map(|_| Reply::whole("")),
            Err(no_call) => no_call.answer(),
        };
        if is_chunked {
            // See `heads`: what follows on the wire has no certain beginning.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn admit(&self, link: &Link, face: Face, request: Request<Incoming>) -> Response<Reply> {
        // Only gRPC has it as a stream; over Connect it is refused at once.
        let is_watch = face == Face::Grpc && request.uri().path() == WATCH;
        let place = if is_watch { link.listener.watcher() } else { link.listener.request() };
        let Some(place) = place else {
            self.counters.count(Counter::RequestsRefused);
            let message = "valet is answering as many requests as it may; ask again in a moment";
            let fault = Fault::new(FaultKind::Overloaded, message).retry_after(Some(OVERLOAD_PAUSE));
            return face.refuse(&fault.into());
        };
        self.call(link, face, request)
            .await
            .unwrap_or_else(|refusal| face.refuse(&refusal))
            .map(|body| body.holding(place))
    }

    async fn call(&self, link: &Link, face: Face, request: Request<Incoming>) -> Result<Response<Reply>, Refusal> {
        let time = deadline::of(request.headers(), &self.limits)?;
        let caller = link.caller(caller::claims(request.headers()));
        let call = async {
            match face {
                Face::Connect(method, codec) => self.connect(caller, method, codec, request).await,
                Face::Grpc => Ok(self.grpc(caller, request).await),
            }
        };
        tokio::time::timeout(time, call).await.unwrap_or_else(|_| {
            self.counters.count(Counter::RequestsTimedOut);
            let message = format!("no answer within {time:?}; a read that was begun goes on, so ask again");
            Err(Fault::new(FaultKind::TimedOut, message).into())
        })
    }

    async fn connect(
        &self,
        caller: Caller,
        method: Method,
        codec: Codec,
        request: Request<Incoming>,
    ) -> Result<Response<Reply>, Refusal> {
        connect::check(request.headers())?;
        // A client that waits for a go-ahead has sent nothing yet, and on HTTP/2 the stream is simply closed.
        let sends_all_first = request.version() <= Version::HTTP_11 && !request.headers().contains_key(EXPECT);
        let discard = if sends_all_first { self.limits.discarded_bytes } else { 0 };
        let body = Bounded::new(request.into_body(), self.limits.request_bytes, self.limits.body_read);
        let body = body.read(discard).await.inspect_err(|fault| count(&self.counters, fault))?;
        let answer = self.connect.call(&caller, method, codec, body).await?;
        let mut response = Response::new(Reply::whole(answer));
        response.headers_mut().insert(CONTENT_TYPE, codec.content_type());
        Ok(response)
    }

    async fn grpc(&self, caller: Caller, mut request: Request<Incoming>) -> Response<Reply> {
        let is_ours = request.uri().path().starts_with("/valet.v1.");
        request.extensions_mut().insert(caller);
        let response = if is_ours {
            let (limits, counters) = (&self.limits, Arc::clone(&self.counters));
            let request = request.map(|body| {
                Bounded::prefixed(body, limits.request_bytes, limits.body_read).map_err(move |fault| {
                    count(&counters, &fault);
                    Refusal::from(fault).to_grpc()
                })
            });
            self.grpc.clone().oneshot(request).await
        } else {
            self.grpc.clone().oneshot(request).await
        };
        let mut response = response.unwrap_or_else(|never| match never {});
        if let Some(fault) = grpc::refusal(response.headers(), &self.limits) {
            count(&self.counters, &fault);
            // It fails on what a header cannot hold, and a message is percent-encoded.
            let _ = Refusal::from(fault).to_grpc().add_header(response.headers_mut());
        }
        response.map(Reply::stream)
    }
}

fn count(counters: &Counters, fault: &Fault) {
    match fault.kind() {
        FaultKind::TooLarge => counters.count(Counter::RequestsTooLarge),
        FaultKind::TimedOut => counters.count(Counter::ConnectionsTooSlow),
        _ => {}
    }
}

/// How the request wants to be answered, by its path, method and content type.
fn face(request: &Request<Incoming>) -> Result<Face, NoCall> {
    let headers = request.headers();
    if request.version() == Version::HTTP_11 && headers.get_all(HOST).iter().count() != 1 {
        // RFC 9112, section 3.2.
        return Err(NoCall::Malformed("a request has exactly one host header"));
    }
    let is_post = request.method() == http::Method::POST;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_post && request.version() == Version::HTTP_2 && is_grpc(content_type) {
        return Ok(Face::Grpc);
    }
    let Some(method) = Method::of(request.uri().path()) else { return Err(NoCall::NoSuchMethod) };
    if !is_post {
        return Err(NoCall::NotPost);
    }
    codec(content_type).map(|codec| Face::Connect(method, codec)).ok_or(NoCall::ContentType)
}

/// gRPC over HTTP/2, "Content-Type"; other forms than protobuf are not spoken.
fn is_grpc(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/grpc") || essence.eq_ignore_ascii_case("application/grpc+proto")
}

/// Connect protocol, "Unary-Content-Type"; JSON is UTF-8 and may say so.
fn codec(content_type: &str) -> Option<Codec> {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_utf8 = |part: &str| part.replace('"', "").eq_ignore_ascii_case("charset=utf-8") || part.is_empty();
    match essence {
        _ if !parts.all(is_utf8) => None,
        _ if essence.eq_ignore_ascii_case("application/json") => Some(Codec::Json),
        _ if essence.eq_ignore_ascii_case("application/proto") => Some(Codec::Proto),
        _ => None,
    }
}

impl Face {
    fn refuse(self, refusal: &Refusal) -> Response<Reply> {
        match self {
            Self::Grpc => refusal.to_grpc().into_http::<tonic::body::Body>().map(Reply::stream),
            Self::Connect(..) => refusal.to_connect().map(Reply::whole),
        }
    }
}

impl NoCall {
    /// A Connect error all the same, so that every client can read why; the HTTP status says it to tools.
    fn answer(self) -> Response<Reply> {
        let (status, message, header) = match self {
            // Only HTTP/1 gets here, and who knows where the next request begins.
            Self::Malformed(message) => (StatusCode::BAD_REQUEST, message, Some((CONNECTION, "close"))),
            Self::NoSuchMethod => (StatusCode::NOT_FOUND, "there is no such method", None),
            Self::NotPost => (StatusCode::METHOD_NOT_ALLOWED, "use POST", Some((ALLOW, "POST"))),
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send application/json or application/proto, or application/grpc over HTTP/2",
                Some((HeaderName::from_static("accept-post"), "application/json, application/proto, application/grpc")),
            ),
        };
        let kind = if matches!(self, Self::Malformed(_)) { FaultKind::BadRequest } else { FaultKind::Unsupported };
        let mut response = Refusal::from(Fault::new(kind, message)).to_connect();
        *response.status_mut() = status;
        response.headers_mut().extend(header.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response.map(Reply::whole)
    }
}
