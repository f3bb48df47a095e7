//! What a log page shows, ready to be set.

use crate::frame::Bar;
use domain::{
    category::Category,
    event::{ActorKind, Outcome, Part},
    question::{Fault, Moment, Query},
    slug::Slug,
};
use store::question::Choices;

/// What stays while the question changes: who looks at what, and what there is to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeView {
    /// Around the page.
    pub frame: Bar,
    /// Whether they may take it away as a file.
    pub may_export: bool,
    /// What the filters offer.
    pub choices: Choices,
    /// The object, on its own tab.
    pub object: Option<ObjectView>,
}

/// An object, as its newest entry tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectView {
    /// Its name, else its id.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Where it can be looked at.
    pub url: Option<String>,
}

/// One page of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogView {
    /// The question, as far as it was understood.
    pub query: Query,
    /// What of it was not.
    pub faults: Vec<Fault>,
    /// The cursor belongs to another question.
    pub lost_cursor: bool,
    /// In words: "last 30 days".
    pub words: String,
    /// The zone that times are shown in.
    pub zone: String,
    /// When it was read: milliseconds since 1970.
    pub now: i64,
    /// When it was read, as a time of day in the zone.
    pub read_at: String,
    /// First and last day of what is shown, to begin with when choosing dates.
    pub dates: (String, String),
    /// The entries, by day where they are sorted by time.
    pub days: Vec<DayView>,
    /// Where it goes on, in the order shown.
    pub older: Option<String>,
    /// Where it goes back.
    pub newer: Option<String>,
    /// The last number, in the order of arrival, that this page's walk shows: what is new comes
    /// after it.
    pub shown_to: Option<u64>,
    /// From when until when it is, where it asks for a time that goes on.
    pub fixed: Option<(Moment, Moment)>,
    /// How far the search came, where it stopped before the page was full.
    pub searched_to: Option<String>,
    /// How many entries match.
    pub count: CountView,
    /// When they occurred.
    pub chart: Option<ChartView>,
    /// Where nothing matches several filters: what would, without one of them.
    pub relaxed: Option<Vec<RelaxedView>>,
    /// What everybody who reads this should know.
    pub notices: NoticesView,
    /// The same of a tenant's workspaces.
    pub within: WithinView,
    /// Names of the people whom the filter names by id.
    pub people: Vec<(String, String)>,
    /// On a tenant's page: its workspaces, how addresses and how people name them.
    pub workspaces: Vec<(String, String)>,
    /// On an object's tab: who changed it last, and when.
    pub last: Option<LastView>,
    /// Nothing came from an application yet: how this installation is reached.
    pub first: Option<String>,
}

impl LogView {
    /// A page without entries, for tests.
    #[cfg(test)]
    pub(crate) fn empty(query: Query) -> Self {
        Self {
            query,
            faults: Vec::new(),
            lost_cursor: false,
            words: "all entries".to_owned(),
            zone: "UTC".to_owned(),
            now: 0,
            read_at: "00:00:00".to_owned(),
            dates: ("2026-05-11".to_owned(), "2026-05-12".to_owned()),
            days: Vec::new(),
            older: None,
            newer: None,
            shown_to: None,
            fixed: None,
            searched_to: None,
            count: CountView::Exactly(0),
            chart: None,
            relaxed: None,
            notices: NoticesView::default(),
            within: WithinView::default(),
            people: Vec::new(),
            workspaces: Vec::new(),
            last: None,
            first: None,
        }
    }

    /// The rows of all days.
    pub fn rows(&self) -> impl Iterator<Item = &RowView> {
        self.days.iter().flat_map(|day| &day.rows)
    }

    /// What is wrong with a parameter, if anything is.
    pub fn fault(&self, parameter: &str) -> Option<&Fault> {
        self.faults
            .iter()
            .find(|fault| fault.parameter == parameter)
    }
}

/// A filter without which something matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RelaxedView {
    /// The filter in words: "category Members".
    pub words: String,
    /// The question without it.
    pub without: Query,
    /// How many entries match that.
    pub count: CountView,
}

