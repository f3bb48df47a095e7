//! What was permitted when: a tenant's settings, plan and holds, as its log's own entries tell of them.

use super::{Leaf, content::Told};
use crate::copy::read::Release;
use domain::{
    event::Object,
    retention::{Plan, Retention},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What holds for a workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct OfWorkspace {
    retention: Option<Retention>,
    /// A shorter one that waits, and from when it holds.
    pending: Option<(Retention, Timestamp)>,
    is_held: bool,
}

impl OfWorkspace {
    /// Before which moment what occurred had expired at another; none: nothing had.
    fn keeps_from(&self, plan: Plan, at: Timestamp) -> Option<Timestamp> {
        let setting = match self.pending {
            Some((pending, from)) if from <= at => pending,
            _ => self.retention?,
        };
        plan.holds(setting).keeps_from(at)
    }
}

/// What held in a tenant, as far as its log was followed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rules {
    plan: Plan,
    workspaces: BTreeMap<i64, OfWorkspace>,
}

impl Rules {
    /// Follows an entry that tells of what is permitted, the one of a release among them. On an error
    /// that release was not permitted, or is not the one that the entry tells of.
    pub(super) fn follow(
        &mut self,
        leaf: &Leaf,
        told: &Told,
        release: Option<&Release>,
    ) -> Result<(), &'static str> {
        let after = told.after.as_ref();
        let is_release = told.action == "AUDIT_EVENTS_EXPIRED";
        match (is_release, release) {
            (true, Some(release)) => return self.judge(leaf, after, release),
            (true, None) => return Err("is not there"),
            (false, Some(_)) => return Err("is none: that entry tells of something else"),
            (false, None) => {}
        }
        match told.action.as_str() {
            "PLAN_UPDATED" => {
                let read = |name: &str| retention(after?.get(name)?);
                self.plan = Plan {
                    floor: read("min_retention"),
                    cap: read("max_retention"),
                };
            }
            "WORKSPACE_CREATED" => {
                let of_workspace = self.workspaces.entry(leaf.ws).or_default();
                of_workspace.retention = after.and_then(|after| retention(after.get("retention")?));
            }
            "AUDIT_RETENTION_UPDATED" | "AUDIT_RETENTION_CANCELLED" => {
                let of_workspace = self.workspaces.entry(leaf.ws).or_default();
                if let Some(setting) = after.and_then(|after| retention(after.get("retention")?)) {
                    of_workspace.retention = Some(setting);
                }
                of_workspace.pending = after.and_then(pending);
            }
            "AUDIT_HOLD_PLACED" => self.workspaces.entry(leaf.ws).or_default().is_held = true,
            "AUDIT_HOLD_LIFTED" => self.workspaces.entry(leaf.ws).or_default().is_held = false,
            _ => {}
        }
        Ok(())
    }

    /// Whether a legal hold stands in a log.
    pub(super) fn is_held(&self, ws: i64) -> bool {
        // A tenant's own entries stay as long as a hold stands in any of its workspaces.
        let mut all = self.workspaces.iter();
        all.any(|(of, of_workspace)| (ws < 0 || *of == ws) && of_workspace.is_held)
    }

    /// Whether a release is the one that its entry tells of, and was permitted then.
    fn judge(
        &self,
        leaf: &Leaf,
        after: Option<&Object>,
        release: &Release,
    ) -> Result<(), &'static str> {
        let before = after
            .and_then(|after| after.get("occurred_before")?.as_str())
            .and_then(|before| before.parse::<Timestamp>().ok());
        if release.ws != leaf.ws || before.map(Timestamp::micros) != Some(release.before) {
            return Err("covers something else than that entry says");
        }
        // The tenant's own entries stay as long as those of the workspace that keeps the longest.
        let own = leaf.ws < 0;
        let mut concerned = self
            .workspaces
            .iter()
            .filter(|(ws, _)| own || **ws == leaf.ws)
            .map(|(_, of_workspace)| of_workspace)
            .peekable();
        if concerned.peek().is_none() {
            return Err("was not permitted: no workspace is known that it could be of");
        }
        for of_workspace in concerned {
            if of_workspace.is_held {
                return Err("was not permitted: a legal hold stood");
            }
            let kept = of_workspace.keeps_from(self.plan, leaf.recorded_at);
            if kept.is_none_or(|kept| release.before > kept.micros()) {
                return Err("was not permitted: what it covers had not expired");
            }
        }
        Ok(())
    }
}

