//! One style sheet out of many: `style/app.css` names the sheets in load order, and this puts them
//! together and takes out what only people need.

use crate::Result;
use std::{collections::BTreeSet, fs, path::Path};

/// The sheets that `manifest` imports, one after the other, smaller.
///
/// The manifest holds nothing but comments and lines `@import "NAME.css";`, so that a browser that
/// is given it and the sheets sees the same.
///
/// # Errors
/// When the manifest holds anything else, a sheet is missing, or a sheet beside the manifest is not
/// imported.
pub fn sheet(manifest: &Path) -> Result<String> {
    let folder = manifest.parent().ok_or("the manifest is in no folder")?;
    let imports = imports(&fs::read_to_string(manifest)?)?;

    let mut forgotten = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "css") && path != manifest {
            forgotten.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }

    let mut all = String::new();
    for name in imports {
        forgotten.remove(&name);
        let path = folder.join(name);
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let small = minify(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        all.push_str(&small);
    }
    if forgotten.is_empty() {
        Ok(all)
    } else {
        Err(format!("{} does not import {forgotten:?}", manifest.display()).into())
    }
}

fn imports(manifest: &str) -> Result<Vec<String>> {
    minify(manifest)?
        .split_terminator(';')
        .map(|statement| {
            statement
                .strip_prefix("@import \"")
                .and_then(|rest| rest.strip_suffix('"'))
                .map(ToOwned::to_owned)
                .ok_or_else(|| format!("not an import: {statement}").into())
        })
        .collect()
}

/// Takes out comments and the white space that means nothing. Everything else stays to the letter:
/// strings, escapes, addresses, and the spaces between selectors and around `+` and `-` in `calc()`.
fn minify(css: &str) -> Result<String> {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    // White space that has been read and not yet written, and whether a comment has.
    let (mut space, mut comment) = (false, false);
    // The last character written, if it stands for itself.
    let mut last = Some(';');

    while let Some(first) = rest.chars().next() {
        if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/").ok_or("a comment without an end")?;
            rest = &inside[end + 2..];
            comment = true;
            continue;
        }
        if first.is_ascii_whitespace() {
            rest = rest.trim_ascii_start();
            space = true;
            continue;
        }

        let token = &rest[..token_length(rest, &out)?];
        let parted = "{};,".contains(first) || last.is_some_and(|last| "{};,:".contains(last));
        if space && !parted {
            out.push(' ');
        } else if comment && !parted {
            // It may be all that keeps two words apart.
            out.push_str("/**/");
        }
        if first == '}' && last == Some(';') {
            out.pop();
        }
        out.push_str(token);
        rest = &rest[token.len()..];
        last = (token.len() == first.len_utf8()).then_some(first);
        (space, comment) = (false, false);
    }
    Ok(out)
}

/// How many bytes of `rest` belong together whatever they are: a string, an escape, an address in
/// `url(…)`; else one character. `before` is what stands before it.
fn token_length(rest: &str, before: &str) -> Result<usize> {
    let mut characters = rest.char_indices();
    let Some((_, first)) = characters.next() else {
        return Ok(0);
    };
    match first {
        '"' | '\'' => closing(rest, first).ok_or_else(|| "a string without an end".into()),
        '\\' => Ok(characters
            .next()
            .map_or(rest.len(), |(at, escaped)| at + escaped.len_utf8())),
        '(' if ends_with_url(before) && !rest[1..].trim_ascii_start().starts_with(['"', '\'']) => {
            closing(rest, ')').ok_or_else(|| "an address without an end".into())
        }
        _ => Ok(first.len_utf8()),
    }
}

fn ends_with_url(before: &str) -> bool {
    let start = before.len().saturating_sub(3);
    before
        .get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case("url"))
}

/// Where `rest`, after its first character, reaches an unescaped `end`, itself included.
fn closing(rest: &str, end: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == end {
            return Some(at + character.len_utf8());
        }
        if character == '\\' {
            characters.next();
        }
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{imports, minify, sheet};
    use std::path::Path;

    fn small(css: &str) -> String {
        minify(css).unwrap()
    }

    #[test]
    fn comments_and_meaningless_white_space_go() {
        assert_eq!(
            small(
                "/* one */\n.a ,\n .b {\n  color : red;\n  margin: 0 auto;\n}\n\n.c { top: 0 }\n"
            ),
            ".a,.b{color :red;margin:0 auto}.c{top:0 }".replace("0 }", "0}")
        );
    }

    #[test]
    fn white_space_that_means_something_stays() {
        for css in [
            ".a .b{width:calc(1px + 2px)}",
            ".a :hover{top:0}",
            ".a>.b + .c{top:0}",
            "@media (width < 10px) and (height > 1px){a{top:0}}",
            ".a{.b &{top:0}}",
            ".\\31 0{top:0}",
            ".a\\: .b\\, .c\\; .d{top:0}",
        ] {
            assert_eq!(small(css), css);
        }
    }

    #[test]
    fn strings_escapes_and_addresses_stay_to_the_letter() {
        for css in [
            "a::before{content:\"  ; } /* no comment */ \"}",
            "a::before{content:'it\\'s  \"so\"'}",
            "a{b:url(data:x;  a,/*b*/ )}",
            "a{b:url( \"a  b\")}",
            ".a\\;\\  b{top:0}",
            "a::before{content:\"− “ ü\"}",
        ] {
            assert_eq!(small(css), css);
        }
    }

    #[test]
    fn a_comment_goes_on_keeping_words_apart() {
        assert_eq!(small("div/* x */.a{top:0}"), "div/**/.a{top:0}");
        assert_eq!(small("div /* x */ .a{top:0}"), "div .a{top:0}");
    }

    #[test]
    fn a_second_pass_finds_nothing_more() {
        let once = sheet(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../style/app.css")).unwrap();
        assert!(once.contains(".ledger"));
        assert_eq!(small(&once), once);
    }

    #[test]
    fn what_has_no_end_is_refused() {
        for css in ["/* a", "a{content:\"b}", "a{b:url(c}"] {
            assert!(minify(css).is_err(), "{css}");
        }
    }

    #[test]
    fn a_manifest_holds_imports_alone() {
        assert_eq!(
            imports("/* order */\n@import \"a.css\";\n@import \"b.css\";\n").unwrap(),
            ["a.css", "b.css"]
        );
        assert!(imports("@import \"a.css\";\na { top: 0 }").is_err());
        assert!(imports("@import url(a.css);").is_err());
    }
}
