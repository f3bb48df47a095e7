-- Past one machine: where the database has the extension Citus, what grows with a tenant is spread over
-- its nodes by the tenant, all of a tenant's on one of them. What is administered stays where it is, on
-- the coordinator, to which all servers connect.

-- Whether it is so here.
CREATE FUNCTION is_distributed() RETURNS BOOLEAN
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    -- The table is the extension's: it is looked for only where there is one.
    IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
        RETURN FALSE;
    END IF;
    RETURN EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'leaf'::REGCLASS);
END $$;

DO $$
DECLARE
    of_table TEXT;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        RETURN;
    END IF;
    -- A trigger runs on the node that has the row, and sees nothing there but the row: it may refuse, and
    -- not look. What others look at (releases, holds, the leaf before) the functions look at.
    DROP TRIGGER leaf_is_next ON leaf;
    DROP TRIGGER content_stays ON content;
    DROP TRIGGER actor_keeps ON actor;
    DROP TRIGGER target_keeps ON target;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', TRUE);
    FOREACH of_table IN ARRAY ARRAY['tenant_head', 'leaf', 'content', 'entry', 'idempotency', 'log_class',
        'text_head', 'actor', 'via', 'action', 'kind', 'target', 'related', 'tally', 'tally_change']
    LOOP
        PERFORM create_distributed_table(of_table, 'tenant', colocate_with :=
            CASE of_table WHEN 'tenant_head' THEN 'none' ELSE 'tenant_head' END);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION is_distributed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_distributed() TO daybook_server;
