-- Erasure: texts that no event names go too, what cannot be erased is passed over, and what dead rows know
-- goes by itself.

-- Events that a release by erasure names, and that cannot be read: what is wrong with each. The release
-- ends without them. As the releases they lie on the first node.
CREATE TABLE erasure_damage (
    erasure BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (erasure, seq)
);

CREATE FUNCTION check_erasure_damage() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM erasure r JOIN erasure_event e ON e.erasure = r.id
        WHERE r.id = NEW.erasure AND r.finished_at IS NULL AND e.seq = NEW.seq
    ) THEN
        RAISE EXCEPTION 'only what an unfinished release names is found damaged';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_damage_is_named BEFORE INSERT ON erasure_damage
    FOR EACH ROW EXECUTE FUNCTION check_erasure_damage();
CREATE TRIGGER erasure_damage_stays BEFORE UPDATE OR DELETE ON erasure_damage
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER erasure_damage_is_not_emptied BEFORE TRUNCATE ON erasure_damage EXECUTE FUNCTION refuse();

-- How many releases by erasure were finished when the tables were cleaned last: whether they are to be.
CREATE TABLE cleaning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    finished BIGINT NOT NULL
);
INSERT INTO cleaning (one, finished) VALUES (1, 0);

-- Empties a piece of the texts of a log that nothing refers to: no longer, or never, as those of an event
-- that was sent and not recorded. But for those that unfinished releases by erasure put in the place of
-- what they name.
CREATE OR REPLACE FUNCTION empty_texts_of(of_tenant BIGINT, of_ws BIGINT, after_num INTEGER, most INTEGER)
RETURNS INTEGER
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last INTEGER;
    up_to INTEGER;
    actors INTEGER[];
    targets INTEGER[];
    lists INTEGER[];
    awaited_actors INTEGER[];
    awaited_targets INTEGER[];
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
        SELECT a.num FROM actor a
        LEFT JOIN (
            SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 1
                AND key > after_num AND key <= up_to AND entries > 0
        ) t ON t.key = a.num
        WHERE a.tenant = of_tenant AND a.ws = of_ws AND a.num > after_num AND a.num <= up_to
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.email IS NOT NULL) AND t.key IS NULL
    );
    targets := ARRAY(
        SELECT a.num FROM target a
        LEFT JOIN (
            SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 4
                AND key > after_num AND key <= up_to AND entries > 0
        ) t ON t.key = a.num
        WHERE a.tenant = of_tenant AND a.ws = of_ws AND a.num > after_num AND a.num <= up_to
            AND (a.id IS NOT NULL OR a.name IS NOT NULL OR a.url IS NOT NULL) AND t.key IS NULL
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
    awaited_actors := ARRAY(
        SELECT DISTINCT e.actor FROM erasure r JOIN erasure_event e ON e.erasure = r.id
        WHERE r.ws = of_ws AND r.finished_at IS NULL AND e.actor IS NOT NULL
    );
    lists := ARRAY(
        SELECT DISTINCT e.via FROM erasure r JOIN erasure_event e ON e.erasure = r.id
        WHERE r.ws = of_ws AND r.finished_at IS NULL AND e.via IS NOT NULL
    );
    awaited_actors := awaited_actors || ARRAY(
        SELECT m.value::INTEGER FROM via v CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        WHERE v.tenant = of_tenant AND v.ws = of_ws AND v.num = ANY (lists)
    );
    awaited_targets := ARRAY(
        SELECT DISTINCT e.target FROM erasure r JOIN erasure_event e ON e.erasure = r.id
        WHERE r.ws = of_ws AND r.finished_at IS NULL AND e.target IS NOT NULL
    );
    lists := ARRAY(
        SELECT DISTINCT e.related FROM erasure r JOIN erasure_event e ON e.erasure = r.id
        WHERE r.ws = of_ws AND r.finished_at IS NULL AND e.related IS NOT NULL
    );
    awaited_targets := awaited_targets || ARRAY(
        SELECT m.value::INTEGER FROM related s
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        WHERE s.tenant = of_tenant AND s.ws = of_ws AND s.num = ANY (lists)
    );
    PERFORM note_removal(of_ws);
    UPDATE actor SET id = NULL, name = NULL, email = NULL
    WHERE tenant = of_tenant AND ws = of_ws AND num = ANY (actors) AND num <> ALL (awaited_actors)
        AND num <> ALL (ARRAY(
            SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 1
                AND key = ANY (actors) AND entries > 0
        ));
    UPDATE target SET id = NULL, name = NULL, url = NULL
    WHERE tenant = of_tenant AND ws = of_ws AND num = ANY (targets) AND num <> ALL (awaited_targets)
        AND num <> ALL (ARRAY(
            SELECT key FROM tallied WHERE tenant = of_tenant AND ws = of_ws AND what = 4
                AND key = ANY (targets) AND entries > 0
        ));
    UPDATE text_head SET emptied = text_head.emptied + 1 WHERE tenant = of_tenant AND ws = of_ws;
    RETURN up_to;
END $$;

CREATE OR REPLACE FUNCTION empty_texts(of_release BIGINT, after_num INTEGER, most INTEGER) RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r release;
BEGIN
    SELECT * INTO r FROM release WHERE id = of_release AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN empty_texts_of(r.tenant, r.ws, after_num, most);
END $$;

-- Ends a release by erasure of which nothing is left: what it names is gone, with its event or from it, or
-- cannot be read. False where something is left.
CREATE OR REPLACE FUNCTION finish_erasure(of_erasure BIGINT, now BIGINT) RETURNS BOOLEAN
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
    FROM erasure_event e
    WHERE e.erasure = r.id
        AND NOT EXISTS (SELECT 1 FROM erasure_damage d WHERE d.erasure = e.erasure AND d.seq = e.seq);
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

REVOKE ALL ON erasure_damage, cleaning FROM PUBLIC;
REVOKE ALL ON FUNCTION check_erasure_damage() FROM PUBLIC;
GRANT SELECT, INSERT ON erasure_damage TO daybook_server;
GRANT SELECT, UPDATE ON cleaning TO daybook_server;
GRANT EXECUTE ON FUNCTION check_erasure_damage() TO daybook_server;
