-- Erasure: parts of events that are taken out later, under a release that names them. As on SQLite, the
-- database itself refuses every other change of an event, and everything while a legal hold stands; and
-- the server may change one through the functions below alone.

-- Which parts of an event are gone, as bits: 1 facts (never), 2 actor, 4 via, 8 objects, 16 change,
-- 32 details, 64 context. And what proves the parts then, in that order: the hashes of those that are
-- gone, the salts of the others; the event's own salt, by which one could try out what is gone, is
-- nothing but zeros.
-- (On several nodes: what changes tables that lie there, and functions beside them, goes by one
-- connection to each.)
SELECT set_config('citus.multi_shard_modify_mode', 'sequential', TRUE),
    set_config('citus.enable_unsafe_triggers', 'on', TRUE);
ALTER TABLE content ADD COLUMN erased SMALLINT;
ALTER TABLE content ADD COLUMN proofs BYTEA;

-- Releases by erasure: the parts of `ws`'s events that `erasure_event` names may go. `seq` is the number
-- of the event that tells of it. As those by retention they lie on the first node.
CREATE TABLE erasure (
    id BIGINT PRIMARY KEY,
    tenant BIGINT NOT NULL,
    ws BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    -- How many events it names.
    events BIGINT NOT NULL,
    -- When they were gone.
    finished_at BIGINT,
    UNIQUE (tenant, seq)
);

CREATE INDEX erasure_unfinished ON erasure (ws) WHERE finished_at IS NULL;
CREATE INDEX erasure_by_ws ON erasure (ws, id);

-- What of which event, and which texts stand in its place. They are written before their release, which
-- then counts them: to one that is made none is added.
CREATE TABLE erasure_event (
    erasure BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    parts SMALLINT NOT NULL CHECK (parts BETWEEN 2 AND 126 AND parts & 1 = 0),
    actor INTEGER, via INTEGER, target INTEGER, related INTEGER,
    PRIMARY KEY (erasure, seq)
);

CREATE INDEX erasure_by_event ON erasure_event (seq);
-- Which events lost what they were about, by what stands there now (the kind alone): of each object of
-- that kind they may have been.
CREATE INDEX erasure_event_of_objects ON erasure_event (target) WHERE parts & 8 <> 0;

CREATE FUNCTION check_erasure_event() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.erasure IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM erasure) THEN
        RAISE EXCEPTION 'what a release covers is said before it is made';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_event_is_new BEFORE INSERT ON erasure_event
    FOR EACH ROW EXECUTE FUNCTION check_erasure_event();
CREATE TRIGGER erasure_event_stays BEFORE UPDATE OR DELETE ON erasure_event
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER erasure_event_is_not_emptied BEFORE TRUNCATE ON erasure_event EXECUTE FUNCTION refuse();

CREATE FUNCTION check_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL
            OR (NEW.id, NEW.tenant, NEW.ws, NEW.seq, NEW.events)
                IS DISTINCT FROM (OLD.id, OLD.tenant, OLD.ws, OLD.seq, OLD.events)
        THEN
            RAISE EXCEPTION 'a release can be finished, once, and not changed';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.id IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM erasure)
        OR NEW.finished_at IS NOT NULL
        OR NOT EXISTS (
            SELECT 1 FROM leaf l JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws
                AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class AND c.keep
            JOIN action a ON a.tenant = l.tenant AND a.ws = l.ws AND a.num = c.action
                AND a.action = 'AUDIT_CONTENT_ERASED'
            WHERE l.tenant = NEW.tenant AND l.seq = NEW.seq AND l.ws = NEW.ws
        )
    THEN
        RAISE EXCEPTION 'a release has the next number, an event that tells of it, and is not finished';
    END IF;
    IF NEW.events IS DISTINCT FROM (SELECT count(*) FROM erasure_event WHERE erasure = NEW.id)
        OR NEW.events IS DISTINCT FROM (
            SELECT count(*) FROM leaf l WHERE l.tenant = NEW.tenant AND l.ws = NEW.ws AND l.seq < NEW.seq
                AND l.seq = ANY (ARRAY(SELECT e.seq FROM erasure_event e WHERE e.erasure = NEW.id))
        )
    THEN
        RAISE EXCEPTION 'a release covers events of its workspace that were there before, as many as it says';
    END IF;
    IF is_held(NEW.ws) THEN
        RAISE EXCEPTION 'a release of a workspace cannot be made while a legal hold stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_is_told BEFORE INSERT OR UPDATE ON erasure
    FOR EACH ROW EXECUTE FUNCTION check_erasure();
CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER erasure_is_not_emptied BEFORE TRUNCATE ON erasure EXECUTE FUNCTION refuse();

-- An event changes under such a release alone, and only in the parts that it names.
CREATE FUNCTION check_erasing() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.tenant, NEW.class, NEW.at, NEW.seq, NEW.ws, NEW.action, NEW.kind, NEW.outcome, NEW.operation,
            NEW.source, NEW.keep)
        IS DISTINCT FROM (OLD.tenant, OLD.class, OLD.at, OLD.seq, OLD.ws, OLD.action, OLD.kind,
            OLD.outcome, OLD.operation, OLD.source, OLD.keep)
        OR NEW.salt <> decode(repeat('00', 16), 'hex') OR NEW.proofs IS NULL
        OR NOT EXISTS (
            SELECT 1 FROM erasure r JOIN erasure_event e ON e.erasure = r.id AND e.seq = OLD.seq
            WHERE r.tenant = OLD.tenant AND r.ws = OLD.ws AND r.finished_at IS NULL
                AND NEW.erased = coalesce(OLD.erased, 0::SMALLINT) | e.parts
                AND NEW.actor = CASE WHEN e.parts & 2 <> 0 THEN e.actor ELSE OLD.actor END
                AND NEW.via IS NOT DISTINCT FROM CASE WHEN e.parts & 4 <> 0 THEN e.via ELSE OLD.via END
                AND NEW.target = CASE WHEN e.parts & 8 <> 0 THEN e.target ELSE OLD.target END
                AND NEW.related IS NOT DISTINCT FROM
                    CASE WHEN e.parts & 8 <> 0 THEN e.related ELSE OLD.related END
                AND NEW.key IS NOT DISTINCT FROM CASE WHEN e.parts & 32 <> 0 THEN NULL ELSE OLD.key END
                AND NEW.key_rest IS NOT DISTINCT FROM
                    CASE WHEN e.parts & 32 <> 0 THEN NULL ELSE OLD.key_rest END
                AND (NEW.body IS NOT DISTINCT FROM OLD.body OR e.parts & 112 <> 0
                    AND length(coalesce(NEW.body, '')) < length(OLD.body))
        )
    THEN
        RAISE EXCEPTION 'the log is append-only: update of % is refused', TG_TABLE_NAME;
    END IF;
    IF is_held(OLD.ws) THEN
        RAISE EXCEPTION 'an event cannot be changed while a legal hold stands';
    END IF;
    RETURN NEW;
END $$;

-- The same where a trigger sees nothing but its row: see the migration `nodes`.
CREATE FUNCTION check_erasing_noted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('daybook.removing', TRUE) IS DISTINCT FROM OLD.ws::TEXT
        OR (NEW.tenant, NEW.class, NEW.at, NEW.seq, NEW.ws, NEW.action, NEW.kind, NEW.outcome,
            NEW.operation, NEW.source, NEW.keep)
        IS DISTINCT FROM (OLD.tenant, OLD.class, OLD.at, OLD.seq, OLD.ws, OLD.action, OLD.kind,
            OLD.outcome, OLD.operation, OLD.source, OLD.keep)
        OR NEW.proofs IS NULL OR NEW.erased IS NULL
    THEN
        RAISE EXCEPTION 'the log is append-only: update of % is refused', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER content_keeps ON content;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        CREATE TRIGGER content_keeps BEFORE UPDATE ON content
            FOR EACH ROW EXECUTE FUNCTION check_erasing_noted();
    ELSE
        CREATE TRIGGER content_keeps BEFORE UPDATE ON content
            FOR EACH ROW EXECUTE FUNCTION check_erasing();
    END IF;
