//! The body of a request: how much is taken, and that what is left over is read away.

use super::problem::{Kind, Problem};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{
    error::Error,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tower_http::timeout::TimeoutError;

/// How many bytes of a body that nobody asked for are read all the same: 32 MiB.
const LEFT_OVER_MOST: usize = 32 * 1024 * 1024;
/// How long that may take.
const LEFT_OVER_TIME: Duration = Duration::from_secs(10);

/// A whole body of at most `MOST` bytes, not compressed.
pub struct Payload<const MOST: usize> {
    /// What the sender says that it is, in lowercase, without its parameters; empty if it does not.
    pub media_type: String,
    /// The body.
    pub bytes: Bytes,
}

impl<S: Send + Sync, const MOST: usize> FromRequest<S> for Payload<MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        refuse_encoding(&parts)?;
        let announced = body.size_hint().lower();
        if announced > MOST as u64 {
            return Err(too_large(MOST));
        }
        let bytes = Limited::new(body, MOST)
            .collect()
            .await
            .map_err(|error| broken(error.as_ref(), MOST))?
            .to_bytes();
        let media_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase())
            .unwrap_or_default();
        Ok(Self { media_type, bytes })
    }
}

fn refuse_encoding(parts: &Parts) -> Result<(), Problem> {
    match parts.headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            let detail = "bodies are sent as they are, without Content-Encoding";
            Err(Problem::new(Kind::UnsupportedEncoding, detail))
        }
        _ => Ok(()),
    }
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body of this request may have at most {most} bytes");
    Problem::new(Kind::TooLarge, detail)
}

/// Why a body could not be read to its end.
fn broken(error: &(dyn Error + 'static), most: usize) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large(most);
        }
        if error.is::<TimeoutError>() {
            let detail = "nothing came for too long, or all of it took too long";
            return Problem::new(Kind::BodyTimeout, detail);
        }
        cause = error.source();
    }
    Problem::new(Kind::BadRequest, "the body ended too early")
}

/// Reads what is left of a refused request's body, within bounds, before the answer is sent: a
/// connection that is closed on unread bytes is reset, and the sender would never see the answer.
pub async fn read_left_over(request: Request, next: Next) -> Response {
    // Who waits to be asked for the body has not sent it.
    if request.headers().contains_key(header::EXPECT) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body)));
    let mut left_over = shared.clone();
    let response = next
        .run(Request::from_parts(parts, Body::new(shared)))
        .await;
    let read = async {
        let mut bytes = 0;
        while bytes < LEFT_OVER_MOST
            && let Some(Ok(frame)) =
                poll_fn(|context| Pin::new(&mut left_over).poll_frame(context)).await
        {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    if !response.status().is_success() {
        let _ = tokio::time::timeout(LEFT_OVER_TIME, read).await;
    }
    response
}

/// A body that can be read on after its first reader is done.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if body.is_end_stream() {
            return Poll::Ready(None);
        }
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    const MOST: usize = 1_000_000;

    async fn read(body: Body) -> Result<usize, StatusCode> {
        let request = Request::new(body);
        match Payload::<MOST>::from_request(request, &()).await {
            Ok(payload) => Ok(payload.bytes.len()),
            Err(problem) => Err(problem.into_response().status()),
        }
    }

    #[tokio::test]
    async fn as_much_as_is_taken_is_taken_and_not_one_byte_more() {
        let most = vec![b' '; MOST];
        assert_eq!(read(Body::from(most.clone())).await, Ok(MOST));
        let more = [most, vec![b' ']].concat();
        assert_eq!(
            read(Body::from(more.clone())).await,
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        );
        // Nor when its length was not announced.
        let unannounced = Body::new(Body::from(more).map_frame(|frame| frame));
        assert_eq!(read(unannounced).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[tokio::test]
    async fn a_compressed_body_is_not_taken_for_broken_json() {
        let mut request = Request::new(Body::from("x"));
        let encoding = axum::http::HeaderValue::from_static("gzip");
        request
            .headers_mut()
            .insert(header::CONTENT_ENCODING, encoding);
        let problem = Payload::<MOST>::from_request(request, &())
            .await
            .err()
            .unwrap();
        assert_eq!(
            problem.into_response().status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
    }
}
