//! Settings → Audit log: how long entries are kept, whether they are recorded, and who may open
//! objects' pages.

mod catalogue;
mod change;
mod holds;
mod load;
mod members;
mod personal_data;
mod places;
mod proof;
mod redaction;
mod tenant;
mod tokens;
pub mod view;

pub use catalogue::CataloguePage;
pub use members::MembersPage;
pub use personal_data::PersonalDataPage;
pub use proof::ProofPage;
pub use redaction::RedactionPage;
pub use tenant::{TenantSettingsPage, admins::TenantAdminsPage};
pub use tokens::TokensPage;

use crate::{
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    pages::loaded,
};
use change::{CancelRetention, SaveSettings, Typed};
use holds::{Holds, said::Said};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use places::{Current, Places};
use store::export::Format;
use view::{ExpiringView, ObjectsView, RetentionView, SettingsView};

/// What of a field that is longer than any may be an address keeps.
const KEPT_MOST: usize = 400;

/// A text of which an address does not become too long.
fn kept(text: &str) -> &str {
    kept_within(text, KEPT_MOST)
}

/// The beginning of a text, of at most so many characters.
fn kept_within(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most);
    end.map_or(text, |(end, _)| &text[..end])
}

/// The settings of a workspace.
#[component]
pub fn SettingsPage() -> impl IntoView {
    loaded(
        |asker, path, search| async move {
            let typed = Typed::read(&search);
            let settings = load::settings(asker, &path, &search, &typed).await;
            let is_fault = typed.fault.is_some() || Said::read(&search).is_fault();
            settings.map(|settings| (settings, typed, is_fault))
        },
        |(settings, typed, is_fault)| {
            if is_fault {
                crate::answer::status(400);
            }
            view! { <Page settings typed/> }.into_any()
        },
    )
}

