//! The tables of the Blame tab, as text: an object may have many fields.

use super::view::{
    BeforeView, DifferenceView, FieldView, KnownView, MomentView, PathView, SetView, ShownView,
    SilentView,
};
use crate::{
    ago::ago,
    log::view::{ActorView, Sign, ValueView, WhenView},
    number::grouped,
};
use domain::event::ActorKind;
use maud::{Markup, html};

/// When the page was read, in milliseconds since 1970, and in which zone times are.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) now: i64,
    pub(super) zone: &'a str,
}

/// The fields, the history of one, or what is different; `called`: what the object is called.
pub(super) fn table(known: &KnownView, called: &str, all: &str, read: Read<'_>) -> Markup {
    match &known.shown {
        ShownView::Fields(fields) => {
            let caption = html! {
                caption.sr-only {
                    "Each field of " (called) ", who set it last, when, and what it was before"
                }
            };
            html! { (fields_of(fields, &caption, true, read)) (key(fields, read)) }
        }
        ShownView::History(settings) => {
            let caption = html! {
                caption.sr-only { "What it was, who set it, and when, newest first" }
            };
            html! { (fields_of(settings, &caption, false, read)) (key(settings, read)) }
        }
        ShownView::Differences {
            moments,
            changed,
            same,
        } => differences(moments, changed, *same, all, read),
    }
}

fn key(fields: &[FieldView], read: Read<'_>) -> Markup {
    html! {
        @if !fields.is_empty() {
            p.age-key {
                "The stripe at the left is stronger the more recently a field was set. Times in "
                (read.zone) "."
            }
        }
    }
}

fn fields_of(fields: &[FieldView], caption: &Markup, leads: bool, read: Read<'_>) -> Markup {
    html! {
        table.blame {
            (caption)
            colgroup {
                col.c-age;
                col.c-field;
                col;
                col.c-by;
                col.c-when;
                col.c-was;
                col.c-n;
            }
            thead {
                tr {
                    td {}
                    th.c-field scope="col" { "Field" }
                    th scope="col" { "Value" }
                    th scope="col" { "Set by" }
                    th scope="col" { "Set on" }
                    th scope="col" { "Before" }
                    th.n scope="col" { "Changes" }
                }
            }
            tbody {
                @for field in fields {
                    (row(field, leads, read))
                }
            }
        }
    }
}

fn row(field: &FieldView, leads: bool, read: Read<'_>) -> Markup {
    html! {
        tr data-age=(field.age) data-field={ (field.path.parent) (field.path.name) } {
            td.age aria-hidden="true" { i {} }
            th.c-field scope="row" {
                @if leads {
                    a href=(field.history) title="History of this field" { (path(&field.path)) }
                } @else {
                    (path(&field.path))
                }
            }
            td.c-value {
                @match &field.value {
                    Some(shown) => span.value { (value(shown)) },
                    None => span.value.unknown { "removed" },
                }
            }
            (set(&field.set, "c-by", "c-when", read))
            td.c-before {
                @match &field.before {
                    BeforeView::Value(shown) => span.before { (value(shown)) },
                    BeforeView::NotSet => span.before.was-absent { "not set" },
                    BeforeView::Unknown => span.before.was-absent { "not known" },
                }
            }
            td.n {
                @match field.changes {
                    Some(changes) => (grouped(changes)),
                    None => "–",
                }
            }
        }
    }
}

/// A path, which may be broken after its dots and underscores.
fn path(path: &PathView) -> Markup {
    let parts = |text: &str| {
        let parts = text.split_inclusive(['.', '_']).map(str::to_owned);
        parts.collect::<Vec<_>>()
    };
    html! {
        @if !path.parent.is_empty() {
            span.parent { @for part in parts(&path.parent) { (part) wbr; } }
        }
        @for part in parts(&path.name) { (part) wbr; }
    }
}

fn value(shown: &ValueView) -> Markup {
    let text = html! {
        (shown.head)
        @if !shown.differs.is_empty() {
            mark { (shown.differs) }
        }
        (shown.tail)
    };
    html! {
        @match &shown.folded {
            None => (text),
            Some((start, characters)) => {
                details {
                    summary {
                        span.head { (start) }
                        " "
                        span.more { "all " (characters) " characters" }
                    }
                    (text)
                }
            }
        }
    }
}

/// The two cells that tell who set something and when.
fn set(set: &SetView, by: &str, on: &str, read: Read<'_>) -> Markup {
    match set {
        SetView::Event {
            actor,
            when,
            entry,
            before,
        } => html! {
            td class=(by) { (who(actor)) }
            td class=(on) {
                .line-1 {
                    a href=(entry) { (time(when)) }
                }
                .line-2 {
                    (ago_of(when, read))
                    " "
                    a.then href=(before) { "before this" }
                }
            }
        },
        SetView::Initial => html! {
            td class=(by) {
                .line-1 { span.name.clip { "not known" } }
                .line-2 { span.clip { "before the log begins" } }
            }
            td class=(on) {
                .line-1 { span.quiet { "before the first entry that tells of it" } }
            }
        },
        SetView::Outside {
            since,
            until,
            silent,
        } => html! {
            td class=(by) {
                @match silent {
                    None => {
                        .line-1 { span.name { "outside the log" } }
                        .line-2 { span.clip { "no entry tells who" } }
                    }
                    Some(silent) => {
                        .line-1 { span.name { "not told" } }
                        (perhaps(silent))
                    }
                }
            }
            td.outside class=(on) {
                .line-1 { "between " (time(since)) }
                .line-2 { "and " (time(until)) }
            }
        },
        SetView::Erased {
            since,
            until,
            silent,
        } => html! {
            td class=(by) {
                .line-1 { span.name { "erased" } }
                (perhaps(silent))
            }
            td.outside class=(on) {
                @match since {
                    Some(since) => {
                        .line-1 { "between " (time(since)) }
                        .line-2 { "and " (time(until)) }
                    }
                    None => .line-1 { "until " (time(until)) }
                }
            }
        },
    }
}

