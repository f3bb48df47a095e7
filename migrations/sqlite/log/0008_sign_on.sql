-- Signing in at an OpenID Connect provider.

-- Whose account it is that somebody signs in to: bound once, and then by this alone.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    -- How the issuer names them: it never names anybody else so.
    subject TEXT NOT NULL,
    person INTEGER NOT NULL REFERENCES person (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

-- An account has one identity at an issuer.
CREATE UNIQUE INDEX identity_by_person ON identity (person, issuer);

-- Where a membership's role comes from:
-- given: by invitation, on the command line or by default. Groups may raise it, and never lower it.
-- groups: from `role_group`, and it goes with it. `given_role` is what is left then; NULL: nothing is.
-- changed: somebody changed the membership, or deactivated it. Groups leave it as it is.
ALTER TABLE membership ADD COLUMN role_from TEXT NOT NULL DEFAULT 'given'
    CHECK (role_from IN ('given', 'groups', 'changed'));
ALTER TABLE membership ADD COLUMN role_group TEXT;
ALTER TABLE membership ADD COLUMN given_role TEXT
    CHECK (given_role IN ('member', 'auditor', 'admin', 'owner'));

UPDATE membership SET role_from = 'changed' WHERE deactivated_at IS NOT NULL;

-- Whoever changes a membership, in whichever way: it is not for groups any more. Signing in says so
-- itself, after its own changes, when it is.
CREATE TRIGGER membership_is_changed AFTER UPDATE OF role, until, deactivated_at ON membership
BEGIN
    UPDATE membership SET role_from = 'changed', role_group = NULL, given_role = NULL
    WHERE person = NEW.person AND workspace = NEW.workspace;
END;
