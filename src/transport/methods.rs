use super::{
    Control, Limits, Lookups, convert,
    listener::Listener,
    status::Refusal,
    watch::{self, Messages},
};
use crate::{
    model::{Caller, Credential, Fault, FaultKind, Kind, Lookup, Name, Right},
    proto::v1,
    telemetry::{Counter, Counters},
};
use futures::{FutureExt as _, StreamExt as _, stream};
use prost::Message;
use std::{panic::AssertUnwindSafe, sync::Arc};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Gives each internal fault the number that its log line and its message share.
pub type Ids = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What the service does, in messages: the one implementation under all faces.
pub(super) struct Methods {
    pub(super) lookups: Arc<dyn Lookups>,
    pub(super) control: Arc<dyn Control>,
    pub(super) counters: Arc<Counters>,
    pub(super) ids: Ids,
    pub(super) limits: Limits,
    pub(super) listeners: Vec<Arc<Listener>>,
    /// Says when streams have to end.
    pub(super) closing: CancellationToken,
}

/// What a method ends with.
type Outcome<T> = Result<T, Refusal>;

/// A method that is declared and not yet there.
pub(super) fn not_yet<T>() -> Outcome<T> {
    Err(Fault::new(FaultKind::NotYetAvailable, "this method is declared, but not yet available in this version").into())
}

fn no_grant(grant: &Name) -> Refusal {
    Refusal::NotFound(format!("there is no grant {:?} in valet.yaml", grant.as_str()))
}

fn not_here(lookup: &Lookup) -> Refusal {
    Refusal::NotFound(format!("{lookup} is not here: no source that was asked has it"))
}

impl Methods {
    pub(super) async fn get_connection(
        &self,
        caller: &Caller,
        request: v1::GetConnectionRequest,
    ) -> Outcome<v1::Answer> {
        let lookup = Lookup::parse(Kind::Connection, &request.conn_id, &request.team)?;
        self.get(caller, &lookup).await.and_then(|answer| self.fits(answer))
    }

    pub(super) async fn get_variable(&self, caller: &Caller, request: v1::GetVariableRequest) -> Outcome<v1::Answer> {
        let lookup = Lookup::parse(Kind::Variable, &request.key, &request.team)?;
        self.get(caller, &lookup).await.and_then(|answer| self.fits(answer))
    }

    pub(super) async fn get_config(&self, caller: &Caller, request: v1::GetConfigRequest) -> Outcome<v1::Answer> {
        let lookup = Lookup::parse(Kind::Config, &request.key, &request.team)?;
        self.get(caller, &lookup).await.and_then(|answer| self.fits(answer))
    }

    pub(super) async fn batch_get(
        &self,
        caller: &Caller,
        request: v1::BatchGetRequest,
    ) -> Outcome<v1::BatchGetResponse> {
        let most = self.limits.batch;
        if request.lookups.len() > most {
            let message = format!("a batch holds at most {most} lookups; send several");
            return Err(Fault::new(FaultKind::BadRequest, message).into());
        }
        let results = stream::iter(request.lookups)
            .map(|lookup| self.batch_item(caller, lookup))
            .buffered(self.limits.batch_at_a_time)
            .collect()
            .await;
        self.fits(v1::BatchGetResponse { results })
    }

    pub(super) async fn issue_token(
        &self,
        caller: &Caller,
        request: v1::IssueTokenRequest,
    ) -> Outcome<v1::IssueTokenResponse> {
        let grant = Name::parse(&request.grant)?;
        let at_least = convert::min_remaining(request.min_remaining)?;
        match self.sound(self.lookups.issue_token(caller, &grant, at_least)).await? {
            Some(issued) => Ok(convert::issued(&issued)),
            None => Err(no_grant(&grant)),
        }
    }

    pub(super) async fn sign_request(
        &self,
        caller: &Caller,
        request: v1::SignRequestRequest,
    ) -> Outcome<v1::SignRequestResponse> {
        let (grant, request) = convert::signable(request);
        let grant = Name::parse(&grant)?;
        match self.sound(self.lookups.sign_request(caller, &grant, &request)).await? {
            Some(signed) => Ok(convert::signed(signed)),
            None => Err(no_grant(&grant)),
        }
    }

