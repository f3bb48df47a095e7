//! Erasure while it is carried out: in batches, held up, cut short, beside those who read and record, and
//! past what cannot be read.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod erasing;
mod log;

use domain::{
    event::{Event, NewEvent},
    question::Query,
};
use erasing::{Erasing, JANE, asked, carry_out, jane, jane_as, one, reason};
use log::{BEGINNING, Log, event, limit, object, operator};
use sqlx::{Connection, SqliteConnection};
use store::{
    Store,
    erasure::{Progress, Released, What},
    question::Count,
    recording::Receipt,
    retention::Removal,
};
#[tokio::test]
async fn a_hold_suspends_what_is_not_erased_yet() {
    let erasing = Erasing::with_jane().await;
    let releases = erasing.released(&jane()).await.unwrap();
    for (is_held, progress) in [(true, Progress::Suspended), (false, Progress::Finished)] {
        if is_held {
            erasing.place_hold().await;
        } else {
            erasing.lift_hold().await;
        }
        erasing.carry_out().await;
        assert_eq!(erasing.progress(&releases).await, progress);
        let events = erasing.events().await;
        let is_erased = events.iter().any(|event| !event.erased.is_empty());
        assert_eq!(is_erased, !is_held);
        erasing.verified().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_cut_short_goes_on_without_the_address() {
    let erasing = Erasing::with_jane().await;
    let releases = erasing.released(&jane()).await.unwrap();
    let erasing = Erasing::of(erasing.log.reopened().await).await;
    // Meanwhile they go on: of that nothing is named.
    let (id, _) = one(&erasing).await;
    erasing.carry_out().await;
    assert_eq!(erasing.progress(&releases).await, Progress::Finished);
    for event in erasing.events().await {
        let email = event.actor.actor.email.as_deref();
        assert!(event.id == id || email.map(str::to_lowercase).as_deref() != Some(JANE));
    }
    erasing.verified().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_or_records_meanwhile_misses_nothing() {
    let erasing = Erasing::new().await;
    let (log, grant) = (&erasing.log, &erasing.grant);
    // More than are rewritten at a time.
    let numbered = |number: usize| {
        let page = object("page", &format!("p{}", number % 3), "Page");
        let mut event = event(jane_as("Jane Doe", JANE), "NOTE", page, BEGINNING);
        event.idempotency_key = Some(format!("key-{number}"));
        event
    };
    log.record(grant, (0..2_400).map(numbered).collect()).await;
    erasing.released(&jane()).await.unwrap();
    let scope = grant.read_scope().unwrap();
    let all = log.walk(&scope, &limit(500)).await.len();
    let store = log.store.clone();
    let erased = tokio::spawn(async move { carry_out(&store).await });
    let looking = async {
        let mut looked = 0;
        while looked == 0 || !erased.is_finished() {
            let counted = log.store.count(&scope, &Query::default()).await.unwrap();
            assert_eq!(counted, Count::Exactly(all as u64));
            looked += 1;
        }
    };
    let sending = async {
        let mut sent = 0;
        while sent == 0 || !erased.is_finished() {
            let again = (sent % 60..2_400).step_by(60).map(numbered);
            for receipt in log.record(grant, again.collect()).await {
                assert!(matches!(receipt, Receipt::Duplicate(_)), "{receipt:?}");
            }
            sent += 1;
        }
    };
    tokio::join!(looking, sending);
    erased.await.unwrap();
    assert_eq!(log.walk(&scope, &limit(500)).await.len(), all);
}

/// What an index holds, but for what it counts of what is not there.
async fn index_of(folder: &log::Folder) -> Vec<String> {
    let path = folder.path().join("daybook.db.index");
    let mut index = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let mut all = Vec::new();
    for (table, columns) in [
        ("by_time", "ws, at, n, actor, via, target, related"),
        ("by_actor", "ws, key, at, n, own, actor, via"),
        ("by_action", "ws, key, at, n, actor"),
        ("by_target", "ws, key, at, n, own, actor, target"),
        ("by_kind", "ws, key, at, n, own, actor"),
        ("by_operation", "ws, key, at, n, actor"),
        ("by_key", "hash, n"),
        ("count_actor", "ws, key, events, entries"),
        ("count_action", "ws, key, events"),
        ("count_kind", "ws, key, events, entries"),
        ("count_target", "ws, key, events, entries"),
        ("count_pair", "ws, action, actor, events"),
        ("count_via", "ws, key, actor, events"),
        ("count_day", "ws, day, hex(hours), hex(quarters)"),
    ] {
        let counted = if columns.ends_with("events") || columns.ends_with("entries") {
            "WHERE events <> 0"
        } else {
            ""
        };
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT '{table} ' || json_array({columns}) FROM {table} {counted} ORDER BY 1"
        )))
        .fetch_all(&mut index)
        .await
        .unwrap();
        all.extend(rows);
    }
    all
}

