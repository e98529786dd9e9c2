//! The faults of the tables, by their names there: how each begins, and that all of it ends.

use crate::lab::{Lab, Way, Who};
use valet_testvault::{App, Face, Fault, FaultRule, ForbiddenCode, Leaf, Network, RetryAfter, SecretSpec, Site};

/// How something goes wrong.
pub(crate) enum Mischief {
    /// The service answers so.
    Answer(Fault),
    /// The vault's firewall does not let us in.
    Firewall,
    /// The secret is disabled.
    Disabled,
    /// The application has another client secret.
    OtherSecret,
    /// The name leads elsewhere, and no connection is open any more.
    Name(Way),
    /// Whoever answers shows another certificate, or none.
    Line(Option<Leaf>),
    /// Azure's clocks are so many seconds before ours.
    Skew(i64),
}

use Mischief::{Answer, Disabled, Firewall, Line, Name, OtherSecret, Skew};

const QUARTER: i64 = 15 * 60;

/// What can go wrong with a vault.
pub(crate) fn of_a_vault() -> Vec<(&'static str, Mischief)> {
    let rbac = Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac };
    let mut all = of_any_service();
    all.extend([
        ("401, whatever the token", Answer(Fault::Unauthorized {})),
        ("403, the role is missing", Answer(rbac)),
        ("403, the secret is disabled", Disabled),
        ("403, its firewall", Firewall),
        ("TLS, another host's certificate", Line(Some(Leaf::WrongName))),
        ("TLS, an expired certificate", Line(Some(Leaf::Expired))),
        ("resets before TLS", Line(None)),
        ("Azure's clocks 15 min ahead of ours", Skew(QUARTER)),
        ("Azure's clocks 15 min behind ours", Skew(-QUARTER)),
    ]);
    all
}

/// What can go wrong with Entra.
pub(crate) fn of_entra() -> Vec<(&'static str, Mischief)> {
    let mut all = of_any_service();
    all.push(("401, another client secret", OtherSecret));
    all
}

/// What can go wrong while an account's key is read.
pub(crate) fn of_a_key() -> Vec<(&'static str, Mischief)> {
    vec![
        ("429", Answer(Fault::throttled())),
        ("503", Answer(Fault::status(503))),
        ("no answer", Answer(Fault::Hold {})),
        ("DNS, the name is gone", Name(Way::Unknown)),
        ("resets before TLS", Line(None)),
        ("403, its firewall", Firewall),
        ("403, the role is missing", Answer(Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac })),
        ("403, the secret is disabled", Disabled),
    ]
}

fn of_any_service() -> Vec<(&'static str, Mischief)> {
    let after = Some(RetryAfter::Seconds(20));
    let body = valet_testvault::ErrorBody::Html;
    vec![
        ("429", Answer(Fault::throttled())),
        ("429, `Retry-After: 20`", Answer(Fault::Throttled { retry_after: after.clone() })),
        ("500", Answer(Fault::status(500))),
        ("503", Answer(Fault::status(503))),
        ("503, `Retry-After: 20`", Answer(Fault::Status { status: 503, body, retry_after: after })),
        ("the first byte after 1.5 s", Answer(Fault::SlowHeaders { millis: 1500 })),
        ("the body over 1.5 s", Answer(Fault::SlowBody { millis: 1500 })),
        ("no answer", Answer(Fault::Hold {})),
        ("a reset instead of an answer", Answer(Fault::Reset {})),
        ("half a body", Answer(Fault::CutBody {})),
        ("truncated JSON", Answer(Fault::TruncatedJson {})),
        ("DNS, the name is gone", Name(Way::Unknown)),
        ("connections are refused", Name(Way::Refused)),
    ]
}

impl Mischief {
    pub(crate) fn begin(&self, lab: &Lab, who: Who, secret: &str) {
        let face = if who == Who::Vault { Face::Vault } else { Face::Entra };
        match self {
            Answer(fault) => drop(lab.vault.inject(FaultRule::new(fault.clone()).face(face))),
            Firewall => lab.vault.set_network("acme", Network::Firewall),
            Disabled => lab.vault.disable_secret("acme", secret).unwrap(),
            OtherSecret => register(lab, "another"),
            Name(way) => {
                lab.names.set(who, *way);
                lab.vault.set_line(Site::Azure, Some(Leaf::Trusted));
            }
            Line(leaf) => lab.vault.set_line(Site::Azure, *leaf),
            Skew(seconds) => lab.set_skew(*seconds),
        }
    }

    /// All is well again.
    pub(crate) fn end(lab: &Lab, who: Who, secret: &str) {
        lab.vault.clear_faults(None);
        lab.vault.set_network("acme", Network::Open);
        let enabled = SecretSpec { enabled: Some(true), ..SecretSpec::default() };
        lab.vault.update_secret("acme", secret, None, enabled).unwrap();
        register(lab, &lab.vault.endpoints().client_secret);
        lab.names.set(who, Way::There);
        lab.vault.set_line(Site::Azure, Some(Leaf::Trusted));
        lab.set_skew(0);
    }
}

fn register(lab: &Lab, secret: &str) {
    let app = App { secrets: vec![secret.to_owned()], ..App::default() };
    lab.vault.register_app(&lab.vault.endpoints().client_id, app).unwrap();
}
