//! A test vault, a valet.yaml that uses it, and the executable running on both.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::UnixStream,
    process::{Child, Command},
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;
use valet_testvault::{Options, Seed, TestVault};

/// Long enough for a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Lab {
    pub(crate) vault: TestVault,
    dir: TempDir,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        let seed = Seed::of([
            ("airflow-connections-pg", "postgres://u:canary-4711@h/db"),
            ("airflow-connections-raw", "AccountName=a;AccountKey=canary-4711"),
        ]);
        let vault = TestVault::start(Options { seed, ..Options::default() }).await.unwrap();
        let lab = Self { vault, dir: tempfile::tempdir().unwrap() };
        fs::write(lab.dir.path().join("variables.yaml"), "from_file: f\n").unwrap();
        fs::write(lab.dir.path().join("connections.yaml"), "file_canary: {conn_type: a, password: canary-in-file}\n")
            .unwrap();
        fs::write(lab.config(), lab.valet_yaml()).unwrap();
        lab
    }

    fn valet_yaml(&self) -> String {
        let here = self.vault.endpoints();
        let (url, tenant, client, ca) = (&here.vault_url, &here.tenant_id, &here.client_id, here.ca_file.display());
        format!(
            "listen:
  tasks: {{unix: {{path: valet.sock}}, allow: [connections, variables]}}
  admin: {{unix: {{path: admin.sock, mode: \"0600\"}}, allow: [admin]}}
identities:
  ci:
    kind: client-secret
    tenant_id: {tenant}
    client_id: {client}
    client_secret: {{env: CI_CLIENT_SECRET}}
    authority_host: {authority}
    network: {{ca_file: {ca}}}
sources:
  env: {{kind: environment}}
  files: {{kind: file, connections: connections.yaml, variables: variables.yaml}}
  prod: {{kind: key-vault, url: \"{url}\", identity: ci, network: {{ca_file: {ca}}}}}
routes: []
",
            authority = here.authority_url,
        )
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("valet.yaml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("valet.sock")
    }

    pub(crate) async fn serve(&self) -> Broker {
        self.serve_with(&[], &[]).await
    }

    /// `valet serve` with what the configuration needs of the environment.
    pub(crate) fn command(&self) -> Valet {
        let mut valet = valet(&["serve", "--config", self.config().to_str().unwrap()]);
        valet.0.env("CI_CLIENT_SECRET", &self.vault.endpoints().client_secret).env("AIRFLOW_VAR_FROM_ENV", "e");
        valet
    }

    /// Starts `valet serve` and waits until it answers.
    pub(crate) async fn serve_with(&self, args: &[&str], env: &[(&str, &str)]) -> Broker {
        let mut command = self.command().0;
        command.args(args).envs(env.iter().copied());
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let log = Log::of(&mut child);
        let broker = Broker { child, log, dir: self.dir.path().to_owned() };
        broker.wait_for_log("valet is serving").await;
        UnixStream::connect(self.socket()).await.expect("it says that it serves");
        broker
    }
}

/// A running `valet serve`.
pub(crate) struct Broker {
    child: Child,
    log: Log,
    dir: PathBuf,
}

impl Broker {
    /// `valet get` with these arguments.
    pub(crate) fn command(&self, args: &[&str]) -> Valet {
        let mut valet = valet(&["get"]);
        valet.0.args(args).arg("--socket").arg(self.dir.join("valet.sock"));
        valet
    }

    pub(crate) async fn get(&self, args: &[&str]) -> Output {
        self.command(args).output().await
    }

    pub(crate) async fn health(&self) -> Output {
        let mut valet = valet(&["health", "--socket"]);
        valet.0.arg(self.dir.join("valet.sock"));
        valet.output().await
    }

    pub(crate) async fn admin(&self, args: &[&str]) -> Output {
        let mut valet = valet(args);
        valet.0.arg("--admin-socket").arg(self.dir.join("admin.sock"));
        valet.output().await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) async fn wait_for_log(&self, text: &str) {
        self.log.wait_for(text, 1).await;
    }

    /// Waits until `text` has been logged so many times since the start.
    pub(crate) async fn wait_for_log_times(&self, text: &str, times: usize) {
        self.log.wait_for(text, times).await;
    }

    /// Terminates it; answers its exit code and all that it logged.
    pub(crate) async fn stop(self) -> (i32, String) {
        self.signal(Signal::TERM);
        self.wait().await
    }

    pub(crate) async fn wait(mut self) -> (i32, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        (status.code().expect("it ends by itself"), self.log.finish().await)
    }
}

/// What a child writes to standard error, as it writes it.
struct Log {
    text: Arc<Mutex<String>>,
    news: Arc<Notify>,
    reader: JoinHandle<()>,
}

impl Log {
    fn of(child: &mut Child) -> Self {
        let (text, news) = (Arc::new(Mutex::new(String::new())), Arc::new(Notify::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (to, tell) = (Arc::clone(&text), Arc::clone(&news));
        let reader = TaskTracker::new().spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                let mut text = to.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                drop(text);
                tell.notify_one();
            }
        });
        Self { text, news, reader }
    }

    async fn wait_for(&self, text: &str, times: usize) {
        let found = async {
            while self.text.lock().unwrap().matches(text).count() < times {
                self.news.notified().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, found).await;
        assert!(waited.is_ok(), "{text:?} is not in the log:\n{}", self.text.lock().unwrap());
    }

    async fn finish(self) -> String {
        self.reader.await.unwrap();
        self.text.lock().unwrap().clone()
    }
}

/// A command of the executable that ends by itself.
pub(crate) struct Valet(Command);

/// The executable with these arguments and an environment of nothing else.
pub(crate) fn valet(args: &[&str]) -> Valet {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_valet")));
    command.args(args).env_clear();
    Valet(command)
}

impl Valet {
    pub(crate) fn spawn(mut self) -> Running {
        Running(
            self.0
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap(),
        )
    }

    pub(crate) async fn output(self) -> Output {
        self.spawn().finish().await
    }
}

pub(crate) struct Running(Child);

impl Running {
    pub(crate) async fn finish(self) -> Output {
        let output = tokio::time::timeout(PATIENCE, self.0.wait_with_output()).await.expect("it ends").unwrap();
        Output {
            code: output.status.code().expect("it ends by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a command came to.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    pub(crate) fn parts(&self) -> (i32, &str, &str) {
        (self.code, &self.stdout, &self.stderr)
    }
}
