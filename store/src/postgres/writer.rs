//! The task that empties the queue before the log: it commits groups of requests, and answers.

use super::Server;
use crate::{
    StoreError,
    recording::Receipt,
    sqlite::{
        Admitted,
        writer::{GROUP, Job},
    },
};
use std::{ops::Range, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Takes requests from the queue and commits them in groups, until the queue is closed; then it lets go
/// of `last`.
pub(super) async fn commit_groups(
    server: Arc<Server>,
    mut queue: mpsc::UnboundedReceiver<Job>,
    last: oneshot::Sender<()>,
) {
    while let Some(first) = queue.recv().await {
        let mut jobs = vec![first];
        let mut size = jobs.iter().map(|job| job.events.len()).sum::<usize>();
        while size < GROUP
            && let Ok(next) = queue.try_recv()
        {
            size += next.events.len();
            jobs.push(next);
        }
        metrics::histogram!("daybook_group_events")
            .record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        let parts = parts(&mut jobs, server.known.is_distributed);
        let mut events: Vec<Admitted> = Vec::with_capacity(size);
        let mut places = Vec::with_capacity(jobs.len());
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let from = events.len();
            events.extend(job.events);
            places.push(from..events.len());
            answers.push(Some((job.answer, job.room)));
        }
        record_group(&server, &events, &places, parts, |job, outcome| {
            if let Some((answer, _room)) = answers.get_mut(job).and_then(Option::take) {
                let _ = answer.send(outcome);
            }
        })
        .await;
    }
    drop(last);
}

/// The requests of a group that are recorded together, as ranges of them: all; where tenants are
/// distributed, each tenant's, which come to stand beside each other. So what is committed is one node's,
/// and a node that is away is so for its tenants alone.
fn parts(jobs: &mut [Job], is_distributed: bool) -> Vec<Range<usize>> {
    if !is_distributed {
        return std::iter::once(0..jobs.len()).collect();
    }
    let tenant = |job: &Job| job.events.first().map(|event| event.tenant);
    // A tenant's stay in the order in which they came.
    jobs.sort_by_key(tenant);
    let mut end = 0;
    let of_tenant = |jobs: &[Job]| {
        let from = end;
        end += jobs.len();
        from..end
    };
    jobs.chunk_by(|one, other| tenant(one) == tenant(other))
        .map(of_tenant)
        .collect()
}

/// Records the requests of each part of a group together, and tells each what became of it. Where the
/// database refuses them for what one of them is, the two halves are tried apart, until the others are
/// recorded without it: senders do not answer for each other.
async fn record_group(
    server: &Server,
    events: &[Admitted],
    places: &[Range<usize>],
    mut parts: Vec<Range<usize>>,
    mut tell: impl FnMut(usize, Result<Vec<Receipt>, StoreError>),
) {
    // What is to be tried, the first last.
    parts.reverse();
    while let Some(part) = parts.pop() {
        let jobs = &places[part.clone()];
        let (Some(first), Some(last)) = (jobs.first(), jobs.last()) else {
            continue;
        };
        let of_part = &events[first.start..last.end];
        match record(server, of_part).await {
            Ok(receipts) => {
                server.arrivals.came_to_server();
                let mut receipts = receipts.into_iter();
                for (job, place) in part.zip(jobs) {
                    tell(job, Ok(receipts.by_ref().take(place.len()).collect()));
                }
            }
            Err(StoreError::Database(error) | StoreError::Damaged(error)) if jobs.len() > 1 => {
                tracing::warn!(
                    "a group of {} events is tried in two halves: {error}",
                    of_part.len()
                );
                let middle = part.start + jobs.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(error) => {
                tracing::error!("{} events were not recorded: {error}", of_part.len());
                // Where nobody answers, the others need not be tried.
                let also = match error {
                    StoreError::Unavailable(_) => std::mem::take(&mut parts),
                    _ => Vec::new(),
                };
                for job in also.into_iter().chain([part]).flatten() {
                    tell(job, Err(error.clone()));
                }
            }
        }
    }
}

/// Records events, all or nothing. What failed is tried once more: it may have been another process that
/// was in the way, or a connection that broke off.
async fn record(server: &Server, events: &[Admitted]) -> Result<Vec<Receipt>, StoreError> {
    let mut appender = server.appender().await?;
    match appender.record(events, server.clock.now()).await {
        Err(
            StoreError::Unavailable(error)
            | StoreError::NodeUnavailable(error)
            | StoreError::Database(error)
            | StoreError::Damaged(error),
        ) => {
            tracing::info!("{} events are tried once more: {error}", events.len());
        }
        done => return done,
    }
    drop(appender);
    let mut appender = server.appender().await?;
    appender.record(events, server.clock.now()).await
}
