//! What somebody would take who expects very many events: ClickHouse, one table in the order of workspace and time. It
//! runs in a process of its own, embedded, so that no network lies between, and tells how long each answer took.

use crate::{
    error::BenchError,
    plain_table::{COLUMNS, Column, columns},
};
use domain::{
    catalogue::Catalogue,
    event::NewEvent,
    question::{Order, Query, Sort, Span},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

/// What asks it, in Python.
const ASK: &str = include_str!("../clickhouse/ask.py");
/// So many events are loaded at a time.
const LOAD: usize = 250_000;
/// Columns in which the same texts come again and again.
const FEW: [&str; 7] = [
    "workspace",
    "actor_kind",
    "action",
    "verb",
    "category",
    "target_kind",
    "outcome",
];
const TIMES: [&str; 2] = ["occurred_at", "recorded_at"];

/// A running ClickHouse, with its table.
pub struct ClickHouse {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    folder: PathBuf,
    catalogue: Catalogue,
    /// Of events that are not loaded yet, and how many they are.
    waiting: BufWriter<File>,
    events: usize,
    next: u64,
}

/// What is said to a statement.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Answer { milliseconds: f64, answer: String },
    Error { error: String },
}

impl ClickHouse {
    /// Opens the table in a folder, or makes it, with a Python that has `chdb`.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn open(python: &Path, folder: &Path) -> Result<Self, BenchError> {
        fs::create_dir_all(folder).map_err(BenchError::file(folder))?;
        let mut child = Command::new(python)
            .args(["-c", ASK])
            .arg(folder.join("table"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(BenchError::file(python))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BenchError::Unfit("Python has no pipes".to_owned()));
        };
        let path = loaded_from(folder);
        let waiting = File::create(&path).map_err(BenchError::file(&path))?;
        let mut clickhouse = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            folder: folder.to_owned(),
            catalogue: Catalogue::default(),
            waiting: BufWriter::new(waiting),
            events: 0,
            next: 0,
        };
        clickhouse.ask(&schema())?;
        Ok(clickhouse)
    }

    /// What it answers, a row a line, and how long it took.
    fn ask(&mut self, statement: &str) -> Result<(Duration, String), BenchError> {
        let line = serde_json::to_string(statement)?;
        writeln!(self.input, "{line}")?;
        let Some(said) = self.output.next() else {
            let status = self.child.wait()?;
            return Err(BenchError::Unfit(format!("ClickHouse ended with {status}")));
        };
        match serde_json::from_str(&said?)? {
            Said::Answer {
                milliseconds,
                answer,
            } => Ok((Duration::from_secs_f64(milliseconds / 1_000.0), answer)),
            Said::Error { error } => Err(BenchError::Unfit(format!(
                "ClickHouse: {error}: {statement}"
            ))),
        }
    }

    /// Records a batch: it is loaded with others.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn record(&mut self, workspace: &str, batch: &[NewEvent]) -> Result<(), BenchError> {
        for event in batch {
            self.next += 1;
            let mut row: Map<String, Value> = Map::new();
            row.insert("id".to_owned(), json!(self.next));
            for (name, value) in COLUMNS
                .iter()
                .zip(columns(&self.catalogue, workspace, event)?)
            {
                let value = match value {
                    Column::Micros(time) => json!(time),
                    // A column in which a text may be missing is two columns: none is.
                    Column::Text(text) => json!(text.unwrap_or_default()),
                };
                row.insert((*name).to_owned(), value);
            }
            serde_json::to_writer(&mut self.waiting, &row)?;
            self.waiting.write_all(b"\n")?;
        }
        self.events += batch.len();
        if self.events >= LOAD {
            self.load()?;
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), BenchError> {
        self.waiting.flush()?;
        let path = loaded_from(&self.folder);
        let statement = format!(
            "INSERT INTO event SELECT * FROM file({}, 'JSONEachRow')",
            literal(&path.display().to_string())
        );
        self.ask(&statement)?;
        self.waiting = BufWriter::new(File::create(&path).map_err(BenchError::file(&path))?);
        self.events = 0;
        Ok(())
    }

    /// Loads what is left, and puts all parts of the table together. Gives how many events it holds.
    ///
    /// # Errors
    ///
    /// It cannot be loaded.
    pub fn complete(&mut self) -> Result<u64, BenchError> {
        if self.events > 0 {
            self.load()?;
        }
        self.ask("OPTIMIZE TABLE event FINAL")?;
        self.sum_of_parts("rows")
    }

    /// How many bytes the table takes on disk.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn bytes(&mut self) -> Result<u64, BenchError> {
        self.sum_of_parts("bytes_on_disk")
    }

    fn sum_of_parts(&mut self, column: &str) -> Result<u64, BenchError> {
        let (_, answer) = self.ask(&format!(
            "SELECT toString(sum({column})) FROM system.parts WHERE table = 'event' AND active"
        ))?;
        let [sum]: [String; 1] = serde_json::from_str(answer.trim())?;
        sum.parse()
            .map_err(|_| BenchError::Unfit(format!("ClickHouse counts {sum}")))
    }

    /// The page of a question that begins after `offset` events: how long it took, and how many events it holds. Each
    /// filter is asked as of the plain table.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn page(
        &mut self,
        workspace: &str,
        query: &Query,
        now: Timestamp,
        offset: usize,
    ) -> Result<(Duration, usize), BenchError> {
        let (took, answer) =
            self.ask(&question(workspace, query, query.filter.span(now), offset))?;
        Ok((took, answer.lines().count().min(query.page_size())))
    }
}

