-- Who was removed from a workspace is no member of it, and is deactivated there: the row stays so
-- that what they did goes on being labelled. A new invitation takes both back.
ALTER TABLE membership ADD COLUMN removed_at INTEGER
    CHECK (removed_at IS NULL OR deactivated_at IS NOT NULL);

-- By whom an invitation can be accepted.
CREATE INDEX invite_open_by_email ON invite (email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
