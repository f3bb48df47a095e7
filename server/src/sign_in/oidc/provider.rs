//! The provider at which people sign in: what it says of itself, and of them. It may be down, also when
//! the server starts: it is asked when somebody wants to sign in.

use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthenticationFlow,
    AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
    UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    error::Error,
    fmt::Write,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};
use store::sign_on::{Email, GroupRoles, Identity};
use url::Url;

/// What the provider says of itself is asked for anew after this time.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How long it may take to answer one question.
const ANSWER_MOST: Duration = Duration::from_secs(10);
/// How long it may take to be reached.
const CONNECTION_MOST: Duration = Duration::from_secs(5);

/// Where it sends people back to.
pub const CALLBACK: &str = "/login/oidc/callback";

/// How we are known to a provider, and what its groups mean here.
#[derive(Clone)]
pub struct Registration {
    /// The provider.
    pub issuer: Issuer,
    /// Our name there.
    pub client_id: String,
    /// Our secret there; none: only PKCE proves that it is us.
    pub client_secret: Option<String>,
    /// How browsers reach this server.
    pub public_url: Url,
    /// The claim that names somebody's groups.
    pub groups_claim: String,
    /// What groups give.
    pub roles: GroupRoles,
}

/// The address by which a provider is known: https, or on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(IssuerUrl);

impl Issuer {
    /// The address as it was written: the provider names itself by the same.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::str::FromStr for Issuer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "write the issuer as the provider names it, such as https://id.example.com; \
                      without https only on this machine";
        let issuer = IssuerUrl::new(text.trim().to_owned()).map_err(|_| wanted)?;
        let url = issuer.url();
        let is_here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_right = (url.scheme() == "https" || (url.scheme() == "http" && is_here))
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_right {
            Ok(Self(issuer))
        } else {
            Err(wanted)
        }
    }
}

/// The provider at which people sign in.
#[derive(Debug)]
pub struct Provider {
    issuer: Issuer,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    groups_claim: String,
    roles: GroupRoles,
    redirect: RedirectUrl,
    http: reqwest::Client,
    known: RwLock<Option<Known>>,
}

/// What it said of itself, and when.
#[derive(Clone, Debug)]
struct Known {
    metadata: CoreProviderMetadata,
    at: Instant,
}

/// Somebody's way to the provider.
pub struct Departure {
    /// Where the browser goes.
    pub address: Url,
    /// What comes back with the answer.
    pub state: CsrfToken,
    /// What the answer names.
    pub nonce: Nonce,
    /// What proves that it was us who asked.
    pub verifier: PkceCodeVerifier,
}

/// Why the provider signed nobody in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as a provider does.
    #[error("the sign-on provider cannot be asked: {0}")]
    Unavailable(String),
    /// It does not take us for who we say we are.
    #[error("the sign-on provider refuses this installation: {0}")]
    Refused(String),
    /// The browser brought a code that is not good, or no more.
    #[error("the sign-on provider does not know the code: {0}")]
    Code(String),
    /// What it says of somebody is not to be believed.
    #[error("what the sign-on provider says is not valid: {0}")]
    NotValid(String),
}

/// All that a provider says of somebody beside the standard's claims.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct MoreClaims(Map<String, Value>);

impl AdditionalClaims for MoreClaims {}

type Fields = IdTokenFields<
    MoreClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Claims = IdTokenClaims<MoreClaims, CoreGenderClaim>;