END $$;

-- Whether what may go of a log is being carried out, by retention or by erasure.
CREATE FUNCTION is_released(of_ws BIGINT) RETURNS BOOLEAN
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM release WHERE ws = of_ws AND finished_at IS NULL)
        OR EXISTS (SELECT 1 FROM erasure WHERE ws = of_ws AND finished_at IS NULL)
$$;

CREATE OR REPLACE FUNCTION check_emptying() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.tenant, NEW.ws, NEW.num, NEW.kind) IS DISTINCT FROM (OLD.tenant, OLD.ws, OLD.num, OLD.kind)
        OR NEW.id IS NOT NULL OR NEW.name IS NOT NULL
        OR NOT is_released(OLD.ws) OR is_held(OLD.ws)
    THEN
        RAISE EXCEPTION 'the log is append-only: update of % is refused', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;

-- Erases what a release covers of some events, whose bodies and proofs are given as they are to be: with
-- all that was made of them. Tells of how many. Nobody else writes in the tenant meanwhile.
CREATE FUNCTION erase_batch(of_erasure BIGINT, of_seqs BIGINT[], of_bodies TEXT[], of_proofs BYTEA[])
RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    r erasure;
    batch BIGINT;
    first_at BIGINT;
    last_at BIGINT;
    changed BIGINT;
    -- What is to be, event by event.
    seqs BIGINT[];
    to_parts SMALLINT[];
    to_bodies TEXT[];
    to_proofs BYTEA[];
    to_actors INTEGER[];
    to_vias INTEGER[];
    to_targets INTEGER[];
    to_relateds INTEGER[];
    -- What there is, and then becomes, in the order of `at_seqs`.
    at_seqs BIGINT[];
    classes SMALLINT[];
    ats BIGINT[];
    at_parts SMALLINT[];
    at_bodies TEXT[];
    at_proofs BYTEA[];
    actors INTEGER[];
    vias INTEGER[];
    actions INTEGER[];
    kinds INTEGER[];
    targets INTEGER[];
    relateds INTEGER[];
    outcomes SMALLINT[];
    keys BIGINT[];
    rests BIGINT[];
    new_actors INTEGER[];
    new_vias INTEGER[];
    new_targets INTEGER[];
    new_relateds INTEGER[];
