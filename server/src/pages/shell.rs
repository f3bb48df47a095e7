//! The HTML document around the pages. The browser never builds it, so it lives here.

use crate::assets;
use app::App;
use axum::http::{HeaderValue, header};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

/// An open book, in a colour that is seen on light and on dark.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
    viewBox='0 0 16 16' fill='none' stroke='%234f6bed' stroke-width='1.5' \
    stroke-linejoin='round'%3E%3Cpath d='M8 3.5C6.5 2.5 4 2.2 1.5 2.5v10C4 12.2 6.5 12.5 8 \
    13.5c1.5-1 4-1.3 6.5-1v-10C12 2.2 9.5 2.5 8 3.5zm0 0v10'/%3E%3C/svg%3E";

/// The document, with the links to what the browser loads, and the policy that allows nothing else.
#[component]
pub fn Shell() -> impl IntoView {
    let nonce = use_nonce();
    let answer = use_context::<ResponseOptions>();
    if let (Some(nonce), Some(response)) = (&nonce, answer) {
        let policy = format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
             style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    } else {
        tracing::error!("a page goes out without its Content-Security-Policy");
    }
    let style = assets::CSS.map(|css| view! { <link rel="stylesheet" href=css/> });
    let script = assets::JS.zip(assets::WASM).map(|(js, wasm)| {
        let loader = format!(
            "import start, {{ begin }} from {js:?};\
             await start({{ module_or_path: {wasm:?} }});\
             begin();\
             document.documentElement.dataset.live = '';"
        );
        view! {
            <link rel="modulepreload" href=js/>
            <link
                rel="preload"
                href=wasm
                r#as="fetch"
                r#type="application/wasm"
                crossorigin="anonymous"
            />
            <script type="module" nonce=nonce>
                {loader}
            </script>
        }
    });

    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href=ICON/>
                {style}
                {script}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
