use std::path::PathBuf;

/// `audit` of valet.yaml: where the lines go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Config {
    /// To standard error, among the log lines.
    #[default]
    Stderr,
    /// Appended to this file.
    File(PathBuf),
    /// Nowhere.
    Off,
}