BEGIN
    SELECT * INTO r FROM erasure WHERE id = of_erasure AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    SELECT * INTO r FROM erasure WHERE id = of_erasure AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be changed while a legal hold stands';
    END IF;
    SELECT array_agg(e.seq), array_agg(e.parts), array_agg(x.body), array_agg(x.proofs), array_agg(e.actor),
        array_agg(e.via), array_agg(e.target), array_agg(e.related)
    INTO seqs, to_parts, to_bodies, to_proofs, to_actors, to_vias, to_targets, to_relateds
    FROM unnest(of_seqs, of_bodies, of_proofs) AS x(seq, body, proofs)
    JOIN erasure_event e ON e.erasure = r.id AND e.seq = x.seq;
    SELECT min(l.occurred_at), max(l.occurred_at) INTO first_at, last_at
    FROM leaf l WHERE l.tenant = r.tenant AND l.ws = r.ws AND l.seq = ANY (seqs);
    IF first_at IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(c.seq), array_agg(c.class), array_agg(c.at), array_agg(x.parts),
        array_agg(x.body), array_agg(x.proofs),
        array_agg(c.actor), array_agg(c.via), array_agg(c.action), array_agg(c.kind), array_agg(c.target),
        array_agg(c.related), array_agg(c.outcome), array_agg(c.key), array_agg(c.key_rest),
        array_agg(CASE WHEN x.parts & 2 <> 0 THEN x.actor ELSE c.actor END),
        array_agg(CASE WHEN x.parts & 4 <> 0 THEN x.via ELSE c.via END),
        array_agg(CASE WHEN x.parts & 8 <> 0 THEN x.target ELSE c.target END),
        array_agg(CASE WHEN x.parts & 8 <> 0 THEN x.related ELSE c.related END)
    INTO at_seqs, classes, ats, at_parts, at_bodies, at_proofs, actors, vias, actions, kinds, targets,
        relateds, outcomes, keys, rests, new_actors, new_vias, new_targets, new_relateds
    FROM leaf l
    JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws AND c.at = l.occurred_at AND c.seq = l.seq
        AND c.class = l.class
    JOIN unnest(seqs, to_parts, to_bodies, to_proofs, to_actors, to_vias, to_targets, to_relateds)
        AS x(seq, parts, body, proofs, actor, via, target, related) ON x.seq = l.seq
    WHERE l.tenant = r.tenant AND l.ws = r.ws AND l.seq = ANY (seqs)
        AND c.at >= first_at AND c.at <= last_at;
    IF at_seqs IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM note_removal(r.ws);
    UPDATE tenant_head SET removals = removals + 1 WHERE tenant = r.tenant RETURNING removals INTO batch;
    -- Under whom and what else they stood.
    DELETE FROM entry e
    USING (
        SELECT b.class, b.at, b.seq, 1 AS what, m.value::INTEGER AS key
        FROM unnest(classes, ats, at_seqs, vias) AS b(class, at, seq, via)
        JOIN via v ON v.tenant = r.tenant AND v.ws = r.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.class, b.at, b.seq, y.what, y.key
        FROM unnest(classes, ats, at_seqs, relateds) AS b(class, at, seq, related)
        JOIN related s ON s.tenant = r.tenant AND s.ws = r.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = r.tenant AND t.ws = r.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) y(what, key)
    ) x
    WHERE e.tenant = r.tenant AND e.ws = r.ws AND e.what = x.what AND e.key = x.key
        AND e.at = x.at AND e.seq = x.seq AND e.class = x.class AND e.at >= first_at AND e.at <= last_at;
    INSERT INTO entry (tenant, class, at, seq, ws, what, key, actor, via, action, kind, target, related, outcome)
    SELECT r.tenant, x.class, x.at, x.seq, r.ws, x.what, x.key, x.actor, x.via, x.action, x.kind, x.target,
        x.related, x.outcome
    FROM (
        SELECT b.*, 1 AS what, m.value::INTEGER AS key
        FROM unnest(classes, ats, at_seqs, new_actors, new_vias, actions, kinds, new_targets, new_relateds,
            outcomes) AS b(class, at, seq, actor, via, action, kind, target, related, outcome)
        JOIN via v ON v.tenant = r.tenant AND v.ws = r.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.*, y.what, y.key
        FROM unnest(classes, ats, at_seqs, new_actors, new_vias, actions, kinds, new_targets, new_relateds,
            outcomes) AS b(class, at, seq, actor, via, action, kind, target, related, outcome)
        JOIN related s ON s.tenant = r.tenant AND s.ws = r.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = r.tenant AND t.ws = r.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) y(what, key)
    ) x;
    DELETE FROM idempotency k
    USING unnest(keys, rests, at_seqs, at_parts) AS b(key, rest, seq, parts)
    WHERE k.tenant = r.tenant AND k.ws = r.ws AND k.key = b.key AND k.key_rest = b.rest
        AND k.seq = b.seq AND b.parts & 32 <> 0;
    WITH sides AS (
        SELECT -1 AS sign, b.* FROM unnest(at_seqs, actors, vias, actions, kinds, targets, relateds)
            AS b(seq, actor, via, action, kind, target, related)
        UNION ALL
        SELECT 1, b.* FROM unnest(at_seqs, new_actors, new_vias, actions, kinds, new_targets, new_relateds)
            AS b(seq, actor, via, action, kind, target, related)
    ), beside AS (
        SELECT DISTINCT b.sign, b.seq, b.actor, 1 AS what, m.value::INTEGER AS key
        FROM sides b
        JOIN via v ON v.tenant = r.tenant AND v.ws = r.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.sign, b.seq, b.actor, y.what, y.key
        FROM sides b
        JOIN related s ON s.tenant = r.tenant AND s.ws = r.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = r.tenant AND t.ws = r.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) y(what, key)
    ), tallies AS (
        SELECT what, key, other, sum(events)::INTEGER AS events, sum(entries)::INTEGER AS entries
        FROM (
            SELECT y.what, y.key, y.other, b.sign AS events, b.sign AS entries
            FROM sides b
            CROSS JOIN LATERAL (VALUES (1, b.actor, 0), (4, b.target, 0), (6, b.action, b.actor))
                y(what, key, other)
            UNION ALL
            SELECT CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, sign FROM beside
            UNION ALL
            SELECT 8, key, actor, sign, sign FROM beside WHERE what = 1
        ) each
        GROUP BY what, key, other
        HAVING sum(events) <> 0 OR sum(entries) <> 0
    )
    INSERT INTO tally_change (tenant, ws, what, n, key, other, events, entries)
    SELECT r.tenant, r.ws, what, -batch, array_agg(key), array_agg(other), array_agg(events),
        array_agg(entries)
    FROM tallies GROUP BY what;
    UPDATE content c SET actor = x.actor, via = x.via, target = x.target, related = x.related,
        key = CASE WHEN x.parts & 32 <> 0 THEN NULL ELSE c.key END,
        key_rest = CASE WHEN x.parts & 32 <> 0 THEN NULL ELSE c.key_rest END,
        salt = decode(repeat('00', 16), 'hex'), erased = coalesce(c.erased, 0::SMALLINT) | x.parts,
        proofs = x.proofs,
        body = CASE WHEN x.parts & 112 <> 0 THEN x.body ELSE c.body END
    FROM unnest(classes, ats, at_seqs, at_parts, new_actors, new_vias, new_targets, new_relateds, at_bodies,
        at_proofs) AS x(class, at, seq, parts, actor, via, target, related, body, proofs)
    WHERE c.tenant = r.tenant AND c.ws = r.ws AND c.at = x.at AND c.seq = x.seq AND c.class = x.class
        AND c.at >= first_at AND c.at <= last_at;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

