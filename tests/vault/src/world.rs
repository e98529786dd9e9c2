//! The state behind a lock, the clock and the signing key: what all listeners share, and the methods by which a test looks at a
//! test vault and changes it. The control API calls the same methods.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use tokio::sync::watch;

use crate::{
    access::{Authorization, Grant, Network},
    clock::Clock,
    directory::{App, BadCertificate, ManagedIdentity},
    endpoints::{Endpoints, RESOURCE},
    fault::Fault,
    faults::FaultRule,
    jwt::{Claims, TokenKey},
    limit::{Limit, Limited},
    line::{Lines, Site},
    log::{Counters, Entry},
    options::{Leaf, Options},
    proxy::Proxy,
    reply::Reply,
    seed::{Seed, SeedError},
    state::State,
    store::{SecretSpec, StoreError},
    visit::{Token, VAULT_DOMAINS, Visit},
};

/// A test vault's shared state.
pub struct World {
    clock: Clock,
    key: TokenKey,
    endpoints: Endpoints,
    seed: Seed,
    token_lifetime: i64,
    lines: Lines,
    proxy: Option<Proxy>,
    state: Mutex<State>,
    /// Counts releases of what is held.
    released: watch::Sender<u64>,
    /// Counts changes of the log.
    progress: watch::Sender<u64>,
}

/// A token that a test asks for; what is left out is as in a good token.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSpec {
    /// The client id.
    pub appid: Option<String>,
    /// The audience.
    pub aud: Option<String>,
    /// The issuer.
    pub iss: Option<String>,
    /// Seconds from now until it expires; negative: it has expired.
    pub exp_in: Option<i64>,
    /// Seconds from now until it is valid.
    pub nbf_in: Option<i64>,
}

impl World {
    pub(crate) fn new(
        options: &Options,
        endpoints: Endpoints,
        key: TokenKey,
        proxy: Option<Proxy>,
    ) -> Result<Self, SeedError> {
        let clock = Clock::new(options.time.clone());
        let token_lifetime = i64::try_from(options.token_lifetime.as_secs()).unwrap_or(i64::MAX);
        let state = State::new(&options.seed, token_lifetime, clock.now())?;
        Ok(Self {
            clock,
            key,
            endpoints,
            seed: options.seed.clone(),
            token_lifetime,
            lines: Lines::new(options.leaf),
            proxy,
            state: Mutex::new(state),
            released: watch::Sender::new(0),
            progress: watch::Sender::new(0),
        })
    }

    /// Addresses and credentials.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The time by which tokens and attributes are judged.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Adds a version of a secret, without asking for rights; returns its id. A vault that is not there is made.
    pub fn put_secret(&self, vault: &str, name: &str, spec: SecretSpec) -> Result<String, StoreError> {
        let now = self.clock.now();
        self.state().vault(vault).store.set(name, spec, now)
    }

