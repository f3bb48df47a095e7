-- What may be taken out of the log, and what stops it. As on SQLite, the database itself refuses what no
-- release covers, and everything while a legal hold stands; and the server may delete through the
-- functions below alone.

-- Whether a legal hold stands in a log: in that workspace, or in one of that tenant.
CREATE FUNCTION is_held(of_ws BIGINT) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
        WHERE h.lifted_at IS NULL AND (w.id = of_ws OR w.tenant = -of_ws)
    )
$$;

-- The first moment that a retention keeps at another. A year is a calendar year.
CREATE FUNCTION keeps_from(setting TEXT, now BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN setting = 'forever' THEN -9223372036854775808
        WHEN setting LIKE '%d' THEN now - rtrim(setting, 'd')::BIGINT * 86400000000
        ELSE (extract(epoch FROM TIMESTAMP '1970-01-01' + now * INTERVAL '1 microsecond'
            - rtrim(setting, 'y')::INTEGER * INTERVAL '1 year') * 1000000)::BIGINT
    END
$$;

CREATE FUNCTION check_release() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now BIGINT;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL
            OR (NEW.id, NEW.tenant, NEW.ws, NEW.seq, NEW.before, NEW.events)
                IS DISTINCT FROM (OLD.id, OLD.tenant, OLD.ws, OLD.seq, OLD.before, OLD.events)
        THEN
            RAISE EXCEPTION 'a release can be finished, once, and not changed';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.id IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM release)
        OR NEW.seq IS DISTINCT FROM (SELECT max(seq) FROM leaf WHERE tenant = NEW.tenant)
        OR NEW.tenant IS DISTINCT FROM
            (CASE WHEN NEW.ws < 0 THEN -NEW.ws ELSE (SELECT tenant FROM workspace WHERE id = NEW.ws) END)
        OR NEW.finished_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'a release has the next number and the last event, and is not finished';
    END IF;
    IF is_held(NEW.ws) THEN
        RAISE EXCEPTION 'a release of a workspace cannot be made while a legal hold stands';
    END IF;
    SELECT recorded_at INTO now FROM leaf WHERE tenant = NEW.tenant AND seq = NEW.seq;
    -- The setting, or the one that waited and whose time had come, raised to the plan's floor,
    -- lowered to its cap. The tenant's own events stay as long as the longest among its workspaces.
    IF NEW.before > coalesce((
        SELECT min(greatest(
            least(
                keeps_from(CASE WHEN w.pending_from <= now THEN w.pending ELSE w.retention END, now),
                CASE WHEN t.floor IS NULL THEN 9223372036854775807 ELSE keeps_from(t.floor, now) END
            ),
            CASE WHEN t.cap IS NULL THEN -9223372036854775808 ELSE keeps_from(t.cap, now) END
        ))
        FROM workspace w JOIN tenant t ON t.id = w.tenant
        WHERE t.id = NEW.tenant AND (w.id = NEW.ws OR w.tenant = -NEW.ws)
    ), -9223372036854775808) THEN
        RAISE EXCEPTION 'a release covers only what has expired';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_is_due BEFORE INSERT OR UPDATE ON release
    FOR EACH ROW EXECUTE FUNCTION check_release();

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of % is refused', lower(TG_OP), TG_TABLE_NAME;
END $$;

CREATE FUNCTION check_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.keep OR NOT EXISTS (
        SELECT 1 FROM release r WHERE r.ws = OLD.ws AND r.finished_at IS NULL
            AND OLD.at < r.before AND OLD.seq <= r.seq
    ) THEN
        RAISE EXCEPTION 'the log is append-only: an event cannot be removed';
    END IF;
    IF is_held(OLD.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    RETURN OLD;
END $$;

-- When the last event of somebody, or of some object, is gone, so is what was said of them: their
-- number stays, empty. Only while a release is being carried out.
CREATE FUNCTION check_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.tenant, NEW.ws, NEW.num, NEW.kind) IS DISTINCT FROM (OLD.tenant, OLD.ws, OLD.num, OLD.kind)
        OR NEW.id IS NOT NULL OR NEW.name IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM release WHERE ws = OLD.ws AND finished_at IS NULL)
        OR is_held(OLD.ws)
    THEN
        RAISE EXCEPTION 'the log is append-only: update of % is refused', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;

