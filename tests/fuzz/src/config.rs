//! valet.yaml.

use crate::{CANARY, check_message, files};
use std::{io, path::Path};
use valet::{
    config::{self, Files, Severity},
    env::MapEnv,
    model::Kind,
};

/// A whole valet.yaml.
pub fn run(data: &[u8]) {
    let env = MapEnv::new([("CI_CLIENT_SECRET", CANARY)]);
    match config::parse(data, Path::new("/nowhere"), &env, &NoFiles) {
        Ok(loaded) => assert!(loaded.warnings.iter().all(|problem| problem.severity == Severity::Warning)),
        Err(problems) => {
            assert!(problems.errors() > 0, "refused, and nobody knows why");
            for problem in &problems {
                assert!(!problem.hint.is_empty(), "{problem} has no hint");
                check_message(&problem.message);
                check_message(&problem.hint);
            }
        }
    }
}

/// The examples of the configuration's own tests, and the first file of `valet init`.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = files("config/data", "yaml");
    seeds.push(config::FIRST.as_bytes().to_vec());
    seeds
}

/// A machine without files, so that what is found depends on the input alone.
#[derive(Debug)]
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &Path) -> io::Result<zeroize::Zeroizing<Vec<u8>>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn problem_with_values(&self, _path: &Path, _kind: Kind) -> Option<String> {
        None
    }
}
