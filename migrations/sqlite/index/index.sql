-- The index: what is made from the log so that questions are answered quickly. It may be deleted at
-- any time, and is then made again.
--
-- Every copy is sorted by what it is asked for, then by time and number, and holds what the other
-- filters test, so that a page is read in order from one place. In `by_actor`, `by_kind` and
-- `by_target` an event stands once for each that it has: `own` is 1 for its actor and its target, 0
-- for those in `via` and `related`.

CREATE TABLE mark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    installation BLOB NOT NULL,
    -- The last event in the index, and its leaf's hash.
    n INTEGER NOT NULL,
    leaf BLOB,
    -- How many batches of events were removed from it.
    removals INTEGER NOT NULL
) STRICT;

-- The events of the last batch: should the log have kept them after all, they are taken over again.
CREATE TABLE removing (
    n INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE by_time (
    ws INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, at, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE by_actor (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    own INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n, own)
) STRICT, WITHOUT ROWID;

CREATE TABLE by_action (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE by_kind (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    own INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n, own)
) STRICT, WITHOUT ROWID;

CREATE TABLE by_target (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    own INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n, own)
) STRICT, WITHOUT ROWID;

-- Only what did not succeed.
CREATE TABLE by_outcome (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n)
) STRICT, WITHOUT ROWID;

-- Only what is part of an operation.
CREATE TABLE by_operation (
    ws INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,
    actor INTEGER NOT NULL, via INTEGER, action INTEGER NOT NULL, kind INTEGER NOT NULL,
    target INTEGER NOT NULL, related INTEGER, outcome INTEGER NOT NULL,
    PRIMARY KEY (ws, key, at, n)
) STRICT, WITHOUT ROWID;

-- The first half of an idempotency key's hash; the rest is compared in the log.
CREATE TABLE by_key (
    hash INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (hash, n)
) STRICT, WITHOUT ROWID;

-- How many events there are of each: as their own (`events`), and with those in `via` and `related`
-- (`entries`).
CREATE TABLE count_actor (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, events INTEGER NOT NULL, entries INTEGER NOT NULL,
    PRIMARY KEY (ws, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_action (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (ws, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_kind (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, events INTEGER NOT NULL, entries INTEGER NOT NULL,
    PRIMARY KEY (ws, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_target (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, events INTEGER NOT NULL, entries INTEGER NOT NULL,
    PRIMARY KEY (ws, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_outcome (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (ws, key)
) STRICT, WITHOUT ROWID;

-- Which actor does which action, and how often.
CREATE TABLE count_pair (
    ws INTEGER NOT NULL, action INTEGER NOT NULL, actor INTEGER NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (ws, action, actor)
) STRICT, WITHOUT ROWID;
CREATE INDEX count_pair_by_actor ON count_pair (ws, actor, action);

-- Which action is done to which kind of target, and how often.
CREATE TABLE count_action_kind (
    ws INTEGER NOT NULL, action INTEGER NOT NULL, kind INTEGER NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (ws, action, kind)
) STRICT, WITHOUT ROWID;

-- Who (`key`) carries out something for which actor, and how often.
CREATE TABLE count_via (
    ws INTEGER NOT NULL, key INTEGER NOT NULL, actor INTEGER NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (ws, key, actor)
) STRICT, WITHOUT ROWID;

-- How many events there are of which action in which hour, and in which quarter of one, for each day since
-- the beginning of 1970 (UTC): what activity is shown from, in the days of any time zone. An erasure changes
-- none of it.
CREATE TABLE count_day (
    ws INTEGER NOT NULL, day INTEGER NOT NULL, hours BLOB NOT NULL, quarters BLOB NOT NULL,
    PRIMARY KEY (ws, day)
) STRICT, WITHOUT ROWID;
