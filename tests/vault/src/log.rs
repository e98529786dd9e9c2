//! What was asked and how it was answered: a bounded list of requests and counters that are never cut. No value, token or secret of
//! a client is in it; names of secrets are (they are part of the path).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Which endpoint a request reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The vaults.
    #[default]
    Vault,
    /// Entra's token endpoint and its discovery documents.
    Entra,
    /// Managed identity: IMDS and the App Service endpoint.
    ManagedIdentity,
    /// The foreign host that no token may reach.
    Foreign,
    /// What is behind the fault proxy.
    Proxied,
}

/// Whether a request to a vault had a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenSeen {
    /// No bearer token.
    No,
    /// One that the vault accepts.
    Yes,
    /// One that it does not.
    Bad,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A request to a vault without a token: how each client learns of the challenge.
    Probe,
    /// A value.
    Read,
    /// A page of a list.
    List,
    /// A set, update, delete, recover or purge.
    Write,
    /// A token.
    Token,
    /// Discovery documents, health, unknown paths.
    Other,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Counts from 1 and is never reused, not even after a reset.
    pub seq: u64,
    /// When it came, Unix milliseconds of the test vault's clock.
    pub time: i64,
    /// The endpoint.
    pub face: Face,
    /// Method.
    pub method: String,
    /// The `Host` header as it was sent.
    pub host: String,
    /// The path as it was sent, escapes and all.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// Whether it carried a token.
    pub token: TokenSeen,
    /// What it is for.
    pub operation: Operation,
    /// Who asked, where the token says so or a token was asked for.
    pub appid: Option<String>,
    /// The status that was answered; none while it is waiting, or when the connection ended without an answer.
    pub status: Option<u16>,
    /// Whether the client went away before there was an answer.
    pub gone: bool,
    /// The fault that shaped the answer.
    pub fault: Option<&'static str>,
}

/// How many requests of each kind came, answered or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests to vaults without a token.
    pub probes: u64,
    /// Requests for a value, with a token.
    pub reads: u64,
    /// Requests for a page, with a token.
    pub lists: u64,
    /// Changes, with a token.
    pub writes: u64,
    /// Requests to vaults whose token was not accepted.
    pub bad_tokens: u64,
    /// Token requests, Entra and managed identity together.
    pub token_calls: u64,
    /// Token requests to Entra.
    pub entra_token_calls: u64,
    /// Token requests to managed identity endpoints.
    pub managed_identity_token_calls: u64,
    /// Requests that reached the foreign host.
    pub foreign_requests: u64,
    /// Those of them that carried an `Authorization` header.
    pub foreign_authorizations: u64,
    /// Requests that reached the fault proxy, whether or not it handed them on.
    pub proxied: u64,
}

/// The requests since the start or the last clearing.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<Entry>,
    counters: Counters,
    last: u64,
}

impl RequestLog {
    /// Notes a request as it comes; its number in `entry` is set here.
    pub(crate) fn begin(&mut self, mut entry: Entry) -> u64 {
        self.last += 1;
        entry.seq = self.last;
        self.count(&entry);
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.last
    }

    /// Notes how it was answered; returns the whole entry unless it has been cut or cleared.
    pub(crate) fn end(&mut self, seq: u64, status: Option<u16>, fault: Option<&'static str>) -> Option<&Entry> {
        let entry = self.entries.iter_mut().rev().find(|entry| entry.seq == seq)?;
        entry.status = status;
        entry.fault = fault;
        Some(entry)
    }

    /// Notes that nobody waits for the answer any more.
    pub(crate) fn abandon(&mut self, seq: u64) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.seq == seq) {
            entry.gone = true;
        }
    }

    pub(crate) fn since(&self, seq: u64) -> Vec<Entry> {
        self.entries.iter().filter(|entry| entry.seq > seq).cloned().collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.counters = Counters::default();
    }

    fn count(&mut self, entry: &Entry) {
        let counters = &mut self.counters;
        match entry.operation {
            Operation::Probe => counters.probes += 1,
            Operation::Read => counters.reads += 1,
            Operation::List => counters.lists += 1,
            Operation::Write => counters.writes += 1,
            Operation::Token if entry.face == Face::Entra => counters.entra_token_calls += 1,
            Operation::Token => counters.managed_identity_token_calls += 1,
            Operation::Other => {}
        }
        counters.proxied += u64::from(entry.face == Face::Proxied);
        counters.token_calls = counters.entra_token_calls + counters.managed_identity_token_calls;
        counters.bad_tokens += u64::from(entry.face == Face::Vault && entry.token == TokenSeen::Bad);
        if entry.face == Face::Foreign {
            counters.foreign_requests += 1;
            counters.foreign_authorizations += u64::from(entry.token != TokenSeen::No);
        }
    }
}

/// Requests that are kept; the oldest go first.
pub const MAX_ENTRIES: usize = 100_000;
