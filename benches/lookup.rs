//! What a warm lookup through the Connect face costs beside the least that a hyper server can do with the same payload on the same kind of
//! socket. `make bench` runs it, through `benches/run.py`:
//!
//! - `lookup --bare SOCKET BODY_FILE` is the yardstick: it answers every request with the file's content.
//! - `lookup --measure SOCKET CONNECTION_ID OTHER_SOCKET OTHER_CONNECTION_ID ROUNDS` asks both in turn over one connection each and prints one
//!   line of JSON. `NAME*COUNT` stands for the connections `NAME0`, `NAME1` and so on, which are asked for in a scattered order.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, body::Incoming, client::conn::http1 as client, server::conn::http1 as server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, error::Error, fs, time::Instant};
use tokio::{
    net::{UnixListener, UnixStream},
    runtime::Builder,
};
use tokio_util::task::TaskTracker;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        // As many threads as Valet has on two cores.
        ["--bare", socket, body] => {
            let body = Bytes::from(fs::read(body)?);
            Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(serve(socket, body))
        }
        ["--measure", socket, name, other_socket, other_name, rounds] => {
            let (one, other) = ((*socket, *name), (*other_socket, *other_name));
            Builder::new_current_thread().enable_all().build()?.block_on(measure(one, other, rounds.parse()?))
        }
        _ => Err("started without arguments; use `make bench`".into()),
    }
}

async fn serve(socket: &str, body: Bytes) -> Outcome {
    let listener = UnixListener::bind(socket)?;
    let tasks = TaskTracker::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let body = body.clone();
        tasks.spawn(async move {
            let service = service_fn(move |request| answer(request, body.clone()));
            let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, body: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    // The request is read to its end, as any server that answers it must.
    let _ = request.into_body().collect().await;
    let answer = Response::builder().header("content-type", "application/json").body(Full::new(body));
    Ok(answer.expect("the header is a constant"))
}

/// Calls in a row to one server before it is the other's turn: short, so that both see the same noise.
const BLOCK: usize = 100;

/// Two subjects, each a socket and the connection to ask it for.
async fn measure(one: (&str, &str), other: (&str, &str), rounds: usize) -> Outcome {
    let mut one = Caller::connect(one).await?;
    let mut other = Caller::connect(other).await?;
    let (mut one_ns, mut other_ns) = (Vec::new(), Vec::new());
    for round in 0..rounds / BLOCK {
        for _ in 0..BLOCK {
            let taken = one.call().await?;
            // The first blocks warm up caches, allocator and CPU.
            if round > 5 {
                one_ns.push(taken);
            }
        }
        for _ in 0..BLOCK {
            let taken = other.call().await?;
            if round > 5 {
                other_ns.push(taken);
            }
        }
    }
    let figures = serde_json::json!({"one": figures(&mut one_ns), "other": figures(&mut other_ns)});
    #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
    {
        println!("{figures}");
    }
    Ok(())
}

fn figures(nanoseconds: &mut [u64]) -> serde_json::Value {
    nanoseconds.sort_unstable();
    let at = |per_mille: usize| nanoseconds[(nanoseconds.len() - 1) * per_mille / 1000];
    serde_json::json!({"calls": nanoseconds.len(), "p50_ns": at(500), "p90_ns": at(900), "p99_ns": at(990)})
}

/// One client with one connection.
struct Caller {
    sender: client::SendRequest<Full<Bytes>>,
    names: Names,
    _tasks: TaskTracker,
}

/// The connections that one client asks for, one after another.
struct Names {
    name: String,
    /// How many there are; `None` where it is one, whose name has no number.
    count: Option<usize>,
    next: usize,
}

/// How far the next name is from the last: so far that neither memory nor its caches help, and a prime, so that every name has its turn.
const STRIDE: usize = 61_813;

impl Names {
    fn parse(text: &str) -> Result<Self, Box<dyn Error>> {
        let (name, count) = match text.split_once('*') {
            Some((name, count)) => (name, Some(count.parse()?)),
            None => (text, None),
        };
        Ok(Self { name: name.to_owned(), count, next: 0 })
    }

    fn next(&mut self) -> Bytes {
        let name = match self.count {
            Some(count) => {
                self.next = (self.next + STRIDE) % count;
                format!("{}{}", self.name, self.next)
            }
            None => self.name.clone(),
        };
        serde_json::json!({"connId": name}).to_string().into()
    }
}

impl Caller {
    async fn connect((socket, name): (&str, &str)) -> Outcome<Self> {
        let (sender, connection) = client::handshake(TokioIo::new(UnixStream::connect(socket).await?)).await?;
        let tasks = TaskTracker::new();
        tasks.spawn(connection);
        Ok(Self { sender, names: Names::parse(name)?, _tasks: tasks })
    }

    /// One call, in nanoseconds from before it is sent until its answer is read to the end.
    async fn call(&mut self) -> Outcome<u64> {
        let request = Request::post("/valet.v1.Broker/GetConnection")
            .header("host", "valet")
            .header("content-type", "application/json")
            .body(Full::new(self.names.next()))?;
        let start = Instant::now();
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        response.into_body().collect().await?;
        let taken = u64::try_from(start.elapsed().as_nanos())?;
        if status.is_success() { Ok(taken) } else { Err(format!("the server answered {status}").into()) }
    }
}