/// How many entries match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountView {
    /// Exactly so many.
    Exactly(u64),
    /// More than so many.
    MoreThan(u64),
    /// Not known.
    Unknown,
}

/// When what matches occurred, as bars.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartView {
    /// "Entries per day, at most 116".
    pub title: String,
    /// What the bars are made of, from below.
    pub series: Vec<SeriesView>,
    /// The bars, the earliest first.
    pub bars: Vec<BarView>,
    /// The times that are written below.
    pub axis: Vec<String>,
    /// What was not counted, because it took too long: how wide it is, and what it ends with.
    pub uncounted: Option<(f64, String)>,
}

/// A category in a chart, or several of which there is little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesView {
    /// Whose colour it has.
    pub category: Category,
    /// What it is called.
    pub label: &'static str,
    /// Whether it stands for several.
    pub is_rest: bool,
    /// Its parts of all bars, as a path of SVG.
    pub path: String,
}

/// A bar of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct BarView {
    /// Where it begins.
    pub x: f64,
    /// How wide it is.
    pub width: f64,
    /// Its time: "2026-05-12 08:00–16:00".
    pub words: String,
    /// What asks for it alone.
    pub since: Moment,
    /// The same.
    pub until: Moment,
    /// How many entries of each series it has.
    pub counts: Vec<u64>,
}

impl BarView {
    /// How many entries it has.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Who changed an object last, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastView {
    /// Who.
    pub by: String,
    /// When.
    pub at: WhenView,
}

/// What everybody who reads a log should know about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticesView {
    /// Recording is off: who switched it off, and when.
    pub recording_off: Option<(String, WhenView)>,
    /// A shorter retention waits: what will hold, from when, who asked for it.
    pub pending: Option<(String, WhenView, String)>,
    /// A legal hold stands.
    pub hold: Option<HoldNoticeView>,
}

/// A legal hold that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldNoticeView {
    /// Who placed it.
    pub by: String,
    /// When.
    pub at: WhenView,
    /// Why.
    pub reason: String,
}

/// What the admins of a tenant should know about its workspaces' logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WithinView {
    /// Workspaces, each with its name and its settings.
    pub told: Vec<(String, String, NoticesView)>,
    /// Of how many more there is something to know.
    pub more: usize,
}

/// A moment, written in the zone that the page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhenView {
    /// For programs: RFC 3339 with the zone's offset.
    pub iso: String,
    /// `2026-05-12`.
    pub date: String,
    /// `09:14:03`.
    pub clock: String,
    /// To the microsecond, with the zone.
    pub exact: String,
    /// Milliseconds since 1970.
    pub millis: i64,
    /// How many midnights ago, in the zone.
    pub days_ago: i64,
}

/// The entries of one day, or all of them where they are not sorted by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayView {
    /// The day: "Tuesday", "12 May".
    pub day: Option<(String, String)>,
    /// How many entries match on this day, where the page shows all of them.
    pub entries: Option<usize>,
    /// The rows.
    pub rows: Vec<RowView>,
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowView {
    /// The entry's id.
    pub id: String,
    /// On a tenant's page: where it lies.
    pub place: Option<PlaceView>,
    /// When it occurred.
    pub when: WhenView,
    /// "recorded 3 days later", "imported".
    pub late: Option<String>,
    /// Who did it.
    pub actor: ActorView,
    /// Its family.
    pub category: Category,
    /// What was done.
    pub action: String,
    /// The catalogue's label for it, where it has one.
    pub label: Option<String>,
    /// What was acted on.
    pub target: TargetView,
    /// How it ended.
    pub outcome: Outcome,
    /// What changed, in a line.
    pub change: Option<SummaryView>,
    /// The note.
    pub note: Option<String>,
    /// Which parts were erased.
    pub erased: Vec<Part>,
    /// The operation that it is part of.
    pub operation: Option<String>,
}

