-- The time zone of the page that somebody looked at last, by its IANA name; NULL: UTC.
ALTER TABLE person ADD COLUMN last_zone TEXT;
