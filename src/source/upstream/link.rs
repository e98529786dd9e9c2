use super::{
    refusal,
    stream::{NoWay, Way},
};
use crate::{
    azure::{Azure, Error, Random},
    clock::Clock,
    model::{Fault, FaultKind, Via},
    proto::v1::{WatchRequest, WatchResponse, broker_client::BrokerClient},
    source::{Target, UpstreamConfig, local},
};
use hyper_util::rt::TokioIo;
use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};
use tokio_rustls::rustls::AlertDescription;
use tonic::{
    Request, Status, Streaming, TimeoutExpired,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};
use tower::service_fn;
use url::Position;

/// What the other Valet is given for an answer: longer than one call to a vault may take there (9 s), so that its fault, which names the vault, gets here …
const DEADLINE: Duration = Duration::from_millis(9300);

/// … before the default deadline of who asks here (10 s). How long a call takes here, the connection that it may need included.
const CALL_TIMEOUT: Duration = Duration::from_millis(9600);

/// Most calls at once; further ones wait for their turn. The other side serves 256 of one connection.
const MOST_CALLS: usize = 128;

/// The longest answer, in bytes: what a Valet sends at most.
const LONGEST_ANSWER: usize = 4 << 20;

/// How often an idle connection is asked whether it still is one …
const PING: Duration = Duration::from_secs(30);

/// … and how long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long no connection is tried after one that did not come about; each further time it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// … up to this. Up to half of it is taken off at random, so that not everybody comes back at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The one connection to another Valet, for as long as it lasts, then the next.
pub(super) struct Link {
    target: String,
    way: Arc<Way>,
    origin: String,
    token_file: Option<PathBuf>,
    calls: Semaphore,
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    random: Random,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    opened: u64,
    failure: Option<Failure>,
    failures: u32,
}

/// A connection that is open, as far as one knows.
#[derive(Clone)]
struct Open {
    number: u64,
    channel: Channel,
    alert: Arc<OnceLock<AlertDescription>>,
}

/// The last try to open one, and until when there is no other. Times are monotonic.
struct Failure {
    fault: Fault,
    at: Duration,
    until: Duration,
}

/// What goes along with each message.
#[derive(Clone)]
pub(super) struct Ask {
    via: MetadataValue<Ascii>,
    token: Option<MetadataValue<Ascii>>,
}

impl Ask {
    /// The request that takes a message there.
    pub(super) fn of<T>(&self, message: T) -> Request<T> {
        let mut request = self.without_end(message);
        request.set_timeout(DEADLINE);
        request
    }

    /// The same for a stream that goes on.
    pub(super) fn without_end<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(Via::HEADER, self.via.clone());
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }
}