-- What is appended has the next numbers, without a gap.
CREATE FUNCTION check_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (
            SELECT tenant, min(seq) AS first, max(seq) AS last, count(*) AS leaves
            FROM added GROUP BY tenant
        ) a
        WHERE a.last - a.first + 1 <> a.leaves OR a.first < 1 OR (a.first > 1 AND NOT EXISTS (
            SELECT 1 FROM leaf l WHERE l.tenant = a.tenant AND l.seq = a.first - 1
        ))
    ) THEN
        RAISE EXCEPTION 'the log is append-only: a leaf has the next number';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER leaf_is_next AFTER INSERT ON leaf REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_next();

CREATE TRIGGER leaf_stays BEFORE UPDATE OR DELETE ON leaf FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER leaf_is_not_emptied BEFORE TRUNCATE ON leaf EXECUTE FUNCTION refuse();
CREATE TRIGGER content_keeps BEFORE UPDATE ON content FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER content_stays BEFORE DELETE ON content FOR EACH ROW EXECUTE FUNCTION check_removal();
CREATE TRIGGER content_is_not_emptied BEFORE TRUNCATE ON content EXECUTE FUNCTION refuse();
CREATE TRIGGER actor_keeps BEFORE UPDATE ON actor FOR EACH ROW EXECUTE FUNCTION check_emptying();
CREATE TRIGGER actor_stays BEFORE DELETE ON actor FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER via_stays BEFORE UPDATE OR DELETE ON via FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER action_stays BEFORE UPDATE OR DELETE ON action FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER kind_stays BEFORE UPDATE OR DELETE ON kind FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER target_keeps BEFORE UPDATE ON target FOR EACH ROW EXECUTE FUNCTION check_emptying();
CREATE TRIGGER target_stays BEFORE DELETE ON target FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER related_stays BEFORE UPDATE OR DELETE ON related FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER release_stays BEFORE DELETE ON release FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER installation_stays BEFORE DELETE ON installation FOR EACH ROW EXECUTE FUNCTION refuse();

-- Removes so many events at most of what a release covers, the oldest first, with all that was made of
-- them; tells how many. Nobody else writes in the tenant meanwhile: who places a hold waits, or is
-- seen here.
CREATE FUNCTION remove_batch(of_release BIGINT, most INTEGER) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
    removed BIGINT;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    WITH batch AS MATERIALIZED (
        SELECT c.class, c.at, c.seq, c.actor, c.via, c.action, c.kind, c.target, c.related, c.outcome,
            c.key, c.key_rest
        FROM content c
        WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at < r.before AND c.seq <= r.seq AND NOT c.keep
        ORDER BY c.at, c.seq LIMIT most
    ), gone AS (
        DELETE FROM content c USING batch b
        WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at = b.at AND c.seq = b.seq
            AND c.class = b.class AND c.at < r.before
        RETURNING 1
    ), beside AS MATERIALIZED (
        SELECT DISTINCT b.class, b.at, b.seq, b.actor, 1 AS what, m.value::INTEGER AS key
        FROM batch b JOIN via v ON v.tenant = r.tenant AND v.ws = r.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.class, b.at, b.seq, b.actor, x.what, x.key
        FROM batch b JOIN related s ON s.tenant = r.tenant AND s.ws = r.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = r.tenant AND t.ws = r.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) x(what, key)
    ), entries AS (
        DELETE FROM entry e USING beside x
        WHERE e.tenant = r.tenant AND e.ws = r.ws AND e.what = x.what AND e.key = x.key
            AND e.at = x.at AND e.seq = x.seq AND e.class = x.class AND e.at < r.before
    ), keys AS (
        DELETE FROM idempotency k USING batch b
        WHERE k.tenant = r.tenant AND k.ws = r.ws AND k.key = b.key AND k.key_rest = b.key_rest
            AND k.seq = b.seq
    ), tallies AS (
        SELECT what, key, other, sum(events)::INTEGER AS events, sum(entries)::INTEGER AS entries
        FROM (
            SELECT x.what, x.key, x.other, -1 AS events, -1 AS entries FROM batch b
            CROSS JOIN LATERAL (VALUES (1, b.actor, 0), (2, b.action, 0), (3, b.kind, 0),
                (4, b.target, 0), (5, b.outcome::INTEGER, 0), (6, b.action, b.actor),
                (7, b.action, b.kind)) x(what, key, other)
            UNION ALL
            SELECT CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, -1 FROM beside
            UNION ALL
            SELECT 8, key, actor, -1, -1 FROM beside WHERE what = 1
        ) each
        GROUP BY what, key, other
    ), counted AS (
        INSERT INTO tally_change (tenant, ws, what, key, other, events, entries)
        SELECT r.tenant, r.ws, what, array_agg(key), array_agg(other), array_agg(events),
            array_agg(entries)
        FROM tallies GROUP BY what
    )
    SELECT count(*) INTO removed FROM gone;
    IF removed > 0 THEN
        UPDATE tenant_head SET removals = removals + 1 WHERE tenant = r.tenant;
    END IF;
    RETURN removed;
