//! RESILIENCE.md: its tables are what the tests expect, so that what is promised there is what is proved.

use std::fs;

/// One row: the fault, what each column promises, and words of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) cells: Vec<String>,
    /// Words of the fault's message; nothing where there is no fault.
    pub(crate) says: String,
}

impl Row {
    pub(crate) fn line(&self) -> String {
        format!("| {} | {} | {} |", self.fault, self.cells.join(" | "), self.says)
    }
}

/// The rows of the table below the heading.
pub(crate) fn table(heading: &str) -> Vec<Row> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/RESILIENCE.md")).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is in RESILIENCE.md");
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let mut parts = line.trim_matches('|').split('|').map(|part| part.trim().to_owned());
        let fault = parts.next().expect("a row has a name");
        let mut cells: Vec<_> = parts.collect();
        let says = cells.pop().expect("a row has a last column");
        Row { fault, cells, says }
    })
    .collect()
}
