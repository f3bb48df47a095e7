-- The partitions of contents and their entries. There are never many of them, whatever times events come
-- with: what occurred before 2020 lies in one of each class, and what is older than its class, in those
-- of class 0. And the longer a class is kept, the longer is the time of one: whoever asks for a whole
-- log locks each of them with its indexes.

-- When the time of a partition begins in which something occurred, and when it ends. Nothing is the
-- beginning of what occurred before 2020.
CREATE FUNCTION partition_of(of_class SMALLINT, of_at BIGINT, OUT name TEXT, OUT since BIGINT, OUT until BIGINT)
LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
DECLARE
    day CONSTANT BIGINT := 86400000000;
    first_year CONSTANT DATE := '2020-01-01';
    unit CONSTANT TEXT := CASE WHEN of_class IN (0, 3700) THEN 'year' WHEN of_class = 1100 THEN 'quarter'
        ELSE 'month' END;
    first DATE;
BEGIN
    IF of_at < (first_year - DATE '1970-01-01') * day THEN
        name := of_class || '_before';
        until := (first_year - DATE '1970-01-01') * day;
        RETURN;
    END IF;
    first := date_trunc(unit, DATE '1970-01-01' + (of_at / day)::INTEGER);
    name := of_class || '_' || to_char(first,
        CASE unit WHEN 'year' THEN 'YYYY' WHEN 'quarter' THEN 'YYYY"q"Q' ELSE 'YYYYMM' END);
    since := (first - DATE '1970-01-01') * day;
    until := ((first + CASE unit WHEN 'year' THEN INTERVAL '1 year' WHEN 'quarter' THEN INTERVAL '3 months'
        ELSE INTERVAL '1 month' END)::DATE - DATE '1970-01-01') * day;
END $$;

-- Which partitions there are: how their names end, of which class they are, and when their time ends.
CREATE FUNCTION partitions(OUT name TEXT, OUT class SMALLINT, OUT until BIGINT) RETURNS SETOF RECORD
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT substr(p.relname, 9), p.bound[1]::SMALLINT, p.bound[2]
    FROM (
        SELECT c.relname, regexp_match(pg_get_expr(c.relpartbound, c.oid),
            'TO \(''?(\d+)''?, ''?(-?\d+)''?\)')::BIGINT[] AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'content'::regclass
    ) p
$$;

-- Of the dropping of a partition, PostgreSQL tells nobody who reads another state than the last: what was
-- in it is gone from all states. Who reads several things of one state locks this (ACCESS SHARE) before
-- the state is taken, and who drops, against them. Nothing is ever in it, so that on several nodes it is
-- the first one's alone.
CREATE TABLE reading ();

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of % is refused', lower(TG_OP), TG_TABLE_NAME;
END $$;

-- Makes the partition in which something of a class and a time belongs, where it is not there yet.
-- ATTACH waits for nobody who reads or writes; `CREATE … PARTITION OF` would wait for everybody.
CREATE FUNCTION add_partition(of_class SMALLINT, of_at BIGINT) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part RECORD;
    of_table TEXT;
    made TEXT;
BEGIN
    IF of_class NOT IN (0, 31, 92, 366, 1100, 3700) THEN
        RAISE EXCEPTION 'there is no class % of contents', of_class;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook partitions', 0));
    IF is_distributed() THEN
        PERFORM set_config('citus.enable_unsafe_triggers', 'on', TRUE);
    END IF;
    SELECT * INTO part FROM partition_of(of_class, of_at);
    FOREACH of_table IN ARRAY ARRAY['content', 'entry'] LOOP
        made := of_table || '_' || part.name;
        IF to_regclass(made) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made, of_table);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s, %s) TO (%s, %s)',
                of_table, made, of_class, coalesce(part.since::TEXT, 'MINVALUE'), of_class, part.until
            );
            -- Of the triggers of the whole table, a partition does not have this one.
            EXECUTE format(
                'CREATE TRIGGER %I BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse()',
                of_table || '_is_not_emptied', made
            );
        END IF;
    END LOOP;
END $$;

-- Looks at tables that have grown much since the server looked at them last: of a partition that it has
-- never looked at it does not know which of its indexes tells most, and takes any. Its own looks come
-- minutes later. Where entries are looked for by their key alone it need not know. One looks at a time.
CREATE FUNCTION look_at_young_tables() RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    young REGCLASS;
    looked INTEGER := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('daybook young tables', 0)) THEN
        RETURN 0;
    END IF;
    IF is_distributed() THEN
        -- Else a node does not show what it has of each table.
        PERFORM set_config('citus.override_table_visibility', 'off', TRUE);
    END IF;
    FOR young IN
        SELECT c.oid FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
        WHERE c.relnamespace = 'public'::REGNAMESPACE AND c.relkind = 'r' AND s.n_live_tup < 500000
            AND c.relname NOT IN ('tally', 'tally_change', 'tenant_head', 'text_head')
            AND s.n_mod_since_analyze > 200 AND s.n_mod_since_analyze > c.reltuples / 2
    LOOP
        BEGIN
            EXECUTE format('ANALYZE %s', young);
            looked := looked + 1;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RETURN looked;
END $$;
