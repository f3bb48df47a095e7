-- The number of the witness that was added last: no other ever gets it, not after it was removed either.
-- What is known of a witness, by whoever still brings it something, is then never taken for another's.
CREATE TABLE witness_number (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL
) STRICT;
