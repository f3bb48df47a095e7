//! What the page on the proof says.

use super::load::kind;

#[test]
fn of_a_witness_no_more_is_told_than_where_it_is() {
    for (of, address, told) in [
        ("file", "/srv/witness", "a folder of the server"),
        (
            "webhook",
            "https://u:p@a.example/x?key=s",
            "a webhook at a.example",
        ),
        (
            "daybook",
            "https://b.example",
            "another Daybook, at b.example",
        ),
        (
            "tlog",
            "https://w.example/1",
            "a witness that signs, at w.example",
        ),
    ] {
        assert_eq!(kind(of, address), told);
    }
}
