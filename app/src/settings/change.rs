//! Changing settings: plain forms. What came of one stands in the address of the page that is shown
//! next.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has one for each field of its form"
)]

use crate::{refusal::Answered, viewer::Asker};
use domain::event::TargetKind;
use leptos::prelude::*;
use store::settings::ObjectAccess;

/// Saves the settings at `path`, sends the browser to the page that shows what came of it, and tells
/// its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "save_settings")]
pub async fn save_settings(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] retention: String,
    #[server(default)] days: String,
    #[server(default)] years: String,
    #[server(default)] recording: String,
    #[server(default)] object_tabs: String,
    #[server(default)] guarded: String,
    #[server(default)] sure: String,
) -> Answered<String> {
    let typed = Typed {
        retention: Some(retention),
        days: Some(days),
        years: Some(years),
        recording: Typed::switch(&recording),
        // A form always has one of the two chosen: who sends neither does not ask about objects.
        guarded: (!object_tabs.is_empty()).then_some(guarded),
        object_tabs: Some(object_tabs).filter(|tabs| !tabs.is_empty()),
        ..Typed::default()
    };
    Ok(answer::save(Asker::of_request(), &path, &tz, typed, &sure).await)
}

/// Cancels the shorter retention that waits at `path`, sends the browser to the page that shows it, and
/// tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "cancel_retention")]
pub async fn cancel_retention(path: String, #[server(default)] tz: String) -> Answered<String> {
    Ok(answer::cancel(Asker::of_request(), &path, &tz).await)
}

/// What was typed into the form, and what came of it, as the address of the page says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// It was saved.
    pub saved: bool,
    /// It could not be saved.
    pub failed: bool,
    /// The field whose value was not understood.
    pub fault: Option<&'static str>,
    /// The retention is shorter than it was, which deletes entries: whether that is meant is asked
    /// before anything is saved.
    pub asks: bool,
    /// `days`, `years` or `forever`.
    pub retention: Option<String>,
    /// The number of days.
    pub days: Option<String>,
    /// The number of years.
    pub years: Option<String>,
    /// Whether recording is on.
    pub recording: Option<bool>,
    /// Who may open objects' pages: `members` or `admins`.
    pub object_tabs: Option<String>,
    /// The guarded kinds, separated by spaces or commas.
    pub guarded: Option<String>,
}

/// The fields that can be wrong.
const FIELDS: [&str; 5] = ["retention", "days", "years", "object_tabs", "guarded"];

/// So many kinds can be guarded.
const GUARDED_MOST: usize = 100;

impl Typed {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "saved" => typed.saved = true,
                "failed" => typed.failed = true,
                "asks" => typed.asks = true,
                "fault" => typed.fault = FIELDS.into_iter().find(|field| *field == value),
                "retention" => typed.retention = Some(value.into_owned()),
                "days" => typed.days = Some(value.into_owned()),
                "years" => typed.years = Some(value.into_owned()),
                "object_tabs" => typed.object_tabs = Some(value.into_owned()),
                "guarded" => typed.guarded = Some(value.into_owned()),
                "recording" => typed.recording = Self::switch(&value),
                _ => {}
            }
        }
        if !typed.is_kept() {
            return Self {
                saved: typed.saved,
                ..Self::default()
            };
        }
        typed
    }

    /// Whether what was typed is to be shown again, because it was not saved.
    const fn is_kept(&self) -> bool {
        self.failed || self.asks || self.fault.is_some()
    }

    /// On or off, as the form has it.
    fn switch(text: &str) -> Option<bool> {
        match text {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    /// The query string that says it.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.saved {
            query.append_pair("saved", "1");
        }
        if self.failed {
            query.append_pair("failed", "1");
        }
        if let Some(fault) = self.fault {
            query.append_pair("fault", fault);
        }
        if self.asks {
            query.append_pair("asks", "1");
        }
        if self.is_kept() {
            let typed = [
                &self.retention,
                &self.days,
                &self.years,
                &self.object_tabs,
                &self.guarded,
            ];
            for (name, value) in FIELDS.into_iter().zip(typed) {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            if let Some(on) = self.recording {
                query.append_pair("recording", if on { "on" } else { "off" });
            }
        }
        query.finish()
    }

    /// The retention that was typed, or the field that is wrong.
    pub(super) fn retention(&self) -> Result<domain::retention::Retention, &'static str> {
        let number = |field: &Option<String>, unit: char| {
            format!("{}{unit}", field.as_deref().unwrap_or_default().trim())
        };
        let (text, field) = match self.retention.as_deref() {
            Some("days") => (number(&self.days, 'd'), "days"),
            Some("years") => (number(&self.years, 'y'), "years"),
            Some("forever") => ("forever".to_owned(), "retention"),
            _ => return Err("retention"),
        };
        text.parse().map_err(|_| field)
    }

    /// Who may open objects' pages, as it was typed; none where the form did not ask.
    fn object_access(&self) -> Result<Option<ObjectAccess>, &'static str> {
        let for_members = match self.object_tabs.as_deref() {
            None => return Ok(None),
            Some("members") => true,
            Some("admins") => false,
            Some(_) => return Err("object_tabs"),
        };
        let guarded =
            guarded(self.guarded.as_deref().unwrap_or_default()).map_err(|_| "guarded")?;
        Ok(Some(ObjectAccess::new(for_members, guarded)))
    }

    /// What is wrong with the list of guarded kinds, if anything is.
    pub(super) fn guarded_fault(&self) -> Option<String> {
        guarded(self.guarded.as_deref()?).err()
    }
}

