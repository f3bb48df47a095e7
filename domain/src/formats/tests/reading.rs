use super::*;

/// One record of a file: its place, and its action or what is wrong.
fn told(format: Format, text: &str) -> Vec<String> {
    read(format, text.as_bytes())
        .into_iter()
        .map(|record| match record.event {
            Ok(event) => format!("{}: {}", record.place, event.action),
            Err(reason) => format!("{}: {reason}", record.place),
        })
        .collect()
}

fn aws(name: &str) -> String {
    format!(r#"{{"eventName":"{name}","eventTime":"2026-05-12T09:00:00Z"}}"#)
}

#[test]
fn records_are_found_in_lines_arrays_and_wrappers_however_they_are_written() {
    let (a, b) = (aws("A"), aws("B"));
    let pretty = |text: &str| {
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
    };
    let wrapped = format!(r#"{{"Records":[{a},{b}]}}"#);
    let late = format!(r#"{{"Digest":"x","Records":[{a},{b}]}}"#);
    let list = format!("[{a},{b}]");
    let in_list = ["line 1, record 1: A", "line 1, record 2: B"];
    for text in [&wrapped, &late, &list] {
        assert_eq!(told(Format::Cloudtrail, text), in_list, "{text}");
    }
    assert_eq!(
        told(Format::Cloudtrail, &format!("\u{feff}{a}\r\n\r\n{b}")),
        ["line 1: A", "line 3: B"]
    );
    assert_eq!(
        told(Format::Cloudtrail, &format!("{a}{b}")),
        ["line 1: A", "line 1: B"]
    );
    let lines = [&wrapped, &a].map(String::as_str).join("\n");
    assert_eq!(
        told(Format::Cloudtrail, &lines),
        ["line 1, record 1: A", "line 1, record 2: B", "line 2: A"]
    );
    assert_eq!(
        told(Format::Cloudtrail, &pretty(&wrapped)),
        ["line 3, record 1: A", "line 7, record 2: B"]
    );
    assert_eq!(
        told(Format::Cloudtrail, &pretty(&list)),
        ["line 2, record 1: A", "line 6, record 2: B"]
    );
    assert_eq!(told(Format::Cloudtrail, &pretty(&a)), ["line 1: A"]);
    for empty in [
        "",
        " \n\n",
        "[]",
        r#"{"Records": []}"#,
        r#"{"Records":[],"more":{"a":"]}"}}"#,
    ] {
        assert_eq!(told(Format::Cloudtrail, empty), [""; 0], "{empty}");
    }
}

#[test]
fn a_broken_record_in_a_list_is_reported_alone() {
    let text = format!(
        "[\n  {},\n  {{\"eventName\": tru}},\n  {{\"eventName\": \"cut off,\n  {},\n  7, \"x\", {}\n]",
        aws("A"),
        aws("B"),
        aws("C")
    );
    assert_eq!(
        told(Format::Cloudtrail, &text),
        [
            "line 2, record 1: A",
            "line 3, record 2: is not JSON: expected ident",
            "line 4, record 3: is not JSON: a text goes on over the end of its line",
            "line 5, record 4: B",
            "line 6, record 5: is not a JSON object",
            "line 6, record 6: is not a JSON object",
            "line 6, record 7: C",
        ]
    );
}

#[test]
fn a_broken_line_is_reported_alone() {
    let text = [
        &*aws("A"),
        r#"{"eventName": {"#,
        &aws("B"),
        r#"{"eventName": "B"]]"#,
        r#"{"eventName": "no end"#,
        "12",
        "null and void",
        &aws("C"),
        r#"{"eventName": "#,
    ]
    .join("\n");
    assert_eq!(
        told(Format::Cloudtrail, &text),
        [
            "line 1: A",
            "line 2: is not JSON: ends in the middle",
            "line 3: B",
            "line 4: is not JSON: a bracket is closed that was not opened",
            "line 5: is not JSON: a text goes on over the end of its line",
            "line 6: is not a JSON object",
            "line 7: is not JSON: trailing characters",
            "line 8: C",
            "line 9: is not JSON: the file ends in the middle of a record",
        ]
    );
}

#[test]
fn a_list_that_does_not_end_is_reported_after_its_records() {
    let text = format!(r#"{{"Records":[{},"#, aws("A"));
    assert_eq!(
        told(Format::Cloudtrail, &text),
        [
            "line 1, record 1: A",
            "line 1: is not JSON: the file ends in the middle of its list"
        ]
    );
}

#[test]
fn text_that_is_not_utf_8_is_reported() {
    let mut text = aws("A").into_bytes();
    text.extend_from_slice(b"\n{\"eventName\":\"\xff\"}\n");
    let records = read(Format::Cloudtrail, &text);
    assert!(records[0].event.is_ok());
    assert!(matches!(records[1].event, Err(Unreadable::Json(_))));
}

#[test]
fn a_record_too_long_to_be_one_is_passed_over() {
    let long = format!(r#"{{"eventName":"{}"}}"#, "x".repeat(RECORD_MOST));
    let text = format!("{}\n{long}\n[{long},{}]", aws("A"), aws("B"));
    assert_eq!(
        told(Format::Cloudtrail, &text),
        [
            "line 1: A",
            "line 2: is longer than 16 MiB",
            "line 3, record 1: is longer than 16 MiB",
            "line 3, record 2: B",
        ]
    );
}

#[test]
fn what_lies_in_the_future_is_refused() {
    let text = r#"{"eventName":"A","eventTime":"2027-01-01T00:00:00Z"}"#;
    let told = told(Format::Cloudtrail, text);
    assert!(
        told[0].starts_with("line 1: occurred_at lies more than 24 hours ahead"),
        "{told:?}"
    );
}

#[test]
fn formats_are_known_by_their_names() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let unknown = "ocsf".parse::<Format>().unwrap_err().to_string();
    assert_eq!(
        unknown,
        "\"ocsf\" is not one of daybook, cloudtrail, github"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in Format::ALL {
            read(format, &bytes);
        }
    }

    #[test]
    fn any_marks_are_read_to_their_end(text in r#"([\[\]{}:,"\\ \n17]|"Records"|\{"Records":\[){0,60}"#) {
        for format in Format::ALL {
            read(format, text.as_bytes());
        }
    }

    #[test]
    fn however_small_the_pieces_the_records_are_the_same(
        names in proptest::collection::vec("[A-Z]{1,4}", 0..6), size in 1..20_usize, wrapped: bool,
    ) {
        let records: Vec<_> = names.iter().map(|name| aws(name)).collect();
        let text = if wrapped {
            format!("{{\"Records\" : [{}]}}", records.join(" ,\n"))
        } else {
            records.join("\n")
        };
        let pieces = io::BufReader::with_capacity(size, text.as_bytes());
        let found: Vec<_> = Reader::new(Format::Cloudtrail, pieces, bounds())
            .map(|record| record.unwrap().event.unwrap().action.to_string())
            .collect();
        prop_assert_eq!(found, names);
    }
}
