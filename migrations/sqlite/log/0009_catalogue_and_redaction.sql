-- What a workspace says of actions, over what the catalogue says that ships with Daybook. The number
-- rises with every change of them: who has read the entries of a number has read all.
CREATE TABLE catalogue_entry (
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    action TEXT NOT NULL,
    category TEXT NOT NULL,
    verb TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Who changed it last, by the name that the log shows, and when.
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, action)
) STRICT, WITHOUT ROWID;

ALTER TABLE workspace ADD COLUMN catalogue_version INTEGER NOT NULL DEFAULT 0;

-- What a workspace has taken out at the door beside what Daybook knows by name: JSON lists of names
-- and of paths, with a number that rises with every change of them.
ALTER TABLE workspace ADD COLUMN redaction_names TEXT NOT NULL DEFAULT '[]';
ALTER TABLE workspace ADD COLUMN redaction_paths TEXT NOT NULL DEFAULT '[]';
ALTER TABLE workspace ADD COLUMN redaction_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN redaction_by TEXT;
ALTER TABLE workspace ADD COLUMN redaction_at INTEGER;