impl Link {
    pub(super) fn build(
        config: &UpstreamConfig,
        azure: &Azure,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Result<Self, Error> {
        let (way, origin) = match &config.target {
            // HTTP/2 wants an authority; nobody looks at it.
            Target::Unix(path) => (Way::Unix(path.clone()), "http://valet".to_owned()),
            Target::Https(url) => {
                let dialer = azure.dialer(url, &config.network, config.client.clone())?;
                (Way::Tls(Box::new(dialer)), url[..Position::AfterPort].to_owned())
            }
        };
        Ok(Self {
            target: format!("the Valet at {}", config.target),
            way: Arc::new(way),
            origin,
            token_file: config.token_file.clone(),
            calls: Semaphore::new(MOST_CALLS),
            state: Mutex::default(),
            clock,
            random,
        })
    }

    /// Who is asked, for people.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// One call; `None` where the answer is that there is no such name. A connection that was closed meanwhile is opened again for it, once.
    pub(super) async fn call<A, F>(
        &self,
        via: &Via,
        send: impl Fn(BrokerClient<Channel>, Ask) -> F + Send + Sync,
    ) -> Result<Option<A>, Fault>
    where
        F: Future<Output = Result<A, Status>> + Send,
    {
        let call = async {
            let _place = self.calls.acquire().await.expect("it is never closed");
            let ask = self.ask(via)?;
            let mut is_new = false;
            loop {
                let open = self.open(&mut is_new).await?;
                match send(client(&open), ask.clone()).await {
                    Ok(answer) => return Ok(Some(answer)),
                    Err(status) => match self.explain(&open, &status).await {
                        Refused::Finally(fault) => return fault.map_or(Ok(None), Err),
                        Refused::OnTheWay(_) if !is_new => {}
                        Refused::OnTheWay(fault) => return Err(fault),
                    },
                }
            }
        };
        timeout(CALL_TIMEOUT, call).await.unwrap_or_else(|_| {
            let message = format!("{} did not answer within {} s", self.target, CALL_TIMEOUT.as_secs_f32());
            Err(Fault::new(FaultKind::TimedOut, message))
        })
    }

    /// Hears what changes there. It has begun when this returns: what changes from now on is told.
    pub(super) async fn watch(&self, via: &Via) -> Result<Streaming<WatchResponse>, Fault> {
        let begin = async {
            let ask = self.ask(via)?;
            let open = self.open(&mut false).await?;
            match client(&open).watch(ask.without_end(WatchRequest {})).await {
                Ok(stream) => Ok(stream.into_inner()),
                Err(status) => Err(match self.explain(&open, &status).await {
                    Refused::Finally(fault) => fault.unwrap_or_else(|| Fault::new(FaultKind::SourceDown, BROKEN)),
                    Refused::OnTheWay(fault) => fault,
                }),
            }
        };
        timeout(CALL_TIMEOUT, begin).await.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::TimedOut, format!("{} did not begin to tell of changes in time", self.target)))
        })
    }

    fn ask(&self, via: &Via) -> Result<Ask, Fault> {
        let via = via.to_string().try_into().expect("hexadecimal digits and commas can stand in a header");
        let Some(path) = &self.token_file else { return Ok(Ask { via, token: None }) };
        // Read each time: it is renewed.
        let bad = |why: &str| Fault::new(FaultKind::SourceDown, format!("token_file {}: {why}", path.display()));
        let token = local::read(path)?.ok_or_else(|| bad("there is no such file"))?;
        let token = MetadataValue::try_from(format!("Bearer {}", token.value.expose().trim()));
        let mut token = token.map_err(|_| bad("what is in it is no token"))?;
        token.set_sensitive(true);
        Ok(Ask { via, token: Some(token) })
    }

    /// The connection that is open, or a new one. Who waits while somebody tries shares how that ends.
    async fn open(&self, is_new: &mut bool) -> Result<Open, Fault> {
        let asked = self.clock.monotonic();
        let mut state = self.state.lock().await;
        if let Some(open) = &state.open {
            return Ok(open.clone());
        }
        let now = self.clock.monotonic();
        if let Some(Failure { fault, at, until }) = &state.failure
            && (*at >= asked || now < *until)
        {
            return Err(fault.clone().retry_after(Some(until.saturating_sub(now))).unasked());
        }
        *is_new = true;
        match self.connect().await {
            Ok((channel, alert)) => {
                state.opened += 1;
                let open = Open { number: state.opened, channel, alert };
                (state.open, state.failure, state.failures) = (Some(open.clone()), None, 0);
                Ok(open)
            }
            Err(why) => {
                let fault = Fault::new(FaultKind::SourceDown, format!("{} cannot be reached: {why}", self.target));
                let at = self.clock.monotonic();
                let until = at + pause(state.failures, (self.random)());
                state.failure = Some(Failure { fault: fault.clone(), at, until });
                state.failures = state.failures.saturating_add(1);
                Err(fault)
            }
        }
    }

    async fn connect(&self) -> Result<(Channel, Arc<OnceLock<AlertDescription>>), String> {
        let alert = Arc::<OnceLock<AlertDescription>>::default();
        let (way, heard) = (Arc::clone(&self.way), Arc::clone(&alert));
        let connector = service_fn(move |_| {
            let (way, alert) = (Arc::clone(&way), Arc::clone(&heard));
            Box::pin(async move { way.open(alert).await.map(TokioIo::new) })
        });
        let endpoint = Endpoint::from_shared(self.origin.clone()).expect("the URL was parsed before");
        let endpoint = endpoint
            .user_agent(concat!("valet/", env!("CARGO_PKG_VERSION")))
            .expect("a version can stand in a header")
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        let connected = endpoint.connect_with_connector(connector).await;
        connected.map(|channel| (channel, alert)).map_err(|error| no_way(&error).unwrap_or_else(|| BROKEN.to_owned()))
    }

    /// Why a call failed. A connection on which one got no answer from a Valet is not used again.
    async fn explain(&self, open: &Open, status: &Status) -> Refused {
        let is_ours = status.metadata().contains_key(crate::model::REASON_HEADER);
        if is_ours {
            return Refused::Finally(refusal::of(status, &self.target));
        }
        // tonic's own, at the deadline; the connection may be as good as any.
        if status.message() == TimeoutExpired(()).to_string() {
            let message = format!("{} did not answer within {} s", self.target, DEADLINE.as_secs_f32());
            return Refused::Finally(Some(Fault::new(FaultKind::TimedOut, message)));
        }
        let mut state = self.state.lock().await;
        if state.open.as_ref().is_some_and(|it| it.number == open.number) {
            state.open = None;
        }
        drop(state);
        if let Some(alert) = open.alert.get() {
            return Refused::Finally(Some(self.not_let_in(*alert)));
        }
        if let Some(why) = no_way(status) {
            return Refused::OnTheWay(Fault::new(
                FaultKind::SourceDown,
                format!("{} cannot be reached: {why}", self.target),
            ));
        }
        let fault = refusal::of(status, &self.target);
        Refused::OnTheWay(fault.unwrap_or_else(|| Fault::new(FaultKind::SourceDown, BROKEN)))
    }

    fn not_let_in(&self, alert: AlertDescription) -> Fault {
        let why = match alert {
            AlertDescription::CertificateRequired => {
                "it wants a client certificate; name one as cert_file and key_file"
            }
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => {
                "it does not accept the client certificate; check cert_file, and who signed it"
            }
            _ => {
                let why = format!("{} ended the TLS connection ({alert:?})", self.target);
                return Fault::new(FaultKind::SourceDown, why);
            }
        };
        Fault::new(FaultKind::Unauthenticated, format!("{}: {why}", self.target))
    }
}

