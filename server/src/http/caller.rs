//! Where a request comes from, what sent it and how it is called in the logs.

use super::ServeConfig;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, header, request::Parts},
    middleware::Next,
    response::Response,
};
use domain::event::Object;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tower_http::request_id::RequestId;

/// How many characters of a header are kept.
const TEXT_MOST: usize = 512;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What proxies add: a request with one of them did not begin at the connection's other end.
const FORWARDING: [HeaderName; 3] = [
    header::FORWARDED,
    FORWARDED_FOR,
    HeaderName::from_static("x-real-ip"),
];

/// What is known of who sent a request, whoever they say that they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The address: the connection's, or what a trusted proxy says.
    pub address: IpAddr,
    /// Whether it was sent on this machine, and not only handed on by a proxy on it.
    pub local: bool,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl Caller {
    fn new(peer: IpAddr, headers: &HeaderMap, id: Option<&RequestId>, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let address = client(peer, headers, trusted);
        let handed_on = FORWARDING.iter().any(|name| headers.contains_key(name));
        Self {
            address,
            local: address.is_loopback() && (!handed_on || is_trusted(peer, trusted)),
            user_agent: headers
                .get(header::USER_AGENT)
                .map(|value| shortened(&String::from_utf8_lossy(value.as_bytes())))
                .filter(|text| !text.is_empty()),
            request_id: id
                .and_then(|id| id.header_value().to_str().ok())
                .map(shortened),
        }
    }

    /// The caller of a request that came through [`identify`].
    pub fn of(parts: &Parts) -> Arc<Self> {
        Self::within(&parts.extensions)
    }

    /// The caller of a request that came through [`identify`], by its extensions.
    pub fn within(extensions: &Extensions) -> Arc<Self> {
        extensions.get::<Arc<Self>>().cloned().unwrap_or_else(|| {
            Arc::new(Self {
                address: Ipv4Addr::UNSPECIFIED.into(),
                local: false,
                user_agent: None,
                request_id: None,
            })
        })
    }

    /// What an event that tells of the request has as its context.
    pub fn context(&self) -> Object {
        let mut context = Object::new();
        context.insert("ip".to_owned(), self.address.to_string().into());
        if let Some(user_agent) = &self.user_agent {
            context.insert("user_agent".to_owned(), user_agent.as_str().into());
        }
        if let Some(request_id) = &self.request_id {
            context.insert("request_id".to_owned(), request_id.as_str().into());
        }
        context
    }
}

/// Notes who calls, for everything further in.
pub async fn identify(
    State(config): State<Arc<ServeConfig>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
    let caller = Caller::new(
        peer,
        request.headers(),
        request.extensions().get::<RequestId>(),
        &config.trusted_proxies,
    );
    request.extensions_mut().insert(Arc::new(caller));
    next.run(request).await
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Whose request it is: each trusted proxy tells who it had it from, so the chain is followed from
/// its near end for as long as proxies are trusted, and no further. What stands beyond was written
/// by who knows whom.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    let hops = headers
        .get_all(FORWARDED_FOR)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect::<Vec<_>>();
    for hop in hops.into_iter().rev() {
        if !is_trusted(client, trusted) {
            break;
        }
        match std::str::from_utf8(hop).ok().and_then(address) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    alone
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

fn shortened(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_MOST)
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn trusted() -> Vec<IpNet> {
        vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]
    }

    fn caller(peer: &str, forwarded: &[&str]) -> Caller {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        Caller::new(peer.parse().unwrap(), &headers, None, &trusted())
    }

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        caller(peer, forwarded).address.to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.7"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_nearest_hop_that_is_not_trusted_is_the_client() {
        let forged = "127.0.0.1, 192.0.2.1, 198.51.100.7, 10.1.1.1";
        assert_eq!(seen("10.0.0.1", &[forged]), "198.51.100.7");
        // Several header lines are one list.
        let lines = ["192.0.2.1", "198.51.100.7, 10.1.1.1"];
        assert_eq!(seen("10.0.0.1", &lines), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["10.0.0.9, 10.0.0.8"]), "10.0.0.9");
    }

    #[test]
    fn what_is_no_address_ends_the_chain() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.7, _h, 10.0.0.2"]),
            "10.0.0.2"
        );
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        assert_eq!(seen("::1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(seen("::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(seen("::1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(seen("::ffff:10.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn a_request_handed_on_by_a_proxy_that_is_not_trusted_is_not_local() {
        assert!(caller("127.0.0.1", &[]).local);
        assert!(caller("::ffff:127.0.0.1", &[]).local);
        assert!(!caller("127.0.0.1", &["203.0.113.9"]).local);
        assert!(!caller("127.0.0.1", &["127.0.0.1"]).local);
        assert!(!caller("::1", &["203.0.113.9"]).local);
        assert!(caller("::1", &["127.0.0.1"]).local);
        assert!(!caller("203.0.113.9", &["127.0.0.1"]).local);
    }

    proptest! {
        #[test]
        fn an_untrusted_peer_is_never_taken_for_somebody_else(forwarded in "[ -~]{0,60}") {
            prop_assert_eq!(seen("203.0.113.9", &[&forwarded]), "203.0.113.9");
        }

        #[test]
        fn what_a_client_writes_itself_does_not_change_who_it_is(written in "[ -~]{0,60}") {
            let chain = format!("{written}, 198.51.100.7");
            prop_assert_eq!(seen("10.0.0.1", &[&chain]), "198.51.100.7");
        }
    }
}
