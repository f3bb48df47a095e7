-- Erasure: parts of events that are taken out later, under a release that names them.

-- Which parts of an event are gone, as bits: 1 facts (never), 2 actor, 4 via, 8 objects, 16 change,
-- 32 details, 64 context. And what proves the parts then, in that order: the hashes of those that are
-- gone, the salts of the others; the event's own salt, by which one could try out what is gone, is
-- nothing but zeros.
ALTER TABLE content ADD COLUMN erased INTEGER;
ALTER TABLE content ADD COLUMN proofs BLOB;

-- Releases by erasure: the parts of `ws`'s events that `erasure_event` names may go. `n` is the number
-- of the event that tells of it.
CREATE TABLE erasure (
    id INTEGER PRIMARY KEY,
    ws INTEGER NOT NULL,
    n INTEGER NOT NULL UNIQUE REFERENCES leaf (n),
    -- How many events it names.
    events INTEGER NOT NULL,
    -- When they were gone.
    finished_at INTEGER
) STRICT;

CREATE INDEX erasure_unfinished ON erasure (ws) WHERE finished_at IS NULL;
CREATE INDEX erasure_by_ws ON erasure (ws, id);

-- What of which event, and which texts stand in its place. They are written before their release, which
-- then counts them: to one that is made none is added.
CREATE TABLE erasure_event (
    erasure INTEGER NOT NULL,
    n INTEGER NOT NULL REFERENCES leaf (n),
    parts INTEGER NOT NULL CHECK (parts BETWEEN 2 AND 126 AND parts & 1 = 0),
    actor INTEGER, via INTEGER, target INTEGER, related INTEGER,
    PRIMARY KEY (erasure, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_by_event ON erasure_event (n);
-- Which events lost what they were about, by what stands there now (the kind alone): of each object of
-- that kind they may have been.
CREATE INDEX erasure_event_of_objects ON erasure_event (target) WHERE parts & 8 <> 0;

CREATE TRIGGER erasure_event_stays BEFORE DELETE ON erasure_event
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a release cannot be removed'); END;
CREATE TRIGGER erasure_event_keeps BEFORE UPDATE ON erasure_event
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a release cannot be changed'); END;
CREATE TRIGGER erasure_event_is_new BEFORE INSERT ON erasure_event
BEGIN
    SELECT RAISE(ABORT, 'what a release covers is said before it is made, and once')
    WHERE NEW.erasure IS NOT (SELECT coalesce(max(id), 0) + 1 FROM erasure)
        OR EXISTS (SELECT 1 FROM erasure_event WHERE erasure = NEW.erasure AND n = NEW.n);
END;

CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a release cannot be removed'); END;
CREATE TRIGGER erasure_is_finished_once BEFORE UPDATE ON erasure
BEGIN
    SELECT RAISE(ABORT, 'a release can be finished, once, and not changed')
    WHERE OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL OR NEW.id IS NOT OLD.id
        OR NEW.ws IS NOT OLD.ws OR NEW.n IS NOT OLD.n OR NEW.events IS NOT OLD.events;
    SELECT RAISE(ABORT, 'a release is finished when everything that it names is gone')
    WHERE EXISTS (
        SELECT 1 FROM erasure_event e JOIN content c ON c.n = e.n
        WHERE e.erasure = OLD.id AND coalesce(c.erased, 0) & e.parts <> e.parts
    );
END;
CREATE TRIGGER erasure_is_told BEFORE INSERT ON erasure
BEGIN
    SELECT RAISE(ABORT, 'a release has the next number, an event that tells of it, and is not finished')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM erasure)
        OR NEW.finished_at IS NOT NULL
        OR NOT EXISTS (
            SELECT 1 FROM leaf l JOIN content c ON c.n = l.n AND c.keep <> 0
            JOIN action a ON a.ws = l.ws AND a.num = c.action AND a.action = 'AUDIT_CONTENT_ERASED'
            WHERE l.n = NEW.n AND l.ws = NEW.ws
        );
    SELECT RAISE(ABORT, 'a release covers events of its workspace that were there before, as many as it says')
    WHERE NEW.events IS NOT (SELECT count(*) FROM erasure_event WHERE erasure = NEW.id)
        OR EXISTS (
            SELECT 1 FROM erasure_event e LEFT JOIN leaf l ON l.n = e.n
            WHERE e.erasure = NEW.id AND (l.ws IS NOT NEW.ws OR e.n >= NEW.n)
        );
    SELECT RAISE(ABORT, 'a release of a workspace cannot be made while a legal hold stands')
    WHERE EXISTS (
        SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
        WHERE h.lifted_at IS NULL AND (w.id = NEW.ws OR w.tenant = -NEW.ws)
    );
END;

-- An event changes under such a release alone, and only in the parts that it names.
DROP TRIGGER content_keeps;
CREATE TRIGGER content_keeps BEFORE UPDATE ON content
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an event cannot be changed')
    WHERE NEW.n IS NOT OLD.n OR NEW.action IS NOT OLD.action OR NEW.outcome IS NOT OLD.outcome
        OR NEW.operation IS NOT OLD.operation OR NEW.source IS NOT OLD.source
        OR NEW.keep IS NOT OLD.keep OR NEW.salt IS NOT zeroblob(16) OR NEW.proofs IS NULL
        OR NOT EXISTS (
            SELECT 1 FROM erasure_event e JOIN erasure r ON r.id = e.erasure
            WHERE e.n = OLD.n AND r.finished_at IS NULL
                AND NEW.erased IS coalesce(OLD.erased, 0) | e.parts
                AND NEW.actor IS CASE WHEN e.parts & 2 THEN e.actor ELSE OLD.actor END
                AND NEW.via IS CASE WHEN e.parts & 4 THEN e.via ELSE OLD.via END
                AND NEW.target IS CASE WHEN e.parts & 8 THEN e.target ELSE OLD.target END
                AND NEW.related IS CASE WHEN e.parts & 8 THEN e.related ELSE OLD.related END
                AND NEW.key IS CASE WHEN e.parts & 32 THEN NULL ELSE OLD.key END
                AND NEW.key_rest IS CASE WHEN e.parts & 32 THEN NULL ELSE OLD.key_rest END
                AND (NEW.body IS OLD.body OR e.parts & 112 <> 0
                    AND length(coalesce(NEW.body, '')) < length(OLD.body))
        );
    SELECT RAISE(ABORT, 'an event cannot be changed while a legal hold stands')
    WHERE EXISTS (
        SELECT 1 FROM leaf l CROSS JOIN workspace w ON w.id = l.ws OR w.tenant = -l.ws
        JOIN hold h ON h.workspace = w.id AND h.lifted_at IS NULL
        WHERE l.n = OLD.n
    );
END;

-- What was said of somebody, or of an object, to which nothing refers any more: also while a release by
-- erasure is being carried out.
DROP TRIGGER actor_keeps;
CREATE TRIGGER actor_keeps BEFORE UPDATE ON actor
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an actor cannot be changed')
    WHERE NEW.ws IS NOT OLD.ws OR NEW.num IS NOT OLD.num OR NEW.kind IS NOT OLD.kind
        OR coalesce(NEW.id, NEW.name, NEW.email) IS NOT NULL
        OR NOT (EXISTS (SELECT 1 FROM release WHERE ws = OLD.ws AND finished_at IS NULL)
            OR EXISTS (SELECT 1 FROM erasure WHERE ws = OLD.ws AND finished_at IS NULL))
        OR EXISTS (
            SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
            WHERE h.lifted_at IS NULL AND (w.id = OLD.ws OR w.tenant = -OLD.ws)
        );
END;
DROP TRIGGER target_keeps;
CREATE TRIGGER target_keeps BEFORE UPDATE ON target
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a target cannot be changed')
    WHERE NEW.ws IS NOT OLD.ws OR NEW.num IS NOT OLD.num OR NEW.kind IS NOT OLD.kind
        OR coalesce(NEW.id, NEW.name, NEW.url) IS NOT NULL
        OR NOT (EXISTS (SELECT 1 FROM release WHERE ws = OLD.ws AND finished_at IS NULL)
            OR EXISTS (SELECT 1 FROM erasure WHERE ws = OLD.ws AND finished_at IS NULL))
        OR EXISTS (
            SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
            WHERE h.lifted_at IS NULL AND (w.id = OLD.ws OR w.tenant = -OLD.ws)
        );
END;