/// The kinds that a text names, or what is wrong with it.
fn guarded(text: &str) -> Result<Vec<TargetKind>, String> {
    let apart = |letter: char| letter == ',' || letter.is_whitespace();
    let kinds = text
        .split(apart)
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse().map_err(|_| {
                let shown: String = word.chars().take(80).collect();
                format!(
                    "“{shown}” is not a kind. A kind is 1 to 64 of A-Z a-z 0-9 _ . : / -; \
                     several are separated by spaces or commas."
                )
            })
        })
        .collect::<Result<Vec<TargetKind>, String>>()?;
    if kinds.len() > GUARDED_MOST {
        return Err(format!(
            "These are {} kinds. At most {GUARDED_MOST} can be guarded: to guard more, open \
             objects to admins only.",
            kinds.len()
        ));
    }
    Ok(kinds)
}

mod answer {
    use super::Typed;
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::load::{opened, workspace},
        viewer::Asker,
    };
    use domain::question::Zone;
    use store::settings::{SettingsChange, SettingsError};

    pub(super) async fn save(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        mut typed: Typed,
        sure: &str,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            let understood = typed
                .retention()
                .and_then(|retention| Ok((retention, typed.object_access()?)));
            let (retention, access) = match understood {
                Ok(understood) => understood,
                Err(field) => {
                    typed.fault = Some(field);
                    return Ok(());
                }
            };
            let before = asker.store.settings(&scope).await?;
            let waiting = before.pending.as_ref().map(|pending| pending.retention);
            // Who was asked says for which retention: if they typed another, they are asked again.
            // Where the plan makes both the same, nothing more is deleted.
            let plan = before.plan;
            if scope.may_change()
                && plan.holds(retention) < plan.holds(before.retention)
                && waiting != Some(retention)
                && sure != retention.to_string()
            {
                typed.asks = true;
                return Ok(());
            }
            // Only what is different is changed: saving a form twice says nothing new, and what
            // waits goes on waiting.
            let change = SettingsChange {
                retention: Some(retention).filter(|retention| *retention != before.retention),
                recording: typed
                    .recording
                    .filter(|recording| *recording != before.recording),
                object_access: access.filter(|access| *access != before.object_access),
                now: false,
            };
            if change != SettingsChange::default() {
                asker
                    .store
                    .change_settings(&scope, change, &asker.by())
                    .await?;
            }
            typed.saved = true;
            Ok(())
        }
        .await;
        finish(path, tz, answer, typed)
    }

    pub(super) async fn cancel(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            match asker.store.cancel_pending(&scope, &asker.by()).await {
                // Somebody else was quicker: what was wanted holds.
                Ok(_) | Err(SettingsError::NothingPending) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        .await;
        let typed = Typed {
            saved: true,
            ..Typed::default()
        };
        finish(path, tz, answer, typed)
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        answer: Result<(), Refusal>,
        mut typed: Typed,
    ) -> Result<String, Refusal> {
        let Some(page) = workspace(path).map(|workspace| address::settings(&workspace)) else {
            answer::after_form("/");
            return answer.and(Err(Refusal::NotFound));
        };
        let zone = tz.parse().unwrap_or_else(|_| Zone::utc());
        let there = |typed: &Typed| {
            address::in_zone(&address::with_query(&page, &typed.query()), zone.as_str())
        };
        match answer {
            Ok(()) => {
                let address = there(&typed);
                answer::after_form(&address);
                Ok(address)
            }
            Err(refusal) => {
                typed.saved = false;
                typed.failed = matches!(refusal, Refusal::Unavailable(_));
                answer::after_form(&there(&typed));
                Err(refusal)
            }
        }
    }

    impl From<SettingsError> for Refusal {
        fn from(error: SettingsError) -> Self {
            match error {
                SettingsError::ReadOnly => Self::NotFound,
                SettingsError::NothingPending => Self::Unavailable(error.to_string()),
                SettingsError::Store(error) => error.into(),
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::retention::Retention;

    fn typed(retention: &str, days: &str, years: &str) -> Typed {
        Typed {
            retention: Some(retention.to_owned()),
            days: Some(days.to_owned()),
            years: Some(years.to_owned()),
            ..Typed::default()
        }
    }

    #[test]
    fn the_retention_is_that_of_the_chosen_line() {
        assert_eq!(
            typed("days", " 30 ", "").retention(),
            Ok(Retention::Days(30))
        );
        assert_eq!(
            typed("years", "x", "2").retention(),
            Ok(Retention::Years(2))
        );
        assert_eq!(typed("forever", "", "").retention(), Ok(Retention::Forever));
        assert_eq!(typed("days", "366", "1").retention(), Err("days"));
        assert_eq!(typed("years", "1", "0").retention(), Err("years"));
        assert_eq!(typed("", "1", "1").retention(), Err("retention"));
    }

    #[test]
    fn guarded_kinds_are_separated_by_spaces_or_commas() {
        let access = |tabs: &str, guarded: &str| {
            let typed = Typed {
                object_tabs: Some(tabs.to_owned()),
                guarded: Some(guarded.to_owned()),
                ..Typed::default()
            };
            typed.object_access()
        };
        let kinds = |texts: &[&str]| texts.iter().map(|kind| kind.parse().unwrap()).collect();
        assert_eq!(
            access("members", " user,api_token  secret,\nuser "),
            Ok(Some(ObjectAccess::new(
                true,
                kinds(&["api_token", "secret", "user"])
            )))
        );
        assert_eq!(
            access("admins", ""),
            Ok(Some(ObjectAccess::new(false, Vec::new())))
        );
        assert_eq!(access("admins", "user; secret"), Err("guarded"));
        assert_eq!(access("admins", &"k ".repeat(101)), Err("guarded"));
        assert_eq!(access("everyone", "user"), Err("object_tabs"));
        assert_eq!(Typed::default().object_access(), Ok(None));
    }

    #[test]
    fn what_was_typed_and_not_understood_is_kept_in_the_address() {
        let mut wrong = typed("days", "9 0", "2");
        wrong.fault = Some("days");
        assert_eq!(Typed::read(&wrong.query()), wrong);
        wrong.object_tabs = Some("admins".to_owned());
        wrong.guarded = Some("user & secret".to_owned());
        wrong.fault = Some("guarded");
        assert_eq!(Typed::read(&wrong.query()), wrong);
        let told = wrong.guarded_fault().unwrap();
        assert!(told.starts_with("“&” is not a kind."), "{told}");
        wrong.fault = None;
        wrong.asks = true;
        assert_eq!(Typed::read(&wrong.query()), wrong);
        assert_eq!(Typed::read("days=5&retention=days"), Typed::default());
        assert!(Typed::read("saved=1").saved);
    }
}