type MoreInfo = UserInfoClaims<MoreClaims, CoreGenderClaim>;
type Us = Client<
    MoreClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// The provider; nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new(registration: Registration) -> Result<Self, ProviderError> {
        let unavailable = |error: &dyn Error| ProviderError::Unavailable(whole(error));
        let http = reqwest::Client::builder()
            .user_agent(concat!("daybook/", env!("CARGO_PKG_VERSION")))
            // A provider's endpoints are where it says, and nowhere else.
            .redirect(Policy::none())
            .connect_timeout(CONNECTION_MOST)
            .timeout(ANSWER_MOST)
            .build()
            .map_err(|error| unavailable(&error))?;
        let redirect = registration
            .public_url
            .join(CALLBACK)
            .map_err(|error| unavailable(&error))?;
        Ok(Self {
            issuer: registration.issuer,
            client_id: ClientId::new(registration.client_id),
            client_secret: registration.client_secret.map(ClientSecret::new),
            groups_claim: registration.groups_claim,
            roles: registration.roles,
            redirect: RedirectUrl::from_url(redirect),
            http,
            known: RwLock::default(),
        })
    }

    /// How people know it: its host.
    pub fn name(&self) -> &str {
        self.issuer.0.url().host_str().unwrap_or_default()
    }

    /// How it names itself.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// How it names us.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether a secret proves to it that it is us.
    pub fn has_secret(&self) -> bool {
        self.client_secret.is_some()
    }

    /// The claim that names somebody's groups.
    pub fn groups_claim(&self) -> &str {
        &self.groups_claim
    }

    /// Where it sends people back to, as it has to be told.
    pub fn redirect(&self) -> &str {
        self.redirect.as_str()
    }

    /// What groups give.
    pub fn roles(&self) -> &GroupRoles {
        &self.roles
    }

    /// The way to it.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub async fn departure(&self) -> Result<Departure, ProviderError> {
        let metadata = self.metadata().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let us = self.us(&metadata);
        let mut request = us
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()));
        // Some tell groups only to who asks for them, and others refuse a scope that they do not know.
        let offered = metadata.scopes_supported().map_or(&[][..], Vec::as_slice);
        let claim = &self.groups_claim;
        if offered.iter().any(|scope| scope.as_str() == claim) {
            request = request.add_scope(Scope::new(claim.clone()));
        }
        let (address, state, nonce) = request.url();
        Ok(Departure {
            address,
            state,
            nonce,
            verifier,
        })
    }

    /// Who came back with a code.
    ///
    /// # Errors
    ///
    /// It does not answer, refuses, or what it says is not to be believed.
    pub async fn arrival(
        &self,
        code: String,
        verifier: PkceCodeVerifier,
        nonce: &Nonce,
    ) -> Result<Identity, ProviderError> {
        let metadata = self.metadata().await?;
        let us = self.us(&metadata);
        let tokens = us
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| ProviderError::Unavailable(whole(&error)))?
            .set_pkce_verifier(verifier)
            .request_async(&self.http)
            .await
            .map_err(|error| match &error {
                RequestTokenError::ServerResponse(answer) => match answer.error() {
                    CoreErrorResponseType::InvalidGrant => ProviderError::Code(whole(&error)),
                    _ => ProviderError::Refused(whole(&error)),
                },
                _ => ProviderError::Unavailable(whole(&error)),
            })?;
        let claims = match verified(&us, &tokens, nonce) {
            Ok(claims) => claims,
            // It may sign with a new key since it was asked.
            Err(ProviderError::NotValid(_)) if !knows_key(&us, &tokens) => {
                let metadata = self.discovered().await?;
                verified(&self.us(&metadata), &tokens, nonce)?
            }
            Err(error) => return Err(error),
        };
        let more = if self.is_enough(&claims) {
            None
        } else {
            self.more_of(&us, tokens.access_token().clone(), &claims)
                .await?
        };
        Ok(self.identity(&claims, more.as_ref()))
    }

    /// What it says of itself, remembered for a while. Where it is down by then, what it said before
    /// holds on.
    async fn metadata(&self) -> Result<CoreProviderMetadata, ProviderError> {
        let known = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.clone()
        };
        match known {
            Some(known) if known.at.elapsed() < REMEMBERED => Ok(known.metadata),
            Some(known) => Ok(self.discovered().await.unwrap_or_else(|error| {
                tracing::warn!("{error}");
                known.metadata
            })),
            None => self.discovered().await,
        }
    }

    /// What it says of itself now, and its keys.
    async fn discovered(&self) -> Result<CoreProviderMetadata, ProviderError> {
        let issuer = self.issuer.0.clone();
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|error| ProviderError::Unavailable(whole(&error)))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Known {
            metadata: metadata.clone(),
            at: Instant::now(),
        });
        Ok(metadata)
    }

    /// Us, as it knows us.
    fn us(&self, metadata: &CoreProviderMetadata) -> Us {
        let us = Us::from_provider_metadata(
            metadata.clone(),
            self.client_id.clone(),
            self.client_secret.clone(),
        )
        .set_redirect_uri(self.redirect.clone());
        let takes = |method: CoreClientAuthMethod| {
            let methods = metadata.token_endpoint_auth_methods_supported();
            methods.is_some_and(|methods| methods.contains(&method))
        };
        let in_body = takes(CoreClientAuthMethod::ClientSecretPost)
            && !takes(CoreClientAuthMethod::ClientSecretBasic);
        if in_body {
            us.set_auth_type(AuthType::RequestBody)
        } else {
            us
        }
    }

    /// Whether the token says all that we want to know.
    fn is_enough(&self, claims: &Claims) -> bool {
        let has_groups = claims
            .additional_claims()
            .0
            .contains_key(&self.groups_claim);
        let wants_groups = !self.roles.all().is_empty();
        claims.email().is_some()
            && claims.email_verified().is_some()
            && claims.name().is_some()
            && (has_groups || !wants_groups)
    }

    /// What it says to who asks about somebody; nothing where it tells nobody.
    async fn more_of(
        &self,
        us: &Us,
        token: AccessToken,
        claims: &Claims,
    ) -> Result<Option<MoreInfo>, ProviderError> {
        let Ok(request) = us.user_info(token, Some(claims.subject().clone())) else {
            return Ok(None);
        };
        let info = request
            .request_async(&self.http)
            .await
            .map_err(|error| match &error {
                UserInfoError::ClaimsVerification(_) => ProviderError::NotValid(whole(&error)),
                _ => ProviderError::Unavailable(whole(&error)),
            })?;
        Ok(Some(info))
    }

    /// Who it is: by the token, and where that is silent, by what was told beside it.
    fn identity(&self, claims: &Claims, more: Option<&MoreInfo>) -> Identity {
        let (address, is_verified) = match (claims.email(), more) {
            (None, Some(more)) => (more.email(), more.email_verified()),
            // The answer is of the same person, so it may say of the same address that it is theirs.
            (Some(email), Some(more)) if claims.email_verified().is_none() => (
                Some(email),
                more.email_verified()
                    .filter(|_| more.email() == Some(email)),
            ),
            (email, _) => (email, claims.email_verified()),
        };
        let email = match (address, is_verified) {
            (None, _) => Email::None,
            (Some(email), Some(true)) => Email::Verified(email.to_string()),
            (Some(email), _) => Email::Unverified(email.to_string()),
        };
        let name = claims.name().or_else(|| more?.name());
        let username = claims
            .preferred_username()
            .or_else(|| more?.preferred_username());
        let claim = &self.groups_claim;
        let groups = claims
            .additional_claims()
            .0
            .get(claim)
            .or_else(|| more?.additional_claims().0.get(claim));
        Identity {
            issuer: self.issuer().to_owned(),
            subject: claims.subject().to_string(),
            email,
            name: name
                .and_then(|name| name.get(None))
                .map(|name| name.to_string())
                .filter(|name| !name.trim().is_empty())
                .or_else(|| username.map(|name| name.to_string())),
            groups: groups.map(groups_in).unwrap_or_default(),
        }
    }
}