    pub(super) async fn report_rejected(
        &self,
        caller: &Caller,
        request: v1::ReportRejectedRequest,
    ) -> Outcome<v1::ReportRejectedResponse> {
        let rejection = convert::rejection(&request)?;
        match self.sound(self.lookups.report_rejected(caller, &rejection)).await? {
            Some(reported) => Ok(convert::reported(reported)),
            None => Err(match rejection.of {
                Credential::Connection(lookup) => not_here(&lookup),
                Credential::Grant(grant) => no_grant(&grant),
            }),
        }
    }

    pub(super) fn status(&self, caller: &Caller, _: v1::StatusRequest) -> Outcome<v1::StatusResponse> {
        self.lookups.may(caller, Right::Admin)?;
        Ok(v1::StatusResponse {
            listeners: self.listeners.iter().map(|listener| listener.status()).collect(),
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
            counters: Counter::ALL.iter().map(|&it| (it.name().to_owned(), self.counters.get(it))).collect(),
            ..convert::status(self.control.status())
        })
    }

    pub(super) async fn reload(&self, caller: &Caller, _: v1::ReloadRequest) -> Outcome<v1::ReloadResponse> {
        self.lookups.may(caller, Right::Admin)?;
        Ok(convert::reloaded(self.sound(self.control.reload()).await?))
    }

    pub(super) fn invalidate(
        &self,
        caller: &Caller,
        request: v1::InvalidateRequest,
    ) -> Outcome<v1::InvalidateResponse> {
        let lookup = convert::lookup(&request.lookup.unwrap_or_default())?;
        let dropped = self.lookups.invalidate(caller, &lookup)?;
        Ok(v1::InvalidateResponse { dropped: u64::try_from(dropped).unwrap_or(u64::MAX) })
    }

    pub(super) fn watch(&self, caller: &Caller) -> Outcome<Messages> {
        let changes = self.lookups.watch(caller)?;
        self.counters.count(Counter::WatchesBegun);
        Ok(watch::messages(changes, &self.limits, self.closing.clone()))
    }

    /// A method of the Admin service that is declared and not yet there.
    pub(super) fn admin_not_yet<T>(&self, caller: &Caller) -> Outcome<T> {
        self.lookups.may(caller, Right::Admin)?;
        not_yet()
    }

    async fn batch_item(&self, caller: &Caller, lookup: v1::Lookup) -> v1::BatchGetResult {
        use v1::batch_get_result::Outcome;
        let answer = match convert::lookup(&lookup) {
            Ok(lookup) => self.get(caller, &lookup).await,
            Err(fault) => Err(fault.into()),
        };
        let outcome = match answer {
            Ok(answer) => Outcome::Answer(answer),
            Err(refusal) => Outcome::Fault(refusal.to_message()),
        };
        v1::BatchGetResult { outcome: Some(outcome) }
    }

    async fn get(&self, caller: &Caller, lookup: &Lookup) -> Outcome<v1::Answer> {
        match self.sound(self.lookups.lookup(caller, lookup)).await? {
            Some(answer) => Ok(convert::answer(&answer)),
            None => Err(not_here(lookup)),
        }
    }

    /// Keeps what is inside inside: a panic becomes an internal fault, and an internal fault goes to the log under a number, of which the
    /// client sees only the number.
    async fn sound<T>(&self, call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let detail = match AssertUnwindSafe(call).catch_unwind().await {
            Ok(Err(fault)) if fault.kind() == FaultKind::Internal => fault.message().to_owned(),
            Ok(outcome) => return outcome,
            Err(_) => "a panic; its message is on stderr".to_owned(),
        };
        let id = format!("{:016x}", (self.ids)());
        tracing::error!(id, detail, "internal fault");
        Err(Fault::new(FaultKind::Internal, format!("internal error {id}: look for this id in valet's log")))
    }

    /// An answer longer than what clients accept is told apart from a broken call.
    fn fits<M: Message>(&self, message: M) -> Outcome<M> {
        if message.encoded_len() <= self.limits.answer_bytes {
            return Ok(message);
        }
        let message = format!("the answer is longer than {} bytes; ask for less at a time", self.limits.answer_bytes);
        Err(Fault::new(FaultKind::TooLarge, message).into())
    }
}
