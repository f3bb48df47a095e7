//! `daybook import`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use flate2::{Compression, write::GzEncoder};
use harness::{Daybook, READ_AND_WRITE, Ran, event, with};
use serde_json::{Value, json};
use std::io::Write;

const CLOUDTRAIL: &str = include_str!("samples/cloudtrail.json");
const GITHUB: &str = include_str!("samples/github.ndjson");

/// An installation whose workspace keeps everything, however old this test and its samples become.
fn installation() -> Daybook {
    let daybook = Daybook::acme();
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "forever",
    ];
    daybook.run(&line).succeeded();
    daybook
}

fn import(daybook: &Daybook, format: &str, more: &[&str]) -> Ran {
    let line = ["import", "--workspace", "acme/growth", "--format", format];
    daybook.run(&[&line, more].concat())
}

/// What was imported, in the order of arrival.
fn imported(daybook: &Daybook) -> Vec<Value> {
    let secret = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let walk = server.client().with_token(&secret).walk("limit=500");
    let mut events: Vec<_> = walk
        .events
        .into_iter()
        .filter(|event| event["source"] == "import")
        .collect();
    events.sort_by_key(|event| event["seq"].as_u64());
    events
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// Events as another installation would have exported them.
fn export(events: usize) -> String {
    let now = harness::now();
    let line = |n: usize| {
        let time = now.plus(-chrono::TimeDelta::minutes(i64::try_from(n).unwrap()));
        let mut line = with(
            event(&format!("ACTION_{}", n % 9)),
            "occurred_at",
            time.to_string(),
        );
        line["id"] = json!(format!("01970c3e-8d1c-7cc0-b3a1-{n:012}"));
        line["seq"] = json!(n + 1);
        line["recorded_at"] = json!(time.to_string());
        line["tenant"] = json!("globex");
        line["workspace"] = json!("elsewhere");
        line["verb"] = json!("create");
        line["category"] = json!("members");
        line["given"] = if n.is_multiple_of(2) {
            json!(["verb"])
        } else {
            json!([])
        };
        line["actor"]["deactivated"] = json!(false);
        line["source"] = Value::Null;
        line["redacted"] = json!(0);
        line["erased"] = json!([]);
        line.to_string()
    };
    (0..events).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn cloudtrail_files_become_events_packed_or_not() {
    for packed in [false, true] {
        let daybook = installation();
        let file = if packed {
            daybook.write("trail.json.gz", gzip(CLOUDTRAIL))
        } else {
            daybook.write("trail.json", CLOUDTRAIL)
        };
        let said = import(&daybook, "cloudtrail", &[&file]).succeeded();
        assert!(
            said.out.contains("3 recorded, 0 duplicates, 0 refused"),
            "{said:?}"
        );
        assert!(said.err.is_empty(), "{said:?}");
        let events = imported(&daybook);
        let actions: Vec<_> = events
            .iter()
            .map(|event| event["action"].as_str().unwrap())
            .collect();
        assert_eq!(
            actions,
            ["iam:CreateAccessKey", "s3:GetObject", "iam:DeleteRole"]
        );
        assert_eq!(events[0]["actor"]["name"], "dana");
        assert_eq!(events[0]["occurred_at"], "2026-03-02T08:15:30.000000Z");
        assert_eq!(events[0]["context"]["ip"], "203.0.113.50");
        assert!(
            events[1]["via"].to_string().contains("role/reader"),
            "{}",
            events[1]
        );
        assert_eq!(events[2]["outcome"], "denied");
    }
}

#[test]
fn the_audit_log_of_github_becomes_events() {
    let daybook = installation();
    let file = daybook.write("audit.ndjson", GITHUB);
    import(&daybook, "github", &[&file]).succeeded();
    let events = imported(&daybook);
    let actions: Vec<_> = events
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["org.add_member", "repo.access", "team.add_member"]
    );
    assert_eq!(events[0]["occurred_at"], "2026-03-02T08:15:30.123000Z");
    assert_eq!(events[0]["actor"]["name"], "dana");
    assert!(
        events[0]["target"].to_string().contains("eli"),
        "{}",
        events[0]
    );
}

#[test]
fn what_another_installation_exported_is_taken_over() {
    let daybook = installation();
    let file = daybook.write("export.ndjson", export(20));
    import(&daybook, "daybook", &[&file]).succeeded();
    let events = imported(&daybook);
    assert_eq!(events.len(), 20);
    for (n, event) in events.iter().enumerate() {
        assert_eq!(
            (&event["tenant"], &event["workspace"]),
            (&json!("acme"), &json!("growth"))
        );
        // Its id serves as the key, and it gets an id of this installation.
        assert_eq!(
            event["idempotency_key"],
            format!("01970c3e-8d1c-7cc0-b3a1-{n:012}")
        );
        assert_ne!(event["id"], event["idempotency_key"]);
        let given = if n % 2 == 0 {
            json!(["verb"])
        } else {
            json!([])
        };
        assert_eq!(event["given"], given);
        assert_eq!(
            event["category"], "other",
            "what was not given is read anew"
        );
    }
}

#[test]
fn what_is_given_back_can_be_imported_elsewhere_and_is_the_same() {
    let daybook = installation();
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let file = daybook.write("trail.json", CLOUDTRAIL);
    import(&daybook, "cloudtrail", &[&file]).succeeded();
    let server = daybook.serve();
    let walk = server
        .client()
        .with_token(&secret)
        .walk("limit=500&order=asc");
    let lines: Vec<_> = walk.events.iter().map(Value::to_string).collect();
    let elsewhere = installation();
    let file = elsewhere.write("export.ndjson", lines.join("\n"));
    import(&elsewhere, "daybook", &[&file]).succeeded();
    let copies = imported(&elsewhere);
    assert_eq!(copies.len(), lines.len());
    for (event, copy) in walk.events.iter().zip(&copies) {
        for field in [
            "occurred_at",
            "actor",
            "via",
            "action",
            "verb",
            "category",
            "target",
            "related",
            "outcome",
            "description",
            "before",
            "after",
            "metadata",
            "context",
        ] {
            assert_eq!(event[field], copy[field], "{field}");
        }
    }
}

#[test]
fn importing_twice_records_nothing_twice() {
    let daybook = installation();
    let file = daybook.write("export.ndjson", export(2_500));
    let said = import(&daybook, "daybook", &[&file]).succeeded();
    assert!(
        said.out.contains("2,500 recorded, 0 duplicates"),
        "{said:?}"
    );
    let said = import(&daybook, "daybook", &[&file]).succeeded();
    assert!(
        said.out.contains("0 recorded, 2,500 duplicates"),
        "{said:?}"
    );
    // The same file twice at once, and one that overlaps.
    let more = daybook.write("more.ndjson", export(3_000));
    let said = import(&daybook, "daybook", &[&more, &file, &more]).succeeded();
    assert!(
        said.out.contains("500 recorded, 8,000 duplicates"),
        "{said:?}"
    );
    assert_eq!(imported(&daybook).len(), 3_000);
}

#[test]
fn a_line_that_cannot_be_read_is_reported_with_its_place_and_the_rest_goes_on() {
    let daybook = installation();
    let mut lines: Vec<_> = export(1_200).lines().map(str::to_owned).collect();
    lines[4] = "{\"actor\": ".to_owned();
    lines[700] = r#"{"actor": {"kind": "user", "id": "1"}, "action": "has space"}"#.to_owned();
    lines[1_100] = "7".to_owned();
    let file = daybook.write("export.ndjson", lines.join("\n"));
    let ran = import(&daybook, "daybook", &[&file]).ended(1);
    let told: Vec<_> = ran.err.lines().collect();
    assert_eq!(told.len(), 3, "{ran:#?}");
    for (line, number) in told.iter().zip([5, 701, 1_101]) {
        assert!(line.starts_with(&format!("{file}:{number}: ")), "{line}");
    }
    assert!(
        told[1].contains("action") && told[1].contains("target"),
        "{}",
        told[1]
    );
    assert!(
        ran.out.contains("1,197 recorded, 0 duplicates, 3 refused"),
        "{ran:?}"
    );
    assert_eq!(imported(&daybook).len(), 1_197);
}

#[test]
fn a_record_of_a_list_is_named_with_its_number() {
    let daybook = installation();
    let mut file: Value = serde_json::from_str(CLOUDTRAIL).unwrap();
    file["Records"][1] = json!("nonsense");
    let file = daybook.write("trail.json", file.to_string());
    let ran = import(&daybook, "cloudtrail", &[&file]).ended(1);
    assert!(
        ran.err.starts_with(&format!("{file}:1: record 2: ")),
        "{ran:?}"
    );
    assert!(ran.out.contains("2 recorded"), "{ran:?}");
}

#[test]
fn a_file_that_is_cut_off_gives_what_it_holds_and_a_failure() {
    let daybook = installation();
    let packed = gzip(&export(5_000));
    let file = daybook.write("cut.ndjson.gz", &packed[..packed.len() / 2]);
    let whole = daybook.write("whole.json", CLOUDTRAIL);
    let ran = import(&daybook, "daybook", &[&file]).ended(1);
    assert!(ran.err.contains(&format!("{file}:")), "{ran:?}");
    let kept = imported(&daybook).len();
    assert!(kept > 100 && kept < 5_000, "{kept}");
    import(&daybook, "cloudtrail", &[&whole]).succeeded();
}

#[test]
fn what_is_older_than_is_kept_stops_the_import_before_it_starts() {
    let daybook = Daybook::acme();
    let mut lines: Vec<_> = export(30).lines().map(str::to_owned).collect();
    for (n, days) in [(3, 91), (17, 400)] {
        let time = harness::now()
            .plus(-chrono::TimeDelta::days(days))
            .to_string();
        let line: Value = serde_json::from_str(&lines[n]).unwrap();
        lines[n] = with(line, "occurred_at", time).to_string();
    }
    let file = daybook.write("export.ndjson", lines.join("\n"));
    let ran =
        import(&daybook, "daybook", &[&file]).refused(1, "2 events are older than the 90 days");
    assert!(
        ran.err.contains("--skip-expired") && ran.err.contains("settings set"),
        "{ran:?}"
    );
    assert_eq!(imported(&daybook).len(), 0);

    let ran = import(&daybook, "daybook", &["--skip-expired", &file]).succeeded();
    assert!(
        ran.out.contains("28 recorded") && ran.out.contains("2 passed over"),
        "{ran:?}"
    );
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "2y",
    ];
    daybook.run(&line).succeeded();
    let ran = import(&daybook, "daybook", &[&file]).succeeded();
    assert!(ran.out.contains("2 recorded, 28 duplicates"), "{ran:?}");
}

