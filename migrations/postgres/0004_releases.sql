-- What may be taken out of the log, and what stops it. As on SQLite, the database itself refuses what no
-- release covers, and everything while a legal hold stands; and the server may delete through the
-- functions below alone.

-- Whether a legal hold stands in a log: in that workspace, or in one of that tenant.
CREATE FUNCTION is_held(of_ws BIGINT) RETURNS BOOLEAN
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
        WHERE h.lifted_at IS NULL AND (w.id = of_ws OR w.tenant = -of_ws)
    )
$$;

-- The first moment that a retention keeps at another. A year is a calendar year.
CREATE FUNCTION keeps_from(setting TEXT, now BIGINT) RETURNS BIGINT
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN setting = 'forever' THEN -9223372036854775808
        WHEN setting LIKE '%d' THEN now - rtrim(setting, 'd')::BIGINT * 86400000000
        ELSE (extract(epoch FROM TIMESTAMP '1970-01-01' + now * INTERVAL '1 microsecond'
            - rtrim(setting, 'y')::INTEGER * INTERVAL '1 year') * 1000000)::BIGINT
    END
$$;

CREATE FUNCTION check_release() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    now BIGINT;
    last BIGINT;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- While it is carried out it is noted how far that came.
        IF OLD.finished_at IS NOT NULL
            OR (NEW.reached_at, NEW.reached_seq) < (OLD.reached_at, OLD.reached_seq)
            OR (NEW.id, NEW.tenant, NEW.ws, NEW.seq, NEW.before, NEW.events)
                IS DISTINCT FROM (OLD.id, OLD.tenant, OLD.ws, OLD.seq, OLD.before, OLD.events)
        THEN
            RAISE EXCEPTION 'a release can be finished, once, and not changed';
        END IF;
        RETURN NEW;
    END IF;
    SELECT max(seq) INTO last FROM leaf WHERE tenant = NEW.tenant;
    IF NEW.id IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM release)
        OR NEW.seq IS DISTINCT FROM last
        OR NEW.tenant IS DISTINCT FROM
            (CASE WHEN NEW.ws < 0 THEN -NEW.ws ELSE (SELECT tenant FROM workspace WHERE id = NEW.ws) END)
        OR NEW.finished_at IS NOT NULL OR NEW.reached_at <> -9223372036854775808 OR NEW.reached_seq <> 0
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

CREATE FUNCTION check_removal() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
CREATE FUNCTION check_emptying() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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

-- What is appended has the next numbers, without a gap. The number before it is looked for by itself: as
-- part of one condition it would be compared with all that there are.
CREATE FUNCTION check_next() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    a RECORD;
BEGIN
    FOR a IN
        SELECT tenant, min(seq) AS first, max(seq) AS last, count(*) AS leaves
        FROM added GROUP BY tenant
    LOOP
        IF a.last - a.first + 1 = a.leaves AND a.first >= 1 THEN
            CONTINUE WHEN a.first = 1;
            PERFORM 1 FROM leaf l WHERE l.tenant = a.tenant AND l.seq = a.first - 1;
            CONTINUE WHEN FOUND;
        END IF;
        RAISE EXCEPTION 'the log is append-only: a leaf has the next number';
    END LOOP;
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
CREATE TRIGGER actor_is_not_emptied BEFORE TRUNCATE ON actor EXECUTE FUNCTION refuse();
CREATE TRIGGER via_is_not_emptied BEFORE TRUNCATE ON via EXECUTE FUNCTION refuse();
CREATE TRIGGER action_is_not_emptied BEFORE TRUNCATE ON action EXECUTE FUNCTION refuse();
CREATE TRIGGER kind_is_not_emptied BEFORE TRUNCATE ON kind EXECUTE FUNCTION refuse();
CREATE TRIGGER target_is_not_emptied BEFORE TRUNCATE ON target EXECUTE FUNCTION refuse();
CREATE TRIGGER related_is_not_emptied BEFORE TRUNCATE ON related EXECUTE FUNCTION refuse();
CREATE TRIGGER release_is_not_emptied BEFORE TRUNCATE ON release EXECUTE FUNCTION refuse();
CREATE TRIGGER hold_is_not_emptied BEFORE TRUNCATE ON hold EXECUTE FUNCTION refuse();
CREATE TRIGGER installation_is_not_emptied BEFORE TRUNCATE ON installation EXECUTE FUNCTION refuse();

