//! Numbers, as people read them.

/// A number with its thousands apart: `41,872`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "entry" or "entries".
pub(crate) const fn entries(number: u64) -> &'static str {
    if number == 1 { "entry" } else { "entries" }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 41_872, 10_000_000].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "41,872", "10,000,000"]);
    }
}
