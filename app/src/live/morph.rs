//! Turns what is on screen into what the server rendered, in place: what is the same stays the same
//! element, so that focus, selection, scrolling and open menus outlive an answer.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlInputElement, HtmlSelectElement, HtmlTemplateElement, Node};

/// What an element is marked with that stays as it is.
const KEPT: &str = "data-kept";

/// Turns the element `old` into the one that `html` holds. A field of whose name `keeps` is true keeps
/// the value that it has.
///
/// # Errors
///
/// The browser's, where the document is not as it should be; the page had better be loaded anew.
pub(super) fn morph(
    old: &Element,
    html: &str,
    keeps: &dyn Fn(&str) -> bool,
) -> Result<(), JsValue> {
    let new = parsed(html)?.ok_or("the answer holds no element")?;
    Morph { keeps }.element(old, &new)
}

/// The first element of a piece of HTML.
pub(super) fn parsed(html: &str) -> Result<Option<Element>, JsValue> {
    let template: HtmlTemplateElement = document()?.create_element("template")?.dyn_into()?;
    template.set_inner_html(html);
    Ok(template.content().first_element_child())
}

fn document() -> Result<Document, JsValue> {
    Ok(web_sys::window()
        .and_then(|window| window.document())
        .ok_or("there is no document")?)
}

struct Morph<'a> {
    keeps: &'a dyn Fn(&str) -> bool,
}

impl Morph<'_> {
    fn element(&self, old: &Element, new: &Element) -> Result<(), JsValue> {
        // What only the browser fills in is its own.
        if old.has_attribute(KEPT) && new.has_attribute(KEPT) {
            return Ok(());
        }
        // What is the same needs no look at its parts; but a field may hold something else.
        if old.is_equal_node(Some(new)) && old.query_selector("input, select")?.is_none() {
            return self.value(old);
        }
        attributes(old, new)?;
        self.children(old, new)?;
        self.value(old)
    }

    fn children(&self, old: &Node, new: &Node) -> Result<(), JsValue> {
        let keys: Vec<String> = children(new).iter().filter_map(key).collect();
        let mut cursor = old.first_child();
        for wanted in children(new) {
            let found = match key(&wanted) {
                Some(key) => {
                    from(cursor.clone()).find(|node| self::key(node).as_ref() == Some(&key))
                }
                None => cursor.clone().filter(|node| key(node).is_none()),
            };
            match found.filter(|found| is_alike(found, &wanted)) {
                Some(found) => {
                    if cursor.as_ref() == Some(&found) {
                        cursor = found.next_sibling();
                    } else {
                        // What lies between goes, unless it is wanted later.
                        while let Some(skipped) = cursor.clone().filter(|node| *node != found) {
                            if key(&skipped).is_some_and(|key| keys.contains(&key)) {
                                break;
                            }
                            cursor = skipped.next_sibling();
                            old.remove_child(&skipped)?;
                        }
                        if cursor.as_ref() == Some(&found) {
                            cursor = found.next_sibling();
                        } else {
                            old.insert_before(&found, cursor.as_ref())?;
                        }
                    }
                    self.node(&found, &wanted)?;
                }
                None => {
                    old.insert_before(&wanted, cursor.as_ref())?;
                }
            }
        }
        while let Some(left) = cursor {
            cursor = left.next_sibling();
            old.remove_child(&left)?;
        }
        Ok(())
    }

    fn node(&self, old: &Node, new: &Node) -> Result<(), JsValue> {
        match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
            (Some(old), Some(new)) => self.element(old, new),
            _ => {
                if old.node_value() != new.node_value() {
                    old.set_node_value(new.node_value().as_deref());
                }
                Ok(())
            }
        }
    }

    /// Gives a field the value that its HTML tells, which browsers do only for one that nobody has
    /// touched.
    fn value(&self, field: &Element) -> Result<(), JsValue> {
        if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
            if (self.keeps)(&input.name()) {
            } else if matches!(&*input.type_(), "checkbox" | "radio") {
                input.set_checked(input.default_checked());
            } else if input.value() != input.default_value() {
                input.set_value(&input.default_value());
            }
        } else if let Some(select) = field.dyn_ref::<HtmlSelectElement>()
            && !(self.keeps)(&select.name())
        {
            let chosen = select.query_selector("option[selected]")?;
            let value = chosen.and_then(|option| option.get_attribute("value"));
            select.set_value(&value.unwrap_or_default());
        }
        Ok(())
    }
}

fn attributes(old: &Element, new: &Element) -> Result<(), JsValue> {
    // Whether something is folded is the reader's affair, unless the page opens it.
    let is_kept = |name: &str| name == "open" && old.tag_name() == "DETAILS";
    for name in names(old) {
        if !new.has_attribute(&name) && !is_kept(&name) {
            old.remove_attribute(&name)?;
        }
    }
    for name in names(new) {
        let value = new.get_attribute(&name);
        if old.get_attribute(&name) != value {
            old.set_attribute(&name, &value.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn names(element: &Element) -> Vec<String> {
    element
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
        .collect()
}

/// What an element is known by among its siblings.
fn key(node: &Node) -> Option<String> {
    let id = node.dyn_ref::<Element>()?.id();
    (!id.is_empty()).then_some(id)
}

fn is_alike(old: &Node, new: &Node) -> bool {
    old.node_type() == new.node_type() && old.node_name() == new.node_name()
}

fn from(first: Option<Node>) -> impl Iterator<Item = Node> {
    std::iter::successors(first, Node::next_sibling)
}

fn children(parent: &Node) -> Vec<Node> {
    from(parent.first_child()).collect()
}
