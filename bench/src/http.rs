//! Over HTTP: the release program records what many senders send, and shows pages to many readers.

use crate::{
    data::{self, Set, World, as_json, end_of_set},
    error::BenchError,
    log::{LARGE, OWNER, PASSWORD},
    program::{Program, Server},
    questions::everyday,
    recording::{Sets, bar, empty},
    report::{Row, Times, Unit, rate},
};
use domain::{slug::WorkspacePath, time::Timestamp};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpStream, task::JoinSet};

/// How many send one event a request.
const SENDERS: usize = 64;
/// How many send batches, and how many events a batch has.
const BATCH_SENDERS: usize = 16;
const BATCH: usize = 1_000;
/// How many readers ask for pages at the same time.
const READERS: usize = 16;
/// How long somebody looks at a page before asking for another, where readers do.
const LOOKING: Duration = Duration::from_millis(250);
/// How many different pages are asked for.
const ADDRESSES: usize = 400;
/// How many requests a second with one event each the program must take.
const REQUESTS: f64 = 8_000.0;
/// And its slowest within the 99th percentile, in milliseconds.
const REQUEST: f64 = 30.0;
/// How many events a second it must take in batches.
const BATCHED: f64 = 45_000.0;
/// A page within the 99th percentile must not take longer, in milliseconds.
const PAGE: f64 = 25.0;
/// More events a second than the program could take: so many are made beforehand.
const SINGLE_MOST: u64 = 20_000;
const BATCHED_MOST: u64 = 70_000;

/// One connection that is kept open.
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    host: String,
}

