//! Small stories of the last weeks, each the answer to a question.

use super::{Beat, Clock, oslo, who};
use crate::demo::{
    bots::{INSIGHTS, NIGHTLY, ONBOARDING, SYSTEM},
    people::Place::{Growth, Revenue},
    scene::{Who, object},
};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

/// All of them.
pub fn beats(clock: Clock) -> Vec<Beat> {
    let mut beats = lost_save(clock);
    beats.extend(tracker(clock.incident()));
    beats.extend(hubspot(clock));
    beats.extend(people(clock));
    beats.extend(tokens(clock));
    beats.extend(settings(clock));
    beats.extend(revenue(clock));
    beats
}

/// "We thought the model saved."
fn lost_save(clock: Clock) -> Vec<Beat> {
    const MODEL: (&str, &str) = ("data_model", "mdl_8d10");
    let filters = |window: &str, trials: bool| -> (&'static str, Value) {
        let mut all =
            vec![json!({"id": "window", "field": "created_on", "op": "within", "value": window})];
        if trials {
            all.push(json!({"id": "trials", "field": "plan", "op": "is_not", "value": "trial"}));
        }
        ("filters", json!(all))
    };
    let columns = |names: &[&str]| -> (&'static str, Value) {
        let all: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "type": "text"}))
            .collect();
        ("columns", json!(all))
    };
    let day = clock.lost_save();
    let beat = |day, time, name: &str, action| {
        Beat::new(oslo(day, time), Revenue, who(name), action, MODEL)
    };
    vec![
        beat(clock.workday(120), (11, 12, 30), "Lucía Fernández", "DATA_MODEL_CREATED").creates(
            "Qualified pipeline",
            object!({
                "version": 4,
                "status": "published",
                "source": "warehouse.opportunities",
                "columns": columns(&["account_id", "stage", "amount_eur"]).1,
                "filters": filters("30 days", false).1,
                "joins": ["accounts"],
                "owner": "lucia.fernandez@acme.example",
            }),
        ),
        beat(clock.workday(41), (10, 40, 2), "Jonas Weber", "DATA_MODEL_UPDATED")
            .sets([columns(&["account_id", "stage", "amount_eur", "owner"])])
            .note("owner, for the territory report"),
        beat(day, (14, 31, 40), "Lucía Fernández", "DATA_MODEL_UPDATED")
            .sets([filters("45 days", false), ("status", json!("draft"))])
            .note("45 days, as agreed with Sales"),
        beat(day, (15, 1, 12), "Lucía Fernández", "DATA_MODEL_UPDATED")
            .fails("the save timed out after 30 s and was not retried")
            .tell("attempted", json!({"filters[1]": {"field": "plan", "op": "is_not", "value": "trial"}})),
        beat(day, (15, 3, 46), "Jonas Weber", "DATA_MODEL_UPDATED")
            .sets([
                filters("30 days", false),
                columns(&["account_id", "stage", "amount_eur", "owner", "region"]),
            ])
            .note("region added")
            .tell("opened_at_version", 4),
        beat(day, (16, 22, 8), "Lucía Fernández", "NOTE_CREATED")
            .noted(
                "nte_lost_save",
                "Qualified pipeline: we thought it saved",
                "Mine timed out, and Jonas had the model open from before: his save put the window back to 30 days. Audit tab, 15:03. Mine goes in again tomorrow, with the trials filter.",
            ),
    ]
}

impl Beat {
    /// It is a note that somebody writes.
    fn noted(mut self, id: &'static str, title: &'static str, text: &'static str) -> Self {
        (self.kind, self.id) = ("note", id);
        self.creates(
            title,
            object!({"title": title, "text": text, "pinned": false}),
        )
    }
}

/// An integration is added.
fn tracker(day: NaiveDate) -> Vec<Beat> {
    const TRACKER: (&str, &str) = ("integration", "int_tracker_19");
    let next = crate::demo::calendar::weekday_from(day + Days::new(1));
    let alex = || who("Alex Kim");
    vec![
        Beat::new(oslo(day, (15, 41, 10)), Growth, alex(), "INTEGRATION_CONNECTED", TRACKER).creates(
            "Issue tracker",
            object!({
                "product": "Issue tracker",
                "project": "GROWTH",
                "enabled": true,
                "status": "connected",
                "schedule": {"cron": "*/15 * * * *", "time_zone": "UTC"},
                "scopes": ["issues.read", "issues.write"],
                "mapping": [{"id": "bug", "to": "task"}, {"id": "incident", "to": "alert"}],
                "credentials": {"access_token": "itk_5b0e9b52d7a94c6f8f17", "expires_on": (day + Days::new(60)).to_string()},
            }),
        ),
        Beat::new(oslo(day, (15, 52, 26)), Growth, alex(), "integration:update", TRACKER)
            .sets([("scopes", json!(["issues.read"]))])
            .note("reading is enough"),
        Beat::new(oslo(next, (9, 12, 49)), Growth, alex(), "slack:connect", ("slack_workspace", "slk_oncall"))
            .creates(
                "acme-oncall-emea",
                object!({"team": "acme-oncall-emea.slack.com", "channels": ["#incidents"], "bot_token": "slk-40177-2c9e10b5"}),
            ),
    ]
}