-- Empties a piece of the texts of a log that nothing refers to any more, as `empty_texts` does.
CREATE FUNCTION empty_texts_of(of_tenant BIGINT, of_ws BIGINT, after_num INTEGER, most INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last INTEGER;
    up_to INTEGER;
    actors INTEGER[];
    targets INTEGER[];
BEGIN
    IF after_num < 0 THEN
        PERFORM add_up(of_tenant, of_ws);
    END IF;
    SELECT greatest(actor, target) INTO last FROM text_head WHERE tenant = of_tenant AND ws = of_ws;
    IF last IS NULL OR after_num >= last THEN
        RETURN NULL;
    END IF;
    up_to := least(after_num::BIGINT + most, last);
    -- Which they are is found while nobody waits; what is recorded meanwhile can only make them fewer.
    actors := ARRAY(
        SELECT t.key FROM tallied t
        JOIN actor a ON a.tenant = of_tenant AND a.ws = of_ws AND a.num = t.key
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.email IS NOT NULL)
        WHERE t.tenant = of_tenant AND t.ws = of_ws AND t.what = 1 AND t.key > after_num
            AND t.key <= up_to AND t.entries = 0
    );
    targets := ARRAY(
        SELECT t.key FROM tallied t
        JOIN target a ON a.tenant = of_tenant AND a.ws = of_ws AND a.num = t.key
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.url IS NOT NULL)
        WHERE t.tenant = of_tenant AND t.ws = of_ws AND t.what = 4 AND t.key > after_num
            AND t.key <= up_to AND t.entries = 0
    );
    IF actors = '{}' AND targets = '{}' THEN
        RETURN up_to;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM text_head WHERE tenant = of_tenant AND ws = of_ws FOR UPDATE;
    PERFORM 1 FROM tenant_head WHERE tenant = of_tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    IF NOT is_released(of_ws) THEN
        RETURN NULL;
    END IF;
    IF is_held(of_ws) THEN
        RAISE EXCEPTION 'an event cannot be removed while a legal hold stands';
    END IF;
    actors := ARRAY(
        SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 1
            AND key = ANY (actors) AND entries = 0
    );
    targets := ARRAY(
        SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 4
            AND key = ANY (targets) AND entries = 0
    );
    PERFORM note_removal(of_ws);
    UPDATE actor SET id = NULL, name = NULL, email = NULL
    WHERE tenant = of_tenant AND ws = of_ws AND num = ANY (actors);
    UPDATE target SET id = NULL, name = NULL, url = NULL
    WHERE tenant = of_tenant AND ws = of_ws AND num = ANY (targets);
    UPDATE text_head SET emptied = text_head.emptied + 1 WHERE tenant = of_tenant AND ws = of_ws;
    RETURN up_to;
