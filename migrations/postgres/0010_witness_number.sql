-- The number of the witness that was added last: no other ever gets it, not after it was removed either.
-- What is known of a witness, by whoever still brings it something, is then never taken for another's.
CREATE TABLE witness_number (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL
);

REVOKE ALL ON witness_number FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON witness_number TO daybook_server;
