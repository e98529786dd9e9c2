use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the counters: a variant, its name for machines, what it counts.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Something that is counted since start.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Counter {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Counter {
            /// Every counter.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name for machines.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

counters! {
    /// Lookups that came in.
    Lookups = "lookups",
    /// Lookups that ended in a fault.
    LookupFaults = "lookup_faults",
    /// Lookups answered from the cache, "not here" included.
    CacheHits = "cache_hits",
    /// Lookups for which a source was asked, or waited for.
    CacheMisses = "cache_misses",
    /// Values that moka refused or evicted to keep `max_bytes`.
    CacheEvictions = "cache_evictions",
    /// Lookups answered with a fault that was held for the pause after a failed read.
    FaultsHeld = "faults_held",
    /// Lookups answered with a value past its fresh time, because its source could not be asked.
    StaleServed = "stale_served",
    /// Lookups for which a source was no longer waited for, because a value past its fresh time was there.
    StaleWaitsCut = "stale_waits_cut",
    /// Reads begun ahead of the end of a value's fresh time.
    RefreshesBegun = "refreshes_begun",
    /// Reads ahead that were left out, because enough reads were under way.
    RefreshesDropped = "refreshes_dropped",
    /// Values and names not found that their source confirmed, so that they were not read again.
    ValuesConfirmed = "values_confirmed",
    /// Values that their source said to have changed.
    ValuesDoubted = "values_doubted",
    /// Complete lists of a vault's secrets.
    Lists = "lists",
    /// Pages of lists.
    ListPages = "list_pages",
    /// Lists that did not come about, or were longer than `max_pages`.
    ListsFailed = "lists_failed",
    /// Names that were not asked for, because a list did not show them.
    MissesAnswered = "misses_answered",
    /// Values read at start, before anybody asked for them.
    ValuesPrefetched = "values_prefetched",
    /// Values that were not kept or not read at start, because they were too many or too large together.
    PrefetchesDropped = "prefetches_dropped",
    /// Reads tried once more after a fault that may pass.
    ReadsRetried = "reads_retried",
    /// Lookups refused because too many reads were under way.
    FlightsRefused = "flights_refused",
    /// Reads of sources.
    SourceReads = "source_reads",
    /// Requests that were not sent because the budget of their vault was spent.
    BudgetSpent = "budget_spent",
    /// Reads ahead that were left out, because what was left of the budget is kept for those who wait.
    RefreshesYielded = "refreshes_yielded",
    /// Times that a vault, an account or Entra was no longer asked for a while, because it failed or wanted that.
    BreakersOpened = "breakers_opened",
    /// Requests to a vault or an account that were not sent during such a while.
    RequestsHeldBack = "requests_held_back",
    /// Requests for tokens that were not sent during such a while.
    EntraBackedOff = "entra_backed_off",
    /// Names that were forgotten because an operator wanted that.
    Invalidations = "invalidations",
    /// Reports of refused credentials.
    Rejections = "rejections",
    /// Reports that changed nothing because they came too soon after another one.
    RejectionsHeldBack = "rejections_held_back",
    /// Keys that became suspect because a token of theirs was refused.
    KeysSuspected = "keys_suspected",
    /// Tokens that were signed.
    TokensSigned = "tokens_signed",
    /// Requests that were signed.
    RequestsSigned = "requests_signed",
    /// Audit lines dropped because the queue was full.
    AuditDropped = "audit_dropped",
    /// Streams of changes that were begun.
    WatchesBegun = "watches_begun",
    /// Connections that were accepted.
    ConnectionsAccepted = "connections_accepted",
    /// Connections refused because too many were open.
    ConnectionsRefused = "connections_refused",
    /// Requests refused because too many were being answered.
    RequestsRefused = "requests_refused",
    /// Requests refused because they were too large.
    RequestsTooLarge = "requests_too_large",
    /// Requests that ended at their deadline.
    RequestsTimedOut = "requests_timed_out",
    /// Connections cut because they were too slow.
    ConnectionsTooSlow = "connections_too_slow",
}

/// The counters of one process: cheap to count, read by `Admin.Status`.
#[derive(Debug)]
pub struct Counters([AtomicU64; Counter::ALL.len()]);

impl Counters {
    /// All at zero.
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Counts one.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts so many.
    pub fn add(&self, counter: Counter, count: u64) {
        self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}