END $$;

CREATE FUNCTION empty_erased_texts(of_erasure BIGINT, after_num INTEGER, most INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r erasure;
BEGIN
    SELECT * INTO r FROM erasure WHERE id = of_erasure AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN empty_texts_of(r.tenant, r.ws, after_num, most);
END $$;

-- Ends a release by erasure of which nothing is left: what it names is gone, with its event or from it.
-- False where something is left.
CREATE FUNCTION finish_erasure(of_erasure BIGINT, now BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r erasure;
    seqs BIGINT[];
    to_parts SMALLINT[];
    to_actors INTEGER[];
    to_vias INTEGER[];
BEGIN
    SELECT * INTO r FROM erasure WHERE id = of_erasure AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN TRUE;
    END IF;
    PERFORM wait_for_changes();
    PERFORM 1 FROM tenant_head WHERE tenant = r.tenant FOR UPDATE;
    -- Looked at now: somebody else may have ended it.
    SELECT * INTO r FROM erasure WHERE id = of_erasure AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN TRUE;
    END IF;
    IF is_held(r.ws) THEN
        RAISE EXCEPTION 'an event cannot be changed while a legal hold stands';
    END IF;
    SELECT array_agg(e.seq), array_agg(e.parts), array_agg(e.actor), array_agg(e.via)
    INTO seqs, to_parts, to_actors, to_vias
    FROM erasure_event e WHERE e.erasure = r.id;
    IF EXISTS (
        SELECT 1 FROM leaf l
        JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws AND c.at = l.occurred_at AND c.seq = l.seq
            AND c.class = l.class
        JOIN unnest(seqs, to_parts, to_actors, to_vias) AS x(seq, parts, actor, via) ON x.seq = l.seq
        WHERE l.tenant = r.tenant AND l.seq = ANY (seqs)
            AND (coalesce(c.erased, 0::SMALLINT) & x.parts <> x.parts
                OR (x.parts & 2 <> 0 AND c.actor <> x.actor)
                OR (x.parts & 4 <> 0 AND c.via IS DISTINCT FROM x.via))
    ) THEN
        RETURN FALSE;
    END IF;
    UPDATE erasure SET finished_at = now WHERE id = r.id;
    RETURN TRUE;
END $$;

REVOKE ALL ON erasure, erasure_event FROM PUBLIC;
REVOKE ALL ON FUNCTION check_erasure_event(), check_erasure(), check_erasing(), check_erasing_noted(),
    is_released(BIGINT), erase_batch(BIGINT, BIGINT[], TEXT[], BYTEA[]),
    empty_texts_of(BIGINT, BIGINT, INTEGER, INTEGER), empty_erased_texts(BIGINT, INTEGER, INTEGER),
    finish_erasure(BIGINT, BIGINT) FROM PUBLIC;
GRANT SELECT, INSERT ON erasure, erasure_event TO daybook_server;
GRANT EXECUTE ON FUNCTION check_erasure_event(), check_erasure(), is_released(BIGINT),
    erase_batch(BIGINT, BIGINT[], TEXT[], BYTEA[]), empty_erased_texts(BIGINT, INTEGER, INTEGER),
    finish_erasure(BIGINT, BIGINT) TO daybook_server;