#[tokio::test]
async fn an_index_that_is_made_again_finds_the_same() {
    only_sqlite!();
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let before = erasing.events().await;
    let Log {
        store,
        clock,
        folder,
    } = erasing.log;
    store.close().await;
    store::discard_index(&Log::options(&folder, &clock)).unwrap();
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let erasing = Erasing::of(Log {
        store,
        clock,
        folder,
    })
    .await;
    let own = |event: &&Event| event.action.as_str() != "API_TOKEN_CREATED";
    let after = erasing.events().await;
    let after: Vec<&Event> = after.iter().filter(own).collect();
    assert_eq!(after, before.iter().filter(own).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_that_only_the_index_had_rewritten_is_taken_over_again() {
    only_sqlite!();
    let erasing = Erasing::with_jane().await;
    erasing.released(&jane()).await.unwrap();
    let before = erasing.events().await;
    let log = erasing.log.reopened().await;
    // As it is when the machine stops after the index's commit and before the log's.
    let path = log.folder.path().join("daybook.db");
    let kept = path.with_extension("kept");
    log.store.close().await;
    std::fs::copy(&path, &kept).unwrap();
    let Log { clock, folder, .. } = log;
    let open = || Store::open(Log::options(&folder, &clock));
    let store = open().await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let step = store.remove_some().await.unwrap();
    assert!(
        matches!(step, Removal::Erased { events: 1.., .. }),
        "{step:?}"
    );
    store.close().await;
    std::fs::rename(&kept, &path).unwrap();
    let store = open().await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let taken_over = index_of(&folder).await;
    let scope = erasing.grant.read_scope().unwrap();
    let log = Log {
        store,
        clock: clock.clone(),
        folder,
    };
    assert_eq!(log.walk(&scope, &Query::default()).await, before);
    let by_jane = log.walk(&scope, &asked(&format!("actor={JANE}"))).await;
    assert!(!by_jane.is_empty());
    let Log {
        store,
        clock,
        folder,
    } = log;
    store.close().await;
    store::discard_index(&Log::options(&folder, &clock)).unwrap();
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    assert_eq!(index_of(&folder).await, taken_over);
    carry_out(&store).await;
    let log = Log {
        store,
        clock,
        folder,
    };
    assert!(
        log.walk(&scope, &asked(&format!("actor={JANE}")))
            .await
            .is_empty()
    );
}

/// The number of an event of Jane's, and a statement that has it name texts that are not there.
async fn damage(erasing: &Erasing) -> (Event, String) {
    let events = erasing.events().await.into_iter();
    let mut theirs = events.filter(|event| event.actor.actor.email.as_deref() == Some(JANE));
    let damaged = theirs.next().unwrap();
    let same = log::same("content", "l");
    let statement = format!(
        "UPDATE content SET related = 99999 \
         WHERE EXISTS (SELECT 1 FROM leaf l WHERE {same} AND l.seq = {})",
        damaged.seq
    );
    (damaged, statement)
}

async fn erased(log: &Log) -> i64 {
    log.number("SELECT count(*) FROM content WHERE erased IS NOT NULL")
        .await
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_keeps_nothing_else_back() {
    let erasing = Erasing::with_jane().await;
    let (damaged, statement) = damage(&erasing).await;
    let (store, what) = (&erasing.log.store, jane());
    let all = store.would_erase(&erasing.scope, &what).await.unwrap();
    let all = i64::try_from(all.all()).unwrap();
    erasing.log.attack(&statement).await;
    let releases = erasing.released(&jane()).await.unwrap();
    erasing.carry_out().await;
    assert_eq!(erasing.progress(&releases).await, Progress::Finished);
    assert_eq!(erased(&erasing.log).await, all - 1);
    let told = erasing.damage(&releases).await;
    let [told] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(told.id, damaged.id);
    assert!(told.what.contains("a text that an event names"), "{told:?}");
    // Again it is told, and not released again.
    let would = store.would_erase(&erasing.scope, &what).await.unwrap();
    assert_eq!((would.all(), &would.damaged[..]), (0, &[told.clone()][..]));
    assert!(erasing.released(&jane()).await.unwrap().is_empty());
    let refused = erasing.released(&What::Event(damaged.id, None)).await;
    assert!(
        matches!(refused, Err(store::erasure::ErasureError::Altered(_))),
        "{refused:?}"
    );
    // What expires goes, and that too.
    let later = erasing.log.store.now().plus(chrono::TimeDelta::days(3));
    erasing.log.clock.set(later);
    let release = erasing.let_expire().await;
    erasing.carry_out().await;
    assert!(erasing.log.store.is_finished(&release).await.unwrap());
    assert_eq!(erased(&erasing.log).await, 0);
}

#[tokio::test]
async fn what_is_erased_may_expire_and_the_log_stays_provable() {
    let erasing = Erasing::with_jane().await;
    // Erased before it expires, and while it does.
    erasing.erase(&jane()).await;
    let kim = What::Person("kim.berg@acme.example".parse().unwrap());
    let later = erasing.log.store.now().plus(chrono::TimeDelta::days(3));
    erasing.log.clock.set(later);
    let releases = erasing.released(&kim).await.unwrap();
    let expiring = erasing.let_expire().await;
    erasing.carry_out().await;
    assert_eq!(erasing.progress(&releases).await, Progress::Finished);
    let store = &erasing.log.store;
    assert!(store.is_finished(&expiring).await.unwrap());
    erasing.verified().await.unwrap();
    let left = erasing.events().await;
    assert!(left.iter().all(|event| event.source.is_some()), "{left:?}");
    // What comes again under the same names is named, and erased again.
    let (id, _) = one(&erasing).await;
    erasing.erase(&jane()).await;
    let events = erasing.events().await.into_iter();
    let again = events.filter(|event| event.id == id);
    let [again] = &again.collect::<Vec<_>>()[..] else {
        panic!("it is there")
    };
    let pseudonym = again.actor.actor.id.as_deref();
    assert!(pseudonym.is_some_and(|id| id.starts_with("erased-")));
    erasing.verified().await.unwrap();
}

/// So many of Jane's events, the last ones under another kind of actor.
async fn many(erasing: &Erasing, count: usize, others: usize) {
    let numbered = |number: usize| {
        let mut who = jane_as("Jane Doe", JANE);
        if number >= count - others {
            who.kind = domain::event::ActorKind::Agent;
        }
        event(who, "NOTE", object("page", "p", "Page"), BEGINNING)
    };
    let events: Vec<NewEvent> = (0..count).map(numbered).collect();
    for some in events.chunks(1_000) {
        erasing.log.record(&erasing.grant, some.to_vec()).await;
    }
}

#[tokio::test]
async fn who_stands_in_place_of_somebody_stays_until_the_last_release_ends() {
    let erasing = Erasing::new().await;
    // Of the last ones another release tells, and of these alone somebody of another kind.
    many(&erasing, 5_020, 15).await;
    let releases = erasing.released(&jane()).await.unwrap();
    assert_eq!(releases.len(), 2);
    let erasing = if log::postgres().is_some() {
        erasing
    } else {
        // The index is made anew meanwhile: what is counted of somebody of whom no event tells is nothing.
        let Log {
            store,
            clock,
            folder,
        } = erasing.log;
        store.close().await;
        store::discard_index(&Log::options(&folder, &clock)).unwrap();
        let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
        store.wait_for_index(|_, _| ()).await.unwrap();
        Erasing::of(Log {
            store,
            clock,
            folder,
        })
        .await
    };
    erasing.carry_out().await;
    let scope = erasing.grant.read_scope().unwrap();
    let query = asked("actor_kind=agent");
    let theirs = erasing.log.walk(&scope, &query).await;
    assert_eq!(theirs.len(), 15);
    for event in theirs {
        let pseudonym = event.actor.actor.id.as_deref();
        assert!(pseudonym.is_some_and(|id| id.starts_with("erased-")));
    }
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn texts_that_a_release_puts_in_place_are_not_emptied_by_another() {
    only_postgres!();
    let erasing = Erasing::with_jane().await;
    let later = erasing.log.store.now().plus(chrono::TimeDelta::days(3));
    erasing.log.clock.set(later);
    // All else of theirs expires.
    let page = object("page", "p", "Page");
    let mut kept = event(jane_as("Jane Doe", JANE), "NOTE", page, BEGINNING);
    kept.occurred_at = Some(later);
    kept.via = vec![log::user("usr_3", "Kim Berg"), jane_as("Jane Roe", JANE)];
    let receipts = erasing.log.record(&erasing.grant, vec![kept]).await;
    let Receipt::Recorded(kept) = receipts[0] else {
        panic!("{receipts:?}")
    };
    erasing.let_expire().await;
    erasing.released(&jane()).await.unwrap();
    // As when what has expired was gone before, and its texts are being emptied.
    let emptied = "SELECT coalesce(empty_texts(1, -1, 100000), 0)::BIGINT";
    erasing.log.number(emptied).await;
    erasing.carry_out().await;
    let events = erasing.events().await.into_iter();
    let left = events.filter(|event| event.id == kept.id);
    let [left] = &left.collect::<Vec<_>>()[..] else {
        panic!("it is there")
    };
    let pseudonym = left.actor.actor.id.as_deref();
    assert!(
        pseudonym.is_some_and(|id| id.starts_with("erased-")),
        "{left:?}"
    );
    assert!(
        left.via.iter().all(|member| member.id.is_some()),
        "{left:?}"
    );
    erasing.verified().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_record_between_the_releases_of_many_events() {
    let erasing = Erasing::new().await;
    many(&erasing, 15_100, 0).await;
    let store = erasing.log.store.clone();
    let scope = erasing.scope.clone();
    let released = tokio::spawn(async move {
        let released = store.erase(&scope, &jane(), &reason(), &operator()).await;
        let Released::Made(releases, extent) = released.unwrap() else {
            panic!("nobody else erases")
        };
        assert_eq!((releases.len(), extent.all()), (4, 15_100));
    });
    let mut recorded = Vec::new();
    let kim = log::user("usr_3", "Kim Berg");
    while !released.is_finished() {
        let page = object("page", "p", "Page");
        let sent = event(kim.clone(), "NOTE", page, BEGINNING);
        for receipt in erasing.log.record(&erasing.grant, vec![sent]).await {
            let Receipt::Recorded(placed) = receipt else {
                panic!("{receipt:?}")
            };
            recorded.push(placed.seq);
        }
    }
    released.await.unwrap();
    let scope = erasing.grant.read_scope().unwrap();
    let query = asked("action=AUDIT_CONTENT_ERASED");
    let told = erasing.log.walk(&scope, &query).await;
    let told: Vec<u64> = told.iter().map(|event| event.seq).collect();
    let (first, last) = (told.iter().min().unwrap(), told.iter().max().unwrap());
    assert_eq!(told.len(), 4);
    assert!(
        recorded.iter().any(|seq| (first..last).contains(&seq)),
        "{told:?} {recorded:?}"
    );
    erasing.carry_out().await;
    erasing.verified().await.unwrap();
}
