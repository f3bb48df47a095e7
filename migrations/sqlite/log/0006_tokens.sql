-- Who made a token and who revoked it, by the name that the log shows. NULL: made before this was kept.
ALTER TABLE token ADD COLUMN created_by TEXT;
ALTER TABLE token ADD COLUMN revoked_by TEXT;

-- The tokens of a workspace, or of a tenant itself, the newest at the end: those that are good, and
-- those that were revoked, which only become more.
CREATE INDEX token_by_place ON token (tenant, workspace) WHERE revoked_at IS NULL;
CREATE INDEX token_revoked_by_place ON token (tenant, workspace) WHERE revoked_at IS NOT NULL;
