use super::Via;
use std::sync::Arc;

/// Who is calling, as far as Valet can tell: the listener and the peer are known, the claims are only said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The listener's name in valet.yaml.
    pub listener: Arc<str>,
    /// The process at the other end, read once per connection from the kernel (`SO_PEERCRED`); absent where there is no such thing.
    pub peer: Option<Peer>,
    /// What the client says of itself.
    pub claims: Claims,
}

/// The credentials of the process that connected, at the time it did (unix(7), `SO_PEERCRED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Process id as seen from Valet's PID namespace; absent where the kernel cannot map it.
    pub pid: Option<i32>,
}

/// What a client claims of itself, its Airflow context before all. Never a boundary: a task may say what it likes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// `valet-dag-id`.
    pub dag_id: Option<String>,
    /// `valet-task-id`.
    pub task_id: Option<String>,
    /// `valet-run-id`.
    pub run_id: Option<String>,
    /// `valet-map-index`.
    pub map_index: Option<String>,
    /// `valet-try-number`.
    pub try_number: Option<String>,
    /// `valet-via`: the Valets that ask for somebody else.
    pub via: Via,
}
