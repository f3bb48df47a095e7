//! The pages that people see, and the server functions that they call: for who is signed in by a
//! cookie. It knows no tokens.

mod export;
pub mod plain;
mod proof;
mod reveal;
mod shell;

use crate::{
    http::{Caller, ServeConfig},
    sign_in,
};
use app::{
    App,
    answer::{Answer, Reply, Revealed},
    viewer::{RequestFacts, Viewer},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use leptos::prelude::*;
use leptos_axum::{
    LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions_and_ssg_and_context,
    render_app_async_with_context,
};
use shell::Shell;
use std::{any::Any, sync::Arc, time::Duration};
use store::{Store, StoreError};
use tower_http::{
    catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer,
    timeout::RequestBodyDeadlineLayer,
};

/// How many bytes a form or the call of a server function may have.
const BODY_MOST: usize = 64 * 1024;
/// How long it may take to arrive.
const BODY_TIME_MOST: Duration = Duration::from_secs(30);

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// What every page says of itself, beside its Content-Security-Policy.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::REFERRER_POLICY, "same-origin"),
    (
        PERMISSIONS_POLICY,
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (OPENER_POLICY, "same-origin"),
    // What somebody may see must not be there for who uses the browser after them.
    (header::CACHE_CONTROL, "no-store"),
];

#[derive(Clone)]
struct Sessions {
    store: Store,
    config: Arc<ServeConfig>,
}

/// All pages and server functions; what is at no address is a page too, with status 404.
pub fn router(store: &Store, config: &Arc<ServeConfig>) -> Router {
    let options = LeptosOptions::builder().output_name("app").build();
    let context = provide(store.clone(), config);
    let (listing, _) =
        generate_route_list_with_exclusions_and_ssg_and_context(App, None, context.clone());
    let render = render_app_async_with_context(context.clone(), || view! { <Shell/> });
    let exports = {
        let render = render.clone();
        export::router(store.clone(), Arc::new(move |request| render(request)))
    };
    let sessions = Sessions {
        store: store.clone(),
        config: Arc::clone(config),
    };
    let router = Router::new()
        .leptos_routes_with_context(&options, listing, context, || view! { <Shell/> })
        .merge(exports)
        .merge(proof::router(store.clone()))
        .fallback(move |request: Request| not_found(render(request)))
        .layer(middleware::from_fn_with_state(sessions, look_up_viewer))
        .with_state(options);
    bounded(router)
}

/// What everything that people's browsers ask for passes through.
pub fn bounded(router: Router) -> Router {
    let router = router
        .layer(RequestBodyLimitLayer::new(BODY_MOST))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME_MOST))
        .layer(CatchPanicLayer::custom(panicked));
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        let value = HeaderValue::from_static(value);
        router.layer(SetResponseHeaderLayer::if_not_present(name, value))
    })
}

async fn not_found(page: impl Future<Output = Response<Body>>) -> Response {
    let mut page = page.await;
    if page.status().is_success() {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    page
}

/// What the app finds by context: the store, how people sign in, who looks, and where to say more than
/// HTML.
fn provide(
    store: Store,
    config: &ServeConfig,
) -> impl Fn() + Clone + Send + Sync + use<> + 'static {
    let secure = config.is_secure();
    let ways = config.sign_in.for_pages();
    move || {
        provide_context(store.clone());
        provide_context(ways.clone());
        let parts = use_context::<Parts>();
        let viewer = parts
            .as_ref()
            .and_then(|parts| parts.extensions.get::<Viewer>().cloned())
            .unwrap_or_else(|| Viewer {
                signed_in: None,
                request: RequestFacts::default(),
            });
        provide_context(viewer.clone());
        let revealed = parts
            .as_ref()
            .and_then(|parts| parts.extensions.get::<Revealed>().cloned());
        provide_context(revealed.unwrap_or_default());
        let takes_pages = parts.is_some_and(|parts| accepts_html(&parts.headers));
        let options = use_context::<ResponseOptions>().unwrap_or_default();
        let store = store.clone();
        provide_context(Answer::new(takes_pages, move |reply| match reply {
            Reply::Reveal(Revealed(text)) => {
                let cookie = text
                    .zip(viewer.signed_in.as_ref())
                    .and_then(|(text, person)| reveal::set(&store, person, &text, secure));
                if let Some(cookie) = cookie {
                    options.append_header(header::SET_COOKIE, cookie);
                }
            }
            Reply::Status(code) => set_status(&options, code),
            Reply::SeeOther(address) => see_other(&options, address),
        }));
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
}

fn set_status(options: &ResponseOptions, code: u16) {
    if let Ok(status) = StatusCode::from_u16(code) {
        options.set_status(status);
    }
}

fn see_other(options: &ResponseOptions, address: String) {
    match HeaderValue::try_from(address) {
        Ok(address) => {
            options.set_status(StatusCode::SEE_OTHER);
            options.insert_header(header::LOCATION, address);
        }
        Err(error) => tracing::error!("a page leads to what is no address: {error}"),
    }
}

/// Finds out who is signed in, anew for each request, so that what was taken from somebody is gone
/// at once; and what the form before gave this page to show once, which is gone with this answer.
async fn look_up_viewer(
    State(sessions): State<Sessions>,
    mut request: Request,
    next: Next,
) -> Response {
    let secure = sessions.config.is_secure();
    let signed_in = match sign_in::secret(request.headers(), secure) {
        None => Ok(None),
        Some(secret) => sessions.store.session(&secret).await,
    };
    let signed_in = match signed_in {
        Ok(signed_in) => signed_in,
        Err(error) => return unavailable(&error),
    };
    let viewer = Viewer {
        signed_in,
        request: RequestFacts {
            context: Some(Caller::within(request.extensions()).context()),
            public_url: public_url(&sessions.config, request.headers()),
        },
    };
    let sealed = reveal::brought(request.method(), request.headers(), secure);
    if let Some(sealed) = &sealed {
        let revealed = reveal::opened(&sessions.store, viewer.signed_in.as_ref(), sealed);
        request.extensions_mut().insert(revealed);
    }
    request.extensions_mut().insert(viewer);
    let mut answer = next.run(request).await;
    if sealed.is_some()
        && reveal::was_shown(answer.status())
        && let Some(cookie) = reveal::clear(secure)
    {
        let headers = answer.headers_mut();
        headers.append(header::SET_COOKIE, cookie);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

/// What is told where the store cannot say who somebody is.
pub fn unavailable(error: &StoreError) -> Response {
    tracing::error!("a session was not looked up: {error}");
    plain::unavailable("The log cannot be read now. Please try again in a moment.")
}

/// How this installation is reached: as configured, else as this request names it.
fn public_url(config: &ServeConfig, headers: &HeaderMap) -> String {
    if let Some(url) = &config.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .map_or_else(|| config.listen.to_string(), str::to_owned);
    format!("http://{host}")
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = crate::http::panic_words(panic.as_ref());
    tracing::error!("a page panicked: {words}");
    plain::failed("Something went wrong on our side. It has been written to the server's log.")
}
