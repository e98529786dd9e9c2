//! What changes something: reports of refused credentials, and invalidations. Every face must agree.

use crate::{
    agreement::{all_say, refused},
    clients::Face,
    script::{CANARY, Valet},
};
use http::HeaderMap;
use std::time::Duration;
use valet::{
    model::{Kind, Lookup, Secret, ValueDigest},
    proto::v1::{self, lookup},
};

#[tokio::test]
async fn a_refused_credential_is_reported_on_every_face() {
    use v1::report_rejected_request::Credential::{ConnId, Grant};
    let valet = Valet::start().await;
    let (path, none) = ("/valet.v1.Broker/ReportRejected", HeaderMap::new());
    let report = |credential, value_sha256: &str| v1::ReportRejectedRequest {
        credential,
        value_sha256: value_sha256.to_owned(),
        team: "t".to_owned(),
    };
    let conn = |id: &str| Some(ConnId(id.to_owned()));
    let digest = ValueDigest::of(&Secret::new(CANARY)).to_hex();
    let answer = |accepted, superseded| v1::ReportRejectedResponse { accepted, retry_after: None, superseded };
    let said = all_say(&valet.tasks(), path, &none, &report(conn("hit"), &digest.to_uppercase())).await;
    assert_eq!(said, Ok(answer(true, false)));
    assert_eq!(valet.script.lookups(), vec![Lookup::parse(Kind::Connection, "hit", "t").unwrap(); Face::ALL.len()]);
    assert_eq!(all_say(&valet.tasks(), path, &none, &report(conn("hit"), "")).await, Ok(answer(false, true)));
    let grant = Some(Grant("hit".to_owned()));
    assert_eq!(all_say(&valet.tasks(), path, &none, &report(grant, &digest)).await, Ok(answer(false, true)));
    let soon = v1::ReportRejectedResponse {
        retry_after: Some(Duration::from_millis(2500).try_into().unwrap()),
        ..answer(false, false)
    };
    assert_eq!(all_say(&valet.tasks(), path, &none, &report(conn("soon"), "")).await, Ok(soon));

    let absent = refused("not_found", "NOT_FOUND", "connection \"no\" is not here: no source that was asked has it");
    let no_grant = refused("not_found", "NOT_FOUND", "there is no grant \"no\" in valet.yaml");
    let bad_name = refused("invalid_argument", "BAD_NAME", "the name is empty");
    let nothing = refused("invalid_argument", "BAD_REQUEST", "the report names nothing: set connId or grant");
    let denied = refused("permission_denied", "DENIED_BY_POLICY", "the script says \"DENIED_BY_POLICY\", é");
    let message = "valueSha256: expected the SHA-256 of the value, as 64 hexadecimal digits";
    let no_digest = refused("invalid_argument", "BAD_REQUEST", message);
    for (credential, value, expected) in [
        (conn("no"), "", absent),
        (Some(Grant("no".to_owned())), "", no_grant),
        (conn(""), "", bad_name.clone()),
        (Some(Grant(String::new())), "", bad_name),
        (None, "", nothing),
        (conn("DENIED_BY_POLICY"), "", denied),
        (conn("hit"), "abc", no_digest),
    ] {
        let request = report(credential, value);
        let said: Result<v1::ReportRejectedResponse, _> = all_say(&valet.tasks(), path, &none, &request).await;
        assert_eq!(said, Err(expected));
    }
    assert_eq!(format!("{:?}", report(None, &digest)), "ReportRejectedRequest { .. }");
}

#[tokio::test]
async fn a_name_is_invalidated_on_every_face_by_who_may_and_by_nobody_else() {
    let valet = Valet::start().await;
    let (path, none) = ("/valet.v1.Admin/Invalidate", HeaderMap::new());
    let asked = |name, team: &str| {
        let lookup = v1::Lookup { name, team: team.to_owned() };
        v1::InvalidateRequest { lookup: Some(lookup) }
    };
    let request = asked(Some(lookup::Name::Variable("four".to_owned())), "t");
    let said = all_say(&valet.admin(), path, &none, &request).await;
    assert_eq!(said, Ok(v1::InvalidateResponse { dropped: 4 }));
    let lookups = valet.script.lookups();
    assert_eq!(lookups, vec![Lookup::parse(Kind::Variable, "four", "t").unwrap(); Face::ALL.len()]);

    let said: Result<v1::InvalidateResponse, _> = all_say(&valet.tasks(), path, &none, &request).await;
    assert_eq!(said, Err(refused("permission_denied", "DENIED_BY_POLICY", "tasks may not")));
    let message = "the lookup names nothing: set connection, variable or config";
    for request in [asked(None, ""), v1::InvalidateRequest { lookup: None }] {
        let said: Result<v1::InvalidateResponse, _> = all_say(&valet.admin(), path, &none, &request).await;
        assert_eq!(said, Err(refused("invalid_argument", "BAD_REQUEST", message)));
    }
}
