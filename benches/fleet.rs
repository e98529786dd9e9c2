//! What a fleet costs a vault, as a table; see FLEET.md. `cargo bench --profile dev --bench fleet` prints it, the same in each run.

#[path = "../tests/fleet/simulation.rs"]
mod simulation;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    println!(
        "| secrets | workers | lookups | (a) every task asks | (b) a Valet beside each worker | (c) and a central one |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for secrets in [20, 500] {
        for workers in [1, 10, 100, 1000, 5000] {
            println!("{}", simulation::line(secrets, workers));
        }
    }
}
