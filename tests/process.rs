//! The real executable: exit codes, streams, signals, reload, and a canary secret that must be in none of its output.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "process/lab.rs"]
mod lab;

use lab::{Lab, valet};
use rustix::process::Signal;
use std::fs;
use valet_testvault::{Entry, Fault, FaultRule, ForbiddenCode, SecretSpec, TokenSeen};

#[tokio::test]
async fn a_lookup_prints_the_value_and_its_exit_code_says_how_it_ended() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    assert_eq!(broker.get(&["connection", "pg"]).await.parts(), (0, "postgres://u:canary-4711@h/db\n", ""));
    let json = broker.get(&["connection", "pg", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["source"], &json["state"], &json["mask"]),
        (&"prod".into(), &"STATE_FRESH".into(), &["canary-4711"][..].into())
    );
    assert_eq!(broker.get(&["variable", "from_env"]).await.parts(), (0, "e\n", ""));
    assert_eq!(broker.get(&["variable", "from_file"]).await.parts(), (0, "f\n", ""));

    let absent = broker.get(&["connection", "absent"]).await;
    assert_eq!((absent.code, absent.stdout.as_str()), (66, ""));
    assert!(absent.stderr.starts_with("valet: NOT_FOUND: "), "{}", absent.stderr);
    assert_eq!(broker.get(&["config", "x"]).await.code, 77, "the listener does not allow config");
    assert_eq!(broker.get(&["connection", "raw"]).await.code, 78, "airflow would misread it");
    assert_eq!(broker.get(&["connection", "a\u{7}b"]).await.code, 64);
    assert_eq!(valet(&["get", "connection"]).output().await.code, 64);

    lab.vault.inject(
        FaultRule::new(Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac }).secret("airflow-connections-refused"),
    );
    let refused = broker.get(&["connection", "refused"]).await;
    assert_eq!(refused.code, 77);
    assert!(refused.stderr.contains("Key Vault Secrets User"), "{}", refused.stderr);
    lab.vault.inject(FaultRule::new(Fault::throttled()));
    assert_eq!(broker.get(&["connection", "throttled"]).await.code, 69);
    assert_eq!(broker.stop().await.0, 0);
    assert_eq!(valet(&["get", "connection", "pg", "--socket", "/nowhere/valet.sock"]).output().await.code, 69);
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight_then_exits_with_zero() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    lab.vault.inject(FaultRule::new(Fault::Hold {}));
    let get = broker.command(&["connection", "pg"]).spawn();
    lab.vault
        .wait_for(|log| {
            log.iter().any(|entry| entry.path.contains("airflow-connections-pg") && entry.token == TokenSeen::Yes)
        })
        .await;
    broker.signal(Signal::TERM);
    broker.wait_for_log("told to stop").await;
    lab.vault.clear_faults(None);
    assert_eq!(get.finish().await.parts(), (0, "postgres://u:canary-4711@h/db\n", ""));
    let (code, _) = broker.wait().await;
    assert_eq!(code, 0);
    assert!(!lab.socket().exists(), "the socket goes with its server");
}