-- Where tenants are distributed, a head's lock is let go of on its node a moment before what was changed
-- with it, a hold above all, is to be seen here: whoever looks at that waits for who is changing.
CREATE FUNCTION wait_for_changes() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF is_distributed() THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('daybook change', 0));
    END IF;
END $$;

-- Removes so many events at most of what a release covers, the oldest first, with all that was made of
-- them; tells how many. Nobody else writes in the tenant meanwhile: who places a hold waits, or is
-- seen here. It goes on where the last batch ended: until a vacuum, what that deleted is still met by
-- whoever begins before it.
CREATE FUNCTION remove_batch(of_release BIGINT, most INTEGER) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
-- Of partitions, only those that it needs are looked at: that depends on where it goes on.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    r release;
    removed BIGINT;
    batch BIGINT;
    last_at BIGINT;
    last_seq BIGINT;
    -- What was removed, column by column.
    classes SMALLINT[];
    ats BIGINT[];
    seqs BIGINT[];
    actors INTEGER[];
    vias INTEGER[];
    actions INTEGER[];
    kinds INTEGER[];
    targets INTEGER[];
    relateds INTEGER[];
    outcomes SMALLINT[];
    keys BIGINT[];
    rests BIGINT[];
    -- Under whom and what else that stood: of which class, time and number, and by which actor.
    beside_whats SMALLINT[];
    beside_keys INTEGER[];
    beside_classes SMALLINT[];
    beside_ats BIGINT[];
    beside_seqs BIGINT[];
    beside_actors INTEGER[];
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    SELECT b.at, b.seq INTO last_at, last_seq
    FROM (
        SELECT c.at, c.seq FROM content c
        WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at < r.before AND c.seq <= r.seq AND NOT c.keep
            AND c.at >= r.reached_at AND (c.at, c.seq) > (r.reached_at, r.reached_seq)
        ORDER BY c.at, c.seq LIMIT most
    ) b
    ORDER BY b.at DESC, b.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM note_removal(r.ws);
    WITH gone AS (
        DELETE FROM content c
        WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at < r.before AND c.seq <= r.seq AND NOT c.keep
            AND c.at >= r.reached_at AND (c.at, c.seq) > (r.reached_at, r.reached_seq)
            AND c.at <= last_at AND (c.at, c.seq) <= (last_at, last_seq)
        RETURNING c.class, c.at, c.seq, c.actor, c.via, c.action, c.kind, c.target, c.related,
            c.outcome, c.key, c.key_rest
    )
    SELECT count(*), array_agg(class), array_agg(at), array_agg(seq), array_agg(actor), array_agg(via),
        array_agg(action), array_agg(kind), array_agg(target), array_agg(related),
        array_agg(outcome), array_agg(key), array_agg(key_rest)
    INTO removed, classes, ats, seqs, actors, vias, actions, kinds, targets, relateds, outcomes, keys, rests
    FROM gone;
    SELECT array_agg(what), array_agg(key), array_agg(class), array_agg(at), array_agg(seq),
        array_agg(actor)
    INTO beside_whats, beside_keys, beside_classes, beside_ats, beside_seqs, beside_actors
    FROM (
        SELECT DISTINCT b.class, b.at, b.seq, b.actor, 1 AS what, m.value::INTEGER AS key
        FROM unnest(classes, ats, seqs, actors, vias) AS b(class, at, seq, actor, via)
        JOIN via v ON v.tenant = r.tenant AND v.ws = r.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.class, b.at, b.seq, b.actor, x.what, x.key
        FROM unnest(classes, ats, seqs, actors, relateds) AS b(class, at, seq, actor, related)
        JOIN related s ON s.tenant = r.tenant AND s.ws = r.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = r.tenant AND t.ws = r.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) x(what, key)
    ) beside;
    DELETE FROM entry e
    USING unnest(beside_whats, beside_keys, beside_classes, beside_ats, beside_seqs)
        AS x(what, key, class, at, seq)
    WHERE e.tenant = r.tenant AND e.ws = r.ws AND e.what = x.what AND e.key = x.key
        AND e.at = x.at AND e.seq = x.seq AND e.class = x.class
        AND e.at >= r.reached_at AND e.at <= last_at;
    DELETE FROM idempotency k
    USING unnest(keys, rests, seqs) AS b(key, rest, seq)
    WHERE k.tenant = r.tenant AND k.ws = r.ws AND k.key = b.key AND k.key_rest = b.rest
        AND k.seq = b.seq;
    UPDATE tenant_head SET removals = removals + 1 WHERE tenant = r.tenant RETURNING removals INTO batch;
    WITH tallies AS (
        SELECT what, key, other, sum(events)::INTEGER AS events, sum(entries)::INTEGER AS entries
        FROM (
            SELECT x.what, x.key, x.other, -1 AS events, -1 AS entries
            FROM unnest(actors, actions, kinds, targets, outcomes)
                AS b(actor, action, kind, target, outcome)
            CROSS JOIN LATERAL (VALUES (1, b.actor, 0), (2, b.action, 0), (3, b.kind, 0),
                (4, b.target, 0), (5, b.outcome::INTEGER, 0), (6, b.action, b.actor),
                (7, b.action, b.kind)) x(what, key, other)
            UNION ALL
            SELECT CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, -1
            FROM unnest(beside_whats, beside_keys) AS b(what, key)
            UNION ALL
            SELECT 8, key, actor, -1, -1
            FROM unnest(beside_whats, beside_keys, beside_actors) AS b(what, key, actor)
            WHERE what = 1
        ) each
        GROUP BY what, key, other
    )
    INSERT INTO tally_change (tenant, ws, what, n, key, other, events, entries)
    SELECT r.tenant, r.ws, what, -batch, array_agg(key), array_agg(other), array_agg(events),
        array_agg(entries)
    FROM tallies GROUP BY what;
    UPDATE release SET reached_at = last_at, reached_seq = last_seq WHERE id = r.id;
    RETURN removed;
