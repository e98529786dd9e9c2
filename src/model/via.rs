use std::fmt;

/// One running Valet, among those that ask each other. Drawn at random when the process starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId(u64);

impl ProcessId {
    /// The process that drew this number.
    pub fn new(random: u64) -> Self {
        Self(random)
    }
}

/// The Valets through which a request has come, the first one first; empty for one that comes from a client. They say so themselves, so it keeps
/// configurations from leading in a circle and nobody from anything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Via(Vec<ProcessId>);

impl Via {
    /// The metadata, or header, that carries it.
    pub const HEADER: &str = "valet-via";

    /// Most Valets one after the other: a pod's, a node's, a cluster's and one more.
    pub const MOST: usize = 4;

    /// Reads what [`Self`] is written as. What is no such thing counts as nothing said; of a list that is too long, only that it is.
    pub fn parse(text: &str) -> Self {
        let id = |text: &str| u64::from_str_radix(text.trim(), 16).ok().map(ProcessId);
        Self(text.split(',').filter_map(id).take(Self::MOST).collect())
    }

    /// Whether it leaves no room for one more Valet.
    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// Whether the request has been here before.
    pub fn has(&self, process: ProcessId) -> bool {
        self.0.contains(&process)
    }

    /// The way on through this process.
    #[must_use]
    pub fn and(&self, process: ProcessId) -> Self {
        Self(self.0.iter().copied().chain([process]).collect())
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, ProcessId(id)) in self.0.iter().enumerate() {
            write!(f, "{}{id:016x}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_was_written_and_nonsense_is_no_way() {
        let way = [7, u64::MAX, 0].into_iter().fold(Via::default(), |way, id| way.and(ProcessId::new(id)));
        assert_eq!(way.to_string(), "0000000000000007,ffffffffffffffff,0000000000000000");
        assert_eq!(Via::parse(&way.to_string()), way);
        assert!(way.has(ProcessId::new(7)) && !way.has(ProcessId::new(8)) && !way.is_full());
        assert!(Via::parse("1,2,3,4,5,6").is_full());
        for nonsense in ["", ",", "g", "-1", "11111111111111111"] {
            assert_eq!(Via::parse(nonsense), Via::default(), "{nonsense}");
        }
    }
}
