//! What the pages of an object have around them: its name, its tabs, and the zone that times are in.

use crate::{
    address,
    frame::{Frame, Framed, Here},
    log::{ObjectTab, ObjectTop, ZoneMenu, ZoneView, view::ObjectView},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// What a page of an object is about.
pub(super) struct Shown {
    pub(super) frame: Frame,
    pub(super) object: ObjectView,
    pub(super) zone: String,
    pub(super) tab: ObjectTab,
    /// The page's title, and its path.
    pub(super) title: String,
    pub(super) path: String,
    /// The parameters of its address that stay when the zone is switched.
    pub(super) stays: &'static [&'static str],
    /// Where its content begins, and in which words one skips to it.
    pub(super) skip: (&'static str, &'static str),
}

/// A page of an object; `line` stands before the zone.
#[component]
pub(super) fn ObjectPage(
    shown: Shown,
    #[prop(optional_no_strip)] line: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let Shown {
        frame,
        object,
        zone,
        tab,
        title,
        path,
        stays,
        skip,
    } = shown;
    let workspace = frame.workspace.path.clone();
    let here = address::in_zone(&path, &zone);
    view! {
        <Title text=title/>
        <Framed frame=Some(frame) here=Here::Objects zone=zone.clone() skip>
            <div class="page object-scope">
                <ObjectTop workspace object zone tab here/>
                <div class="object-line">
                    <div class="page-words">
                        {line} <span>"Times in"</span> <ZoneMenu zone=ZoneView::of_page(&path, stays)/>
                    </div>
                </div>
                {children()}
            </div>
        </Framed>
    }
    .into_any()
}

/// What stands where an object's content would, of which nothing is known.
#[component]
pub(super) fn NothingRecorded(id: &'static str) -> impl IntoView {
    view! {
        <section class="nothing" id=id tabindex="-1" aria-labelledby="nothing">
            <h2 id="nothing">"No entries yet"</h2>
            <p>"Nothing that was recorded is about this object."</p>
        </section>
    }
    .into_any()
}