END $$;

-- Empties a piece of the texts that nothing refers to any more, of a release of which no event is left:
-- of those with numbers after `after_num` (at first -1), so many. Tells the number to go on after; NULL
-- where nothing is left. Whoever holds the log's texts in memory reads them again after each piece.
CREATE FUNCTION empty_texts(of_release BIGINT, after_num INTEGER, most INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
    last INTEGER;
    up_to INTEGER;
    actors INTEGER[];
    targets INTEGER[];
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF after_num < 0 THEN
        PERFORM add_up(r.tenant, r.ws);
    END IF;
    SELECT greatest(actor, target) INTO last FROM text_head WHERE tenant = r.tenant AND ws = r.ws;
    IF last IS NULL OR after_num >= last THEN
        RETURN NULL;
    END IF;
    up_to := least(after_num::BIGINT + most, last);
    -- Which they are is found while nobody waits; what is recorded meanwhile can only make them fewer.
    actors := ARRAY(
        SELECT t.key FROM tallied t
        JOIN actor a ON a.tenant = r.tenant AND a.ws = r.ws AND a.num = t.key
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.email IS NOT NULL)
        WHERE t.tenant = r.tenant AND t.ws = r.ws AND t.what = 1 AND t.key > after_num
            AND t.key <= up_to AND t.entries = 0
    );
    targets := ARRAY(
        SELECT t.key FROM tallied t
        JOIN target a ON a.tenant = r.tenant AND a.ws = r.ws AND a.num = t.key
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.url IS NOT NULL)
        WHERE t.tenant = r.tenant AND t.ws = r.ws AND t.what = 4 AND t.key > after_num
            AND t.key <= up_to AND t.entries = 0
    );
    IF actors = '{}' AND targets = '{}' THEN
        RETURN up_to;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM text_head WHERE tenant = r.tenant AND ws = r.ws FOR UPDATE;
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    PERFORM 1 FROM release WHERE id = r.id AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    actors := ARRAY(
        SELECT key FROM tallied WHERE tenant = r.tenant AND ws = r.ws AND what = 1
            AND key = ANY (actors) AND entries = 0
    );
    targets := ARRAY(
        SELECT key FROM tallied WHERE tenant = r.tenant AND ws = r.ws AND what = 4
            AND key = ANY (targets) AND entries = 0
    );
    PERFORM note_removal(r.ws);
    UPDATE actor SET id = NULL, name = NULL, email = NULL
    WHERE tenant = r.tenant AND ws = r.ws AND num = ANY (actors);
    UPDATE target SET id = NULL, name = NULL, url = NULL
    WHERE tenant = r.tenant AND ws = r.ws AND num = ANY (targets);
    UPDATE text_head SET emptied = text_head.emptied + 1 WHERE tenant = r.tenant AND ws = r.ws;
    RETURN up_to;
END $$;

-- Removes the tallies of a release's log that stand at nothing, and change no sum, when all texts of it
-- that are to be empty are. Nobody who records waits; who adds up does so another time.
CREATE FUNCTION forget_tallies(of_release BIGINT) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook tally ' || r.ws, 0));
    DELETE FROM tally WHERE tenant = r.tenant AND ws = r.ws AND events = 0 AND entries = 0;
