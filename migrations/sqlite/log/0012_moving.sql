-- Of an installation that moves to another database (`daybook copy`): where it comes from and where it
-- goes to. Each has one row while it is so, else none.

-- That it goes away: nothing changes here any more. What says so to whoever writes, with whichever
-- program, are triggers on every table, which are made and taken away with this row.
CREATE TABLE moving (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    target TEXT NOT NULL,
    since INTEGER NOT NULL,
    -- When it was whole there. NULL: it is still being copied.
    moved_at INTEGER,
    -- Which copy's this is, drawn at random: no other goes on by it, or takes it away unasked.
    owner BLOB NOT NULL CHECK (length(owner) = 16)
) STRICT;

-- That it comes in: what is here is not whole yet, and nobody but the copy may use it.
CREATE TABLE copying (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    source TEXT NOT NULL,
    since INTEGER NOT NULL,
    -- The hash over all of it, when it was found to be the same on both sides.
    hash BLOB,
    -- Under whose row of the source's `moving` that was.
    owner BLOB
) STRICT;
