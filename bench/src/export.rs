//! Taking a whole log away as a file, from the release program: how quick that is, and how much more
//! memory the program needs for it.

use crate::{
    error::BenchError,
    log::LARGE,
    program::{Program, Server},
    recording::{Sets, bar},
    report::{Row, Unit, rate},
};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1::handshake, header};
use hyper_util::rt::TokioIo;
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// How many rows a second an export must have.
const RATE: f64 = 200_000.0;
/// How much more memory it may take than an idle server, in MiB.
const MEMORY: f64 = 100.0;
/// How often the program's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What came of an export.
struct Taken {
    bytes: u64,
    line_ends: u64,
    elapsed: Duration,
}

/// Takes the large workspace away as CSV, NDJSON and JSON, from a copy of the set.
///
/// # Errors
///
/// The program does not run, or an export broke off.
pub async fn measure(program: &Path, sets: &Sets, folder: &Path) -> Result<Vec<Row>, BenchError> {
    let copy = sets.copy(&folder.join("exporting"))?;
    let program = Program::on(program, &copy.join("daybook.db"))?;
    let token = ["token", "create", "--workspace", LARGE, "--name", "bench"];
    let scopes = ["--scope", "events:export", "--scope", "events:read"];
    let token = program.run(&[&token[..], &scopes].concat(), "")?;
    let server = program.serve()?;
    let taken = take_all(&server, &token).await;
    server.stop()?;
    fs::remove_dir_all(&copy).map_err(BenchError::file(&copy))?;
    taken
}

async fn take_all(server: &Server, token: &str) -> Result<Vec<Row>, BenchError> {
    wait_until_ready(server, token).await?;
    // A first page loads what every reader needs.
    take(server, token, "/api/v1/events?limit=500").await?;
    let idle = memory(server)?;
    let mut rows = Vec::new();
    let mut events = 0;
    for (format, is_barred) in [("ndjson", true), ("csv", true), ("json", false)] {
        let exporting = bar(0, "exporting the whole log");
        let watch = Watch::begin(server.pid());
        let asked = format!("/api/v1/events/export?format={format}");
        let taken = take(server, token, &asked).await;
        let most = watch.end();
        exporting.finish_and_clear();
        let taken = taken?;
        if format == "ndjson" {
            events = taken.line_ends;
        }
        let what = format!(
            "exporting the whole log over HTTP, {}",
            format.to_uppercase()
        );
        let speed = Row::new(
            what.clone(),
            Unit::EventsPerSecond,
            rate(events, taken.elapsed),
        );
        rows.push(if is_barred { speed.bar(RATE) } else { speed });
        let each = Row::new(
            format!("{what}: size"),
            Unit::BytesPerEvent,
            mebibytes(taken.bytes) / mebibytes(events.max(1)),
        );
        rows.push(each);
        let more = mebibytes(most.saturating_sub(idle));
        rows.push(
            Row::new(format!("{what}: memory above idle"), Unit::Mebibytes, more).bar(MEMORY),
        );
    }
    Ok(rows)
}

async fn wait_until_ready(server: &Server, token: &str) -> Result<(), BenchError> {
    while take(server, token, "/readyz").await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Takes an answer from its first byte to its last, and keeps nothing of it.
async fn take(server: &Server, token: &str, path: &str) -> Result<Taken, BenchError> {
    let begun = Instant::now();
    let stream = TcpStream::connect(server.address).await?;
    let (mut requests, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, server.address.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())
        .map_err(|error| BenchError::Unfit(error.to_string()))?;
    let answer = requests.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(BenchError::Unfit(format!("{path}: {}", answer.status())));
    }
    let mut body = answer.into_body();
    let mut taken = Taken {
        bytes: 0,
        line_ends: 0,
        elapsed: Duration::ZERO,
    };
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            taken.bytes += data.len() as u64;
            // Only of NDJSON is it the number of events.
            if path.ends_with("ndjson") {
                let ends = memchr::memchr_iter(b'\n', &data).count();
                taken.line_ends += ends as u64;
            }
        }
    }
    taken.elapsed = begun.elapsed();
    drop(requests);
    // It ends with the last request.
    let _ = connection.await;
    Ok(taken)
}

/// How much memory of its own a program has, in bytes: files that it reads are not counted.
fn memory_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

fn memory(server: &Server) -> Result<u64, BenchError> {
    memory_of(server.pid())
        .ok_or_else(|| BenchError::Unfit("the server's memory cannot be read".to_owned()))
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Looks at a program's memory, again and again.
struct Watch {
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    fn begin(pid: u32) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (seen, over) = (Arc::clone(&most), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_max(memory_of(pid).unwrap_or(0), Ordering::Relaxed);
                thread::sleep(LOOK_EVERY);
            }
        });
        Self {
            most,
            is_over,
            thread,
        }
    }

    /// The most that it had.
    fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        // It only looks.
        let _ = self.thread.join();
        self.most.load(Ordering::Relaxed)
    }
}