/// The workspace that an entry lies in, or the tenant itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceView {
    /// What it is called.
    pub name: String,
    /// The workspace in addresses; none: it is the tenant's own entry.
    pub workspace: Option<Slug>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorView {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Their id.
    pub id: Option<String>,
    /// What they are called: the name, else the e-mail, else the id, else the kind.
    pub name: String,
    /// The line under the name: e-mail, or id, or "automatic".
    pub second: Option<String>,
    /// Whether that line is an id.
    pub second_is_id: bool,
    /// Whether they are deactivated now.
    pub deactivated: bool,
    /// Whether who they are was erased; the name is a pseudonym.
    pub erased: bool,
    /// Who carried it out on their behalf, nearest first.
    pub via: Vec<String>,
}

/// What was acted on, or what else an entry concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: Option<String>,
    /// What it is called: its name, else its id.
    pub name: Option<String>,
    /// Its Audit tab.
    pub tab: Option<String>,
    /// Where it can be looked at.
    pub url: Option<String>,
}

/// What happened to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It has another value.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl Sign {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// The mark for it.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Changed => "±",
            Self::Added => "+",
            Self::Removed => "−",
        }
    }
}

/// A change in a line: the first field, and how many more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryView {
    /// What happened to the field.
    pub sign: Sign,
    /// The field's path.
    pub path: String,
    /// What it was.
    pub before: Option<String>,
    /// What it became.
    pub after: Option<String>,
    /// How many other fields changed.
    pub more: usize,
}

/// An entry in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryView {
    /// Its row.
    pub row: RowView,
    /// What changed, field by field.
    pub changes: Vec<ChangeView>,
    /// The same in words: "3 changed, 1 added".
    pub change_words: String,
    /// What would undo the change; none: there is none, or it is not known.
    pub back: Option<BackView>,
    /// The time around it: from when until when.
    pub around: (Moment, Moment),
    /// Other objects that it concerns.
    pub related: Vec<TargetView>,
    /// Other structured context.
    pub metadata: Vec<FactView>,
    /// Address, browser, request, place.
    pub context: Vec<FactView>,
    /// What was taken out before it was recorded.
    pub redacted: Option<RedactedView>,
    /// What was erased later.
    pub erased: Option<ErasedView>,
    /// What Daybook knows of the entry itself.
    pub facts: Vec<FactView>,
    /// The entry as the API gives it back.
    pub json: String,
    /// Its number in the order of arrival.
    pub seq: u64,
    /// What proves it; none: it was not asked.
    pub proof: Option<ProvedView>,
}

/// What would undo a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackView {
    /// A JSON merge patch.
    pub json: String,
    /// What it lacks, in words.
    pub lacks: Option<String>,
}

/// What proves an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedView {
    /// The checkpoint that covers it: of how many entries, and when it was made; none: none does yet.
    pub covered: Option<(String, WhenView)>,
    /// Where the proof is.
    pub there: String,
}

/// What was erased of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedView {
    /// "Who did it and what changed were erased."
    pub words: String,
    /// Where it is told under which release, and why.
    pub under: Vec<String>,
}

/// What was taken out of an entry before it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedView {
    /// "2 values were taken out before they were recorded:".
    pub words: String,
    /// Where they stood: `after.password`.
    pub places: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeView {
    /// Its path: `scopes[2].name`.
    pub path: String,
    /// What happened to it.
    pub sign: Sign,
    /// What it was.
    pub before: Option<ValueView>,
    /// What it became.
    pub after: Option<ValueView>,
    /// The field's whole history, on the Blame tab of what was acted on.
    pub history: Option<String>,
    /// What would undo the change of this field alone: a JSON merge patch.
    pub back: Option<String>,
}

/// A value in a table of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueView {
    /// What it begins with, in common with the other side.
    pub head: String,
    /// What is different.
    pub differs: String,
    /// What it ends with, in common with the other side.
    pub tail: String,
    /// Where it is long: what is shown of it while folded, and how many characters it has.
    pub folded: Option<(String, usize)>,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactView {
    /// The name.
    pub name: String,
    /// The value; none: not given.
    pub value: Option<String>,
    /// Whether it is an id or another text for programs.
    pub code: bool,
}