END $$;

-- Empties a piece of the texts that nothing refers to any more, of a release of which no event is left:
-- those with numbers after `after_num` (at first -1), so many at most. Tells the number to go on after;
-- NULL where nothing is left. Whoever holds the log's texts in memory reads them again after each piece.
CREATE FUNCTION empty_texts(of_release BIGINT, after_num INTEGER, most INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
    last INTEGER;
    up_to INTEGER;
    no_actors BIGINT;
    no_targets BIGINT;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF after_num < 0 THEN
        PERFORM add_up(r.tenant, r.ws);
    END IF;
    SELECT greatest(actor, action, kind, target, 2) INTO last FROM text_head
    WHERE tenant = r.tenant AND ws = r.ws FOR UPDATE;
    IF last IS NULL OR after_num >= last THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    up_to := least(after_num::BIGINT + most, last);
    UPDATE actor SET id = NULL, name = NULL, email = NULL
    WHERE tenant = r.tenant AND ws = r.ws AND num > after_num AND num <= up_to
        AND num IN (SELECT key FROM tallied WHERE tenant = r.tenant AND ws = r.ws AND what = 1
            AND key > after_num AND key <= up_to AND entries = 0)
        AND (id IS NOT NULL OR name IS NOT NULL OR email IS NOT NULL);
    GET DIAGNOSTICS no_actors = ROW_COUNT;
    UPDATE target SET id = NULL, name = NULL, url = NULL
    WHERE tenant = r.tenant AND ws = r.ws AND num > after_num AND num <= up_to
        AND num IN (SELECT key FROM tallied WHERE tenant = r.tenant AND ws = r.ws AND what = 4
            AND key > after_num AND key <= up_to AND entries = 0)
        AND (id IS NOT NULL OR name IS NOT NULL OR url IS NOT NULL);
    GET DIAGNOSTICS no_targets = ROW_COUNT;
    IF no_actors + no_targets > 0 THEN
        UPDATE text_head SET emptied = text_head.emptied + 1 WHERE tenant = r.tenant AND ws = r.ws;
    END IF;
    -- What stands at nothing changes no sum.
    DELETE FROM tally
    WHERE tenant = r.tenant AND ws = r.ws AND what = ANY ('{1,2,3,4,5,6,7,8}'::SMALLINT[])
        AND key > after_num AND key <= up_to AND events = 0 AND entries = 0;
    RETURN up_to;
END $$;

-- Ends a release of which nothing is left. False where something is left.
CREATE FUNCTION finish_release(of_release BIGINT, now BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN TRUE;
    END IF;
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    IF EXISTS (
        SELECT 1 FROM content c WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at < r.before
            AND c.seq <= r.seq AND NOT c.keep
    ) THEN
        RETURN FALSE;
    END IF;
    UPDATE release SET finished_at = now WHERE id = r.id;
    RETURN TRUE;
END $$;

-- Drops partitions of which everything is gone and in whose time nothing is recorded any more; tells how
-- many. Whoever reads or writes is waited for a moment only: then it is tried again another time.
CREATE FUNCTION drop_empty_partitions(now BIGINT) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    part RECORD;
    holds_something BOOLEAN;
    dropped INTEGER := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('daybook partitions', 0)) THEN
        RETURN 0;
    END IF;
    FOR part IN
        SELECT substr(c.relname, 9) AS name,
            regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)''?, ''?(-?\d+)''?\)') AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'content'::regclass
    LOOP
        CONTINUE WHEN part.bound[2]::BIGINT > now - 31 * 86400000000;
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', 'content_' || part.name)
                INTO holds_something;
            CONTINUE WHEN holds_something;
            EXECUTE format('LOCK TABLE %I, %I IN ACCESS EXCLUSIVE MODE',
                'content_' || part.name, 'entry_' || part.name);
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I) OR EXISTS (SELECT 1 FROM %I)',
                'content_' || part.name, 'entry_' || part.name) INTO holds_something;
            CONTINUE WHEN holds_something;
            EXECUTE format('DROP TABLE %I, %I', 'content_' || part.name, 'entry_' || part.name);
            dropped := dropped + 1;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RETURN dropped;
END $$;