#[tokio::test]
async fn reload_and_sighup_take_a_new_file_into_use_and_keep_the_old_one_for_a_bad_one() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    let reads = lab.vault.counters().reads;

    let good = fs::read_to_string(lab.config()).unwrap();
    fs::write(lab.config(), good.replace("routes: []", "routes: [{match: pg, sources: []}]")).unwrap();
    assert_eq!(broker.admin(&["reload"]).await.code, 0);
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 66, "the new route asks nobody");

    fs::write(lab.config(), "sources: {x: {kind: canary-4711}}\n").unwrap();
    let refused = broker.admin(&["reload"]).await;
    assert_eq!(refused.code, 78);
    assert!(refused.stderr.contains("sources.x.kind") && !refused.stderr.contains("canary"), "{}", refused.stderr);
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 66, "the one in use stays");
    let status = broker.admin(&["status", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert!(status["config"]["lastReloadError"].as_str().unwrap().contains("sources.x.kind"), "{status}");

    fs::write(lab.config(), good).unwrap();
    broker.signal(Signal::HUP);
    broker.wait_for_log_times("is in use", 2).await;
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    assert_eq!(lab.vault.counters().reads, reads, "a source that did not change keeps its cache");
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn invalidate_has_a_name_read_again_and_its_exit_code_says_how_it_ended() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    let reads = async || {
        assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
        lab.vault.counters().reads
    };
    let first = reads().await;
    assert_eq!(reads().await, first);
    assert_eq!(broker.admin(&["invalidate", "pg"]).await.parts(), (0, "1 cached entry dropped\n", ""));
    assert_eq!(reads().await, first + 1);
    assert_eq!(broker.admin(&["invalidate", "variable", "pg"]).await.parts(), (0, "0 cached entries dropped\n", ""));
    assert_eq!(reads().await, first + 1);
    let json = broker.admin(&["invalidate", "connection", "pg", "--json"]).await;
    let dropped: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, dropped), (0, serde_json::json!({"dropped": "1"})));
    assert_eq!(reads().await, first + 2);
    assert_eq!(
        broker.admin(&["invalidate", "pg", "--team", "red"]).await.parts(),
        (0, "0 cached entries dropped\n", "")
    );

    let missing = "valet: what is the connection's name? `valet invalidate connection NAME`\n";
    assert_eq!(broker.admin(&["invalidate", "connection"]).await.parts(), (64, "", missing));
    for wrong in [
        &["invalidate"][..],
        &["invalidate", "pool", "x"],
        &["invalidate", "config", "x", "y"],
        &["invalidate", "a\u{7}b"],
    ] {
        assert_eq!(broker.admin(wrong).await.code, 64, "{wrong:?}");
    }
    let socket = lab.socket();
    let refused = valet(&["invalidate", "pg", "--admin-socket", socket.to_str().unwrap()]).output().await;
    assert_eq!(refused.code, 77, "the tasks' socket does not allow it");
    let nobody = valet(&["invalidate", "pg", "--admin-socket", "/nowhere/admin.sock"]).output().await;
    assert_eq!(nobody.code, 69);
    let (code, log) = broker.stop().await;
    assert_eq!(code, 0);
    let lines: Vec<_> = log.lines().filter(|line| line.contains("-invalidation\"")).collect();
    assert_eq!(lines.len(), 9, "{lines:#?}");
    assert!(lines[0].contains("\"outcome\":\"invalidated\""), "{}", lines[0]);
}

