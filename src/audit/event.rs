use crate::model::{Answer, Caller, Fault, Name, Team};
use serde::Serialize;
use std::{sync::Arc, time::SystemTime};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One decision: the fields of one audit line, all present in each (`null` where there is nothing to say).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the request came in.
    pub time: SystemTime,
    /// Who asked.
    pub caller: Caller,
    /// `connection`, `variable`, `config`, `token`, `signature`, or the right that was refused (`admin`);
    /// `connection-invalidation` and so on, `connection-rejection` and `grant-rejection` for what is said of them.
    pub kind: &'static str,
    /// The name that was asked for, a grant's too; `None` where there was none.
    pub name: Option<Name>,
    /// The team that asked, if the client said so.
    pub team: Option<Team>,
    /// What was answered.
    pub outcome: Outcome,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A value, a token or a signature.
    Found {
        /// The source that has it; the account of a token or signature.
        source: Arc<str>,
        /// Its version there; the fingerprint of the key that signed.
        version: Option<Arc<str>>,
        /// How the cache regards it: `fresh` or `stale`.
        state: &'static str,
    },
    /// No source has the name.
    NotFound,
    /// No answer was wanted, but something done: `invalidated`, or of a report `accepted`, `superseded` or `held_back`.
    Done(&'static str),
    /// A fault, by its reason.
    Fault(&'static str),
    /// The caller left, or its deadline passed, before there was an answer.
    Abandoned,
}

impl Outcome {
    /// What a lookup's result comes to.
    pub(super) fn of(result: &Result<Option<Answer>, Fault>) -> Self {
        match result {
            Ok(Some(answer)) => Self::Found {
                source: answer.source.as_str().into(),
                version: answer.found.version.clone(),
                state: answer.state.as_str(),
            },
            Ok(None) => Self::NotFound,
            Err(fault) => Self::Fault(fault.kind().reason()),
        }
    }
}

/// The line as it is written; the order here is the order there.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'static str,
    listener: &'a str,
    uid: Option<u32>,
    gid: Option<u32>,
    pid: Option<i32>,
    claims: Claims<'a>,
    kind: &'static str,
    name: Option<&'a str>,
    team: Option<&'a str>,
    outcome: &'static str,
    source: Option<&'a str>,
    version: Option<&'a str>,
    state: Option<&'static str>,
    fault: Option<&'static str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    dag_id: Option<&'a str>,
    task_id: Option<&'a str>,
    run_id: Option<&'a str>,
    map_index: Option<&'a str>,
    try_number: Option<&'a str>,
}

impl Event {
    /// The event as one line of JSON, with its line break.
    pub fn to_line(&self) -> String {
        let Self { time, caller, kind, name, team, outcome } = self;
        let peer = caller.peer;
        let claims = &caller.claims;
        let mut line = Line {
            time: OffsetDateTime::from(*time).format(&Rfc3339).unwrap_or_default(),
            event: "decision",
            listener: &caller.listener,
            uid: peer.map(|peer| peer.uid),
            gid: peer.map(|peer| peer.gid),
            pid: peer.and_then(|peer| peer.pid),
            claims: Claims {
                dag_id: claims.dag_id.as_deref(),
                task_id: claims.task_id.as_deref(),
                run_id: claims.run_id.as_deref(),
                map_index: claims.map_index.as_deref(),
                try_number: claims.try_number.as_deref(),
            },
            kind,
            name: name.as_ref().map(Name::as_str),
            team: team.as_ref().map(Team::as_str),
            outcome: "found",
            source: None,
            version: None,
            state: None,
            fault: None,
        };
        match outcome {
            Outcome::Found { source, version, state } => {
                (line.source, line.version, line.state) = (Some(&**source), version.as_deref(), Some(*state));
            }
            Outcome::NotFound => line.outcome = "not_found",
            Outcome::Done(what) => line.outcome = what,
            Outcome::Fault(reason) => (line.outcome, line.fault) = ("fault", Some(*reason)),
            Outcome::Abandoned => line.outcome = "abandoned",
        }
        let mut text = serde_json::to_string(&line).expect("a struct of texts and numbers serialises");
        text.push('\n');
        text
    }
}