/// What the token says, if it is signed by the provider, for us, in answer to our question, and is not
/// too old; and if the access token beside it is the one that was made with it.
fn verified(us: &Us, tokens: &Tokens, nonce: &Nonce) -> Result<Claims, ProviderError> {
    let not_valid = |error: &dyn Error| ProviderError::NotValid(whole(error));
    let token = tokens
        .id_token()
        .ok_or_else(|| ProviderError::NotValid("there is no ID token".to_owned()))?;
    let verifier = us.id_token_verifier();
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| not_valid(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| not_valid(&error))?;
        let key = token
            .signing_key(&verifier)
            .map_err(|error| not_valid(&error))?;
        let found = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
            .map_err(|error| not_valid(&error))?;
        if found != *expected {
            let words = "the access token is not the one of the ID token";
            return Err(ProviderError::NotValid(words.to_owned()));
        }
    }
    Ok(claims.clone())
}

/// Whether we know the key that a token is signed with.
fn knows_key(us: &Us, tokens: &Tokens) -> bool {
    let verifier = us.id_token_verifier();
    tokens
        .id_token()
        .is_some_and(|token| token.signing_key(&verifier).is_ok())
}

/// The groups that a claim names: a list of texts, or one.
fn groups_in(claim: &Value) -> BTreeSet<String> {
    match claim {
        Value::String(group) => BTreeSet::from([group.clone()]),
        Value::Array(groups) => groups
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// An error with all that led to it.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_provider_is_reached_by_https_or_on_this_machine() {
        for text in [
            "https://id.example.com",
            "https://id.example.com/realms/acme/",
            "http://127.0.0.1:4000",
            "http://localhost:4000/oidc",
            "http://[::1]:4000",
        ] {
            assert!(
                text.parse::<Issuer>().is_ok_and(|it| it.as_str() == text),
                "{text}"
            );
        }
        for text in [
            "id.example.com",
            "http://id.example.com",
            "http://localhost.example.com",
            "ftp://id.example.com",
            "https://u:p@id.example.com",
            "https://id.example.com?x",
            "https://id.example.com#x",
        ] {
            assert!(text.parse::<Issuer>().is_err(), "{text}");
        }
    }

    #[test]
    fn groups_are_a_list_of_texts_or_one() {
        let read = |value: Value| groups_in(&value).into_iter().collect::<Vec<_>>();
        assert_eq!(read(json!(["b", "a", 3, null])), ["a", "b"]);
        assert_eq!(read(json!("a b")), ["a b"]);
        assert_eq!(read(json!({"a": true})), Vec::<String>::new());
    }
}