/// What was answered.
struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    body: Bytes,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            requests,
            host: address.to_string(),
        })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Bytes,
    ) -> Result<Answer, BenchError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| BenchError::Unfit(error.to_string()))?;
        // The connection is ready again a moment after its last answer was read.
        self.requests.ready().await?;
        let (parts, body) = self.requests.send_request(request).await?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// Waits until the server answers questions.
    async fn wait_until_ready(&mut self) -> Result<(), BenchError> {
        loop {
            let answer = self.send(Method::GET, "/readyz", &[], Bytes::new()).await?;
            if answer.status == StatusCode::OK {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Answer {
    fn expect(self, status: StatusCode) -> Result<Self, BenchError> {
        if self.status == status {
            return Ok(self);
        }
        Err(BenchError::Unfit(format!(
            "the server answered {}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        )))
    }
}

/// What a burst of requests came to.
struct Burst {
    requests: u64,
    elapsed: Duration,
    times: Times,
}

/// Has `senders` connections send bodies, each the next that is left, until `time` is over or none
/// is left.
async fn burst(
    address: SocketAddr,
    token: &str,
    senders: usize,
    bodies: Vec<Bytes>,
    time: Duration,
) -> Result<Burst, BenchError> {
    let bodies = Arc::new(bodies);
    let next = Arc::new(AtomicUsize::new(0));
    let authorization: Arc<str> = format!("Bearer {token}").into();
    let mut connections = Vec::new();
    for _ in 0..senders {
        connections.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let (bodies, next) = (Arc::clone(&bodies), Arc::clone(&next));
        let authorization = Arc::clone(&authorization);
        tasks.spawn(async move {
            let headers = [
                (header::AUTHORIZATION, &*authorization),
                (header::CONTENT_TYPE, "application/json"),
            ];
            let mut times = Vec::new();
            while begun.elapsed() < time {
                let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let sent = Instant::now();
                connection
                    .send(Method::POST, "/api/v1/events", &headers, body.clone())
                    .await?
                    .expect(StatusCode::CREATED)?;
                times.push(sent.elapsed());
            }
            Ok::<_, BenchError>(times)
        });
    }
    let mut times = Times::default();
    while let Some(task) = tasks.join_next().await {
        times.extend(task.map_err(|error| BenchError::Unfit(error.to_string()))??);
    }
    Ok(Burst {
        requests: times.len() as u64,
        elapsed: begun.elapsed(),
        times,
    })
}

/// Measures what the program records: one event a request from many senders, then batches.
///
/// # Errors
///
/// The program does not run, or refused something.
pub async fn measure_recording(
    program: &Path,
    folder: &Path,
    world: &World,
    seed: u64,
    time: Duration,
) -> Result<Vec<Row>, BenchError> {
    let folder = empty(&folder.join("http"))?;
    let program = Program::on(program, &folder.join("daybook.db"))?;
    let place = path(LARGE)?;
    program.run(&["tenant", "create", place.tenant.as_str()], "")?;
    program.run(&["workspace", "create", LARGE], "")?;
    let settings = ["settings", "set", "--workspace", LARGE];
    program.run(&[&settings[..], &["--retention", "forever"]].concat(), "")?;
    let token = ["token", "create", "--workspace", LARGE, "--name", "bench"];
    let token = program.run(&[&token[..], &["--scope", "events:write"]].concat(), "")?;

    let server = program.serve()?;
    Connection::open(server.address)
        .await?
        .wait_until_ready()
        .await?;

    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let end = Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap_or(0));
    let set = |seed: u64, events: u64| Set { seed, events, end };
    let whole = time.as_secs().max(1);

    let made = bar(0, "making events to send over HTTP");
    let single = |seed: u64, events: u64| -> Vec<Bytes> {
        set(seed, events)
            .events(world)
            .map(|event| Bytes::from(as_json(&event).to_string()))
            .collect()
    };
    // A first second warms up what is measured.
    let warming = single(seed + 1, SINGLE_MOST);
    let ones = single(seed + 2, whole * SINGLE_MOST);
    made.finish_and_clear();
    let sending = bar(0, "sending one event a request");
    burst(
        server.address,
        &token,
        SENDERS,
        warming,
        Duration::from_secs(1),
    )
    .await?;
    let ones = burst(server.address, &token, SENDERS, ones, time).await?;
    sending.finish_and_clear();

    let sending = bar(0, "sending batches of 1,000");
    let mut events = set(seed + 3, whole * BATCHED_MOST).events(world);
    let batches: Vec<Bytes> = std::iter::from_fn(|| {
        let batch: Vec<Value> = events.by_ref().take(BATCH).map(|it| as_json(&it)).collect();
        (!batch.is_empty()).then(|| Bytes::from(Value::Array(batch).to_string()))
    })
    .collect();
    let batches = burst(server.address, &token, BATCH_SENDERS, batches, time).await?;
    sending.finish_and_clear();
    server.stop()?;
    std::fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;

    let name = format!("over HTTP, one event a request, {SENDERS} senders");
    let batch_name = format!("over HTTP, batches of 1,000, {BATCH_SENDERS} senders");
    Ok(vec![
        Row::new(
            name.clone(),
            Unit::RequestsPerSecond,
            rate(ones.requests, ones.elapsed),
        )
        .bar(REQUESTS),
        Row::new(
            format!("{name}: p99"),
            Unit::Milliseconds,
            ones.times.per_mille(990),
        )
        .bar(REQUEST),
        Row::new(
            batch_name,
            Unit::EventsPerSecond,
            rate(batches.requests * BATCH as u64, batches.elapsed),
        )
        .bar(BATCHED),
    ])
}

/// Measures pages as a browser gets them: signed in, compressed, of the whole set.
///
/// # Errors
///
/// The program does not run, or a page was not shown.
pub async fn measure_pages(
    program: &Path,
    sets: &Sets,
    world: &World,
    seed: u64,
    time: Duration,
) -> Result<Vec<Row>, BenchError> {
    let program = Program::on(program, &sets.database())?;
    let server = program.serve()?;
    let mut connection = Connection::open(server.address).await?;
    connection.wait_until_ready().await?;
    let cookie: Arc<str> = sign_in(&mut connection).await?.into();

    let looking = bar(0, "looking at every page once");
    let addresses = Arc::new(addresses(&mut connection, world, &cookie, seed).await?);
    looking.finish_and_clear();
    let readings = [
        (READERS, Duration::ZERO, "16 readers without a pause"),
        (
            READERS,
            LOOKING,
            "16 readers, each pausing a quarter of a second",
        ),
        (1, Duration::ZERO, "one reader"),
    ];
    let mut rows = Vec::new();
    for (readers, pause, name) in readings {
        let reading = bar(0, "reading pages as HTML");
        let times = read(&server, &cookie, &addresses, readers, pause, time).await?;
        reading.finish_and_clear();
        for (part, of_thousand) in [("p50", 500), ("p99", 990)] {
            let row = Row::new(
                format!("an HTML page of 50, {name}: {part}"),
                Unit::Milliseconds,
                times.per_mille(of_thousand),
            );
            let is_barred = of_thousand == 990 && readers == READERS;
            rows.push(if is_barred { row.bar(PAGE) } else { row });
        }
        if readers == READERS && pause.is_zero() {
            rows.push(Row::new(
                format!("an HTML page of 50, {name}"),
                Unit::RequestsPerSecond,
                rate(times.len() as u64, time),
            ));
        }
    }
    drop(connection);
    server.stop()?;
    Ok(rows)
}

/// Signs in with the form: the cookie to bring along.
async fn sign_in(connection: &mut Connection) -> Result<String, BenchError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", OWNER)
        .append_pair("password", PASSWORD)
        .append_pair("next", "")
        .finish();
    let headers = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")];
    let answer = connection
        .send(Method::POST, "/login", &headers, form.into())
        .await?
        .expect(StatusCode::SEE_OTHER)?;
    answer
        .headers
        .get(header::SET_COOKIE)
        .and_then(|cookie| cookie.to_str().ok()?.split(';').next())
        .map(str::to_owned)
        .ok_or_else(|| BenchError::Unfit("signing in left no cookie".to_owned()))
}

/// The addresses that readers ask for: of four questions three begin at the first page, and one
/// goes on to the second.
async fn addresses(
    connection: &mut Connection,
    world: &World,
    cookie: &str,
    seed: u64,
) -> Result<Vec<String>, BenchError> {
    let page = format!("/{LARGE}/audit");
    let mut addresses = Vec::with_capacity(ADDRESSES);
    let mut full = 0;
    for (at, query) in everyday(world, end_of_set(), seed, ADDRESSES)?
        .into_iter()
        .enumerate()
    {
        let first = format!("{page}?{}", query.query_string());
        let headers = [(header::COOKIE, cookie), (header::ACCEPT, "text/html")];
        let answer = connection
            .send(Method::GET, &first, &headers, Bytes::new())
            .await?
            .expect(StatusCode::OK)?;
        let html = String::from_utf8_lossy(&answer.body);
        let rows = html.matches("data-event-id=").count();
        full += usize::from(rows >= query.page_size());
        let next = next_page(&html).filter(|_| at % 4 == 3);
        addresses.push(next.unwrap_or(first));
    }
    // Pages that show nothing would be quick, and tell nothing.
    if full < ADDRESSES / 4 {
        return Err(BenchError::Unfit(format!(
            "only {full} of {ADDRESSES} pages are full"
        )));
    }
    Ok(addresses)
}

/// Where a page's link to the next one leads.
fn next_page(html: &str) -> Option<String> {
    let tag = html
        .split('<')
        .filter_map(|piece| piece.split_once('>').map(|(tag, _)| tag))
        .find(|tag| tag.starts_with("a ") && tag.contains("rel=\"next\""))?;
    let (_, rest) = tag.split_once("href=\"")?;
    let (address, _) = rest.split_once('"')?;
    Some(address.replace("&amp;", "&"))
}

/// Has readers ask for pages until `time` is over: how long each took until its last byte.
async fn read(
    server: &Server,
    cookie: &Arc<str>,
    addresses: &Arc<Vec<String>>,
    readers: usize,
    pause: Duration,
    time: Duration,
) -> Result<Times, BenchError> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for reader in 0..readers {
        let mut connection = Connection::open(server.address).await?;
        let (cookie, addresses) = (Arc::clone(cookie), Arc::clone(addresses));
        tasks.spawn(async move {
            let headers = [
                (header::COOKIE, &*cookie),
                (header::ACCEPT, "text/html"),
                (header::ACCEPT_ENCODING, "gzip, deflate, br"),
            ];
            let mut dice = data::Dice::new(reader as u64);
            let mut times = Vec::new();
            while begun.elapsed() < time {
                if !pause.is_zero() {
                    // Nobody keeps in step with the others.
                    let part = u32::try_from(dice.below(1_000)).unwrap_or(0);
                    tokio::time::sleep(pause / 2 + pause * part / 1_000).await;
                }
                let address = &addresses[dice.index(addresses.len())];
                let asked = Instant::now();
                connection
                    .send(Method::GET, address, &headers, Bytes::new())
                    .await?
                    .expect(StatusCode::OK)?;
                times.push(asked.elapsed());
            }
            Ok::<_, BenchError>(times)
        });
    }
    let mut times = Times::default();
    while let Some(task) = tasks.join_next().await {
        times.extend(task.map_err(|error| BenchError::Unfit(error.to_string()))??);
    }
    Ok(times)
}

fn path(text: &str) -> Result<WorkspacePath, BenchError> {
    text.parse()
        .map_err(|error| BenchError::Unfit(format!("{text}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_is_found_whatever_stands_around_it() {
        let html = "<nav><a href=\"/a?x=1\" rel=\"prev\">←</a> \
                    <a class=\"b\" href=\"/a?x=1&amp;cursor=c\" rel=\"next\">Older →</a></nav>";
        assert_eq!(next_page(html).as_deref(), Some("/a?x=1&cursor=c"));
        assert_eq!(next_page("<a href=\"/a\">rel=\"next\"</a>"), None);
    }
}
