//! Writes the seeds of each target into a folder of its name: `seeds DIRECTORY`.

use std::{fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    let place = PathBuf::from(std::env::args_os().nth(1).expect("a folder to write to"));
    for target in valet_fuzz::TARGETS {
        let folder = place.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
    }
    Ok(())
}