#[tokio::test]
async fn a_vault_that_does_not_answer_is_stood_in_for_and_one_that_refuses_is_not() {
    let lab = Lab::start().await;
    let good = fs::read_to_string(lab.config()).unwrap();
    fs::write(lab.config(), good.replace("identity: ci, network", "identity: ci, cache: {fresh: 0s}, network"))
        .unwrap();
    let broker = lab.serve().await;
    let answer = async || {
        let json = broker.get(&["connection", "pg", "--json"]).await;
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        (json["value"].clone(), json["state"].as_str().unwrap().to_owned())
    };
    let (value, state) = answer().await;
    assert_eq!(state, "STATE_FRESH");
    lab.vault.inject(FaultRule::new(Fault::Hold {}).secret("airflow-connections-pg"));
    assert_eq!(answer().await, (value.clone(), "STATE_STALE".to_owned()));
    lab.vault.clear_faults(None);
    assert_eq!(answer().await, (value, "STATE_FRESH".to_owned()));
    let status = broker.admin(&["status", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(
        (&status["counters"]["stale_served"], &status["counters"]["stale_waits_cut"]),
        (&"1".into(), &"1".into())
    );

    lab.vault.inject(
        FaultRule::new(Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac }).secret("airflow-connections-pg"),
    );
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 77);
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn a_vault_is_listed_when_a_reload_says_so_and_what_is_to_be_there_is_there_before_it_is_asked_for() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    let good = fs::read_to_string(lab.config()).unwrap();
    let listed = "identity: ci, list: {every: 1m, prefetch: [airflow-connections-made]}, network";
    fs::write(lab.config(), good.replace("identity: ci, network", listed)).unwrap();
    lab.vault.put_secret("default", "airflow-connections-made", SecretSpec::value("a://made")).unwrap();
    assert_eq!(lab.vault.counters().lists, 0, "one value is not worth a list");
    assert_eq!(broker.admin(&["reload"]).await.code, 0);
    let is_read = |entry: &Entry| entry.path.contains("airflow-connections-made") && entry.status.is_some();
    lab.vault.wait_for(|log| log.iter().any(is_read)).await;
    let counter = async |name: &str| {
        let status = broker.admin(&["status", "--json"]).await;
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        status["counters"][name].as_str().unwrap().to_owned()
    };
    while counter("values_prefetched").await == "0" {}
    let reads = lab.vault.counters().reads;
    assert_eq!(broker.get(&["connection", "made"]).await.parts(), (0, "a://made\n", ""));
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    assert_eq!(broker.get(&["connection", "absent"]).await.code, 66);
    assert_eq!(lab.vault.counters().reads, reads);
    assert_eq!((counter("lists").await, counter("misses_answered").await), ("1".to_owned(), "1".to_owned()));
    assert_eq!(broker.admin(&["invalidate", "connection", "absent"]).await.code, 0);
    assert_eq!(broker.get(&["connection", "absent"]).await.code, 66);
    assert_eq!(lab.vault.counters().reads, reads + 1, "who invalidates a name wants it to be asked for");
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn a_spent_budget_is_told_at_once_and_shown_in_the_status_and_a_reload_keeps_what_was_spent() {
    let lab = Lab::start().await;
    let good = fs::read_to_string(lab.config()).unwrap();
    let with_budget = |requests: u32| {
        let budget = format!("identity: ci, budget: {{requests: {requests}, per: 1h}}, network");
        fs::write(lab.config(), good.replace("identity: ci, network", &budget)).unwrap();
    };
    let status = async |broker: &lab::Broker| {
        let status = broker.admin(&["status", "--json"]).await;
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        let source = status["sources"][2].clone();
        (
            source["budgetLeft"].as_u64(),
            source["breaker"].as_str().map(str::to_owned),
            status["counters"]["budget_spent"].clone(),
        )
    };
    let closed = Some("closed".to_owned());

    with_budget(2);
    let broker = lab.serve().await;
    assert_eq!(status(&broker).await, (Some(2), closed.clone(), "0".into()));
    // The challenge, and the value.
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    let spent = broker.get(&["connection", "other"]).await;
    assert_eq!(spent.code, 69);
    assert!(
        spent.stderr.starts_with("valet: THROTTLED: source prod: secret \"airflow-connections-other\": "),
        "{}",
        spent.stderr
    );
    assert!(spent.stderr.contains("its budget of 2 requests per 3600 s is spent"), "{}", spent.stderr);
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0, "what is cached costs nothing");
    assert_eq!(status(&broker).await, (Some(0), closed.clone(), "1".into()), "asked for once, and not again");
    let for_people = broker.admin(&["status"]).await;
    assert!(for_people.stdout.contains("0 requests left of its budget; breaker closed"), "{}", for_people.stdout);

    with_budget(3);
    assert_eq!(broker.admin(&["reload"]).await.code, 0);
    assert_eq!(status(&broker).await, (Some(1), closed, "1".into()));
    let reads = lab.vault.counters().reads;
    assert_eq!(broker.get(&["connection", "pg"]).await.code, 0);
    assert_eq!(lab.vault.counters().reads, reads, "another budget makes no other source");
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn a_bad_configuration_is_reported_whole_and_nothing_is_served() {
    let lab = Lab::start().await;
    fs::write(lab.config(), "sources: {a: {kind: key-vault, url: 'http://example.com'}}\nlisten: 5\n").unwrap();
    for command in ["check", "serve"] {
        let output = valet(&[command, "--config", lab.config().to_str().unwrap()]).output().await;
        assert_eq!((output.code, output.stdout.as_str()), (78, ""));
        assert!(output.stderr.contains("sources.a.url") && output.stderr.contains("listen:"), "{}", output.stderr);
    }
    assert!(!lab.socket().exists());
}

#[tokio::test]
async fn a_configuration_whose_secrets_are_missing_is_one_that_must_be_mended() {
    let lab = Lab::start().await;
    let output = valet(&["serve", "--config", lab.config().to_str().unwrap()]).output().await;
    assert_eq!(output.code, 78);
    assert!(output.stderr.contains("needs the environment variable CI_CLIENT_SECRET"), "{}", output.stderr);
}

#[tokio::test]
async fn a_second_valet_on_the_same_socket_is_refused_and_the_first_goes_on() {
    let lab = Lab::start().await;
    let broker = lab.serve().await;
    let second = lab.command().output().await;
    assert_eq!(second.code, 69, "{}", second.stderr);
    assert!(second.stderr.contains("another valet"), "{}", second.stderr);
    assert_eq!(broker.health().await.code, 0);
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn valet_starts_while_its_vault_is_down_and_says_so_when_asked() {
    let lab = Lab::start().await;
    let config = fs::read_to_string(lab.config()).unwrap();
    let url = &lab.vault.endpoints().vault_url;
    fs::write(lab.config(), config.replace(url.as_str(), "https://localhost:1")).unwrap();
    let broker = lab.serve().await;
    let down = broker.get(&["connection", "pg"]).await;
    assert_eq!(down.code, 69);
    assert!(down.stderr.starts_with("valet: SOURCE_DOWN: source prod: "), "{}", down.stderr);
    assert_eq!(broker.health().await.code, 0, "valet itself is well");
    assert_eq!(broker.stop().await.0, 0);
}

#[tokio::test]
async fn no_secret_is_in_any_output_but_that_of_get() {
    let lab = Lab::start().await;
    let broker = lab.serve_with(&["--log-format", "json"], &[("VALET_LOG", "trace")]).await;
    let mut seen = String::new();
    for name in ["pg", "raw", "absent", "file_canary", "throttled", "html", "broken"] {
        for (secret, fault) in
            [("throttled", Fault::throttled()), ("html", Fault::Html {}), ("broken", Fault::TruncatedJson {})]
        {
            if name == secret {
                lab.vault.inject(FaultRule::new(fault).secret(format!("airflow-connections-{secret}")));
            }
        }
        // Its standard output is where the secret belongs; its standard error is not.
        seen += &broker.get(&["connection", name]).await.stderr;
    }
    seen += &broker.admin(&["status"]).await.stdout;
    seen += &broker.admin(&["status", "--json"]).await.stdout;
    let (code, log) = broker.stop().await;
    assert_eq!(code, 0);
    assert!(log.contains("\"event\":\"decision\""), "the audit lines are among what is searched");
    seen += &log;
    for canary in ["canary-4711", "canary-in-file", valet_testvault::CLIENT_SECRET, valet_testvault::UPSTREAM_CANARY] {
        assert!(!seen.contains(canary), "{canary} is in the output");
    }
    assert!(!seen.contains("eyJ"), "a token is in the output");
}

#[tokio::test]
async fn help_and_completions_are_results() {
    for command in
        ["serve", "check", "get", "status", "reload", "invalidate", "health", "schema", "init", "sign", "completions"]
    {
        let help = valet(&[command, "--help"]).output().await;
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert!(help.stdout.contains("Usage: valet"), "{}", help.stdout);
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = valet(&["completions", shell]).output().await;
        assert_eq!(script.code, 0);
        assert!(script.stdout.contains("valet") && script.stdout.len() > 1000);
    }
}

#[tokio::test]
async fn the_configuration_in_the_readme_is_sound() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let yaml = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("valet.yaml");
    fs::write(&file, yaml).unwrap();
    let check = valet(&["check", "--json", "--config", file.to_str().unwrap()]).output().await;
    assert_eq!((check.code, check.stderr.as_str()), (0, ""), "{}", check.stdout);
}
