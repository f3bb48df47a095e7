-- That nothing was altered: the tree over each tenant's leaves, what was signed of it, and with which
-- keys. It is made of `leaf`, and what is here is never changed: who changes a leaf is found by it.

-- The public keys that checkpoints were signed with, one after the other. The secret ones are in the key
-- file; `installation.signing_key` is the fingerprint of the one that signs now.
CREATE TABLE signing_key (
    id BIGINT PRIMARY KEY,
    public BYTEA NOT NULL UNIQUE CHECK (length(public) = 32),
    since BIGINT NOT NULL,
    -- NULL: it signs now.
    until BIGINT
);

CREATE UNIQUE INDEX signing_key_of_now ON signing_key ((until IS NULL)) WHERE until IS NULL;

CREATE FUNCTION check_signing_key() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.public, NEW.since) IS DISTINCT FROM (OLD.id, OLD.public, OLD.since)
        OR (OLD.until IS NOT NULL AND NEW.until IS DISTINCT FROM OLD.until)
    THEN
        RAISE EXCEPTION 'a signing key can end, once, and not be changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signing_key_ends_once BEFORE UPDATE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION check_signing_key();

CREATE FUNCTION check_next_signing_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM signing_key)
        OR EXISTS (SELECT 1 FROM signing_key WHERE until IS NULL)
    THEN
        RAISE EXCEPTION 'a signing key has the next number, after the last one ended';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signing_key_is_next BEFORE INSERT ON signing_key
    FOR EACH ROW EXECUTE FUNCTION check_next_signing_key();
CREATE TRIGGER signing_key_stays BEFORE DELETE ON signing_key FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER signing_key_is_not_emptied BEFORE TRUNCATE ON signing_key EXECUTE FUNCTION refuse();

-- The hashes of each tenant's tree, 256 to a tile: at level 0 those of its leaves, at each other level
-- the roots of whole tiles of the one below. The last tile of a level grows.
CREATE TABLE tile (
    tenant BIGINT NOT NULL,
    level BIGINT NOT NULL CHECK (level BETWEEN 0 AND 7),
    place BIGINT NOT NULL CHECK (place >= 0),
    hashes BYTEA NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (tenant, level, place)
);
-- Hashes cannot be made smaller.
ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL;

CREATE FUNCTION check_tile() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.tenant, NEW.level, NEW.place) IS DISTINCT FROM (OLD.tenant, OLD.level, OLD.place)
        OR substr(NEW.hashes, 1, length(OLD.hashes)) IS DISTINCT FROM OLD.hashes
    THEN
        RAISE EXCEPTION 'the log is append-only: a tile grows, and cannot be changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tile_grows BEFORE UPDATE ON tile FOR EACH ROW EXECUTE FUNCTION check_tile();

CREATE FUNCTION check_next_tile() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last BIGINT;
BEGIN
    SELECT max(t.place) INTO last FROM tile t WHERE t.tenant = NEW.tenant AND t.level = NEW.level;
    IF NEW.place <> coalesce(last, -1) + 1 THEN
        RAISE EXCEPTION 'the log is append-only: a tile has the next place';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tile_is_next BEFORE INSERT ON tile FOR EACH ROW EXECUTE FUNCTION check_next_tile();
CREATE TRIGGER tile_stays BEFORE DELETE ON tile FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER tile_is_not_emptied BEFORE TRUNCATE ON tile EXECUTE FUNCTION refuse();

-- What was signed of each tenant's tree: how many leaves it had, and its root.
CREATE TABLE checkpoint (
    tenant BIGINT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    root BYTEA NOT NULL CHECK (length(root) = 32),
    made_at BIGINT NOT NULL,
    -- The number of the signing key.
    key BIGINT NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (tenant, size)
);

CREATE FUNCTION check_next_checkpoint() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    covered BIGINT;
    recorded BIGINT;
BEGIN
    SELECT max(c.size) INTO covered FROM checkpoint c WHERE c.tenant = NEW.tenant;
    SELECT max(l.seq) INTO recorded FROM leaf l WHERE l.tenant = NEW.tenant;
    IF NEW.size <= coalesce(covered, 0) OR NEW.size > coalesce(recorded, 0) THEN
        RAISE EXCEPTION 'the log is append-only: a checkpoint covers more than the last one, and no more than there is';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_is_next BEFORE INSERT ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION check_next_checkpoint();
CREATE TRIGGER checkpoint_stays BEFORE UPDATE OR DELETE ON checkpoint FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER checkpoint_is_not_emptied BEFORE TRUNCATE ON checkpoint EXECUTE FUNCTION refuse();

REVOKE ALL ON signing_key, tile, checkpoint FROM PUBLIC;
REVOKE ALL ON FUNCTION check_signing_key(), check_next_signing_key(), check_tile(), check_next_tile(),
    check_next_checkpoint() FROM PUBLIC;
GRANT SELECT, INSERT ON signing_key, tile, checkpoint TO daybook_server;
GRANT UPDATE (until) ON signing_key TO daybook_server;
GRANT UPDATE (signing_key) ON installation TO daybook_server;
GRANT UPDATE (hashes) ON tile TO daybook_server;
GRANT EXECUTE ON FUNCTION check_signing_key(), check_next_signing_key(), check_tile(), check_next_tile(),
    check_next_checkpoint() TO daybook_server;

-- On the nodes of a Citus a trigger sees nothing but its row: see the migration `nodes`. Who makes
-- checkpoints looks itself, under a lock.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
        RETURN;
    END IF;
    DROP TRIGGER tile_is_next ON tile;
    DROP TRIGGER checkpoint_is_next ON checkpoint;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', TRUE);
    PERFORM create_distributed_table('tile', 'tenant', colocate_with := 'tenant_head');
    PERFORM create_distributed_table('checkpoint', 'tenant', colocate_with := 'tenant_head');
END $$;
