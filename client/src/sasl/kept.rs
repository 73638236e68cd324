//! A token that is good for more than one login.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{TokenError, TokenSource, World};
use crate::secret::Secret;

/// The last token, until four fifths of its life are over (Kafka's `sasl.login.refresh.window.factor`): a run logs in to
/// every broker several times, and token endpoints count.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: Secret,
    /// Wall time in milliseconds since 1970.
    until: u64,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

impl Tokens {
    /// The token that is kept, or a new one. Who asks meanwhile waits for the same.
    pub(super) async fn get(&self, source: &TokenSource, world: &dyn World) -> Result<Secret, TokenError> {
        let mut kept = self.0.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| world.wall() < kept.until) {
            return Ok(kept.token.clone());
        }
        *kept = None;
        let token = source.token(world).await?;
        let now = world.wall();
        if let Some(end) = end(&token).filter(|end| *end > now && source.is_far()) {
            *kept = Some(Kept { token: token.clone(), until: now + (end - now) / 5 * 4 });
        }
        Ok(token)
    }

    /// A broker did not take it: the next login asks for another.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl TokenSource {
    /// Whether a token costs more than a look at this machine.
    fn is_far(&self) -> bool {
        matches!(self, TokenSource::Oidc(_) | TokenSource::Command { .. })
    }
}

/// The end of a JWT's life (RFC 7519 `exp`), in milliseconds since 1970; none where it is no JWT or does not tell.
fn end(token: &Secret) -> Option<u64> {
    let claims = token.expose().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    Some((exp * 1000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::super::Oidc;
    use super::super::testing::{Fake, WALL, http};
    use super::*;
    use crate::tls::TlsSettings;
    use std::time::Duration;

    fn source() -> TokenSource {
        TokenSource::Oidc(Oidc {
            endpoint: "https://id.example/token".into(),
            client_id: "restow".into(),
            client_secret: Secret::new("s"),
            scope: None,
            url_encode: false,
            tls: Box::new(TlsSettings::default()),
            timeout: Duration::from_secs(5),
        })
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    /// Two logins, with these tokens to be had; how many were asked for.
    async fn asked(first: &str, forgets: bool) -> usize {
        let answer = |token: &str| http("200 OK", &format!("{{\"access_token\":\"{token}\"}}"));
        let world = Fake::answering([answer(first), answer("second")]);
        let tokens = Tokens::default();
        assert_eq!(tokens.get(&source(), &world).await.unwrap().expose(), first);
        if forgets {
            tokens.forget().await;
        }
        tokens.get(&source(), &world).await.unwrap();
        world.opened.lock().unwrap().len()
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_while_it_lives() {
        let (soon, later) = (WALL / 1000 - 1, WALL / 1000 + 300);
        assert_eq!(asked(&jwt(&format!("{{\"exp\":{later}}}")), false).await, 1);
        assert_eq!(asked(&jwt(&format!("{{\"exp\":{later}.5}}")), false).await, 1);
        assert_eq!(asked(&jwt(&format!("{{\"exp\":{later}}}")), true).await, 2, "a broker refused it");
        assert_eq!(asked(&jwt(&format!("{{\"exp\":{soon}}}")), false).await, 2, "it is over");
        assert_eq!(asked(&jwt("{\"exp\":-1}"), false).await, 2);
        assert_eq!(asked(&jwt("{}"), false).await, 2, "its life is unknown");
        assert_eq!(asked("opaque", false).await, 2);
    }
}