impl Drop for ClickHouse {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(loaded_from(&self.folder));
    }
}

fn loaded_from(folder: &Path) -> PathBuf {
    folder.join("loading.ndjson")
}

fn schema() -> String {
    let columns = COLUMNS.iter().map(|name| {
        let kind = match name {
            name if FEW.contains(name) => "LowCardinality(String)",
            name if TIMES.contains(name) => "Int64",
            _ => "String",
        };
        format!("{name} {kind}")
    });
    let columns: Vec<String> = columns.collect();
    format!(
        "CREATE TABLE IF NOT EXISTS event (id UInt64, {}) ENGINE = MergeTree \
         ORDER BY (workspace, occurred_at, id)",
        columns.join(", ")
    )
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A question in its SQL.
fn question(workspace: &str, query: &Query, span: Span, offset: usize) -> String {
    let filter = &query.filter;
    let mut conditions = vec![format!("workspace = {}", literal(workspace))];
    let mut one_of = |column: &str, values: Vec<String>| {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
            conditions.push(format!("{column} IN ({})", values.join(", ")));
        }
    };
    one_of("category", texts(&filter.category));
    one_of("verb", texts(&filter.verb));
    one_of("action", texts(&filter.action));
    one_of("outcome", texts(&filter.outcome));
    one_of("actor_id", texts(&filter.actor_id));
    one_of("actor_kind", texts(&filter.actor_kind));
    one_of("target_kind", texts(&filter.target_kind));
    one_of("target_id", texts(&filter.target_id));
    one_of("operation", texts(filter.operation.as_slice()));
    let mut like = |columns: &[&str], text: &str| {
        let text = literal(text);
        let any = columns
            .iter()
            .map(|column| format!("positionCaseInsensitiveUTF8({column}, {text}) > 0"));
        conditions.push(format!("({})", any.collect::<Vec<_>>().join(" OR ")));
    };
    if let Some(text) = &filter.actor {
        like(&["actor_name", "actor_email"], text);
    }
    if let Some(text) = &filter.q {
        like(&["target_name", "target_id", "action"], text);
    }
    for id in &filter.via_id {
        like(&["via"], &format!("\"id\":\"{id}\""));
    }
    if let Some(since) = span.since {
        conditions.push(format!("occurred_at >= {}", since.micros()));
    }
    if let Some(until) = span.until {
        conditions.push(format!("occurred_at <= {}", until.micros()));
    }
    let word = match query.direction() {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let sort = match query.sort {
        Sort::Time => String::new(),
        Sort::Action => format!("action {word}, "),
        Sort::TargetKind => format!("target_kind {word}, "),
        Sort::Actor => format!("actor_name {word}, "),
    };
    let mut sql = format!("SELECT id, {} FROM event", COLUMNS.join(", "));
    let _ = write!(
        sql,
        " WHERE {} ORDER BY {sort}occurred_at {word}, id {word} LIMIT {} OFFSET {offset}",
        conditions.join(" AND "),
        query.page_size() + 1,
    );
    sql
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
