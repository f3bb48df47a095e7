//! When what matches occurred: a low strip of stacked bars, each of which leads to its time. The browser
//! adds what pointing, dragging and arrow keys do.

use super::{
    compose::{HEIGHT, WIDTH},
    view::{BarView, ChartView, SeriesView},
};
use crate::{
    address::Links,
    live::CHART,
    number::{entries, grouped},
};
use leptos::prelude::*;
use maud::{Markup, html};
use std::sync::Arc;

/// The bars, their numbers as a table, and what they are of.
#[component]
pub(crate) fn Chart(links: Arc<Links>, chart: ChartView) -> impl IntoView {
    let drawing = drawing(&links, &chart);
    let rows = rows(&links, &chart);
    let ChartView {
        title,
        series,
        bars,
        axis,
        uncounted,
    } = chart;
    let counted = uncounted.map(|(_, from)| {
        view! { <span class="counted">"Not counted before " {from} "."</span> }
    });
    let is_whole = counted.is_none();
    let legend = series
        .iter()
        .enumerate()
        .map(|(at, series)| {
            view! {
                <li>
                    <i class=class(at, series) data-category=series.category.as_str()></i>
                    {series.label}
                </li>
            }
        })
        .collect_view();
    let axis = axis
        .into_iter()
        .map(|text| view! { <li>{text}</li> })
        .collect_view();
    let heads = series
        .iter()
        .map(|series| view! { <th scope="col">{series.label}</th> })
        .collect_view();
    let last = bars.len();
    let pointer = bars.last().map(|newest| {
        let said = said(newest);
        view! {
            <div
                class="pointer needs-live"
                role="slider"
                tabindex="0"
                aria-label="Time: arrow keys choose a bar, with Shift several, Enter shows them"
                aria-orientation="horizontal"
                aria-valuemin="1"
                aria-valuemax=last.to_string()
                aria-valuenow=last.to_string()
                aria-valuetext=said
            ></div>
        }
    });

    view! {
        <figure
            class="chart"
            id=CHART
            aria-labelledby="chart-title"
            data-unfinished=(!is_whole).then_some("")
        >
            <figcaption class="chart-head">
                <span id="chart-title">{title}</span>
                {counted}
                <output class="num" aria-live="off">
                    <b></b>
                    <span></span>
                </output>
                <ul class="legend" aria-hidden="true">
                    {legend}
                </ul>
            </figcaption>
            <div class="plot">
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    focusable="false"
                    inner_html=drawing.into_string()
                ></svg>
                {pointer}
            </div>
            <ol class="axis" aria-hidden="true">
                {axis}
            </ol>
            <details class="chart-table">
                <summary>"As a table"</summary>
                <div class="scroll" role="region" aria-label="Entries by time" tabindex="0">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Time"</th>
                                <th scope="col">"Entries"</th>
                                {heads}
                            </tr>
                        </thead>
                        <tbody inner_html=rows.into_string()></tbody>
                    </table>
                </div>
            </details>
        </figure>
    }
    .into_any()
}

/// The series are told apart by more than their hue: every second one is darker, and what there is little of
/// pale.
fn class(at: usize, series: &SeriesView) -> String {
    if series.is_rest {
        "rest".to_owned()
    } else {
        format!("s{}", at + 1)
    }
}

/// The page that shows a bar's time alone.
fn leads(links: &Links, bar: &BarView) -> String {
    links.filtered(|filter| {
        filter.range = None;
        filter.since = Some(bar.since);
        filter.until = Some(bar.until);
    })
}

/// A bar in words: "2026-05-12, 1 entry".
fn said(bar: &BarView) -> String {
    let total = bar.total();
    format!("{}, {} {}", bar.words, grouped(total), entries(total))
}

/// What is drawn, as SVG: the bars, and over each a link to its time.
fn drawing(links: &Links, chart: &ChartView) -> Markup {
    html! {
        @if let Some((width, _)) = &chart.uncounted {
            rect .uncounted x="0" y="0" width=(short(*width)) height=(HEIGHT) {}
        }
        g .bars {
            @for (at, series) in chart.series.iter().enumerate() {
                path class=(class(at, series)) data-category=(series.category.as_str()) d=(series.path) {}
            }
        }
        @for (at, bar) in chart.bars.iter().enumerate() {
            a href=(leads(links, bar)) tabindex="-1" data-bar=(at) {
                rect .hit x=(short(bar.x)) y="0" width=(short(bar.width)) height=(HEIGHT) {}
            }
        }
    }
}

/// A place on the drawing: no screen shows more of it.
fn short(place: f64) -> String {
    format!("{place:.1}")
}

/// The same in numbers, as the rows of a table.
fn rows(links: &Links, chart: &ChartView) -> Markup {
    html! {
        @for bar in &chart.bars {
            tr {
                th scope="row" {
                    a href=(leads(links, bar)) data-stay="" { (bar.words) }
                }
                td { (grouped(bar.total())) }
                @for count in &bar.counts {
                    td { (grouped(*count)) }
                }
            }
        }
    }
}
