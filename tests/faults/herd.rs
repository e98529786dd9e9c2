//! A thousand callers who ask for one name at once.

use crate::lab::{self, Lab, Told};
use futures::future::join_all;
use std::time::Duration;
use tonic::{Code, transport::Channel};
use valet_testvault::{Face, Fault, FaultRule, ForbiddenCode, RetryAfter};

const CALLERS: usize = 1000;
/// Ten of them on each: descriptors are scarce in some places, and both ends are here.
const CONNECTIONS: usize = 100;

/// Has all of them ask while the read is under way, then lets the vault answer: what they are told, and how many reads it saw.
async fn stampede(fault: Option<Fault>) -> (Vec<Told>, u64) {
    let _alone = lab::MACHINE.write().await;
    let lab = Lab::start(Duration::from_hours(1)).await;
    let held = lab.vault.inject(FaultRule::new(Fault::Hold {}).face(Face::Entra));
    if let Some(fault) = fault {
        lab.vault.inject(FaultRule::new(fault));
    }
    let channels: Vec<Channel> = join_all((0..CONNECTIONS).map(|_| lab.connection())).await;
    let callers = join_all((0..CALLERS).map(|caller| lab::look(channels[caller % CONNECTIONS].clone())));
    let let_go = async {
        let all = CALLERS.to_string();
        let have_asked =
            |counters: &std::collections::BTreeMap<String, u64>| counters["cache_misses"].to_string() == all;
        lab.until(|status| have_asked(&status.counters)).await;
        lab.vault.clear_faults(Some(held));
    };
    let (told, ()) = tokio::join!(callers, let_go);
    (told, lab.vault.counters().reads)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_of_one_cold_name_cost_one_read() {
    let (told, reads) = stampede(None).await;
    assert_eq!((told, reads), (vec![Told::Fresh; CALLERS], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_hear_the_same_fault_and_the_vault_is_asked_no_more_than_for_one() {
    let after = Some(RetryAfter::Seconds(20));
    for (fault, reads, kind, code) in [
        (Fault::status(503), 3, "SOURCE_DOWN", Code::Unavailable),
        (Fault::throttled(), 3, "THROTTLED", Code::Unavailable),
        (Fault::Throttled { retry_after: after }, 1, "THROTTLED", Code::Unavailable),
        (Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac }, 1, "DENIED_BY_SOURCE", Code::PermissionDenied),
    ] {
        let (told, seen) = stampede(Some(fault)).await;
        assert_eq!(seen, reads, "{kind}");
        assert!(told.iter().all(|other| *other == told[0]), "{kind}: not all are told the same");
        assert!(
            matches!(&told[0], Told::Fault { reason, code: its, .. } if reason == kind && *its == code),
            "{told:?}"
        );
    }
}
