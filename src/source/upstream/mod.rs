//! Another Valet as a source: its answers, its tokens, and what it tells of changes. It never keeps a value and never tries again; what it is told
//! of age and freshness goes along with each value, for [`crate::cache`] to count. [`crate::broker`] calls it, through [`super::Source`] and
//! [`Relay`].

mod answer;
mod link;
mod news;
mod refusal;
mod stream;

use super::{News, Source, UpstreamConfig};
use crate::{
    azure::{Azure, Random},
    clock::Clock,
    model::{
        Credential, Fault, FaultKind, Found, IssuedToken, Kind, Lookup, Name, ProcessId, SourceName, Urgency,
        ValueDigest, Via,
    },
    proto::v1::{
        GetConfigRequest, GetConnectionRequest, GetVariableRequest, IssueTokenRequest, ReportRejectedRequest,
        broker_client::BrokerClient, report_rejected_request::Credential as Named,
    },
};
use async_trait::async_trait;
use link::{Ask, Link};
use news::Ear;
use std::{sync::Arc, time::Duration};
use tonic::{Response, transport::Channel};

/// What can be asked of another Valet beside values by their names, and on whose behalf.
#[async_trait]
pub trait Relay: Send + Sync {
    /// Whether a request that came this way may go on to that Valet.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`] where it has been here before, or in too many others.
    fn admit(&self, via: &Via) -> Result<(), Fault>;

    /// As [`Source::read`], for a request that came this way.
    async fn read(&self, lookup: &Lookup, via: &Via) -> Result<Option<Found>, Fault>;

    /// A token of a grant with `at_least` so much life left, or as much as the grant says; `None` means that there is no such grant there.
    ///
    /// # Errors
    /// Whatever keeps the token away.
    async fn token(&self, grant: &Name, at_least: Option<Duration>, via: &Via) -> Result<Option<IssuedToken>, Fault>;
}

/// Another Valet.
#[derive(Debug)]
pub struct UpstreamSource {
    name: SourceName,
    me: ProcessId,
    link: Link,
    ear: Ear,
}

impl UpstreamSource {
    /// The source that a definition describes, asked by the process `me`. Reads `ca_file`; does no network I/O.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`], where it cannot be taken into use.
    pub fn build(
        name: SourceName,
        config: &UpstreamConfig,
        me: ProcessId,
        azure: &Azure,
        (clock, random): (Arc<dyn Clock>, Random),
    ) -> Result<Self, Fault> {
        let ear = Ear::new(Arc::clone(&clock), Arc::clone(&random));
        let link = Link::build(config, azure, clock, random);
        let link = link.map_err(|error| error.fault(&format!("source {:?}", name.as_str())))?;
        Ok(Self { name, me, link, ear })
    }
}

#[async_trait]
impl Source for UpstreamSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "upstream"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        format!("{lookup} of {}", self.link.target())
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        Relay::read(self, lookup, &Via::default()).await
    }

    /// Another Valet gives connections, variables and options by Airflow's names, and its own sources' names are its own business.
    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        let message = format!("an upstream has no secrets by name, so {{secret: {}/{name}}} leads nowhere", self.name);
        Err(Fault::new(FaultKind::BadConfig, message))
    }

    /// What it tells of changes, for as long as it can be heard.
    async fn news(&self, _: &(dyn Fn() -> usize + Send + Sync)) -> News {
        self.ear.news(&self.name, &self.link, &Via::default().and(self.me)).await
    }

    /// That one reads its source again then, and tells a report that is too late from one that is not.
    async fn rejected(&self, credential: &Credential, value: Option<&ValueDigest>) {
        let send = |mut broker: BrokerClient<Channel>, ask: Ask| {
            let (named, team) = match credential {
                Credential::Connection(lookup) => (Named::ConnId(lookup.name.to_string()), lookup.team.as_ref()),
                Credential::Grant(grant) => (Named::Grant(grant.to_string()), None),
            };
            let request = ask.of(ReportRejectedRequest {
                credential: Some(named),
                value_sha256: value.map(ValueDigest::to_hex).unwrap_or_default(),
                team: team.map(|team| team.as_str().to_owned()).unwrap_or_default(),
            });
            async move { broker.report_rejected(request).await }
        };
        if let Err(error) = self.link.call(&Via::default().and(self.me), send).await {
            tracing::warn!(source = %self.name, ?credential, %error, "a refused credential could not be reported to where it came from");
        }
    }

    fn relay(&self) -> Option<&dyn Relay> {
        Some(self)
    }
}

#[async_trait]
impl Relay for UpstreamSource {
    fn admit(&self, via: &Via) -> Result<(), Fault> {
        let refuse = |why: &str| {
            let target = self.link.target();
            let message = format!(
                "source {}: not asked, because the request {why}; correct `target`, which is {target}, there or here",
                self.name
            );
            Err(Fault::new(FaultKind::BadConfig, message))
        };
        if via.has(self.me) {
            return refuse("came back to where it had been: the upstreams lead in a circle");
        }
        if via.is_full() {
            return refuse("came through 4 Valets already");
        }
        Ok(())
    }

    async fn read(&self, lookup: &Lookup, via: &Via) -> Result<Option<Found>, Fault> {
        let send = |mut broker: BrokerClient<Channel>, ask: Ask| {
            let name = lookup.name.as_str().to_owned();
            let team = lookup.team.as_ref().map(|team| team.as_str().to_owned()).unwrap_or_default();
            async move {
                let answer = match lookup.kind {
                    Kind::Connection => {
                        broker.get_connection(ask.of(GetConnectionRequest { conn_id: name, team })).await
                    }
                    Kind::Variable => broker.get_variable(ask.of(GetVariableRequest { key: name, team })).await,
                    Kind::Config => broker.get_config(ask.of(GetConfigRequest { key: name, team })).await,
                };
                answer.map(Response::into_inner)
            }
        };
        Ok(self.link.call(&via.and(self.me), send).await?.map(answer::found))
    }

    async fn token(&self, grant: &Name, at_least: Option<Duration>, via: &Via) -> Result<Option<IssuedToken>, Fault> {
        let send = |mut broker: BrokerClient<Channel>, ask: Ask| {
            let min_remaining = at_least.and_then(|at_least| at_least.try_into().ok());
            let request = ask.of(IssueTokenRequest { grant: grant.as_str().to_owned(), min_remaining });
            async move { broker.issue_token(request).await.map(Response::into_inner) }
        };
        let issued = self.link.call(&via.and(self.me), send).await?;
        Ok(issued.map(|issued| answer::issued(issued, &self.name)))
    }
}
