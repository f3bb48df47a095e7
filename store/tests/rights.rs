//! What the role that the server goes on as may do on PostgreSQL, and what triggers refuse to everybody.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::event::NewEvent;
use log::{BEGINNING, Log, event, limit, object, user};

fn some_event() -> NewEvent {
    let mut event = event(
        user("usr_1", "Alex Kim"),
        "secret:rotate",
        object("secret", "sec_1", "SALESFORCE"),
        BEGINNING,
    );
    event.via = vec![user("agt_1", "Assistant")];
    event.related = vec![object("user", "usr_9", "Kim Berg")];
    event
}

/// A log on PostgreSQL in which something is recorded; none on SQLite, which has no roles.
async fn recorded() -> Option<Log> {
    log::postgres()?;
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![some_event()]).await;
    Some(log)
}

impl Log {
    async fn refused_to_the_role(&self, statement: &str) -> String {
        self.refused(&format!("SET ROLE daybook_server; {statement}"))
            .await
    }

    async fn partitions(&self) -> Vec<String> {
        let names: Vec<(String,)> = self
            .rows(
                "SELECT i.inhrelid::regclass::TEXT FROM pg_inherits i \
                 WHERE i.inhparent IN ('content'::regclass, 'entry'::regclass)",
            )
            .await;
        names.into_iter().map(|(name,)| name).collect()
    }
}

#[tokio::test]
async fn the_role_changes_and_removes_nothing_of_partitions_either() {
    let Some(log) = recorded().await else { return };
    let partitions = log.partitions().await;
    assert!(partitions.iter().any(|name| name.starts_with("entry_92_")));
    for partition in partitions {
        for statement in [
            format!("DELETE FROM {partition}"),
            format!("UPDATE {partition} SET seq = seq"),
            format!("TRUNCATE {partition}"),
            format!("INSERT INTO {partition} SELECT * FROM {partition}"),
        ] {
            let words = log.refused_to_the_role(&statement).await;
            assert!(words.contains("permission denied"), "{statement}: {words}");
        }
        for statement in [
            format!("DROP TABLE {partition}"),
            format!("ALTER TABLE {partition} DISABLE TRIGGER ALL"),
        ] {
            let words = log.refused_to_the_role(&statement).await;
            assert!(words.contains("must be owner"), "{statement}: {words}");
        }
        let emptied = log.refused(&format!("TRUNCATE {partition}")).await;
        assert!(emptied.contains("append-only"), "{partition}: {emptied}");
        if partition.starts_with("content_")
            && log
                .number(&format!("SELECT count(*) FROM {partition}"))
                .await
                > 0
        {
            for statement in ["DELETE FROM", "UPDATE"] {
                let rest = if statement == "UPDATE" {
                    "SET seq = seq"
                } else {
                    ""
                };
                let words = log
                    .refused(&format!("{statement} {partition} {rest}"))
                    .await;
                assert!(
                    words.contains("append-only"),
                    "{statement} {partition}: {words}"
                );
            }
        }
    }
    for table in [
        "leaf",
        "content",
        "actor",
        "via",
        "action",
        "kind",
        "target",
        "related",
        "release",
        "hold",
        "installation",
    ] {
        let words = log.refused(&format!("TRUNCATE {table} CASCADE")).await;
        assert!(words.contains("append-only"), "{table}: {words}");
    }
    let scope = log.scope("acme/growth").await;
    let read = log.walk(&scope, &limit(500)).await;
    assert_eq!(
        read.iter().filter(|event| event.source.is_none()).count(),
        1
    );
}

#[tokio::test]
async fn the_role_releases_nothing_that_has_not_expired_whatever_tables_it_makes() {
    let Some(log) = recorded().await else { return };
    let release = "INSERT INTO public.release (id, tenant, ws, seq, before, events) \
        SELECT 1, 1, 1, max(seq), 4102444800000000, 0 FROM public.leaf WHERE tenant = 1";
    let words = log.refused_to_the_role(release).await;
    assert!(words.contains("only what has expired"), "{words}");
    // What a function asks for is not what stands before it in the search path.
    let tables = "
        CREATE TEMP TABLE workspace AS SELECT id, tenant, '0d'::TEXT AS retention,
            NULL::TEXT AS pending, NULL::BIGINT AS pending_from FROM public.workspace;
        CREATE TEMP TABLE tenant AS SELECT id, NULL::TEXT AS floor, NULL::TEXT AS cap
            FROM public.tenant;
        CREATE TEMP TABLE leaf AS SELECT tenant, seq, 9000000000000000 AS recorded_at
            FROM public.leaf;
        CREATE TEMP TABLE hold AS SELECT * FROM public.hold WHERE FALSE;";
    let words = log
        .refused_to_the_role(&format!("{tables} {release}"))
        .await;
    assert!(words.contains("only what has expired"), "{words}");
    let unset = log
        .number(
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::REGNAMESPACE \
             AND NOT coalesce(array_to_string(proconfig, ';') LIKE '%search_path=public, pg_temp%', FALSE)",
        )
        .await;
    assert_eq!(unset, 0, "each function says where it looks");
    // Nor does it make anything that lasts.
    for statement in [
        "CREATE TABLE mine (n INTEGER)",
        "CREATE FUNCTION mine() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "UPDATE release SET finished_at = 1",
        "DELETE FROM release",
        "UPDATE installation SET id = id",
        "DELETE FROM hold",
        "UPDATE tenant_head SET tenant = 0; DELETE FROM tenant_head",
    ] {
        let words = log.refused_to_the_role(statement).await;
        // By what rows are distributed, Citus lets nobody change.
        let is_refused = ["permission denied", "must be owner", "the partition value"]
            .iter()
            .any(|told| words.contains(told));
        assert!(is_refused, "{statement}: {words}");
    }
}
