//! What a shared-key grant may say in valet.yaml.

use crate::world::{account, grant, whole};
use valet::mint::{
    ScopeConfig,
    StorageService::{Blob, Table},
};

#[test]
fn what_a_signature_cannot_hold_to_is_refused_when_the_grant_is_read() {
    let account = account(&[]);
    let some = |text: &str| Some(text.to_owned());
    let time = || some("2026-11-22T10:11:12.1234567Z");
    let blob = || ScopeConfig { blob: some("x"), ..whole(Blob, "r") };
    let table = || whole(Table, "r");
    for (field, scope) in [
        ("snapshot", ScopeConfig { snapshot: time(), ..blob() }),
        ("version_id", ScopeConfig { version_id: time(), ..blob() }),
        ("identifier", ScopeConfig { identifier: some("p"), permissions: None, ..blob() }),
        ("ip", ScopeConfig { ip: some("203.0.113.1"), ..blob() }),
        ("encryption_scope", ScopeConfig { encryption_scope: some("s"), ..blob() }),
        ("start_pk", ScopeConfig { start_pk: some("a"), ..table() }),
        ("end_pk", ScopeConfig { end_pk: some("a"), ..table() }),
    ] {
        let refused = grant(scope, &account).map(drop).unwrap_err();
        assert_eq!((refused.field, refused.problem.contains("shared-key")), (field, true), "{}", refused.problem);
    }
    let wrong = [whole(Blob, "rz"), whole(Blob, "rr"), ScopeConfig { container: some("Landing"), ..whole(Blob, "r") }];
    for scope in wrong {
        assert!(grant(scope, &account).is_err());
    }
}
