use super::{Resource, Service};
use crate::sign::{SignError, permission, text};

/// The longest partition or row key: 1 KiB.
const LONGEST_KEY: usize = 1024;

/// The entities of a table that a token opens: from a partition key, and a row key in it, to others. Absent ends are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// `spk`.
    pub start_pk: Option<String>,
    /// `srk`; only with `start_pk`.
    pub start_rk: Option<String>,
    /// `epk`.
    pub end_pk: Option<String>,
    /// `erk`; only with `end_pk`.
    pub end_rk: Option<String>,
}

impl KeyRange {
    fn check(&self) -> Result<(), SignError> {
        let Self { start_pk, start_rk, end_pk, end_rk } = self;
        let ends = [("start_pk", start_pk), ("start_rk", start_rk), ("end_pk", end_pk), ("end_rk", end_rk)];
        for (field, key) in ends {
            key.as_deref().map_or(Ok(()), |key| text::check(field, key, LONGEST_KEY))?;
        }
        let hint = "a row key counts only within a partition";
        if start_rk.is_some() && start_pk.is_none() {
            return Err(SignError::Missing { field: "start_pk", hint });
        }
        if end_rk.is_some() && end_pk.is_none() {
            return Err(SignError::Missing { field: "end_pk", hint });
        }
        Ok(())
    }
}

impl Resource {
    /// A table, or a range of its entities. Its token has no `sr`.
    pub fn table(table: &str, range: KeyRange) -> Result<Self, SignError> {
        range.check()?;
        let letters = table.strip_prefix("$Metrics").map_or(table, |_| &table[1..]);
        let good = (3..=63).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && letters.starts_with(|first: char| first.is_ascii_alphabetic())
            && !letters.eq_ignore_ascii_case("tables");
        if !good {
            let problem =
                "is no name that Azure takes: use 3 to 63 letters and digits, a letter first, and not `tables`";
            return Err(SignError::Invalid { field: "table", problem });
        }
        let plain = Self::plain(Service::Table, "", &permission::TABLE, table.to_ascii_lowercase());
        Ok(Self { table: table.to_owned(), range, ..plain })
    }
}
