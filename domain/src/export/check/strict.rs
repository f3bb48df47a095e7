//! JSON objects in which no member comes twice: which of the two counts is told by nothing, and who reads
//! the file may see the other one.

use crate::event::Object;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::fmt;

/// An object as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded(pub(super) Object);

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Once::deserialize(deserializer)?.0 {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(D::Error::custom("is not an object")),
        }
    }
}

/// A value in which no member comes twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Once(pub(super) Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Once(value))) = members.next_entry::<String, Once>()? {
            if object.contains_key(&name) {
                let twice = format!("the member {} comes twice", Value::from(name));
                return Err(A::Error::custom(twice));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_member_that_comes_twice_is_refused_however_deep() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":{"c":1,"\u0063":2}}]}"#] {
            let told = serde_json::from_str::<Recorded>(text)
                .unwrap_err()
                .to_string();
            assert!(told.contains("comes twice"), "{told}");
        }
        assert!(serde_json::from_str::<Recorded>("[]").is_err());
    }

    proptest! {
        #[test]
        fn others_are_what_they_are(number in any::<f64>(), whole in any::<i64>(), text in ".*") {
            let value = serde_json::json!({
                text.clone(): [number, whole, u64::MAX, null_and_more(&text)], "x": {}
            });
            let written = value.to_string();
            let read: Value = serde_json::from_str(&written).unwrap();
            let Once(strict) = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(strict, read);
        }
    }

    fn null_and_more(text: &str) -> Value {
        serde_json::json!([null, true, text, 1.5e300, -0.0])
    }
}
