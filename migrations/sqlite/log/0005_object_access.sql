-- Who may open objects' pages: every member, or only those who read the log. `guarded_kinds` is a
-- JSON list of the kinds that are always for the latter.
ALTER TABLE workspace ADD COLUMN object_tabs TEXT NOT NULL DEFAULT 'members'
    CHECK (object_tabs IN ('members', 'admins'));
ALTER TABLE workspace ADD COLUMN guarded_kinds TEXT NOT NULL
    DEFAULT '["api_token","invite","secret","user"]';
ALTER TABLE workspace ADD COLUMN object_access_by TEXT;
ALTER TABLE workspace ADD COLUMN object_access_at INTEGER;

CREATE INDEX tenant_admin_by_tenant ON tenant_admin (tenant);