#[component]
fn Page(settings: SettingsView, typed: Typed) -> impl IntoView {
    let SettingsView { frame, zone, .. } = settings.clone();
    let words = frame.workspace.name.clone();
    let title = format!("Settings, {}", frame.workspace.name);
    let path = crate::address::settings(&frame.workspace.path);
    let places =
        view! { <Places frame=frame.clone() zone=zone.clone() current=Current::AuditLog/> };
    let asks = settings.expiring.is_some().then(|| {
        view! {
            <div class="notice warn" role="alert">
                <Icon name="warn"/>
                <p>
                    <strong>"Not saved yet."</strong>
                    " A shorter time deletes entries. Say below that it is meant, and save again."
                </p>
            </div>
        }
    });
    let saved = typed.saved.then(|| {
        view! {
            <div class="notice good" role="status">
                <Icon name="check"/>
                <p>"Saved. The change is an entry in the log."</p>
            </div>
        }
    });
    let failed = typed.failed.then(|| {
        view! {
            <div class="notice bad" role="alert">
                <Icon name="warn"/>
                <p>
                    <strong>"Not saved."</strong>
                    " The log cannot be written at the moment. Try again; what you chose is kept \
                     below."
                </p>
            </div>
        }
    });
    let read_only = (!settings.may_change).then(|| {
        view! {
            <div class="notice">
                <Icon name="info"/>
                <p>"You see these settings and cannot change them: owners do."</p>
            </div>
        }
    });
    let pending = settings.pending.clone().map(|pending| {
        view! { <Pending settings=settings.clone() pending path=path.clone()/> }
    });
    view! {
        <Title text=title/>
        <Framed frame=Some(frame) here=Here::Settings zone=zone skip=("#settings", "Skip to the settings")>
            <div class="page">
                <header class="page-head">
                    <h1>"Settings"</h1>
                    <InZone words path=path.clone() kept=&[]/>
                </header>
                {failed}
                {asks}
                {saved}
                {read_only}
                <div class="settings">
                    {places}
                    <div id="settings" tabindex="-1">
                        {pending}
                        <SettingsForm settings=settings.clone() typed path=path.clone()/>
                        <Holds holds=settings.holds may_change=settings.may_change path/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// A shorter retention that waits, and how to cancel it.
#[component]
fn Pending(settings: SettingsView, pending: view::PendingView, path: String) -> impl IntoView {
    let action = CancelRetention::url();
    let meanwhile = if settings.holds.standing.is_some() {
        " on; until then any owner can cancel it. Also after that nothing is deleted while the legal \
         hold below stands."
    } else {
        " on; until then any owner can cancel it, and nothing is deleted on its account."
    };
    let cancel = settings.may_change.then(|| {
        view! {
            <form class="end" method="post" action=action>
                <input type="hidden" name="path" value=path/>
                <input type="hidden" name="tz" value=settings.zone/>
                <button class="button" type="submit">
                    "Cancel it"
                </button>
            </form>
        }
    });
    view! {
        <div class="notice warn">
            <Icon name="history"/>
            <p>
                <strong>"A shorter retention is waiting."</strong>
                {format!(
                    " {} asked on {} to keep entries {}. It holds from ",
                    pending.by,
                    pending.asked,
                    pending.words,
                )}
                <strong>{pending.from}</strong>
                {meanwhile}
            </p>
            {cancel}
        </div>
    }
    .into_any()
}

#[component]
fn SettingsForm(settings: SettingsView, typed: Typed, path: String) -> impl IntoView {
    let may = settings.may_change;
    let zone = settings.zone.clone();
    let discard = crate::address::in_zone(&path, &zone);
    let save = may.then(|| {
        view! {
            <div class="save">
                <button class="button primary" type="submit">
                    "Save changes"
                </button>
                <a class="button plain" href=discard>
                    "Discard"
                </a>
                <span>"Each change is an entry in the log."</span>
            </div>
        }
    });
    let export_first = settings
        .expiring
        .as_ref()
        .and_then(|expiring| expiring.export.clone())
        .map(|action| view! { <form id=EXPORT_FIRST method="post" action=action></form> });
    view! {
        <form method="post" action=SaveSettings::url()>
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <Keep settings=settings.clone() typed=typed.clone()/>
            <Recording settings=settings.clone() typed=typed.clone()/>
            <Objects objects=settings.objects typed disabled=!may/>
            {save}
        </form>
        {export_first}
    }
    .into_any()
}

/// How long entries are kept.
#[component]
fn Keep(settings: SettingsView, typed: Typed) -> impl IntoView {
    let disabled = !settings.may_change;
    let RetentionView { kind, days, years } = settings.retention.clone();
    let chosen = typed.retention.clone().unwrap_or(kind);
    let days = typed.days.clone().unwrap_or(days);
    let years = typed.years.clone().unwrap_or(years);
    let fault = typed.fault;
    let kind_error = (fault == Some("retention"))
        .then(|| view! { <Wrong id="r-retention-error" words="Choose one of these."/> });
    let is = |kind: &str| chosen == kind;
    let (in_days, in_years, forever) = (is("days"), is("years"), is("forever"));
    let plan = settings
        .plan
        .clone()
        .map(|words| view! { <p class="plan">{words}</p> });
    let history = settings.retention_history.clone();
    let expiring = settings
        .expiring
        .clone()
        .map(|expiring| view! { <Expiring expiring/> });
    let held = settings.holds.standing.is_some().then(|| {
        view! {
            <p class="plan">
                "A legal hold stands: whatever is set here, nothing is deleted until it is lifted. "
                <a href="#hold">"Legal hold"</a>
            </p>
        }
    });
    view! {
        <section class="setting" aria-labelledby="s-keep">
            <div class="about">
                <h2 id="s-keep">"Keep entries"</h2>
                <p>"Older entries are deleted automatically, and the deletion is itself an entry."</p>
                <p>
                    "A longer time holds at once. A shorter one holds seven days later, and any \
                     owner can cancel it until then: a stolen account must not be able to wipe its \
                     own traces."
                </p>
            </div>
            <div class="control">
                <fieldset class="control" disabled=disabled>
                    <legend class="sr-only">"Keep entries"</legend>
                    {kind_error}
                    <NumberChoice
                        unit="days"
                        label="Days, 1 to 365"
                        hint="1 to 365"
                        most=365
                        chosen=in_days
                        number=days
                        wrong=(fault == Some("days"))
                            .then_some("Not a number of days. It takes 1 to 365.")
                    />
                    <NumberChoice
                        unit="years"
                        label="Years, 1 to 10"
                        hint="1 to 10, by the calendar"
                        most=10
                        chosen=in_years
                        number=years
                        wrong=(fault == Some("years"))
                            .then_some("Not a number of years. It takes 1 to 10.")
                    />
                    <div class="choice">
                        <input
                            type="radio"
                            id="r-forever"
                            name="retention"
                            value="forever"
                            checked=forever
                            aria-describedby="r-forever-hint"
                        />
                        <label for="r-forever">"For the lifetime of the workspace"</label>
                        <p class="hint" id="r-forever-hint">
                            "Nothing is deleted until the workspace is."
                        </p>
                    </div>
                    {expiring}
                </fieldset>
                {plan}
                {held}
                <p class="history">{history}</p>
            </div>
        </section>
    }
    .into_any()
}

/// The id of the form that exports what a shorter retention deletes. It stands beside the settings'
/// own form, in which none may be.
const EXPORT_FIRST: &str = "export-first";

/// What a shorter retention deletes, and whether that is meant.
#[component]
fn Expiring(expiring: ExpiringView) -> impl IntoView {
    let ExpiringView {
        retention,
        words,
        entries,
        export,
        before,
        from,
    } = expiring;
    let (what, meant) = match entries {
        Some(entries) => (
            format!("Keeping {words} deletes {entries}"),
            format!("Delete these {entries}"),
        ),
        None => (
            format!("Keeping {words} deletes no entry that is there now"),
            format!("Keep entries for {words} only"),
        ),
    };
    let export = export.map(|_| {
        let formats = [Format::Ndjson, Format::Csv].map(|format| {
            view! {
                <button
                    class="button"
                    type="submit"
                    form=EXPORT_FIRST
                    name="format"
                    value=format.as_str()
                >
                    {format.label()}
                </button>
            }
        });
        view! {
            <p class="export-first">
                <span>"Export them first, if you may need them:"</span>
                {formats.collect_view()}
            </p>
        }
    });
    view! {
        <div class="warning" id="r-warning">
            <Icon name="warn"/>
            <p>
                <strong>{what}</strong>
                {format!(
                    ", all that occurred before {before}. They cannot be brought back. It holds \
                     from {from} on; until then nothing is deleted on its account, and any owner \
                     can cancel it."
                )}
            </p>
            {export}
            <div class="choice">
                <input
                    type="checkbox"
                    id="r-sure"
                    name="sure"
                    value=retention
                    aria-describedby="r-warning"
                />
                <label for="r-sure">{meant}</label>
            </div>
        </div>
    }
    .into_any()
}

/// A number of days or years, as one of the choices.
#[component]
fn NumberChoice(
    /// What is counted: the field's name, and the word after it.
    unit: &'static str,
    label: &'static str,
    hint: &'static str,
    most: u16,
    chosen: bool,
    number: String,
    /// What is wrong with the number.
    wrong: Option<&'static str>,
) -> impl IntoView {
    let id = format!("r-{unit}");
    let error_id = format!("{id}-error");
    let described = wrong.is_some().then(|| error_id.clone());
    let error = wrong.map(|words| view! { <Wrong id=error_id words/> });
    view! {
        <div class="choice">
            <input type="radio" id=id.clone() name="retention" value=unit checked=chosen/>
            <div class="inline">
                <label for=id>"For"</label>
                <input
                    type="number"
                    name=unit
                    min="1"
                    max=most
                    value=number
                    aria-label=label
                    aria-invalid=wrong.is_some().then_some("true")
                    aria-describedby=described
                />
                <span>{unit}</span>
            </div>
            <p class="hint">{hint}</p>
            {error}
        </div>
    }
    .into_any()
}

/// What is wrong, beside what it is about.
#[component]
fn Wrong(#[prop(into)] id: String, #[prop(into)] words: String) -> impl IntoView {
    view! {
        <p class="error" id=id role="alert">
            <Icon name="warn"/>
            {words}
        </p>
    }
}

/// Whether what applications send is recorded.
#[component]
fn Recording(settings: SettingsView, typed: Typed) -> impl IntoView {
    let disabled = !settings.may_change;
    let on = typed.recording.unwrap_or(settings.recording);
    view! {
        <section class="setting" aria-labelledby="s-recording">
            <div class="about">
                <h2 id="s-recording">"Recording"</h2>
                <p>
                    "While it is off, what applications send is not kept. Daybook’s own entries \
                     always are."
                </p>
            </div>
            <div class="control">
                <fieldset class="control" disabled=disabled>
                    <legend class="sr-only">"Recording"</legend>
                    <div class="choice">
                        <input type="radio" id="rec-on" name="recording" value="on" checked=on/>
                        <label for="rec-on">"On"</label>
                    </div>
                    <div class="choice">
                        <input
                            type="radio"
                            id="rec-off"
                            name="recording"
                            value="off"
                            checked=!on
                            aria-describedby="rec-hint"
                        />
                        <label for="rec-off">"Off"</label>
                        <p class="hint" id="rec-hint">
                            "Turning it off or on is always recorded, and everyone on the Audit \
                             page sees who did."
                        </p>
                    </div>
                </fieldset>
                <p class="history">{settings.recording_history}</p>
            </div>
        </section>
    }
    .into_any()
}

/// Who may open objects' pages.
#[component]
fn Objects(objects: ObjectsView, typed: Typed, disabled: bool) -> impl IntoView {
    let chosen = typed.object_tabs.clone().unwrap_or(objects.opened_by);
    let wrong_choice = (typed.fault == Some("object_tabs"))
        .then(|| view! { <Wrong id="o-tabs-error" words="Choose one of these."/> });
    let wrong = typed
        .guarded_fault()
        .filter(|_| typed.fault == Some("guarded"));
    let is_wrong = wrong.is_some();
    let described = if is_wrong {
        "o-guarded-error o-guarded-hint"
    } else {
        "o-guarded-hint"
    };
    let error = wrong.map(|words| view! { <Wrong id="o-guarded-error" words/> });
    let guarded = typed.guarded.unwrap_or(objects.guarded);
    view! {
        <section class="setting" aria-labelledby="s-objects">
            <div class="about">
                <h2 id="s-objects">"Who may open object tabs"</h2>
                <p>
                    "The list of objects, and the tabs on an object’s own page. The Audit page is \
                     always for owners, admins and auditors."
                </p>
            </div>
            <div class="control">
                <fieldset class="control" disabled=disabled>
                    <legend class="sr-only">"Who may open object tabs"</legend>
                    {wrong_choice}
                    <div class="choice">
                        <input
                            type="radio"
                            id="o-members"
                            name="object_tabs"
                            value="members"
                            checked=chosen == "members"
                            aria-describedby="o-members-hint"
                        />
                        <label for="o-members">"Everyone in the workspace"</label>
                        <p class="hint" id="o-members-hint">{objects.everyone}</p>
                    </div>
                    <div class="choice">
                        <input
                            type="radio"
                            id="o-admins"
                            name="object_tabs"
                            value="admins"
                            checked=chosen == "admins"
                            aria-describedby="o-admins-hint"
                        />
                        <label for="o-admins">"Owners, admins and auditors"</label>
                        <p class="hint" id="o-admins-hint">{objects.readers}</p>
                    </div>
                    <div class="field">
                        <label for="o-guarded">"Kinds that are always for owners, admins and auditors"</label>
                        <input
                            type="text"
                            id="o-guarded"
                            name="guarded"
                            maxlength="4000"
                            autocomplete="off"
                            autocapitalize="none"
                            spellcheck="false"
                            value=guarded
                            aria-invalid=is_wrong.then_some("true")
                            aria-describedby=described
                        />
                        {error}
                        <p class="hint" id="o-guarded-hint">
                            "Separated by spaces or commas. Empty: none is."
                        </p>
                    </div>
                </fieldset>
                <p class="history">{objects.history}</p>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests;
