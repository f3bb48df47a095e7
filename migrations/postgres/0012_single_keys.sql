-- Whether single keys are shortcuts for somebody: who speaks to their computer, or presses keys by mistake,
-- can switch them off.
ALTER TABLE person ADD COLUMN single_keys BOOLEAN NOT NULL DEFAULT TRUE;
