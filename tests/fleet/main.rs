//! What a fleet costs a vault, in small; `benches/fleet.rs` prints the whole table.

mod simulation;

use simulation::{Layout, Load, Outcome, line, run};
use std::time::Duration;

const LOOKUPS: u32 = 4;

/// Twenty minutes of workers that start a task a minute each.
fn small(layout: Layout, workers: u64, secrets: u64) -> Outcome {
    let time = Duration::from_mins(20);
    run(layout, Load { workers, secrets, tasks_per_hour: 60, lookups: LOOKUPS, time })
}

#[test]
fn behind_a_central_valet_a_fleet_costs_the_vault_as_much_as_one_reader() {
    let secrets = 10;
    let [one, many] = [1, 100].map(|workers| small(Layout::Central, workers, secrets));
    // Every secret once in each fresh time (5 min), refreshed up to a fifth early.
    let most = secrets * 20_u64.div_ceil(4);
    assert!((secrets..=most).contains(&many.calls), "{many:?}");
    assert!(one.calls <= many.calls, "{one:?} {many:?}");
    assert_eq!((many.throttled, many.failed), (0, 0));
}

#[test]
fn without_one_the_vault_is_asked_by_each_worker_or_by_each_task() {
    let secrets = 10;
    let [one, many] = [1, 100].map(|workers| small(Layout::Sidecars, workers, secrets));
    assert!((80 * one.calls..=120 * one.calls).contains(&many.calls), "{one:?} {many:?}");
    let tasks = small(Layout::Tasks, 100, secrets);
    let with_challenges = tasks.lookups + tasks.lookups / u64::from(LOOKUPS);
    assert_eq!(tasks.calls, with_challenges);
    assert!(tasks.calls > many.calls, "{tasks:?} {many:?}");
}

#[test]
fn the_vaults_limit_is_felt_by_tasks_and_not_behind_a_central_valet() {
    let crowd = |layout| {
        let time = Duration::from_mins(1);
        run(layout, Load { workers: 1000, secrets: 50, tasks_per_hour: 600, lookups: 10, time })
    };
    let (tasks, central) = (crowd(Layout::Tasks), crowd(Layout::Central));
    assert!(tasks.peak > 4000 && tasks.failed > 0, "{tasks:?}");
    assert!(central.lookups > 50_000 && central.peak <= 50, "{central:?}");
    assert_eq!((central.throttled, central.failed), (0, 0));
}

#[test]
fn the_table_is_what_the_simulation_says() {
    let table = include_str!("../../FLEET.md");
    for (secrets, workers) in [(20, 1), (20, 10), (20, 100), (500, 10)] {
        let line = line(secrets, workers);
        assert!(table.contains(&line), "renew it: cargo bench --profile dev --bench fleet; it has no {line}");
    }
}
