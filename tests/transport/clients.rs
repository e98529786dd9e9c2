//! Clients as their users write them: a tonic channel, a Connect client, bytes on a socket.

use crate::script::Valet;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Version, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use tokio_util::task::TaskTracker;
use tonic::transport::{Channel, Endpoint};
use valet::proto;

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Grpc,
    Json(Version),
    Proto(Version),
}

impl Face {
    pub(crate) const ALL: [Self; 5] = [
        Self::Grpc,
        Self::Json(Version::HTTP_11),
        Self::Json(Version::HTTP_2),
        Self::Proto(Version::HTTP_11),
        Self::Proto(Version::HTTP_2),
    ];
}

/// Why a call has no answer, in the words that all faces share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// As Connect spells it.
    pub(crate) code: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) retry_after: Option<String>,
}

/// One call over one face; the headers go along as they are.
pub(crate) async fn call<Q, A>(
    face: Face,
    socket: &Path,
    path: &str,
    headers: &HeaderMap,
    request: &Q,
) -> Result<A, Refused>
where
    Q: Message + Name + Clone + Default + 'static,
    A: Message + Name + Default + 'static,
{
    let (version, content_type, body) = match face {
        Face::Grpc => return grpc(socket, path, headers, request).await,
        Face::Json(version) => (version, "application/json", to_json(request)),
        Face::Proto(version) => (version, "application/proto", request.encode_to_vec()),
    };
    let mut sent = post(path, content_type).version(version).body(body).unwrap();
    sent.headers_mut().extend(headers.clone());
    let reply = send(socket, sent).await;
    if reply.status != StatusCode::OK {
        return Err(reply.refused());
    }
    assert_eq!(reply.header("content-type"), Some(content_type));
    Ok(match face {
        Face::Json(_) => from_json(&reply.body),
        _ => A::decode(reply.body).unwrap(),
    })
}

async fn grpc<Q, A>(socket: &Path, path: &str, headers: &HeaderMap, request: &Q) -> Result<A, Refused>
where
    Q: Message + Clone + 'static,
    A: Message + Default + 'static,
{
    let mut client = tonic::client::Grpc::new(channel(socket).await).max_decoding_message_size(usize::MAX);
    client.ready().await.unwrap();
    let mut sent = tonic::Request::new(request.clone());
    *sent.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers.clone());
    let codec = tonic_prost::ProstCodec::<Q, A>::default();
    match client.unary(sent, PathAndQuery::try_from(path).unwrap(), codec).await {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => {
            let metadata = |name| status.metadata().get(name).map(|value| value.to_str().unwrap().to_owned());
            Err(Refused {
                // tonic spells them `InvalidArgument`, Connect `invalid_argument`.
                code: format!("{:?}", status.code()).split_inclusive(char::is_lowercase).fold(
                    String::new(),
                    |code, part| {
                        let separator = if part.starts_with(char::is_uppercase) && !code.is_empty() { "_" } else { "" };
                        format!("{code}{separator}{}", part.to_lowercase())
                    },
                ),
                reason: metadata("valet-reason").unwrap_or_default(),
                message: status.message().to_owned(),
                retry_after: metadata("retry-after"),
            })
        }
    }
}

/// A stock tonic channel.
pub(crate) async fn channel(socket: &Path) -> Channel {
    let socket = socket.to_owned();
    let connect = tower::service_fn(move |_| {
        let socket: PathBuf = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://valet").connect_with_connector(connect).await.unwrap()
}

fn descriptor<M: Name>() -> prost_reflect::MessageDescriptor {
    DescriptorPool::decode(proto::DESCRIPTORS).unwrap().get_message_by_name(&M::full_name()).unwrap()
}

fn to_json<M: Message + Name>(message: &M) -> Vec<u8> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).unwrap();
    serde_json::to_vec(&dynamic).unwrap()
}

fn from_json<M: Message + Name + Default>(text: &[u8]) -> M {
    let mut text = serde_json::Deserializer::from_slice(text);
    DynamicMessage::deserialize(descriptor::<M>(), &mut text).unwrap().transcode_to().unwrap()
}

/// What came back over plain HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn refused(&self) -> Refused {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let body = self.json();
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        Refused {
            code: body["code"].as_str().unwrap().to_owned(),
            reason: self.header("valet-reason").unwrap_or_default().to_owned(),
            message: body["message"].as_str().unwrap().to_owned(),
            retry_after: self.header("retry-after").map(str::to_owned),
        }
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(socket: &Path, request: Request<impl Into<Bytes>>) -> Reply {
    let io = TokioIo::new(UnixStream::connect(socket).await.unwrap());
    let tasks = TaskTracker::new();
    let request = request.map(|body| Full::new(body.into()));
    let response = if request.version() == Version::HTTP_2 {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tasks.spawn(connection);
        let mut request = request;
        request.headers_mut().remove("host");
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tasks.spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let (head, body) = response.into_parts();
    Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// A Connect call that is yet to be sent.
pub(crate) fn post(path: &str, content_type: &str) -> http::request::Builder {
    Request::post(format!("http://valet{path}")).header("host", "valet").header("content-type", content_type)
}

pub(crate) const GET_CONNECTION: &str = "/valet.v1.Broker/GetConnection";

/// A `GetConnection` in JSON over HTTP/1.1.
pub(crate) async fn get(valet: &Valet, conn_id: &str) -> Reply {
    get_at(&valet.tasks(), conn_id).await
}

pub(crate) async fn get_at(socket: &Path, conn_id: &str) -> Reply {
    let body = serde_json::json!({"connId": conn_id}).to_string();
    send(socket, post(GET_CONNECTION, "application/json").body(body).unwrap()).await
}

/// Bytes as they are, and all that comes back until the other side closes, even if it leaves some of ours unread.
pub(crate) async fn raw(socket: &Path, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
    match reading.await.expect("the other side does not close") {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        ended => _ = ended.unwrap(),
    }
    String::from_utf8(answer).unwrap()
}
