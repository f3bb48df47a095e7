-- What the server may do. It connects as whoever owns the tables, and then goes on as this role: what
-- is not granted here it cannot do, whatever the program says. Who may connect as the owner is stopped
-- by the triggers, and who may drop those by the proof.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_server') THEN
        CREATE ROLE daybook_server NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        -- Another database of the same server makes it at the same moment.
        NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role daybook_server is not there; let who may make roles run: '
            'CREATE ROLE daybook_server; GRANT daybook_server TO %', quote_ident(current_user);
END $$;

DO $$
BEGIN
    EXECUTE format('GRANT daybook_server TO %I', current_user);
EXCEPTION
    WHEN unique_violation OR internal_error THEN
        NULL;
    WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, 'daybook_server', 'MEMBER') THEN
            RAISE EXCEPTION 'who owns the database may not act as daybook_server; let who may grant '
                'it run: GRANT daybook_server TO %', quote_ident(current_user);
        END IF;
END $$;

-- Nobody needs tables of their own beside it; whose the database is may say so.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;

-- As it is of itself in databases that were made by PostgreSQL 15 or later.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO daybook_server;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO daybook_server;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO daybook_server;

-- The log is added to.
GRANT INSERT ON leaf, content, entry, idempotency, log_class, actor, via, action, kind, target,
    related, release, hold, tally, tally_change, tenant_head, text_head TO daybook_server;
-- Where it ends, and what is counted of it, goes on.
GRANT UPDATE ON tenant_head, text_head, tally TO daybook_server;
GRANT DELETE ON tally_change TO daybook_server;
-- What is administered.
GRANT INSERT, UPDATE ON tenant, workspace, person, membership, tenant_admin, session, token, invite,
    identity, actor_state, look, sign_in_failure, catalogue_entry TO daybook_server;
GRANT UPDATE (lifted_reason, lifted_by, lifted_at) ON hold TO daybook_server;
GRANT DELETE ON tenant_admin, session, identity, sign_in_failure, catalogue_entry TO daybook_server;
GRANT EXECUTE ON FUNCTION look_at_young_tables(), add_partition(SMALLINT, BIGINT), partition_of(SMALLINT, BIGINT),
    add_up(BIGINT, BIGINT), note_changed_membership(), keep_hold(), is_held(BIGINT),
    keeps_from(TEXT, BIGINT), check_release(), check_next(), remove_batch(BIGINT, INTEGER),
    empty_texts(BIGINT, INTEGER, INTEGER), forget_tallies(BIGINT), finish_release(BIGINT, BIGINT),
    partitions(), may_go(BIGINT[], BIGINT[], BIGINT[], BIGINT), covered_partition(SMALLINT[], BIGINT[], TEXT[]),
    remove_partition(TEXT, INTEGER), drop_empty_partition(BIGINT) TO daybook_server;
