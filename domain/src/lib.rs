//! What an event is and what may be asked of a log. Pure: no I/O, no clock, no database.