END $$;

-- Ends a release of which nothing is left. False where something is left.
CREATE FUNCTION finish_release(of_release BIGINT, now BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    r release;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN TRUE;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN TRUE;
    END IF;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    IF EXISTS (
        SELECT 1 FROM content c WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at < r.before
            AND c.seq <= r.seq AND NOT c.keep
            AND c.at >= r.reached_at AND (c.at, c.seq) > (r.reached_at, r.reached_seq)
    ) THEN
        RETURN FALSE;
    END IF;
    UPDATE release SET finished_at = now WHERE id = r.id;
    RETURN TRUE;
END $$;

-- Whether all of these logs up to these events, as far as it occurred before a moment, may go: releases
-- cover it, and no legal hold stands.
CREATE FUNCTION may_go(tenants BIGINT[], logs BIGINT[], lasts BIGINT[], until BIGINT) RETURNS BOOLEAN
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT 1 FROM unnest(tenants, logs, lasts) x(tenant, ws, last)
        WHERE NOT EXISTS (
            SELECT 1 FROM release r WHERE r.tenant = x.tenant AND r.ws = x.ws
                AND r.finished_at IS NULL AND r.before >= until AND r.seq >= x.last
        )
    ) AND NOT EXISTS (
        SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
        WHERE h.lifted_at IS NULL AND (w.id = ANY (logs) OR -w.tenant = ANY (logs))
    )
$$;

-- The oldest partition of which unfinished releases cover everything, as far as can be told from which
-- logs there is something in it: of each one entry is looked at. Of each class it is said up to when
-- nothing is recorded in it any more; and which partitions are passed by.
CREATE FUNCTION covered_partition(classes SMALLINT[], unused_until BIGINT[], passed TEXT[]) RETURNS TEXT
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
    part RECORD;
    next_tenant BIGINT;
    next_ws BIGINT;
    has_some BOOLEAN;
BEGIN
    <<each>>
    FOR part IN
        SELECT p.name, p.until FROM partitions() p
        JOIN unnest(classes, unused_until) u(class, until) ON u.class = p.class
        WHERE p.class > 0 AND p.until <= u.until AND p.name <> ALL (passed)
            AND p.until <= (SELECT max(before) FROM release WHERE finished_at IS NULL)
        ORDER BY p.until, p.class
    LOOP
        next_tenant := -9223372036854775808;
        next_ws := -9223372036854775808;
        has_some := FALSE;
        LOOP
            EXECUTE format(
                'SELECT tenant, ws FROM %I WHERE (tenant, ws) > ($1, $2) ORDER BY tenant, ws LIMIT 1',
                'content_' || part.name
            ) INTO next_tenant, next_ws USING next_tenant, next_ws;
            EXIT WHEN next_tenant IS NULL;
            CONTINUE each WHEN NOT may_go(ARRAY[next_tenant], ARRAY[next_ws], ARRAY[0], part.until);
            has_some := TRUE;
        END LOOP;
        IF has_some THEN
            RETURN part.name;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Whether somebody has one of these tables for longer than a moment, each time that it is looked, so often.
-- Nobody waits because of it.
CREATE FUNCTION are_in_use(tables REGCLASS[], looks INTEGER) RETURNS BOOLEAN
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    before TEXT[];
    now TEXT[];
BEGIN
    FOR look IN 0..looks LOOP
        SELECT array_agg(virtualtransaction) INTO now FROM pg_locks
        WHERE locktype = 'relation' AND relation = ANY (tables) AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND pid IS DISTINCT FROM pg_backend_pid();
        IF now IS NULL OR NOT now && before THEN
            RETURN FALSE;
        END IF;
        before := now;
        IF look < looks THEN
            PERFORM pg_sleep(0.2);
        END IF;
    END LOOP;
    RETURN TRUE;
END $$;

-- Whether something of a class, and from before a moment, was recorded since tenants' logs ended there.
CREATE FUNCTION came_since(tenants BIGINT[], ends BIGINT[], of_class SMALLINT, until BIGINT) RETURNS BOOLEAN
LANGUAGE sql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
    SELECT EXISTS (
        SELECT 1 FROM tenant_head h
        LEFT JOIN unnest(tenants, ends) e(tenant, seq) ON e.tenant = h.tenant
        CROSS JOIN LATERAL (
            SELECT 1 FROM leaf l WHERE l.tenant = h.tenant AND l.seq > coalesce(e.seq, 0)
                AND l.class = of_class AND l.occurred_at < until
            LIMIT 1
        ) came
        WHERE h.seq > coalesce(e.seq, 0)
    )
