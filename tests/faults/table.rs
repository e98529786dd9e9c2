//! Each fault with each state of the cache. The tables of RESILIENCE.md are compared whole with what happens.

use crate::{
    lab::{Lab, MACHINE, Told, Who},
    mischief::{self, Mischief},
    page::{self, Row},
};
use futures::{StreamExt as _, stream};
use std::time::Duration;
use tonic::Code;

/// How much slower than promised a busy machine may be.
const GRACE: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_hours(24);
/// Cells that run at a time.
const AT_A_TIME: usize = 16;

/// What is asked for, and of whom the requests are counted.
#[derive(Clone, Copy)]
struct Question {
    who: Who,
    /// The secret that is read for it.
    secret: &'static str,
    /// Of a token, not of a value.
    is_token: bool,
    /// How long ago it was asked before in the third column.
    age: Duration,
    /// How long the token lives that the vault was asked with then.
    token_lifetime: Duration,
}

#[derive(Clone, Copy)]
enum Column {
    /// Never asked before, by a Valet that has just started.
    Cold,
    /// Asked a moment ago.
    Warm,
    /// Asked some time ago.
    Stale,
}

const COLUMNS: [Column; 3] = [Column::Cold, Column::Warm, Column::Stale];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_fails() {
    let (age, token_lifetime) = (Duration::from_mins(10), DAY);
    let question = Question { who: Who::Vault, secret: "airflow-connections-db", is_token: false, age, token_lifetime };
    compare("A vault that fails", question, mischief::of_a_vault()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entra_that_fails() {
    // Its end lies between.
    let (age, token_lifetime) = (Duration::from_mins(10), Duration::from_mins(6));
    let question = Question { who: Who::Entra, secret: "airflow-connections-db", is_token: false, age, token_lifetime };
    compare("An Entra that fails", question, mischief::of_entra()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_fails_while_its_key_signs() {
    let (age, token_lifetime) = (Duration::from_hours(7), DAY);
    let question = Question { who: Who::Vault, secret: "landing-key", is_token: true, age, token_lifetime };
    compare("A vault that fails while its key signs", question, mischief::of_a_key()).await;
}

/// Tries every fault in every column, and compares all of it with the page.
async fn compare(heading: &str, question: Question, faults: Vec<(&'static str, Mischief)>) {
    let _not_alone = MACHINE.read().await;
    let promised = page::table(heading);
    let promise = |fault: &str, column: usize| {
        let row = promised.iter().find(|row| row.fault == fault);
        row.and_then(|row| row.cells.get(column)).cloned().unwrap_or_default()
    };
    let mut cells = Vec::new();
    for (name, fault) in &faults {
        for (at, column) in COLUMNS.into_iter().enumerate() {
            let promise = promise(name, at);
            cells.push(async move { cell(question, fault, column, &promise).await });
        }
    }
    let happened: Vec<_> = stream::iter(cells).buffered(AT_A_TIME).collect().await;
    let rows = faults.iter().zip(happened.chunks(COLUMNS.len())).map(|((name, _), cells)| {
        let said = cells.iter().find_map(|cell| cell.message.as_deref()).unwrap_or_default();
        let words = promised.iter().find(|row| row.fault == *name).map(|row| row.says.trim_matches('"'));
        let is_said =
            |cell: &Cell| cell.message.as_deref().is_none_or(|said| words.is_some_and(|words| said.contains(words)));
        let says = match words {
            Some(words) if !words.is_empty() && !said.is_empty() && cells.iter().all(is_said) => words,
            _ => said,
        };
        let says = if says.is_empty() { String::new() } else { format!("\"{says}\"") };
        Row { fault: (*name).to_owned(), cells: cells.iter().map(|cell| cell.text.clone()).collect(), says }.line()
    });
    let (happened, promised) = (rows.collect::<Vec<_>>(), promised.iter().map(Row::line).collect::<Vec<_>>());
    let broken = happened.iter().filter(|line| !promised.contains(line)).map(String::as_str).collect::<Vec<_>>();
    assert!(happened == promised, "RESILIENCE.md, {heading:?}: this happens instead:\n{}", broken.join("\n"));
}

/// What happened, as the page has it.
struct Cell {
    text: String,
    message: Option<String>,
}

/// Asks once while the fault is there, and once when it has passed.
async fn cell(question: Question, fault: &Mischief, column: Column, promise: &str) -> Cell {
    let Question { who, secret, age, .. } = question;
    let lab = Lab::start(question.token_lifetime).await;
    let before = match column {
        Column::Cold => None,
        Column::Warm | Column::Stale => Some(ask(&lab, question).await),
    };
    lab.vault.set_token_lifetime(DAY.as_secs().try_into().unwrap());
    if matches!(column, Column::Stale) {
        lab.pass(age);
    }
    let earlier = requests(&lab, who);
    fault.begin(&lab, who, secret);
    let start = lab.clock.real();
    let told = ask(&lab, question).await;
    let took = lab.clock.real() - start;
    let asked = requests(&lab, who) - earlier;
    let (outcome, message) = match &told {
        Told::Fresh => ("FRESH".to_owned(), None),
        Told::Stale => ("STALE".to_owned(), None),
        Told::Token(_) if before.as_ref() == Some(&told) => ("the same token".to_owned(), None),
        Told::Token(_) => ("a new token".to_owned(), None),
        Told::Fault { reason, code, retry_after, message } => {
            let retry = retry_after.as_ref().map(|seconds| format!(", retry after {seconds} s")).unwrap_or_default();
            (format!("`{reason}` ({}){retry}", spelt(*code)), Some(message.clone()))
        }
    };
    let requests = if asked == 1 { "request" } else { "requests" };
    let bound = promise.rsplit_once("≤ ").and_then(|(_, bound)| bound.strip_suffix(" s")?.parse().ok());
    let time = match bound.map(Duration::from_secs) {
        Some(bound) if took <= bound + GRACE => format!("≤ {} s", bound.as_secs()),
        _ => format!("{:.1} s", took.as_secs_f64()),
    };
    let text = format!("{outcome}, {asked} {requests}, {time}");
    Mischief::end(&lab, who, secret);
    lab.landed().await;
    // Longer than any pause that was made or asked for.
    lab.pass(Duration::from_secs(61));
    let after = ask(&lab, question).await;
    let is_well = matches!(after, Told::Fresh | Told::Token(_));
    let text = if is_well { text } else { format!("{text}, and afterwards {after:?}") };
    Cell { text, message }
}

async fn ask(lab: &Lab, question: Question) -> Told {
    if question.is_token { lab.token().await } else { lab.look().await }
}

/// The requests that one service has seen, of every kind.
fn requests(lab: &Lab, who: Who) -> u64 {
    let seen = lab.vault.counters();
    match who {
        Who::Vault => seen.probes + seen.reads + seen.lists + seen.bad_tokens,
        Who::Entra => seen.entra_token_calls,
    }
}

/// A code as gRPC's documents spell it.
fn spelt(code: Code) -> String {
    let words = format!("{code:?}");
    let gap = |letter: char| if letter.is_uppercase() { "_" } else { "" };
    let spelt = words.chars().map(|letter| format!("{}{}", gap(letter), letter.to_ascii_uppercase()));
    spelt.collect::<String>().trim_start_matches('_').to_owned()
}
