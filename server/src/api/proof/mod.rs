//! That nothing was altered: checkpoints of a tenant's log, and paths that lead there.

pub mod checkpoint;
pub mod consistency;
pub mod inclusion;
pub mod keys;

use super::problem::Problem;
use domain::question::Fault;
use store::proof::ProofError;

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Uncovered { .. } => Self::uncovered(error.to_string()),
            ProofError::Backwards => Self::parameters(vec![fault("from", "", "is more than to")]),
            ProofError::Store(error) => error.into(),
        }
    }
}

fn fault(parameter: &str, value: &str, reason: impl Into<String>) -> Fault {
    Fault {
        parameter: parameter.to_owned(),
        value: value.to_owned(),
        reason: reason.into(),
    }
}

/// Reads the parameters of these names, each of which must be given once; there may be no others.
fn parameters<const N: usize>(query: &str, names: [&str; N]) -> Result<[String; N], Problem> {
    let mut found = [const { None }; N];
    let mut faults = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match names.iter().position(|known| *known == name) {
            None => faults.push(fault(&name, &value, "is not a parameter here")),
            // As forms send it: not given.
            Some(_) if value.is_empty() => {}
            Some(at) if found[at].is_some() => {
                faults.push(fault(&name, &value, "may be given once"));
            }
            Some(at) => found[at] = Some(value.into_owned()),
        }
    }
    for (name, value) in names.iter().zip(&found) {
        if value.is_none() {
            faults.push(fault(name, "", "must be given"));
        }
    }
    if faults.is_empty() {
        Ok(found.map(Option::unwrap_or_default))
    } else {
        Err(Problem::parameters(faults))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_given_once_and_there_are_no_others() {
        let read = parameters("to=2&from=1", ["from", "to"]);
        assert_eq!(read.unwrap(), ["1", "2"]);
        let read = parameters("from=&from=a%20b", ["from"]);
        assert_eq!(read.unwrap(), ["a b"]);
        for bad in ["", "from=", "to=1", "from=1&to=2", "from=1&from=1"] {
            let refused = parameters(bad, ["from"]).unwrap_err();
            assert!(format!("{refused:?}").contains("BadParameter"), "{bad}");
        }
    }
}
