-- What may be taken out of the log, and what stops it.

-- Legal holds: while one stands (`lifted_at` is NULL), nothing of the workspace is deleted, and
-- nothing of its tenant's own log.
CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    reason TEXT NOT NULL,
    -- The name of who placed it.
    placed_by TEXT NOT NULL,
    placed_at INTEGER NOT NULL,
    lifted_reason TEXT,
    lifted_by TEXT,
    lifted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX hold_standing ON hold (workspace) WHERE lifted_at IS NULL;
CREATE INDEX hold_by_workspace ON hold (workspace);

CREATE TRIGGER hold_stays BEFORE DELETE ON hold
BEGIN SELECT RAISE(ABORT, 'a hold is lifted, not removed'); END;
CREATE TRIGGER hold_is_lifted_once BEFORE UPDATE ON hold
BEGIN
    SELECT RAISE(ABORT, 'a hold can be lifted, once, and not changed')
    WHERE OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL OR NEW.lifted_by IS NULL
        OR NEW.lifted_reason IS NULL
        OR NEW.id IS NOT OLD.id OR NEW.workspace IS NOT OLD.workspace
        OR NEW.reason IS NOT OLD.reason OR NEW.placed_by IS NOT OLD.placed_by
        OR NEW.placed_at IS NOT OLD.placed_at;
END;
-- `INSERT OR REPLACE` passes by the two above.
CREATE TRIGGER hold_is_new BEFORE INSERT ON hold
BEGIN
    SELECT RAISE(ABORT, 'a workspace has one hold at a time, and a hold the next number')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM hold)
        OR EXISTS (SELECT 1 FROM hold WHERE workspace = NEW.workspace AND lifted_at IS NULL);
END;

-- Releases by retention: what of `ws` occurred before `before` and has a number up to `n`, that of
-- the event that tells of the release, may go, but for what is marked `keep`.
CREATE TABLE release (
    id INTEGER PRIMARY KEY,
    ws INTEGER NOT NULL,
    n INTEGER NOT NULL UNIQUE REFERENCES leaf (n),
    before INTEGER NOT NULL,
    -- How many events it covered when it was made.
    events INTEGER NOT NULL,
    -- When all of them were gone.
    finished_at INTEGER
) STRICT;

CREATE INDEX release_unfinished ON release (ws) WHERE finished_at IS NULL;
CREATE INDEX release_by_ws ON release (ws, id);

-- The first moment that each workspace kept when an event (`n`) was recorded: its setting, or the
-- one that waited and whose time had come, raised to the plan's floor, lowered to its cap. A year
-- is a calendar year; where it has no 29th of February the next day counts here.
CREATE VIEW kept_from AS
SELECT n, ws, tenant, max(min(of_setting, of_floor), of_cap) AS at
FROM (
    SELECT n, ws, tenant,
        CASE
            WHEN setting = 'forever' THEN -9223372036854775808
            WHEN setting GLOB '*d' THEN now - CAST(setting AS INTEGER) * 86400000000
            ELSE strftime('%s', now / 1000000, 'unixepoch',
                '-' || CAST(setting AS INTEGER) || ' years') * 1000000 + now % 1000000
        END AS of_setting,
        CASE
            WHEN floor IS NULL THEN 9223372036854775807
            WHEN floor = 'forever' THEN -9223372036854775808
            WHEN floor GLOB '*d' THEN now - CAST(floor AS INTEGER) * 86400000000
            ELSE strftime('%s', now / 1000000, 'unixepoch',
                '-' || CAST(floor AS INTEGER) || ' years') * 1000000 + now % 1000000
        END AS of_floor,
        CASE
            WHEN cap IS NULL OR cap = 'forever' THEN -9223372036854775808
            WHEN cap GLOB '*d' THEN now - CAST(cap AS INTEGER) * 86400000000
            ELSE strftime('%s', now / 1000000, 'unixepoch',
                '-' || CAST(cap AS INTEGER) || ' years') * 1000000 + now % 1000000
        END AS of_cap
    FROM (
        SELECT l.n, l.recorded_at AS now, w.id AS ws, w.tenant, t.floor, t.cap,
            CASE WHEN w.pending_from <= l.recorded_at THEN w.pending ELSE w.retention END AS setting
        FROM leaf l CROSS JOIN workspace w JOIN tenant t ON t.id = w.tenant
    )
);

