-- Whether single keys are shortcuts for somebody: who speaks to their computer, or presses keys by mistake,
-- can switch them off.
ALTER TABLE person ADD COLUMN single_keys INTEGER NOT NULL DEFAULT 1 CHECK (single_keys IN (0, 1));
