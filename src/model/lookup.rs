use super::{Fault, FaultKind};
use std::{fmt, sync::Arc};

/// What kind of thing a name names, in Airflow's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An Airflow connection.
    Connection,
    /// An Airflow variable.
    Variable,
    /// An Airflow configuration option (`*_secret`).
    Config,
}

impl Kind {
    /// Every kind, in the order that listings show them.
    pub const ALL: [Self; 3] = [Self::Connection, Self::Variable, Self::Config];

    /// The word for one of it: `connection`, `variable`, `config`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Variable => "variable",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A connection id, variable key or config name: 1 byte to [`Name::MAX_BYTES`], no control characters. Safe to log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name, in bytes: four times what Airflow's own metadata database holds (250 characters).
    pub const MAX_BYTES: usize = 1024;

    /// Parses a name.
    ///
    /// # Errors
    /// [`FaultKind::BadName`] where it is empty, longer than [`Self::MAX_BYTES`] or has a control character. The fault does not repeat the name.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let problem = if text.is_empty() {
            "the name is empty"
        } else if text.len() > Self::MAX_BYTES {
            "the name is longer than 1024 bytes"
        } else if text.chars().any(char::is_control) {
            "the name has a control character"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Fault::new(FaultKind::BadName, problem))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An Airflow team name (Airflow 3.2+), under the same rule as [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Team(Name);

impl Team {
    /// Parses a team name; the empty text is no team.
    ///
    /// # Errors
    /// As [`Name::parse`].
    pub fn parse(text: &str) -> Result<Option<Self>, Fault> {
        if text.is_empty() { Ok(None) } else { Name::parse(text).map(|name| Some(Self(name))) }
    }

    /// The team name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lookup {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// The team that asks, if the client said so.
    pub team: Option<Team>,
}

impl Lookup {
    /// Parses what a client sent; an empty `team` is none.
    ///
    /// # Errors
    /// [`FaultKind::BadName`], see [`Name::parse`].
    pub fn parse(kind: Kind, name: &str, team: &str) -> Result<Self, Fault> {
        Ok(Self { kind, name: Name::parse(name)?, team: Team::parse(team)? })
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_long_and_control_names_are_bad() {
        for good in ["a", "a/b", "..", "%2e", "a b", "é😀", &"x".repeat(1024)] {
            assert_eq!(Name::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "a\0b", "a\nb", "\u{7f}", "\u{85}", &"x".repeat(1025)] {
            assert_eq!(Name::parse(bad).map_err(|fault| fault.kind()), Err(FaultKind::BadName), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_team_is_no_team() {
        assert_eq!(Team::parse(""), Ok(None));
        assert_eq!(Team::parse("a").map(|team| team.map(|team| team.as_str().to_owned())), Ok(Some("a".to_owned())));
    }
}
