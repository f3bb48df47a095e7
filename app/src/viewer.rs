//! Who looks at a page.
use domain::event::Object;
use store::access::SignedIn;
/// Who looks at a page, and from where.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
    /// What is known of the request.
    pub request: RequestFacts,
}
/// What is known of a request.
#[derive(Clone, Debug, Default)]
pub struct RequestFacts {
    /// Its address and browser, as the context of an event: `ip`, `user_agent`.
    pub context: Option<Object>,
    /// How this installation is reached.
    pub public_url: String,
}
