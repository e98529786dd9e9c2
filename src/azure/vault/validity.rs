use super::SecretName;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use tracing::warn;

/// How many secrets are remembered as warned about; with more, warnings begin anew.
const REMEMBERED: usize = 1024;

/// Warns of secrets that are served before or after their time, once for each version. Key Vault itself treats both dates as information.
#[derive(Debug, Default)]
pub(super) struct Validity(Mutex<HashMap<SecretName, Warned>>);

/// What was last warned of: which version, and why.
type Warned = (Option<Arc<str>>, Untimely);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Untimely {
    Early,
    Late,
}

impl Validity {
    /// Looks at one read; `true` where it was worth a warning.
    pub(super) fn judge(
        &self,
        name: &SecretName,
        version: Option<&Arc<str>>,
        not_before: Option<SystemTime>,
        expires_at: Option<SystemTime>,
        now: SystemTime,
    ) -> bool {
        let untimely = match (not_before, expires_at) {
            (_, Some(end)) if end <= now => Untimely::Late,
            (Some(start), _) if now < start => Untimely::Early,
            _ => return false,
        };
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = (version.cloned(), untimely);
        if warned.get(name) == Some(&seen) {
            return false;
        }
        if warned.len() >= REMEMBERED {
            warned.clear();
        }
        warned.insert(name.clone(), seen);
        let version = version.map(|version| &**version);
        match untimely {
            Untimely::Early => {
                warn!(secret = %name, version, "the secret is not valid yet, and served all the same, as Key Vault does");
            }
            Untimely::Late => {
                warn!(secret = %name, version, "the secret has expired, and is served all the same, as Key Vault does; renew it");
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_version_is_warned_about_once_and_again_when_it_turns_from_early_to_late() {
        let validity = Validity::default();
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let judge = |name: &str, version: &str, start, end, now| {
            validity.judge(
                &SecretName::parse(name.to_owned()).unwrap(),
                Some(&version.into()),
                start,
                end,
                at(now).unwrap(),
            )
        };
        for (name, version, start, end, now, expected) in [
            ("a", "1", None, None, 10, false),
            ("a", "1", at(5), at(20), 10, false),
            ("a", "1", at(11), at(20), 10, true),
            ("a", "1", at(11), at(20), 10, false),
            ("a", "1", at(11), at(20), 20, true),
            ("a", "1", at(11), at(20), 21, false),
            ("a", "2", None, at(20), 21, true),
            ("b", "2", None, at(20), 21, true),
        ] {
            assert_eq!(judge(name, version, start, end, now), expected, "{name} {version} {now}");
        }
    }
}
