//! A disk that is full, and files that cannot be written: clear answers, and everything works again
//! when there is room.
//!
//! Both need a file system of their own, which only root may mount; without, they say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Daybook, READ_AND_WRITE, event, with};
use serde_json::json;
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A small file system in memory, unmounted at the end.
struct SmallDisk {
    folder: PathBuf,
    _mount_point: TempDir,
}

impl SmallDisk {
    /// A disk of so many MiB; none where we may not mount.
    fn new(mib: u32) -> Option<Self> {
        let mount_point = TempDir::with_prefix("daybook-disk-").unwrap();
        let folder = mount_point.path().to_owned();
        let size = format!("size={mib}m");
        let line = [
            "-t",
            "tmpfs",
            "-o",
            &size,
            "daybook-test",
            folder.to_str().unwrap(),
        ];
        if !rustix::process::geteuid().is_root() || !run("mount", &line) {
            eprintln!("SKIPPED: a small disk needs root, and the right to mount");
            return None;
        }
        Some(Self {
            folder,
            _mount_point: mount_point,
        })
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        assert!(run(
            "mount",
            &["-o", &option, self.folder.to_str().unwrap()]
        ));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.folder.to_str().unwrap()]);
    }
}

fn run(program: &str, line: &[&str]) -> bool {
    Command::new(program)
        .args(line)
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_refuses_clearly_and_loses_nothing() {
    only_sqlite!();
    let Some(disk) = SmallDisk::new(24) else {
        return;
    };
    let daybook = Daybook::at(&disk.folder)
        .tenant("acme")
        .workspace("acme/growth");
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let server = daybook.serve();
    let sender = server.client().with_token(&secret);
    let batch = |number: usize| {
        let events: Vec<_> = (0..50)
            .map(|n| {
                let key = format!("{number}-{n}");
                let event = with(event("FILLING"), "idempotency_key", key);
                // Nothing that packs well.
                let mut noise = String::new();
                for _ in 0..60 {
                    write!(noise, "{:016x}", getrandom::u64().unwrap()).unwrap();
                }
                with(event, "after", json!({"noise": noise}))
            })
            .collect();
        json!(events)
    };
    let mut kept = Vec::new();
    let mut number = 0;
    let refusal = loop {
        let answer = sender.send(&batch(number));
        if answer.status != 201 {
            break answer;
        }
        kept.extend(answer.ids());
        number += 1;
        assert!(number < 5_000, "24 MiB are never full");
    };
    assert!([503, 507].contains(&refusal.status), "{}", refusal.text());
    assert!(refusal.text().contains("disk") && refusal.text().contains("full"));
    assert!(!refusal.header("retry-after").is_empty());
    // It stands, and answers questions.
    let path = |id: &String| format!("/api/v1/events/{id}");
    sender.get(&path(&kept[0])).expect(200);
    sender.get(&path(kept.last().unwrap())).expect(200);
    server.client().get("/healthz").expect(200);
    // A command says it in one line too.
    let ran = daybook.run(&["tenant", "create", "globex"]);
    if ran.status != 0 {
        ran.refused(1, "full");
    }
    // With room again, the same server goes on, without a gap.
    disk.remount("size=200m");
    harness::wait_for("the log takes events again", || {
        (sender.send(&batch(number)).status == 201).then_some(())
    });
    // What kept the index from following was told when it began, not whenever it was tried.
    let troubles = server.told().matches("could not be brought up").count();
    assert!(troubles <= 3, "{}", server.told());
    let walk = sender.walk("limit=500&action=FILLING");
    assert_eq!(walk.events.len(), kept.len() + 50);
    let found = walk.ids();
    assert!(kept.iter().all(|id| found.contains(id)));
    server.kill();
    let server = daybook.serve();
    let again = server
        .client()
        .with_token(&secret)
        .walk("limit=500&action=FILLING");
    assert_eq!(again.events.len(), kept.len() + 50);
    let mut numbers: Vec<_> = server
        .client()
        .with_token(&secret)
        .walk("limit=500")
        .events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert!(
        numbers.iter().zip(1..).all(|(seq, wanted)| *seq == wanted),
        "a gap"
    );
}

#[test]
fn files_that_cannot_be_written_are_a_clear_failure() {
    only_sqlite!();
    // Root writes what it may not: for root, the whole file system is made read-only.
    if rustix::process::geteuid().is_root() {
        let Some(disk) = SmallDisk::new(64) else {
            return;
        };
        let daybook = Daybook::at(&disk.folder)
            .tenant("acme")
            .workspace("acme/growth");
        disk.remount("ro");
        refuses(&daybook);
        disk.remount("rw");
        works(&daybook);
    } else {
        let daybook = Daybook::acme();
        let allow = |mode: u32| set_modes(&daybook.path(""), mode);
        allow(0o500);
        refuses(&daybook);
        allow(0o700);
        works(&daybook);
    }
}

fn refuses(daybook: &Daybook) {
    let line = [
        "token",
        "create",
        "--tenant",
        "acme",
        "--name",
        "x",
        "--scope",
        "events:read",
    ];
    for line in [&line[..], &["tenant", "create", "globex"], &["reindex"]] {
        let ran = daybook.run(line).ended(1);
        let told = ran.err.trim_end();
        assert!(
            told.starts_with("daybook: ") && !told.contains('\n'),
            "{ran:#?}"
        );
        assert!(names_the_cause(told), "{ran:#?}");
    }
}

/// Whether an error says that it is not allowed to write.
fn names_the_cause(told: &str) -> bool {
    let told = told.to_lowercase();
    ["read-only", "readonly", "cannot be written", "permission"]
        .iter()
        .any(|word| told.contains(word))
}

fn works(daybook: &Daybook) {
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    server
        .client()
        .with_token(&secret)
        .send(&event("AGAIN"))
        .expect(201);
}

/// Takes the right to write from a folder and all its files, or gives it back.
fn set_modes(folder: &Path, mode: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = fs::Permissions::from_mode(mode & 0o600);
        fs::set_permissions(entry.unwrap().path(), file).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_server_on_a_disk_that_is_read_only_says_so_and_works_when_it_is_not() {
    only_sqlite!();
    let Some(disk) = SmallDisk::new(64) else {
        return;
    };
    let daybook = Daybook::at(&disk.folder)
        .tenant("acme")
        .workspace("acme/growth");
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let server = daybook.serve();
    let sender = server.client().with_token(&secret);
    sender.send(&event("BEFORE")).expect(201);
    // A file system with files open for writing is not made read-only: their owner is stopped.
    assert!(server.stop().0.success());
    disk.remount("ro");
    let mut command = daybook.command(&["serve", "--listen", "127.0.0.1:0"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    let last = told.lines().last().unwrap();
    assert!(
        last.starts_with("daybook: ") && names_the_cause(last),
        "{told}"
    );
    disk.remount("rw");
    let server = daybook.serve();
    let walk = server.client().with_token(&secret).walk("action=BEFORE");
    assert_eq!(walk.events.len(), 1);
}
