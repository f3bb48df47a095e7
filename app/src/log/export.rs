//! Taking away what the page shows, as a file: the menu, which is a form, and how far an export is,
//! which the page tells once it is live.

use crate::{address::Links, icon::Icon, live::EXPORT_FORM, number::grouped};
use leptos::prelude::*;
use std::sync::Arc;
use store::export::{Broken, Format, Progress, State};

/// What the form says for NDJSON with proofs.
pub const PROVED: &str = "ndjson-with-proof";

/// The menu of formats.
#[component]
pub(super) fn ExportMenu(links: Arc<Links>) -> impl IntoView {
    let formats = Format::ALL
        .map(|format| {
            let what = match format {
                Format::Csv => "for a spreadsheet",
                Format::Ndjson => "one entry a line",
                Format::Json => "one document",
            };
            view! {
                <li>
                    <button type="submit" name="format" value=format.as_str()>
                        {format.label()}
                        " "
                        <span class="quiet">{what}</span>
                    </button>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="menu to-end export-menu">
            <summary class="button">
                <Icon name="export"/>
                "Export"
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-panel">
                <p class="menu-head">"These filters, every page of them"</p>
                <form id=EXPORT_FORM method="post" action=links.export()>
                    // What the page calls it, once it is live.
                    <input type="hidden" name="export" value=""/>
                    <ul>
                        {formats}
                        <li>
                            <button type="submit" name="format" value=PROVED>
                                "With proof "
                                <span class="quiet">"NDJSON, for daybook verify"</span>
                            </button>
                        </li>
                    </ul>
                </form>
            </div>
        </details>
    }
    .into_any()
}

/// What is said of an export in a line.
pub(crate) fn words(progress: &Progress) -> String {
    let label = progress.format.label();
    let entries = |rows: u64| {
        let plural = if rows == 1 { "entry" } else { "entries" };
        format!("{} {plural}", grouped(rows))
    };
    let rows = progress.rows;
    match &progress.state {
        State::Running => match progress.of {
            Some(of) => format!("{label}: {} of {} so far", grouped(rows), entries(of)),
            None => format!("{label}: {} so far", entries(rows)),
        },
        State::Whole(whole) => format!("{label}: all {} exported", entries(whole.rows)),
        State::Broken(why) => {
            let why = match why {
                Broken::Cancelled => "Cancelled",
                Broken::Gone => "The browser stopped it",
                Broken::Stalled => "The browser took nothing for too long",
                Broken::Refused => "The right to export was taken away, or is over,",
                Broken::Stopped => "The server was stopped",
                Broken::Failed(_) => "The server failed",
            };
            format!(
                "{label}: {why} after {}. The file is not complete.",
                entries(rows)
            )
        }
    }
}

/// How far an export is.
#[component]
pub(crate) fn ExportProgress(
    /// What the page calls it.
    name: String,
    progress: Progress,
) -> impl IntoView {
    let words = words(&progress);
    let label = progress.format.label();
    let (bar, hash, act) = match &progress.state {
        State::Running => {
            // Rows may drop out meanwhile: the bar is full when it is over.
            let bar = match progress.of {
                Some(of) => view! {
                    <progress aria-label=format!("{label} export") max=of.max(1) value=progress.rows.min(of)></progress>
                }
                .into_any(),
                None => view! { <progress aria-label=format!("{label} export")></progress> }.into_any(),
            };
            let act = view! {
                <button class="button" type="button" data-export-cancel=name.clone()>
                    "Cancel"
                    <span class="sr-only">{format!(" the {label} export")}</span>
                </button>
            };
            (Some(bar), None, act.into_any())
        }
        state => {
            let hash = match state {
                State::Whole(whole) => Some(view! {
                    <p class="quiet">
                        "SHA-256 "
                        <code>{whole.sha256.clone()}</code>
                    </p>
                }),
                State::Running | State::Broken(_) => None,
            };
            let act = view! {
                <button class="button" type="button" data-export-close="">
                    "Close"
                    <span class="sr-only">{format!(" the line about the {label} export")}</span>
                </button>
            };
            (None, hash, act.into_any())
        }
    };
    let broke = matches!(progress.state, State::Broken(_));
    let icon = if broke { "warn" } else { "export" };
    view! {
        <div
            role="group" class="export-line" class:broken=broke aria-label=format!("{label} export") data-export=name>
            <Icon name=icon/>
            <div>
                <p data-export-words="">{words}</p>
                {bar}
                {hash}
            </div>
            {act}
        </div>
    }
    .into_any()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use store::export::Whole;

    fn told(of: Option<u64>, state: State) -> String {
        words(&Progress {
            format: Format::Csv,
            rows: 12_345,
            of,
            state,
        })
    }

    #[test]
    fn it_is_said_how_far_an_export_is_and_how_it_ended() {
        let running = told(Some(1_000_000), State::Running);
        assert_eq!(running, "CSV: 12,345 of 1,000,000 entries so far");
        assert_eq!(told(None, State::Running), "CSV: 12,345 entries so far");
        let whole = Whole {
            rows: 1,
            bytes: 2,
            sha256: String::new(),
        };
        assert_eq!(told(None, State::Whole(whole)), "CSV: all 1 entry exported");
        assert_eq!(
            told(None, State::Broken(Broken::Cancelled)),
            "CSV: Cancelled after 12,345 entries. The file is not complete."
        );
    }

    #[test]
    fn the_form_asks_for_what_the_page_shows_without_its_page() {
        use domain::question::{Query, Unknown};
        let address = crate::address::LogAddress::read("/acme/growth/audit").unwrap();
        let query = Query::read("q=a&sort=actor&limit=20&cursor=c", Unknown::Refused).query;
        let links = Links::new(&address, query);
        assert_eq!(links.export(), "/acme/growth/audit/export?q=a&sort=actor");
    }
}
