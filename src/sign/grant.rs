use super::{
    AccountKey, AccountSas, DELEGATION_CAP, DelegationKey, DelegationSas, ServiceBusSas, ServiceSas, SharedAccessKey,
    SignError, Signed, Timestamp, Window, timestamp, window,
};
use std::time::{Duration, SystemTime};

/// What signs.
#[derive(Debug, Clone)]
pub enum Key {
    /// An account's key.
    Account(AccountKey),
    /// A user delegation key.
    Delegation(DelegationKey),
    /// The key of a Service Bus or Event Hubs policy.
    SharedAccess(SharedAccessKey),
}

/// What a token says, but for its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sas {
    /// One resource, signed with the account's key.
    Service(Box<ServiceSas>),
    /// Services of an account, signed with its key.
    Account(Box<AccountSas>),
    /// One resource, signed with a user delegation key.
    Delegation(Box<DelegationSas>),
    /// A Service Bus or Event Hubs entity, signed with a policy's key.
    ServiceBus(ServiceBusSas),
}

/// A token that is signed again and again: what it may do, and for how long each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    sas: Sas,
    lifetime: Duration,
}

impl Grant {
    /// A grant of a token that lives for `lifetime` from when it is signed.
    ///
    /// # Errors
    /// A lifetime of less than a second, or beyond the cap of its kind: [`DELEGATION_CAP`] for a user delegation SAS; the others have none.
    pub fn new(sas: Sas, lifetime: Duration) -> Result<Self, SignError> {
        window::check_lifetime(lifetime, sas.cap())?;
        Ok(Self { sas, lifetime })
    }
}

impl Sas {
    fn cap(&self) -> Option<Duration> {
        match self {
            Self::Delegation(_) => Some(DELEGATION_CAP),
            Self::Service(_) | Self::Account(_) | Self::ServiceBus(_) => None,
        }
    }
}

/// Signs a grant's token as of `now`. The same key, grant and second give the same token.
///
/// # Errors
/// A key of another kind than the grant's, or a user delegation key that ends before the token would.
pub fn sign(key: &Key, grant: &Grant, now: SystemTime) -> Result<Signed, SignError> {
    let window = || Window::opening(now, grant.lifetime, grant.sas.cap());
    match (&grant.sas, key) {
        (Sas::Service(sas), Key::Account(key)) => sas.sign(key, &window()?),
        (Sas::Account(sas), Key::Account(key)) => sas.sign(key, &window()?),
        (Sas::Delegation(sas), Key::Delegation(key)) => sas.sign(key, &window()?),
        // It has no start, so no skew to allow for.
        (Sas::ServiceBus(sas), Key::SharedAccess(key)) => {
            let unix = timestamp::seconds("now", now)?.saturating_add(grant.lifetime.as_secs());
            Ok(sas.sign(key, Timestamp::from_unix("lifetime", unix)?))
        }
        _ => Err(SignError::Invalid { field: "key", problem: "is of another kind than the grant needs" }),
    }
}
