//! Compiles the service's proto files without protoc, and refuses a change of them that would break a client.

use prost::Message as _;
use std::{env, error::Error, fs, path::PathBuf};

#[path = "proto/compat.rs"]
mod compat;

/// Messages that hold values; `src/proto.rs` gives them a `Debug` that does not.
const SECRET_MESSAGES: [&str; 6] = [
    "valet.v1.Answer",
    "valet.v1.Header",
    "valet.v1.IssueTokenResponse",
    "valet.v1.ReportRejectedRequest",
    "valet.v1.SignRequestRequest",
    "valet.v1.SignRequestResponse",
];

/// What released clients rely on.
const BASELINE: &str = "proto/baseline.txt";

#[expect(clippy::disallowed_methods, reason = "cargo hands the output directory over in the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = ["valet/v1/lookup.proto", "valet/v1/broker.proto", "valet/v1/admin.proto"];
    // Comments ride along: reflection clients show them.
    let descriptors = protox::Compiler::new(["proto"])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(files)?
        .file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("valet.binpb"), descriptors.encode_to_vec())?;

    let surface = compat::surface(&descriptors);
    let blessed = out.join("baseline.txt");
    fs::write(&blessed, surface.iter().flat_map(|line| [line, "\n"]).collect::<String>())?;
    let baseline = fs::read_to_string(BASELINE)?;
    let broken = compat::broken(&baseline, &surface);
    for line in &broken {
        println!("cargo::error=this change of proto/ takes away what clients rely on: {line}");
    }
    if !broken.is_empty() {
        let blessed = blessed.display();
        println!("cargo::error=add beside it instead; or, if no released client knows it: cp {blessed} {BASELINE}");
    }

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().btree_map(["."]);
    tonic_prost_build::configure().skip_debug(SECRET_MESSAGES).compile_fds_with_config(descriptors, config)?;
    Ok(())
}