#[test]
fn a_rehearsal_reads_everything_and_records_nothing() {
    let daybook = Daybook::acme();
    let trail = daybook.write("trail.json", CLOUDTRAIL);
    let export = daybook.write("export.ndjson", export(1_500));
    let ran = import(&daybook, "daybook", &["--dry-run", &export]).succeeded();
    assert!(
        ran.out.contains("Nothing was recorded") && ran.out.contains("1,500"),
        "{ran:?}"
    );
    // What would stop it, is told by the rehearsal too: these are of March 2026.
    if harness::now().to_string().as_str() > "2026-07-01" {
        let ran = import(&daybook, "cloudtrail", &["--dry-run", &trail]).ended(1);
        assert!(
            ran.err.contains("--skip-expired") && ran.out.contains("3 events"),
            "{ran:?}"
        );
        import(
            &daybook,
            "cloudtrail",
            &["--dry-run", "--skip-expired", &trail],
        )
        .succeeded();
    }
    let broken = daybook.write("broken.ndjson", "{\n");
    import(&daybook, "daybook", &["--dry-run", &broken]).ended(1);
    assert_eq!(imported(&daybook).len(), 0);
}

#[test]
fn the_log_tells_of_a_finished_import_by_the_names_of_its_files() {
    let daybook = installation();
    let file = daybook.write("trail.json", CLOUDTRAIL);
    import(&daybook, "cloudtrail", &[&file, &file]).succeeded();
    import(&daybook, "cloudtrail", &["--dry-run", &file]).succeeded();
    let secret = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let told = server
        .client()
        .with_token(&secret)
        .walk("action=AUDIT_IMPORT_FINISHED")
        .events;
    assert_eq!(told.len(), 1);
    let metadata = &told[0]["metadata"];
    assert_eq!(metadata["files"], json!(["trail.json", "trail.json"]));
    assert_eq!(metadata["format"], "cloudtrail");
    assert_eq!(
        (&metadata["recorded"], &metadata["duplicates"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(told[0]["source"], "daybook");
    let folder = daybook.path("").display().to_string();
    assert!(!told[0].to_string().contains(&folder), "{}", told[0]);
}

#[test]
fn large_texts_are_cut_and_credentials_taken_out() {
    let daybook = installation();
    let line: Value = serde_json::from_str(&export(1)).unwrap();
    let line = with(
        line,
        "metadata",
        json!({"log": "x".repeat(200_000), "password": "hunter2"}),
    );
    let file = daybook.write("large.ndjson", line.to_string());
    import(&daybook, "daybook", &[&file]).succeeded();
    let events = imported(&daybook);
    let log = events[0]["metadata"]["log"].as_str().unwrap();
    assert!(log.ends_with("… (cut)") && log.len() < 65_536);
    assert!(
        events[0]["metadata"]["password"]
            .as_str()
            .unwrap()
            .starts_with("redacted:")
    );
}

#[test]
fn what_cannot_be_imported_says_why() {
    let daybook = installation();
    let file = daybook.write("trail.json", CLOUDTRAIL);
    import(&daybook, "csv", &[&file]).refused(2, "daybook, cloudtrail, github");
    import(&daybook, "github", &[]).refused(2, "<FILE>");
    import(&daybook, "github", &["--watch", &file]).refused(2, "--watch");
    let missing = daybook.path("missing.json").display().to_string();
    import(&daybook, "github", &[&file, &missing]).refused(1, "missing.json");
    let folder = daybook.path("").display().to_string();
    import(&daybook, "github", &[&folder]).refused(1, "not a file");
    let line = [
        "import",
        "--workspace",
        "acme/none",
        "--format",
        "github",
        &file,
    ];
    daybook.run(&line).refused(1, "acme/none");
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--recording",
        "off",
    ];
    daybook.run(&line).succeeded();
    import(&daybook, "cloudtrail", &[&file]).refused(1, "--recording on");
    assert_eq!(imported(&daybook).len(), 0);
}
