-- The ways in: what SQLite's index has as sorted copies, PostgreSQL reads through the indexes of
-- `content`, and of `entry` for those in `via` and `related`. The names and columns are the same. Where
-- the order counts, an event's own and those beside it are asked apart: of both together PostgreSQL
-- would read and sort all.

CREATE VIEW by_time AS
SELECT tenant, class, ws, at, seq AS n, actor, via, action, kind, target, related, outcome
FROM content;

CREATE VIEW own_by_actor AS
SELECT tenant, class, ws, actor AS key, at, seq AS n, 1 AS own,
    actor, via, action, kind, target, related, outcome
FROM content;
CREATE VIEW beside_by_actor AS
SELECT tenant, class, ws, key, at, seq AS n, 0 AS own,
    actor, via, action, kind, target, related, outcome
FROM entry WHERE what = 1;
CREATE VIEW by_actor AS
SELECT * FROM own_by_actor UNION ALL SELECT * FROM beside_by_actor;

CREATE VIEW by_action AS
SELECT tenant, class, ws, action AS key, at, seq AS n,
    actor, via, action, kind, target, related, outcome
FROM content;

CREATE VIEW own_by_kind AS
SELECT tenant, class, ws, kind AS key, at, seq AS n, 1 AS own,
    actor, via, action, kind, target, related, outcome
FROM content;
CREATE VIEW beside_by_kind AS
SELECT tenant, class, ws, key, at, seq AS n, 0 AS own,
    actor, via, action, kind, target, related, outcome
FROM entry WHERE what = 3;
CREATE VIEW by_kind AS
SELECT * FROM own_by_kind UNION ALL SELECT * FROM beside_by_kind;

CREATE VIEW own_by_target AS
SELECT tenant, class, ws, target AS key, at, seq AS n, 1 AS own,
    actor, via, action, kind, target, related, outcome
FROM content;
CREATE VIEW beside_by_target AS
SELECT tenant, class, ws, key, at, seq AS n, 0 AS own,
    actor, via, action, kind, target, related, outcome
FROM entry WHERE what = 2;
CREATE VIEW by_target AS
SELECT * FROM own_by_target UNION ALL SELECT * FROM beside_by_target;

CREATE VIEW by_outcome AS
SELECT tenant, class, ws, outcome AS key, at, seq AS n,
    actor, via, action, kind, target, related, outcome
FROM content WHERE outcome <> 0;

CREATE VIEW by_operation AS
SELECT tenant, class, ws, operation AS key, at, seq AS n,
    actor, via, action, kind, target, related, outcome
FROM content WHERE operation IS NOT NULL;

-- What is counted, by the names that SQLite's index has for it.
CREATE VIEW count_actor AS
SELECT tenant, ws, key, events, entries FROM tallied WHERE what = 1;
CREATE VIEW count_action AS
SELECT tenant, ws, key, events, entries FROM tallied WHERE what = 2;
CREATE VIEW count_kind AS
SELECT tenant, ws, key, events, entries FROM tallied WHERE what = 3;
CREATE VIEW count_target AS
SELECT tenant, ws, key, events, entries FROM tallied WHERE what = 4;
CREATE VIEW count_outcome AS
SELECT tenant, ws, key, events, entries FROM tallied WHERE what = 5;
CREATE VIEW count_pair AS
SELECT tenant, ws, key AS action, other AS actor, events FROM tallied WHERE what = 6;
CREATE VIEW count_action_kind AS
SELECT tenant, ws, key AS action, other AS kind, events FROM tallied WHERE what = 7;
CREATE VIEW count_via AS
SELECT tenant, ws, key, other AS actor, events FROM tallied WHERE what = 8;

CREATE INDEX tally_by_other ON tally (tenant, ws, what, other);
