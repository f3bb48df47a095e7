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

-- The same as `look_at_young_tables`, of what the nodes have.
CREATE FUNCTION look_at_young_tables_of_nodes() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF is_distributed() THEN
        PERFORM run_command_on_workers('SELECT public.look_at_young_tables()');
    END IF;
END $$;

-- Says to the node that is asked that a log's release is being carried out: triggers there cannot look. It
-- holds until the transaction ends.
CREATE FUNCTION note_removal(of_ws BIGINT) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF is_distributed() THEN
        PERFORM set_config('citus.propagate_set_commands', 'local', TRUE);
        EXECUTE format('SET LOCAL daybook.removing = %L', of_ws);
    END IF;
END $$;

-- What `check_removal` and `check_emptying` are on one machine. It stops mistakes: whose the tables are can
-- say that they carry a release out. Whether one does, the functions look at.
CREATE FUNCTION check_noted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('daybook.removing', TRUE) IS DISTINCT FROM OLD.ws::TEXT THEN
        RAISE EXCEPTION 'the log is append-only: % of % is refused', lower(TG_OP), TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (NEW.tenant, NEW.ws, NEW.num, NEW.kind) IS DISTINCT FROM (OLD.tenant, OLD.ws, OLD.num, OLD.kind)
        OR NEW.id IS NOT NULL OR NEW.name IS NOT NULL
    THEN
        RAISE EXCEPTION 'the log is append-only: update of % is refused', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE
    of_table TEXT;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        RETURN;
    END IF;
    -- A trigger runs on the node that has the row, and sees nothing there but the row: it may refuse, and
    -- not look for releases, holds, or the leaf before.
    DROP TRIGGER leaf_is_next ON leaf;
    DROP TRIGGER content_stays ON content;
    CREATE TRIGGER content_stays BEFORE DELETE ON content FOR EACH ROW EXECUTE FUNCTION check_noted();
    DROP TRIGGER actor_keeps ON actor;
    CREATE TRIGGER actor_keeps BEFORE UPDATE ON actor FOR EACH ROW EXECUTE FUNCTION check_noted();
    DROP TRIGGER target_keeps ON target;
    CREATE TRIGGER target_keeps BEFORE UPDATE ON target FOR EACH ROW EXECUTE FUNCTION check_noted();
    -- Whether a partition is empty is asked of all nodes, also where an operator has such questions refused.
    ALTER FUNCTION drop_empty_partition(BIGINT) SET citus.multi_task_query_log_level = off;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', TRUE);
    FOREACH of_table IN ARRAY ARRAY['tenant_head', 'leaf', 'content', 'entry', 'idempotency', 'log_class',
        'text_head', 'actor', 'via', 'action', 'kind', 'target', 'related', 'tally', 'tally_change']
    LOOP
        PERFORM create_distributed_table(of_table, 'tenant', colocate_with :=
            CASE of_table WHEN 'tenant_head' THEN 'none' ELSE 'tenant_head' END);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION is_distributed(), look_at_young_tables_of_nodes(), note_removal(BIGINT),
    check_noted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_distributed(), look_at_young_tables_of_nodes() TO daybook_server;
