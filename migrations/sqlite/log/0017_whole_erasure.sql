-- Erasure: what cannot be erased is passed over, and what the file's free pages know goes by itself.

-- Events that a release by erasure names, and that cannot be read: what is wrong with each. The release
-- ends without them.
CREATE TABLE erasure_damage (
    erasure INTEGER NOT NULL,
    n INTEGER NOT NULL REFERENCES leaf (n),
    what TEXT NOT NULL,
    PRIMARY KEY (erasure, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_damage_by_event ON erasure_damage (n);

CREATE TRIGGER erasure_damage_stays BEFORE DELETE ON erasure_damage
BEGIN SELECT RAISE(ABORT, 'the log is append-only: what was found damaged cannot be removed'); END;
CREATE TRIGGER erasure_damage_keeps BEFORE UPDATE ON erasure_damage
BEGIN SELECT RAISE(ABORT, 'the log is append-only: what was found damaged cannot be changed'); END;
CREATE TRIGGER erasure_damage_is_named BEFORE INSERT ON erasure_damage
BEGIN
    SELECT RAISE(ABORT, 'only what an unfinished release names is found damaged, once')
    WHERE NOT EXISTS (
            SELECT 1 FROM erasure r JOIN erasure_event e ON e.erasure = r.id
            WHERE r.id = NEW.erasure AND r.finished_at IS NULL AND e.n = NEW.n
        )
        OR EXISTS (SELECT 1 FROM erasure_damage WHERE erasure = NEW.erasure AND n = NEW.n);
END;

DROP TRIGGER erasure_is_finished_once;
CREATE TRIGGER erasure_is_finished_once BEFORE UPDATE ON erasure
BEGIN
    SELECT RAISE(ABORT, 'a release can be finished, once, and not changed')
    WHERE OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL OR NEW.id IS NOT OLD.id
        OR NEW.ws IS NOT OLD.ws OR NEW.n IS NOT OLD.n OR NEW.events IS NOT OLD.events;
    SELECT RAISE(ABORT, 'a release is finished when everything that it names is gone')
    WHERE EXISTS (
        SELECT 1 FROM erasure_event e JOIN content c ON c.n = e.n
        WHERE e.erasure = OLD.id AND coalesce(c.erased, 0) & e.parts <> e.parts
            AND NOT EXISTS (SELECT 1 FROM erasure_damage d WHERE d.erasure = e.erasure AND d.n = e.n)
    );
END;

-- How many releases by erasure were finished when the file was cleaned last: whether it is to be cleaned.
CREATE TABLE cleaning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    finished INTEGER NOT NULL
) STRICT;
INSERT INTO cleaning (one, finished) VALUES (1, 0);
