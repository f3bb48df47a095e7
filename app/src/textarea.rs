//! What is typed into a field of several lines.

/// A text as the inside of a `<textarea>`, into which children are written as they are: it cannot end
/// the field, and shows as it is. Browsers drop a line break at the beginning, so there is one more.
pub(crate) fn inside_textarea(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::*;

    #[test]
    fn what_is_typed_cannot_end_the_field() {
        let typed = "\n</textarea><b>&lt;";
        let page = view! { <textarea>{inside_textarea(typed)}</textarea> }.to_html();
        assert!(
            page.starts_with("<textarea>\n\n&lt;/textarea>&lt;b>&amp;lt;"),
            "{page}"
        );
    }
}