/// Why a call failed.
enum Refused {
    /// Over another connection it would fail as well; `None` is "not here".
    Finally(Option<Fault>),
    /// Before it got there, or on the way back.
    OnTheWay(Fault),
}

const BROKEN: &str = "the connection broke off; what answers there may be no Valet";

fn client(open: &Open) -> BrokerClient<Channel> {
    BrokerClient::new(open.channel.clone()).max_decoding_message_size(LONGEST_ANSWER)
}

/// What kept a connection from coming about, out of whatever it is wrapped in.
fn no_way(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut links = std::iter::successors(Some(error), |link| link.source());
    links.find_map(|link| link.downcast_ref::<NoWay>()).map(ToString::to_string)
}

/// How long no connection is tried after so many that did not come about before the last.
fn pause(failures: u32, random: u64) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    longest - longest / 1024 * u32::try_from(random % 512).expect("it is below 512")
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("target", &self.target).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_between_tries_grow_and_differ() {
        let millis = |failures, random| pause(failures, random).as_millis();
        assert_eq!([0, 1, 2, 4, 5, 100].map(|failures| millis(failures, 0)), [500, 1000, 2000, 8000, 15_000, 15_000]);
        assert!((7500..7600).contains(&millis(100, 511)), "up to half is taken off");
    }
}
