use std::time::Duration;

/// Every bound of the transport, by name. The defaults suit one Airflow worker; a test shrinks what it wants to hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest request message, in bytes, on every face. 100 lookups of the longest name with the longest team would not fit; they never
    /// come.
    pub request_bytes: usize,
    /// The longest answer message, in bytes: gRPC clients refuse longer ones by default.
    pub answer_bytes: usize,
    /// What is read and thrown away of an HTTP/1 body that is too long, in bytes, so that a client which sends all before it reads gets the
    /// answer rather than a broken pipe.
    pub discarded_bytes: usize,
    /// The longest head of a request, in bytes (HTTP/1: the read buffer too; at least 8 KiB).
    pub head_bytes: u32,
    /// The most header fields of an HTTP/1 request.
    pub headers: usize,
    /// Open connections of one listener; further ones are closed as they come. Each listener has its own bound, so that a flood of tasks does
    /// not lock the operator out.
    pub connections: usize,
    /// Requests of one listener that are being answered; further ones are refused at once.
    pub requests: usize,
    /// Requests of one HTTP/2 connection that are being answered; a client waits before it sends more.
    pub streams: u32,
    /// Streams of changes of one listener; further ones are refused. They do not count as requests, since they stay.
    pub watchers: usize,
    /// How long after a change others are waited for, to be told together.
    pub watch_gather: Duration,
    /// After how long without a change a message says nothing but that somebody is there.
    pub watch_beat: Duration,
    /// Names in one message of changes.
    pub watch_names: usize,
    /// Lookups in one `BatchGet`.
    pub batch: usize,
    /// Lookups of one `BatchGet` that are under way at a time.
    pub batch_at_a_time: usize,
    /// From the first byte of an HTTP/1 request's head to its last.
    pub head_read: Duration,
    /// From the first wait for a request's body to its end.
    pub body_read: Duration,
    /// How long a client may leave an answer unread.
    pub write: Duration,
    /// How long a connection may be open without a request. Longer than [`Self::deadline_cap`]; generous, because clients pool connections.
    pub idle: Duration,
    /// How long a call may take where the client says nothing.
    pub deadline: Duration,
    /// How long a call may take whatever the client says.
    pub deadline_cap: Duration,
    /// How long calls may go on once the process was told to end.
    pub drain: Duration,
    /// The pause after the system refused to accept a connection, e.g. for want of file descriptors.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 64 << 10,
            answer_bytes: 4 << 20,
            discarded_bytes: 16 << 20,
            head_bytes: 16 << 10,
            headers: 64,
            connections: 1000,
            requests: 1000,
            streams: 256,
            watchers: 1000,
            watch_gather: Duration::from_millis(50),
            watch_beat: Duration::from_secs(30),
            watch_names: 1000,
            batch: 100,
            batch_at_a_time: 16,
            head_read: Duration::from_secs(10),
            body_read: Duration::from_secs(10),
            write: Duration::from_secs(30),
            idle: Duration::from_mins(15),
            deadline: Duration::from_secs(10),
            deadline_cap: Duration::from_mins(1),
            drain: Duration::from_secs(25),
            accept_pause: Duration::from_millis(50),
        }
    }
}