fn retention(value: &Value) -> Option<Retention> {
    value.as_str()?.parse().ok()
}

fn pending(after: &Object) -> Option<(Retention, Timestamp)> {
    let pending = after.get("pending")?;
    let from = pending.get("from")?.as_str()?.parse().ok()?;
    Some((retention(pending.get("retention")?)?, from))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::{event::EventId, leaf::Hash};
    use serde_json::json;

    /// The tenant's own log, and those of two workspaces.
    const OWN: i64 = -1;
    const GROWTH: i64 = 5;
    const REVENUE: i64 = 6;

    fn leaf(ws: i64, at: &str) -> Leaf {
        Leaf {
            seq: 9,
            id: EventId(uuid::Uuid::nil()),
            ws,
            occurred_at: at.parse().unwrap(),
            recorded_at: at.parse().unwrap(),
            parts: Hash([0; 32]),
        }
    }

    fn told(action: &str, after: &Value) -> Told {
        Told {
            action: action.to_owned(),
            after: after.as_object().cloned(),
            reason: None,
        }
    }

    /// What holds after these entries: where, when, what, and what then is.
    fn after(entries: &[(i64, &str, &str, Value)]) -> Rules {
        let mut rules = Rules::default();
        for (ws, at, action, after) in entries {
            rules
                .follow(&leaf(*ws, at), &told(action, after), None)
                .unwrap();
        }
        rules
    }

    fn created(ws: i64) -> (i64, &'static str, &'static str, Value) {
        let after = json!({"retention": "90d"});
        (ws, "2026-01-01T00:00:00Z", "WORKSPACE_CREATED", after)
    }

    /// Whether a release at a time of what occurred before another was permitted.
    fn judged(rules: &mut Rules, ws: i64, at: &str, before: &str) -> Result<(), &'static str> {
        let release = Release {
            id: 1,
            tenant: 1,
            ws,
            seq: 9,
            before: before.parse::<Timestamp>().unwrap().micros(),
            events: 1,
            finished_at: None,
        };
        let expired = told("AUDIT_EVENTS_EXPIRED", &json!({"occurred_before": before}));
        rules.follow(&leaf(ws, at), &expired, Some(&release))
    }

    const AT: &str = "2026-06-30T00:00:00Z";
    /// 90 days, and 30 days, before it.
    const OF_90: &str = "2026-04-01T00:00:00Z";
    const OF_30: &str = "2026-05-31T00:00:00Z";

    #[test]
    fn a_release_covers_what_had_expired_to_the_microsecond() {
        let mut rules = after(&[created(GROWTH)]);
        assert_eq!(judged(&mut rules, GROWTH, AT, OF_90), Ok(()));
        let later = judged(&mut rules, GROWTH, AT, "2026-04-01T00:00:00.000001Z");
        assert!(later.unwrap_err().contains("had not expired"));
        // Nothing is known of the other.
        assert!(judged(&mut rules, REVENUE, AT, OF_90).is_err());
    }

    #[test]
    fn a_shorter_retention_permits_when_it_holds() {
        let wait =
            |from: &str| json!({"retention": "90d", "pending": {"retention": "30d", "from": from}});
        let entry = |action, after| (GROWTH, "2026-06-20T00:00:00Z", action, after);
        let updated = "AUDIT_RETENTION_UPDATED";
        for (entries, permits) in [
            (
                vec![entry(updated, json!({"retention": "30d", "pending": null}))],
                true,
            ),
            (vec![entry(updated, wait(AT))], true),
            (
                vec![entry(updated, wait("2026-06-30T00:00:00.000001Z"))],
                false,
            ),
            (
                vec![
                    entry(updated, wait("2026-06-27T00:00:00Z")),
                    entry(
                        "AUDIT_RETENTION_CANCELLED",
                        json!({"retention": "90d", "pending": null}),
                    ),
                ],
                false,
            ),
            (
                vec![entry(
                    updated,
                    json!({"retention": "forever", "pending": null}),
                )],
                false,
            ),
        ] {
            let all: Vec<_> = [created(GROWTH)]
                .into_iter()
                .chain(entries.clone())
                .collect();
            let judged = judged(&mut after(&all), GROWTH, AT, OF_30);
            assert_eq!(judged.is_ok(), permits, "{entries:?}");
        }
    }

    #[test]
    fn the_plan_raises_and_lowers_what_permits() {
        let plan = |least: Value, most: Value| {
            let after = json!({"min_retention": least, "max_retention": most});
            (OWN, "2026-06-20T00:00:00Z", "PLAN_UPDATED", after)
        };
        for (entry, before, permits) in [
            (plan(Value::Null, json!("30d")), OF_30, true),
            (plan(json!("1y"), Value::Null), OF_90, false),
            (plan(Value::Null, Value::Null), OF_90, true),
        ] {
            let mut rules = after(&[created(GROWTH), entry.clone()]);
            let judged = judged(&mut rules, GROWTH, AT, before);
            assert_eq!(judged.is_ok(), permits, "{entry:?}");
        }
    }

    #[test]
    fn nothing_is_permitted_while_a_hold_stands() {
        let entry = |action| (GROWTH, "2026-06-20T00:00:00Z", action, json!({}));
        let mut rules = after(&[
            created(GROWTH),
            created(REVENUE),
            entry("AUDIT_HOLD_PLACED"),
        ]);
        assert!(
            judged(&mut rules, GROWTH, AT, OF_90)
                .unwrap_err()
                .contains("hold")
        );
        // Nor of the tenant's own log, and all of the other workspace's.
        assert!(
            judged(&mut rules, OWN, AT, OF_90)
                .unwrap_err()
                .contains("hold")
        );
        assert_eq!(judged(&mut rules, REVENUE, AT, OF_90), Ok(()));
        let lifted = (told("AUDIT_HOLD_LIFTED", &json!({})), leaf(GROWTH, AT));
        rules.follow(&lifted.1, &lifted.0, None).unwrap();
        assert_eq!(judged(&mut rules, GROWTH, AT, OF_90), Ok(()));
    }

    #[test]
    fn the_tenants_own_entries_stay_as_long_as_those_of_any_workspace() {
        let longer = json!({"retention": "1y", "pending": null});
        let shorter = json!({"retention": "30d", "pending": null});
        let set = |after| {
            (
                REVENUE,
                "2026-06-20T00:00:00Z",
                "AUDIT_RETENTION_UPDATED",
                after,
            )
        };
        let mut rules = after(&[created(GROWTH), created(REVENUE), set(longer)]);
        assert!(judged(&mut rules, OWN, AT, OF_90).is_err());
        assert_eq!(judged(&mut rules, GROWTH, AT, OF_90), Ok(()));
        let mut rules = after(&[created(GROWTH), created(REVENUE), set(shorter)]);
        assert_eq!(judged(&mut rules, OWN, AT, OF_90), Ok(()));
        assert!(judged(&mut rules, OWN, AT, OF_30).is_err());
    }

    #[test]
    fn a_release_and_its_entry_come_together() {
        let mut rules = after(&[created(GROWTH)]);
        let expired = told("AUDIT_EVENTS_EXPIRED", &json!({"occurred_before": OF_90}));
        assert!(rules.follow(&leaf(GROWTH, AT), &expired, None).is_err());
        let mut release = Release {
            id: 1,
            tenant: 1,
            ws: GROWTH,
            seq: 9,
            before: OF_90.parse::<Timestamp>().unwrap().micros(),
            events: 1,
            finished_at: None,
        };
        let another = told("AUDIT_RECORDING_UPDATED", &json!({}));
        assert!(
            rules
                .follow(&leaf(GROWTH, AT), &another, Some(&release))
                .is_err()
        );
        assert!(
            rules
                .follow(&leaf(REVENUE, AT), &expired, Some(&release))
                .is_err()
        );
        release.before -= 1;
        let judged = rules.follow(&leaf(GROWTH, AT), &expired, Some(&release));
        assert!(judged.unwrap_err().contains("something else"));
    }
}