/// Who may have set it.
fn perhaps(silent: &SilentView) -> Markup {
    html! {
        .line-2 {
            span.clip { "perhaps by " a href=(silent.entries) { (silent.words) } }
        }
    }
}

fn who(actor: &ActorView) -> Markup {
    let kind = match actor.kind {
        ActorKind::User => None,
        kind if kind.as_str() == actor.name => None,
        kind => Some(kind.as_str()),
    };
    let via = (!actor.via.is_empty()).then(|| format!("via {}", actor.via.join(", ")));
    let second = via.as_ref().or(actor.second.as_ref());
    html! {
        .line-1 {
            span.name.clip.gone[actor.deactivated] title=(actor.name) { (actor.name) }
            @if actor.deactivated {
                span.tag { "deactivated" }
            }
            @if let Some(kind) = kind {
                span.tag { (kind) }
            }
        }
        .line-2 {
            @if let Some(second) = second {
                span.clip title=(second) { (second) }
            }
        }
    }
}

fn time(when: &WhenView) -> Markup {
    html! {
        time datetime=(when.iso) title=(when.exact) { (when.date) " " (when.clock) }
    }
}

fn ago_of(when: &WhenView, read: Read<'_>) -> Markup {
    let passed = read.now - when.millis;
    html! {
        span data-passed=(passed) data-midnights=(when.days_ago) { (ago(passed, when.days_ago)) }
    }
}

fn differences(
    (first, second): &(String, String),
    changed: &[DifferenceView],
    same: usize,
    all: &str,
    read: Read<'_>,
) -> Markup {
    let fields = |count: usize| match count {
        1 => "1 field".to_owned(),
        count => format!(
            "{} fields",
            grouped(u64::try_from(count).unwrap_or(u64::MAX))
        ),
    };
    html! {
        table.diff.wide {
            caption {
                "Between the two moments " (fields(changed.len())) " changed, "
                (grouped(u64::try_from(same).unwrap_or(u64::MAX))) " did not. "
                a href=(all) { "Show all fields" }
            }
            colgroup {
                col.c-field;
                col;
                col;
                col.c-by;
                col.c-when;
            }
            thead {
                tr {
                    th scope="col" { "Field" }
                    th scope="col" { (first) }
                    th scope="col" { (second) }
                    th scope="col" { "Set by" }
                    th scope="col" { "Set on" }
                }
            }
            tbody {
                @for one in changed {
                    tr data-change=(one.sign.word()) data-field={ (one.path.parent) (one.path.name) } {
                        th scope="row" {
                            span.sign aria-hidden="true" { (one.sign.mark()) }
                            span.sr-only { (one.sign.word()) ": " }
                            a href=(one.history) title="History of this field" { (path(&one.path)) }
                        }
                        (side(one.before.as_ref(), Sign::Removed))
                        (side(one.after.as_ref(), Sign::Added))
                        (set(&one.set, "by", "by", read))
                    }
                }
            }
        }
        p.age-key { "Times in " (read.zone) "." }
    }
}

fn side(shown: Option<&ValueView>, sign: Sign) -> Markup {
    match (shown, sign) {
        (Some(shown), Sign::Removed) => html! { td { del { (value(shown)) } } },
        (Some(shown), _) => html! { td { ins { (value(shown)) } } },
        (None, Sign::Removed) => html! { td.absent { "not set" } },
        (None, _) => html! { td.absent { "removed" } },
    }
}

/// The moments at which something changed, as a strip in time.
pub(super) fn strip(moments: &[MomentView]) -> Markup {
    let (Some(newest), Some(oldest)) = (moments.first(), moments.last()) else {
        return html! {};
    };
    let length = newest.when.millis - oldest.when.millis;
    if length <= 0 {
        return html! {};
    }
    // From 10 to 990 of the 1000 that the strip is wide.
    let place = |moment: &MomentView| {
        10 + (moment.when.millis - oldest.when.millis).saturating_mul(980) / length
    };
    html! {
        .strip {
            svg viewBox="0 0 1000 32" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                line.base x1="0" x2="1000" y1="24" y2="24" {}
                @for moment in moments.iter().rev() {
                    @let x = place(moment);
                    a href=(moment.there) tabindex="-1" aria-current=[moment.is_shown.then_some("true")] {
                        rect x=(x - 5) y="2" width="10" height="30" {}
                        line x1=(x) x2=(x) y1="6" y2="24" {}
                    }
                }
            }
            ol.axis aria-hidden="true" {
                li { (oldest.when.date) }
                li { (newest.when.date) }
            }
        }
    }
}
