//! A SASL login on a connection, and its renewal (KIP-368).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Call;
use super::calls::login::{Agreed, Authenticate, Handshake};
use super::messenger::Messenger;
use crate::Login;
use crate::code::Code;
use crate::error::Error;
use crate::sasl::{Exchange, Message, SaslError, Step, Tokens};

/// A login that is ready to be sent: what it needs from elsewhere, such as a token, it has.
pub(crate) struct Ready {
    mechanism: &'static str,
    first: (Message, Exchange),
    tokens: Arc<Tokens>,
}

/// Gets a login ready. It may take as long as the token's source; do it before connecting, because brokers drop a
/// connection that is silent.
pub(crate) async fn prepare(login: &Login) -> Result<Ready, SaslError> {
    let first = login.sasl.begin(&*login.world, &login.tokens).await?;
    Ok(Ready { mechanism: login.sasl.mechanism(), first, tokens: Arc::clone(&login.tokens) })
}

/// Logs in, again where it was done before. Requests wait meanwhile: a broker takes nothing else in between.
pub(crate) async fn log_in(on: &Messenger, ready: Ready, within: Duration) -> Result<(), Error> {
    let tokens = Arc::clone(&ready.tokens);
    let done = exchange(on, ready, within).await;
    if let Err(Error::Login { .. }) = done {
        tokens.forget().await;
    }
    done
}

async fn exchange(on: &Messenger, ready: Ready, within: Duration) -> Result<(), Error> {
    let Ready { mechanism, first: (mut message, mut exchange), .. } = ready;
    let _turn = on.alone().await;
    let unfinished = Unfinished(on);
    let begun = Instant::now();
    let broker = || on.peer().clone();
    if let Agreed::No(offered) = ask(on, &Handshake { mechanism }, within).await? {
        return Err(Error::Mechanism { broker: broker(), mechanism, offered });
    }
    loop {
        let failed = |source| Error::Login { broker: broker(), source };
        let answer = match ask(on, &Authenticate { bytes: message.expose() }, within).await {
            Err(Error::Refused { code: Code::SASL_AUTHENTICATION_FAILED, message, .. }) => {
                return Err(failed(exchange.refused(message.as_deref().unwrap_or_default())));
            }
            answer => answer?,
        };
        match exchange.next(&answer.bytes).map_err(failed)? {
            Step::Send { message: next, then } => (message, exchange) = (next, then),
            Step::Done => {
                on.logged_in(begun, answer.lifetime);
                std::mem::forget(unfinished);
                return Ok(());
            }
        }
    }
}

/// A connection that is in the middle of a login, or whose peer has not proved itself, takes no requests: it ends with
/// this.
struct Unfinished<'a>(&'a Messenger);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.end("the login on it was not finished");
    }
}

async fn ask<C: Call>(on: &Messenger, call: &C, within: Duration) -> Result<C::Answer, Error> {
    let asked = on.submit(call).map_err(|lost| lost.error)?;
    on.finish(call, asked, within).await.map_err(|lost| lost.error)
}