$$;

-- Removes everything that lies in a partition, by dropping it, with all that was made of it, where
-- unfinished releases cover everything. Tells how many events that were, 0 where not everything is
-- covered, NULL where the tables cannot be had: then nothing was done; and for how many microseconds
-- at most others waited.
--
-- What takes long is done while everybody else goes on, also who records in the partition: what came since
-- is looked for at the end. Then who records waits, and so does who places a hold, or is seen here; and at
-- last who reads, for as long as a drop takes. Whoever has the tables then is waited for a moment only,
-- because all others wait behind it; and then it is tried again, so often at most. Who has them for longer
-- (a dump) mostly had them before: that is looked at first.
CREATE FUNCTION remove_partition(
    of_name TEXT, tries INTEGER, OUT events BIGINT, OUT kept_waiting BIGINT
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    contents CONSTANT TEXT := 'content_' || of_name;
    entries CONSTANT TEXT := 'entry_' || of_name;
    of_class SMALLINT;
    until BIGINT;
    -- Where each tenant's log ended when it was looked what came since, and how much was removed of it
    -- when it was counted what is there.
    heads BIGINT[];
    ends BIGINT[];
    removed BIGINT[];
    heads_now BIGINT[];
    ends_now BIGINT[];
    tenants BIGINT[];
    logs BIGINT[];
    lasts BIGINT[];
    keeps_some BOOLEAN;
    begun TIMESTAMPTZ;
BEGIN
    kept_waiting := 0;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'what came since is to be seen: READ COMMITTED is wanted';
    END IF;
    SELECT p.class, p.until INTO of_class, until FROM partitions() p WHERE p.name = of_name AND p.class > 0;
    IF NOT FOUND THEN
        events := 0;
        RETURN;
    END IF;
    IF are_in_use(
        ARRAY['reading', 'content', 'entry', quote_ident(contents), quote_ident(entries)]::REGCLASS[], tries
    ) THEN
        RETURN;
    END IF;
    -- Against a vacuum, and whoever else removes it. Neither who reads nor who writes waits for this.
    EXECUTE format('LOCK TABLE %I, %I IN SHARE UPDATE EXCLUSIVE MODE', contents, entries);
    /* of all tenants */ SELECT array_agg(h.tenant), array_agg(h.seq), array_agg(h.removals) INTO heads, ends, removed
    FROM tenant_head h;
    EXECUTE format(
        'SELECT array_agg(tenant), array_agg(ws), array_agg(last), sum(events), bool_or(keeps_some)
        FROM (
            SELECT tenant, ws, max(seq) AS last, count(*) AS events, bool_or(keep) AS keeps_some
            FROM %I GROUP BY tenant, ws
        ) each',
        contents
    ) INTO tenants, logs, lasts, events, keeps_some;
    -- The tallies hold no more than so many of a log.
    IF events IS NULL OR keeps_some OR events > 2000000000 OR NOT may_go(tenants, logs, lasts, until) THEN
        events := 0;
        RETURN;
    END IF;
    EXECUTE format(
        'INSERT INTO tally_change (tenant, ws, what, n, key, other, events, entries)
        SELECT tenant, ws, what,
            -1 - (SELECT h.removals FROM tenant_head h WHERE h.tenant = together.tenant),
            array_agg(key), array_agg(other), array_agg(-events), array_agg(-entries)
        FROM (
            SELECT tenant, ws, what, key, other, sum(events)::INTEGER AS events, sum(entries)::INTEGER AS entries
            FROM (
                SELECT c.tenant, c.ws, x.what, x.key, x.other, count(*) AS events, count(*) AS entries
                FROM %I c
                CROSS JOIN LATERAL (VALUES (1, c.actor, 0), (2, c.action, 0), (3, c.kind, 0),
                    (4, c.target, 0), (5, c.outcome::INTEGER, 0), (6, c.action, c.actor),
                    (7, c.action, c.kind)) x(what, key, other)
                GROUP BY c.tenant, c.ws, x.what, x.key, x.other
                UNION ALL
                SELECT tenant, ws, CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, count(*)
                FROM %I GROUP BY tenant, ws, what, key
                UNION ALL
                SELECT tenant, ws, 8, key, actor, count(*), count(*)
                FROM %2$I WHERE what = 1 GROUP BY tenant, ws, key, actor
            ) apart
            GROUP BY tenant, ws, what, key, other
        ) together
        GROUP BY tenant, ws, what',
        contents, entries
    );
    EXECUTE format(
        'DELETE FROM idempotency k USING %I c
        WHERE k.tenant = c.tenant AND k.ws = c.ws AND k.key = c.key AND k.key_rest = c.key_rest
            AND k.seq = c.seq',
        contents
    );
    PERFORM set_config('lock_timeout', '200ms', TRUE);
    FOR try IN 1..tries LOOP
        IF try > 1 THEN
            PERFORM pg_sleep(0.3);
        END IF;
        -- Looked at before others wait: little is left to be looked at then.
        /* of all tenants */ SELECT array_agg(h.tenant), array_agg(h.seq) INTO heads_now, ends_now FROM tenant_head h;
        IF came_since(heads, ends, of_class, until) THEN
            RAISE SQLSTATE 'DB001';
        END IF;
        begun := clock_timestamp();
        BEGIN
            -- All heads at once: one after the other, the first would be held until the last is free.
            LOCK TABLE tenant_head IN EXCLUSIVE MODE;
            -- Looked at now: a hold may have been placed, somebody else have ended a release, or something
            -- have come that none covers.
            IF NOT may_go(tenants, logs, lasts, until) OR came_since(heads_now, ends_now, of_class, until) THEN
                RAISE SQLSTATE 'DB001';
            END IF;
            -- Nobody else should remove; who did has counted it too.
            IF EXISTS (
                SELECT 1 FROM tenant_head h JOIN unnest(heads, removed) r(tenant, removals) ON r.tenant = h.tenant
                WHERE h.tenant = ANY (tenants) AND h.removals <> r.removals
            ) THEN
                RAISE SQLSTATE 'DB002';
            END IF;
            IF NOT pg_try_advisory_xact_lock(hashtextextended('daybook partitions', 0)) THEN
                RAISE SQLSTATE '55P03';
            END IF;
            UPDATE tenant_head SET removals = removals + 1 WHERE tenant = ANY (tenants);
            LOCK TABLE reading IN ACCESS EXCLUSIVE MODE;
            LOCK TABLE ONLY content, ONLY entry IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('DROP TABLE %I, %I', contents, entries);
            kept_waiting := greatest(kept_waiting, extract(epoch FROM clock_timestamp() - begun) * 1000000);
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            kept_waiting := greatest(kept_waiting, extract(epoch FROM clock_timestamp() - begun) * 1000000);
        END;
    END LOOP;
    RAISE SQLSTATE '55P03';
EXCEPTION
    WHEN lock_not_available OR deadlock_detected OR SQLSTATE 'DB002' THEN
        events := NULL;
    WHEN SQLSTATE 'DB001' THEN
        events := 0;
END $$;

-- Drops one partition of which everything is gone, in whose time nothing is recorded any more; tells
-- whether there was one that could be. Nobody waits while it is looked for. Dropping it takes the whole
-- table away from everybody, for no longer than that takes: whoever reads or writes is waited for a
-- moment only, and then it is tried again another time.
--
-- What is older than its class is recorded in class 0, so nothing comes into the partitions of the other
-- classes some time after their end (a month, as clocks go wrong). Those of class 0 are few, and stay.
CREATE FUNCTION drop_empty_partition(now BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms'
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    part RECORD;
    holds_something BOOLEAN;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'what came since is to be seen: READ COMMITTED is wanted';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('daybook partitions', 0)) THEN
        RETURN FALSE;
    END IF;
    FOR part IN
        SELECT p.name FROM partitions() p
        WHERE p.class > 0 AND p.until < now - (p.class + 31) * 86400000000
        ORDER BY p.until
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I) OR EXISTS (SELECT 1 FROM %I)',
            'content_' || part.name, 'entry_' || part.name) INTO holds_something;
        CONTINUE WHEN holds_something;
        -- Whoever writes in it all the same is waited for, and nobody else can begin to.
        EXECUTE format('LOCK TABLE %I, %I IN SHARE MODE',
            'content_' || part.name, 'entry_' || part.name);
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I) OR EXISTS (SELECT 1 FROM %I)',
            'content_' || part.name, 'entry_' || part.name) INTO holds_something;
        CONTINUE WHEN holds_something;
        LOCK TABLE reading IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE %I, %I', 'content_' || part.name, 'entry_' || part.name);
        RETURN TRUE;
    END LOOP;
    RETURN FALSE;
EXCEPTION WHEN lock_not_available THEN
    RETURN FALSE;
END $$;
