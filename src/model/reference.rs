use std::path::PathBuf;

/// Where a secret of the configuration is to be found: valet.yaml holds references, never values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `{env: NAME}`: a variable of Valet's own environment.
    Env(String),
    /// `{file: PATH}`: a file's content, without one final line break. The path is absolute or relative to the working directory.
    File(PathBuf),
}
