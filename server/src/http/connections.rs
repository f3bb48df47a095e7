//! Connections: taking them, answering on them, and letting them end.

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tower::ServiceExt;

/// How long a request's head may take to arrive, and a connection stay open without one.
const HEAD_TIME_MOST: Duration = Duration::from_mins(1);

/// Answers on every connection until `stop` resolves; then takes no more, lets the requests in
/// flight finish for at most `last_requests`, and ends what is left.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    stop: impl Future,
    last_requests: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MOST);
    let graceful = GracefulShutdown::new();
    // Dropping it ends what still runs.
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer): (_, SocketAddr) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = &mut stop => break,
        };
        // Without it a page that is sent in pieces waits 40 ms for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY cannot be set: {error}");
        }
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection from {peer} broke: {error}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(last_requests, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}
