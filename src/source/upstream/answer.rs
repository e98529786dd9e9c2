//! A message of another Valet as what we make of it. What it leaves out counts against it: no age is none, no state is stale.

use crate::{
    model::{Found, IssuedToken, Relayed, Secret, SourceName, State},
    proto::v1,
};
use prost_types::Timestamp;
use std::time::SystemTime;

pub(super) fn found(answer: v1::Answer) -> Found {
    let state = if answer.state() == v1::State::Fresh { State::Fresh } else { State::Stale };
    let relayed = Relayed {
        age: answer.age.and_then(|age| age.try_into().ok()).unwrap_or_default(),
        state,
        fresh_until: time(answer.fresh_until).unwrap_or(SystemTime::UNIX_EPOCH),
        mask: answer.mask.into_iter().map(Secret::new).collect(),
    };
    Found {
        version: text(answer.version),
        expires_at: time(answer.expires_at),
        ends: answer.ends,
        relayed: Some(Box::new(relayed)),
        ..Found::plain(answer.value)
    }
}

/// `from` stands for the account, which that Valet does not name.
pub(super) fn issued(issued: v1::IssueTokenResponse, from: &SourceName) -> IssuedToken {
    IssuedToken {
        token: Secret::new(issued.token),
        expires_at: time(issued.expires_at),
        renewed_at: time(issued.renewed_at),
        fingerprint: text(issued.key_fingerprint),
        account: from.as_str().into(),
    }
}

/// Protobuf has no absent text, but an empty one.
fn text(text: String) -> Option<std::sync::Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

fn time(time: Option<Timestamp>) -> Option<SystemTime> {
    time.and_then(|time| time.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_said_of_a_value_comes_along() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let answer = v1::Answer {
            value: "v".to_owned(),
            source: "theirs".to_owned(),
            version: "1".to_owned(),
            age: Some(prost_types::Duration { seconds: 200, nanos: 0 }),
            fresh_until: at(1000),
            expires_at: at(2000),
            state: v1::State::Fresh.into(),
            mask: vec!["m".to_owned()],
            ends: true,
        };
        let found = found(answer);
        let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let relayed = Relayed {
            age: Duration::from_secs(200),
            state: State::Fresh,
            fresh_until: time(1000),
            mask: vec![Secret::new("m")],
        };
        let expected = Found {
            version: Some("1".into()),
            expires_at: Some(time(2000)),
            ends: true,
            relayed: Some(Box::new(relayed)),
            ..Found::plain("v")
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_said_is_not_made_up() {
        let found =
            found(v1::Answer { age: Some(prost_types::Duration { seconds: -1, nanos: 0 }), ..v1::Answer::default() });
        let relayed =
            Relayed { age: Duration::ZERO, state: State::Stale, fresh_until: SystemTime::UNIX_EPOCH, mask: vec![] };
        assert_eq!(found, Found { relayed: Some(Box::new(relayed)), ..Found::plain("") });
    }
}
