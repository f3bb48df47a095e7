//! How many entries, in words.

use super::view::CountView;
use leptos::prelude::*;

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

/// How many entries match; said aloud when it changes.
#[component]
pub(super) fn CountLine(count: CountView) -> impl IntoView {
    let (before, number, after) = match count {
        CountView::Exactly(number) => ("", grouped(number), entries(number)),
        CountView::MoreThan(number) => ("more than ", grouped(number), "entries"),
        CountView::Unknown => ("", String::new(), ""),
    };
    view! {
        <p class="count num" role="status">
            {before}
            <b>{number}</b>
            " "
            {after}
        </p>
    }
    .into_any()
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