    /// Changes attributes, content type or tags of a version, the latest without an id.
    pub fn update_secret(&self, vault: &str, name: &str, id: Option<&str>, spec: SecretSpec) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.state().vault(vault).store.update(name, id, spec, now)
    }

    /// Disables the latest version.
    pub fn disable_secret(&self, vault: &str, name: &str) -> Result<(), StoreError> {
        self.update_secret(vault, name, None, SecretSpec { enabled: Some(false), ..SecretSpec::default() })
    }

    /// Soft-deletes a secret.
    pub fn delete_secret(&self, vault: &str, name: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.state().vault(vault).store.delete(name, now).map(|_| ())
    }

    /// Forgets a secret, deleted or not.
    pub fn purge_secret(&self, vault: &str, name: &str) -> Result<(), StoreError> {
        self.state().vault(vault).store.purge(name)
    }

    /// Gives rights; the next request has them.
    pub fn grant(&self, grant: Grant) {
        self.state().grants.push(grant);
    }

    /// Takes rights from every grant that is as narrow as this one or narrower.
    pub fn revoke(&self, revoked: &Grant) {
        self.state().grants.retain_mut(|grant| grant.keep_after(revoked));
    }

    /// From where a vault answers.
    pub fn set_network(&self, vault: &str, network: Network) {
        self.state().vault(vault).network = network;
    }

    /// How often a vault answers, whoever asks and with a token or without; 429 where it is asked more often. `None` is always.
    pub fn set_limit(&self, vault: &str, limit: Option<Limit>) {
        self.state().vault(vault).limited = limit.map(Limited::new);
    }

    /// How a vault words a refusal of rights.
    pub fn set_authorization(&self, vault: &str, authorization: Authorization) {
        self.state().vault(vault).authorization = authorization;
    }

    /// Sets how many seconds the clock is ahead of the injected time; tokens age by it.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.clock.set_offset(seconds);
    }

    /// Sets how long new tokens live, in seconds.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.state().token_lifetime = seconds;
    }

    /// Puts CRLF into Entra's error descriptions (older answers had it; it breaks parsers), or not.
    pub fn set_entra_crlf(&self, on: bool) {
        self.state().entra_crlf = on;
    }

    /// Registers an application, in place of one with the same client id.
    pub fn register_app(&self, appid: &str, app: App) -> Result<(), BadCertificate> {
        self.state().directory.register_app(appid, app)
    }

    /// Registers a managed identity, in place of one with the same client id.
    pub fn register_identity(&self, identity: ManagedIdentity) {
        self.state().directory.register_identity(identity);
    }

    /// Leaves the machine without managed identities.
    pub fn remove_identities(&self) {
        self.state().directory.remove_identities();
    }

    /// Sets which certificate a listener shows; without one, connections are reset before a byte. Open connections end.
    pub fn set_line(&self, site: Site, leaf: Option<Leaf>) {
        self.lines.of(site).send_replace(leaf);
    }

    /// Switches a fault on; returns the number by which it is switched off.
    pub fn inject(&self, rule: FaultRule) -> u64 {
        self.state().faults.add(rule)
    }

    /// The faults that are on, by their numbers.
    pub fn faults(&self) -> Vec<(u64, FaultRule)> {
        self.state().faults.list().to_vec()
    }

    /// Switches one fault off, or all, and lets go of every answer that is held.
    pub fn clear_faults(&self, id: Option<u64>) {
        self.state().faults.clear(id);
        self.released.send_modify(|count| *count += 1);
    }

    /// The requests after the one with this number (0: all that are kept).
    pub fn log(&self, since: u64) -> Vec<Entry> {
        self.state().log.since(since)
    }

    /// How many requests of each kind came.
    pub fn counters(&self) -> Counters {
        self.state().log.counters()
    }

    /// Forgets requests and counts.
    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Waits until the log of requests is as `enough` wants it. There is no time limit: the caller has one.
    pub async fn wait_for(&self, enough: impl Fn(&[Entry]) -> bool) {
        let mut progress = self.progress.subscribe();
        while !enough(&self.log(0)) {
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Back to the start: seed, rights, applications, clock and token lifetime; no faults, an empty log. The lines stay as they are.
    ///
    /// # Panics
    ///
    /// Never: the same seed was held at the start.
    pub fn reset(&self) {
        self.clock.set_offset(0);
        let fresh =
            State::new(&self.seed, self.token_lifetime, self.clock.now()).expect("the same seed was held at the start");
        let mut state = self.state();
        let log = std::mem::take(&mut state.log);
        *state = fresh;
        state.log = log;
        state.log.clear();
        drop(state);
        self.clear_faults(None);
    }

    /// Signs a token, good or bad as the test wants it.
    pub fn sign_token(&self, spec: TokenSpec) -> String {
        let appid = spec.appid.unwrap_or_else(|| self.endpoints.client_id.clone());
        let lifetime = self.state().token_lifetime;
        let aud = spec.aud.unwrap_or_else(|| self.endpoints.resource.clone());
        let mut claims = self.claims(&appid, &crate::jwt::guid(&appid), aud);
        claims.iss = spec.iss.unwrap_or(claims.iss);
        claims.exp = claims.iat + spec.exp_in.unwrap_or(lifetime);
        claims.nbf = claims.iat + spec.nbf_in.unwrap_or(0);
        self.key.sign(&claims)
    }

    /// Issues a token; returns it with its claims.
    pub(crate) fn issue(&self, appid: &str, oid: &str, resource: String) -> (String, Claims) {
        let claims = self.claims(appid, oid, resource);
        (self.key.sign(&claims), claims)
    }

    fn claims(&self, appid: &str, oid: &str, aud: String) -> Claims {
        let now = self.clock.now();
        Claims {
            aud,
            iss: self.issuer(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(self.state().token_lifetime),
            appid: appid.to_owned(),
            oid: oid.to_owned(),
            sub: oid.to_owned(),
            tid: self.tenant_id().to_owned(),
            ver: "1.0".to_owned(),
        }
    }

    pub(crate) fn judge(&self, visit: &Visit) -> Token {
        let Some(token) = visit.bearer() else { return Token::Absent };
        let audience = self.resource_of(&visit.host);
        match self.key.verify(token, &self.issuer(), &audience, self.clock.now()) {
            Ok(claims) => Token::Accepted(claims),
            Err(refusal) => Token::Refused(refusal),
        }
    }

    /// The audience of the vault behind this host name: its domain, or the configured one.
    pub(crate) fn resource_of(&self, host: &str) -> String {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        let domain = VAULT_DOMAINS.iter().find(|domain| name.ends_with(&format!(".{domain}")));
        match domain {
            Some(domain) if self.endpoints.resource == RESOURCE => format!("https://{domain}"),
            _ => self.endpoints.resource.clone(),
        }
    }

    pub(crate) fn line(&self, site: Site) -> watch::Receiver<Option<Leaf>> {
        self.lines.of(site).subscribe()
    }

    /// The answer of what is behind the fault proxy.
    pub(crate) async fn proxied(&self, visit: &Visit) -> Reply {
        match &self.proxy {
            Some(proxy) => proxy.answer(visit).await,
            None => Reply::empty(StatusCode::BAD_GATEWAY),
        }
    }

    pub(crate) fn tenant_id(&self) -> &str {
        &self.endpoints.tenant_id
    }

    pub(crate) fn issuer(&self) -> String {
        format!("https://sts.windows.net/{}/", self.tenant_id())
    }

    pub(crate) fn key_set(&self) -> serde_json::Value {
        self.key.key_set()
    }

    /// Notes a request and finds the fault it meets.
    pub(crate) fn arrive(&self, visit: &Visit) -> (u64, Option<Fault>) {
        let entry = visit.entry(self.clock.now_millis());
        let mut state = self.state();
        let fault = state.faults.take(&visit.target());
        let seq = state.log.begin(entry);
        drop(state);
        self.progress.send_modify(|count| *count += 1);
        (seq, fault)
    }

    /// Notes that the client of a request went away.
    pub(crate) fn abandon(&self, seq: u64) {
        self.state().log.abandon(seq);
        self.progress.send_modify(|count| *count += 1);
    }

    /// Notes the answer to a request.
    pub(crate) fn depart(&self, seq: u64, status: Option<u16>, fault: Option<&'static str>) {
        if let Some(entry) = self.state().log.end(seq, status, fault) {
            let Entry { method, host, path, .. } = entry;
            tracing::info!(seq, %method, %host, %path, token = ?entry.token, status, fault, "answered");
        }
        self.progress.send_modify(|count| *count += 1);
    }

    /// Waits until faults are cleared.
    pub(crate) async fn released(&self) {
        let mut released = self.released.subscribe();
        // An error means that the test vault is going away, which ends this connection too.
        let _ = released.changed().await;
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
