//! The commands `check`, `schema` and `init`, as processes.

use super::folder;
use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

/// Exit code, standard output, standard error.
fn valet(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_valet"))
        .args(arguments)
        .env_clear()
        .env("SET", "canary")
        .current_dir(folder("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_exits_78_for_errors_only() {
    let (code, out, err) = valet(&["check", "--config", "settings.yaml"], "");
    assert_eq!((code, out.as_str()), (78, ""));
    assert!(
        err.starts_with("settings.yaml:2: cache.fresh: this is longer than 30d\n  hint: write 30d or less\n"),
        "{err}"
    );
    assert!(err.ends_with("4 errors\n"), "{err}");

    let (code, _, err) = valet(&["check", "--config", "no_sources.yaml"], "");
    assert_eq!(code, 0);
    assert!(err.ends_with("1 warning\n"), "{err}");

    assert_eq!(valet(&["check", "--config", "example.yaml"], "").0, 0);
    let (code, _, err) = valet(&["check", "--config", "not_there.yaml"], "");
    assert_eq!(
        (code, err.as_str()),
        (
            78,
            "not_there.yaml: there is no such file\n  hint: `--config` or VALET_CONFIG says which file; `valet init` writes a first one\n1 error\n"
        )
    );
}

#[test]
fn check_json_is_on_stdout_alone() {
    for (file, code) in [("settings", 78), ("no_sources", 0), ("example", 0)] {
        let found = valet(&["check", "--json", "--config", &format!("{file}.yaml")], "");
        let expected = fs::read_to_string(folder("data").join(format!("{file}.problems.json"))).unwrap();
        assert_eq!(found, (code, expected, String::new()));
    }
    let (code, out, _) = valet(&["check", "--json", "--config", "not_there.yaml"], "");
    let problems: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &problems["problems"][0]["line"]), (78, &serde_json::Value::Null));
}

#[test]
fn schema_is_the_schema() {
    let (code, out, err) = valet(&["schema"], "");
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, schema, err.as_str()), (0, valet::config::schema(), ""));
}

#[test]
fn init_prints_a_file_that_check_accepts() {
    let (code, out, err) = valet(&["init"], "");
    assert_eq!((code, out.as_str(), err.as_str()), (0, valet::config::FIRST, ""));
    let (code, out, _) = valet(&["init", "--from-airflow-cfg", "../airflow/default.cfg"], "");
    assert_eq!((code, out), (0, fs::read_to_string(folder("airflow/default.valet.yaml")).unwrap()));
    let settings = fs::read_to_string(folder("airflow/variables.env")).unwrap();
    let (code, out, _) = valet(&["init", "--from-airflow-cfg", "-"], &settings);
    assert_eq!((code, out), (0, fs::read_to_string(folder("airflow/variables.valet.yaml")).unwrap()));
}

#[test]
fn init_writes_a_file_but_not_over_another() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("valet.yaml");
    let name = file.to_str().unwrap();
    assert_eq!(valet(&["init", "-o", name], "").0, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), valet::config::FIRST);
    let take_over = ["init", "--from-airflow-cfg", "../airflow/default.cfg", "-o", name];
    let (code, _, err) = valet(&take_over, "");
    assert!(code == 64 && err.contains("--force"), "{code} {err}");
    let (code, out, err) = valet(&[&take_over[..], &["--force"]].concat(), "");
    assert!(code == 0 && out.is_empty() && err.contains("backend = airflow_valet.ValetBackend"), "{code} {err}");
    assert_eq!(valet(&["check", "--config", name], "").0, 0);
}

#[test]
fn init_says_why_it_cannot_take_over() {
    let (code, out, err) = valet(&["init", "--from-airflow-cfg", "not_there.cfg"], "");
    assert!(code == 66 && out.is_empty() && err.contains("not_there.cfg"), "{code} {err}");
    let arguments = "AIRFLOW__SECRETS__BACKEND=x.AzureKeyVaultBackend\nAIRFLOW__SECRETS__BACKEND_KWARGS={\"vault_url\": \"canary\"}";
    let (code, out, err) = valet(&["init", "--from-airflow-cfg", "-"], arguments);
    assert!(code == 78 && out.is_empty() && err.contains("sources.vault.url: this is no URL"), "{code} {err}");
    assert!(!err.contains("canary"), "{err}");
}