CREATE TRIGGER release_stays BEFORE DELETE ON release
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a release cannot be removed'); END;
CREATE TRIGGER release_is_finished_once BEFORE UPDATE ON release
BEGIN
    SELECT RAISE(ABORT, 'a release can be finished, once, and not changed')
    WHERE OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL OR NEW.id IS NOT OLD.id
        OR NEW.ws IS NOT OLD.ws OR NEW.n IS NOT OLD.n OR NEW.before IS NOT OLD.before
        OR NEW.events IS NOT OLD.events;
END;
CREATE TRIGGER release_is_due BEFORE INSERT ON release
BEGIN
    SELECT RAISE(ABORT, 'a release has the next number and the last event, and is not finished')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM release)
        OR NEW.n IS NOT (SELECT max(n) FROM leaf)
        OR NEW.finished_at IS NOT NULL;
    SELECT RAISE(ABORT, 'a release of a workspace cannot be made while a legal hold stands')
    WHERE EXISTS (
        SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
        WHERE h.lifted_at IS NULL AND (w.id = NEW.ws OR w.tenant = -NEW.ws)
    );
    -- The tenant's own events stay as long as the longest retention among its workspaces.
    SELECT RAISE(ABORT, 'a release covers only what has expired')
    WHERE NEW.before > coalesce((
        SELECT min(at) FROM kept_from WHERE n = NEW.n AND (ws = NEW.ws OR tenant = -NEW.ws)
    ), -9223372036854775808);
END;

DROP TRIGGER content_stays;
CREATE TRIGGER content_stays BEFORE DELETE ON content
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an event cannot be removed')
    WHERE OLD.keep <> 0 OR NOT EXISTS (
        SELECT 1 FROM leaf l JOIN release r ON r.ws = l.ws
        WHERE l.n = OLD.n AND r.finished_at IS NULL AND l.occurred_at < r.before AND l.n <= r.n
    );
    SELECT RAISE(ABORT, 'an event cannot be removed while a legal hold stands')
    WHERE EXISTS (
        SELECT 1 FROM leaf l CROSS JOIN workspace w ON w.id = l.ws OR w.tenant = -l.ws
        JOIN hold h ON h.workspace = w.id AND h.lifted_at IS NULL
        WHERE l.n = OLD.n
    );
END;

-- When the last event of somebody, or of some object, is gone, so is what was said of them: their
-- number stays, empty. Only while a release is being carried out.
DROP TRIGGER actor_keeps;
CREATE TRIGGER actor_keeps BEFORE UPDATE ON actor
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an actor cannot be changed')
    WHERE NEW.ws IS NOT OLD.ws OR NEW.num IS NOT OLD.num OR NEW.kind IS NOT OLD.kind
        OR coalesce(NEW.id, NEW.name, NEW.email) IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM release WHERE ws = OLD.ws AND finished_at IS NULL)
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
        OR NOT EXISTS (SELECT 1 FROM release WHERE ws = OLD.ws AND finished_at IS NULL)
        OR EXISTS (
            SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace
            WHERE h.lifted_at IS NULL AND (w.id = OLD.ws OR w.tenant = -OLD.ws)
        );
END;

-- How many batches of events were removed. The index counts them too, and before: a reader whose
-- index has fewer than its log sees two states that do not belong together.
CREATE TABLE removal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    batches INTEGER NOT NULL
) STRICT;
INSERT INTO removal (one, batches) VALUES (1, 0);

-- How often texts of `ws` were emptied: whoever holds them in memory reads them again.
CREATE TABLE emptied (
    ws INTEGER PRIMARY KEY,
    times INTEGER NOT NULL
) STRICT;

-- What retention passes by, of which there is little.
CREATE INDEX content_kept ON content (n) WHERE keep <> 0;
