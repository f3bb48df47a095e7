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
use std::sync::Arc;
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
        let mut events: Vec<Admitted> = Vec::with_capacity(size);
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            answers.push((job.events.len(), job.answer, job.room));
            events.extend(job.events);
        }
        match record(&server, &events).await {
            Ok(receipts) => {
                server.arrivals.came_to_server();
                let mut receipts = receipts.into_iter();
                for (count, answer, _room) in answers {
                    let _ = answer.send(Ok(receipts.by_ref().take(count).collect()));
                }
            }
            Err(error) => {
                tracing::error!("a group of {size} events was not recorded: {error}");
                for (_, answer, _room) in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
    drop(last);
}

async fn record(server: &Server, events: &[Admitted]) -> Result<Vec<Receipt>, StoreError> {
    let mut appender = server.appender().await?;
    appender.record(events, server.clock.now()).await
}