/// A grant that expired at night.
fn hubspot(clock: Clock) -> Vec<Beat> {
    const HUBSPOT: (&str, &str) = ("integration", "int_hubspot_0c11");
    let day = clock.incident();
    let next = crate::demo::calendar::weekday_from(day + Days::new(1));
    let beat = |day, time, who, action| Beat::new(oslo(day, time), Growth, who, action, HUBSPOT);
    vec![
        beat(clock.workday(300), (10, 0, 0), who("Alex Kim"), "INTEGRATION_CONNECTED").creates(
            "HubSpot EMEA",
            object!({
                "product": "HubSpot",
                "enabled": true,
                "status": "connected",
                "schedule": {"cron": "0 */4 * * *", "time_zone": "UTC"},
                "scopes": ["contacts.read", "deals.read"],
                "credentials": {"refresh_token": "hub-c5b1-01-5d6f", "expires_on": (day).to_string()},
            }),
        ),
        beat(day, (7, 58, 24), Who::Bot(&NIGHTLY), "integration:authorize")
            .fails("invalid_grant: refresh token expired"),
        beat(day, (7, 58, 26), Who::Bot(&NIGHTLY), "integration:update")
            .sets([("status", json!("needs_attention"))]),
        beat(next, (8, 44, 3), who("Alex Kim"), "integration:authorize")
            .sets([
                ("status", json!("connected")),
                ("credentials", json!({"refresh_token": "hub-77aa-02-91c3", "expires_on": (day + Days::new(180)).to_string()})),
            ])
            .note("signed in again as the service account"),
    ]
}

/// Who came, who went, who may do more.
fn people(clock: Clock) -> Vec<Beat> {
    let day = clock.incident();
    let member = |role: Option<&str>, email: &str, teams: &[&str]| object!({"role": role, "email": format!("{email}@acme.example"), "company": "Acme", "teams": teams});
    let beat = |day, time, name: &str, action, id| {
        Beat::new(oslo(day, time), Growth, who(name), action, ("member", id))
    };
    vec![
        beat(clock.workday(410), (9, 0, 0), "Ingrid Solheim", "MEMBER_ADDED", "usr_0d9e")
            .creates("Kofi Mensah", member(Some("editor"), "kofi.mensah", &["growth", "research"])),
        beat(clock.workday(409), (9, 0, 0), "Ingrid Solheim", "MEMBER_ADDED", "usr_6d18")
            .creates("Mara Lindqvist", member(Some("editor"), "mara.lindqvist", &["growth"])),
        beat(day, (8, 40, 12), "Ingrid Solheim", "MEMBER_ROLE_UPDATED", "usr_6d18")
            .sets([("role", json!("admin"))])
            .note("release captain until the end of the month"),
        beat(day, (17, 20, 33), "Ingrid Solheim", "MEMBER_REMOVED", "usr_0d9e")
            .deletes()
            .note("left the company"),
        beat(clock.workday(8), (14, 11, 57), "Lucía Fernández", "MEMBER_ADDED", "usr_77f2")
            .creates("Aiko Tanaka", member(None, "aiko.tanaka", &["crm"]))
            .via(&ONBOARDING),
        beat(clock.workday(8), (14, 12, 0), "Lucía Fernández", "MEMBERSHIP_DEFAULTED", "usr_77f2")
            .sets([("role", json!("viewer"))])
            .via(&ONBOARDING),
        Beat::new(
            oslo(clock.dmitris_last(), (19, 2, 58)),
            Growth,
            who("Tom Okafor"),
            "MCP_CLIENT_AUTHORIZED",
            ("mcp_client", "mcp_51"),
        )
        .creates(
            "Insights",
            object!({"status": "authorized", "scopes": ["reports:read"], "redirect_uri": "http://127.0.0.1:7070/callback"}),
        )
        .via(&INSIGHTS),
    ]
}

