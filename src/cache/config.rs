use std::time::Duration;

/// `cache` of valet.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long answers are believed.
    pub times: Times,
    /// Most memory for keys, values and their overhead, in bytes.
    pub max_bytes: u64,
}

/// How long answers are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How long a value is served without asking its source again.
    pub fresh: Duration,
    /// How long "not here" is believed.
    pub not_found: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { times: Times { fresh: Duration::from_mins(5), not_found: Duration::from_mins(1) }, max_bytes: 64 << 20 }
    }
}
