-- Which events lost what they were about, by what stands there now (the kind alone): of each object of
-- that kind they may have been.
CREATE INDEX erasure_event_of_objects ON erasure_event (target) WHERE parts & 8 <> 0;
CREATE INDEX erasure_by_ws ON erasure (ws, id);