/// Tokens that were refused, rotated, and ran out.
fn tokens(clock: Clock) -> Vec<Beat> {
    const LEGACY: (&str, &str) = ("api_token", "tok_1f02");
    const EXPORT: (&str, &str) = ("api_token", "tok_c114");
    let token = |name: &str, scopes: &[&str], until: NaiveDate| object!({"name": name, "status": "active", "scopes": scopes, "last_four": "09af", "expires_on": until.to_string(), "owner": "tom.okafor@acme.example"});
    let day = clock.incident();
    vec![
        Beat::new(
            oslo(clock.workday(371), (9, 0, 0)),
            Growth,
            who("Tom Okafor"),
            "API_TOKEN_CREATED",
            LEGACY,
        )
        .creates(
            "legacy-import",
            token("legacy-import", &["write-data"], day),
        ),
        Beat::new(
            oslo(day, (11, 30, 44)),
            Growth,
            Who::Bot(&SYSTEM),
            "API_TOKEN_EXPIRED",
            LEGACY,
        )
        .sets([("status", json!("expired"))]),
        Beat::new(
            oslo(clock.workday(190), (9, 0, 0)),
            Growth,
            who("Katrin Vogel"),
            "API_TOKEN_CREATED",
            EXPORT,
        )
        .creates(
            "warehouse-export",
            token("warehouse-export", &["read-reports"], day + Days::new(30)),
        ),
        Beat::new(
            oslo(clock.workday(5), (10, 18, 30)),
            Growth,
            who("Katrin Vogel"),
            "API_TOKEN_ROTATED",
            EXPORT,
        )
        .sets([
            ("last_four", json!("d410")),
            ("expires_on", json!((day + Days::new(120)).to_string())),
        ])
        .note("was pasted into a ticket")
        .tell("ticket", "SEC-329"),
        Beat::new(
            oslo(clock.lost_save(), (11, 2, 41)),
            Growth,
            who("Jonas Weber"),
            "API_TOKEN_CREATED",
            ("api_token", ""),
        )
        .tries("growth-export")
        .denied("members may not create tokens"),
    ]
}

/// Settings changed on a Sunday night, and changed back.
fn settings(clock: Clock) -> Vec<Beat> {
    const SIGN_IN: (&str, &str) = ("settings", "set_sign_in");
    let sunday = (10..17)
        .map(|days| clock.ago(days))
        .find(|day| chrono::Datelike::weekday(day) == chrono::Weekday::Sun)
        .unwrap_or(clock.ago(13));
    let monday = sunday + Days::new(1);
    vec![
        Beat::new(oslo(clock.ago(420), (9, 0, 0)), Growth, who("Aylin Demir"), "SETTINGS_UPDATED", SIGN_IN).creates(
            "Sign-in",
            object!({"session": {"minutes": 240, "second_factor": true}, "allowed_networks": ["203.0.113.0/24"]}),
        ),
        Beat::new(
            oslo(sunday, (23, 48, 16)),
            Growth,
            who("Bartholomew Featherstonehaugh"),
            "SETTINGS_UPDATED",
            SIGN_IN,
        )
        .sets([("session", json!({"minutes": 1_440, "second_factor": false}))])
        .note("for the migration weekend"),
        Beat::new(oslo(monday, (8, 5, 52)), Growth, who("Aylin Demir"), "SETTINGS_UPDATED", SIGN_IN)
            .sets([("session", json!({"minutes": 240, "second_factor": true}))])
            .note("back; a second factor is not optional, not even for a weekend"),
    ]
}

/// What the other workspace did meanwhile.
fn revenue(clock: Clock) -> Vec<Beat> {
    const SYNC: (&str, &str) = ("crm_sync", "sync_02e1");
    const PLAN: (&str, &str) = ("subscription", "sub_acme");
    let rules = |fourth: &str| -> (&'static str, Value) {
        (
            "rules",
            json!([
                {"id": "match", "on": "domain", "on_conflict": "skip"},
                {"id": "owner", "on": "territory", "on_conflict": "overwrite"},
                {"id": "stage", "on": "stage", "on_conflict": "skip"},
                {"id": "segment", "on": "segment", "on_conflict": fourth},
            ]),
        )
    };
    let day = clock.incident();
    vec![
        Beat::new(
            oslo(clock.workday(230), (9, 0, 0)),
            Revenue,
            who("Daniel Ortiz"),
            "CRM_SYNC_CREATED",
            SYNC,
        )
        .creates(
            "Accounts to Salesforce",
            object!({
                "enabled": true,
                "object": "Accounts",
                "direction": "to_crm",
                "schedule": {"cron": "*/30 * * * *"},
                "batch_size": 200,
                "rules": rules("skip").1,
                "fields": ["name", "country", "segment"],
            }),
        ),
        Beat::new(
            oslo(clock.lost_save(), (10, 12, 50)),
            Revenue,
            who("Aiko Tanaka"),
            "CRM_SYNC_RULE_UPDATED",
            SYNC,
        )
        .sets([rules("overwrite")])
        .note("our segment wins; Salesforce has had the old ones since spring"),
        Beat::new(
            oslo(clock.ago(430), (9, 0, 0)),
            Revenue,
            who("Helena Braga"),
            "subscription:activate",
            PLAN,
        )
        .creates(
            "Acme Business",
            object!({
                "status": "active",
                "plan": "Business",
                "seats": 240,
                "interval": "year",
                "price": {"currency": "EUR", "per_seat_cents": 2_900},
            }),
        ),
        Beat::new(
            oslo(day, (15, 5, 3)),
            Revenue,
            who("Bartholomew Featherstonehaugh"),
            "subscription:scale_up",
            PLAN,
        )
        .sets([("seats", json!(300))])
        .note("the Bengaluru office"),
    ]
}
