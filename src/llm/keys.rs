//! Several API keys of one provider, used in turns; a key that fails for its own reason rests, until it is replaced.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::failure::{Code, Failure};
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;

/// How long a key rests that is not accepted: people who replace keys do not do it within minutes.
const UNAUTHORIZED: Duration = Duration::from_secs(15 * 60);
/// How long one rests whose money is spent.
const EXHAUSTED: Duration = Duration::from_secs(60 * 60);
/// How long one rests that asked for a pause without saying for how long.
const LIMITED: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct State {
    next: usize,
    resting_until: Vec<Option<Instant>>,
    /// Whether each key has been replaced.
    changes: Vec<watch::Receiver<Secret>>,
}

impl State {
    /// Ends the rest of keys that have been replaced: it was the former ones'.
    fn wake_replaced(&mut self) {
        for (change, rest) in self.changes.iter_mut().zip(&mut self.resting_until) {
            // An error says that nobody is left who could replace it.
            if change.has_changed().unwrap_or(false) {
                change.mark_unchanged();
                *rest = None;
            }
        }
    }

    /// Lets a key rest, and tells for how long all do; `None` while one is fresh.
    fn rest(&mut self, index: usize, rest: Duration) -> Option<Duration> {
        let now = Instant::now();
        let until = self.resting_until[index].map_or(now + rest, |until| until.max(now + rest));
        self.resting_until[index] = Some(until);
        let first = self.resting_until.iter().map(|until| until.filter(|until| *until > now)).min().flatten();
        first.map(|first| first - now)
    }
}

/// The keys of one provider.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: Vec<CurrentSecret>,
    state: Mutex<State>,
}

/// What to send a call with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyChoice {
    /// The provider wants no key.
    Keyless,
    /// The key with this index.
    Key(usize),
}

impl KeyRing {
    pub(super) fn new(keys: Vec<CurrentSecret>) -> Self {
        let changes = keys.iter().map(CurrentSecret::subscribe).collect();
        let state = State { next: 0, resting_until: vec![None; keys.len()], changes };
        Self { keys, state: Mutex::new(state) }
    }

    /// The next key that does not rest. When all rest it is the one that does so for the shortest time: whether the
    /// provider may be asked at all is not for the ring to say.
    pub(super) fn choose(&self) -> KeyChoice {
        let mut state = self.state();
        state.wake_replaced();
        let count = self.keys.len();
        let now = Instant::now();
        let order = (0..count).map(|step| (state.next + step) % count);
        let rest = |index: &usize| state.resting_until[*index].filter(|until| *until > now);
        let Some(index) = order.min_by_key(|index| rest(index)) else { return KeyChoice::Keyless };
        state.next = (index + 1) % count;
        KeyChoice::Key(index)
    }

    /// The key of a choice, as it is now.
    pub(super) fn secret(&self, choice: KeyChoice) -> Option<Secret> {
        match choice {
            KeyChoice::Keyless => None,
            KeyChoice::Key(index) => self.keys.get(index).map(CurrentSecret::get),
        }
    }

    /// Whether the key that a call was sent with has been replaced meanwhile, so that the same call is worth repeating.
    pub(super) fn has_replaced(&self, choice: KeyChoice, sent: Option<&Secret>) -> bool {
        self.secret(choice).as_ref() != sent
    }

    /// Takes note of how a call with this key failed. True if the key is to blame and another one is fresh, so that the
    /// same call is worth repeating at once. Otherwise `failure` has been given the time at which the first key is
    /// usable again.
    pub(super) fn blame(&self, provider: &str, choice: KeyChoice, failure: &mut Failure) -> bool {
        let KeyChoice::Key(index) = choice else { return false };
        let rests = [
            (Code::ProviderUnauthorized, UNAUTHORIZED),
            (Code::ProviderQuotaExhausted, EXHAUSTED),
            (Code::ProviderRateLimited, failure.retry_after.unwrap_or(LIMITED)),
        ];
        let Some((_, rest)) = rests.into_iter().find(|(code, _)| *code == failure.code) else { return false };
        // One key has nobody to hand over to: the breaker waits as long as is right for the failure.
        if self.keys.len() < 2 {
            return false;
        }
        let mut state = self.state();
        let was_fresh = state.resting_until[index].is_none_or(|until| until <= Instant::now());
        if was_fresh {
            let (key, keys) = (index + 1, self.keys.len());
            tracing::warn!(provider, key, keys, code = %failure.code, rest_s = rest.as_secs(), "an API key rests");
        }
        let all_rest = state.rest(index, rest);
        failure.retry_after = all_rest.or(failure.retry_after);
        all_rest.is_none()
    }

    /// Lets the key of a call rest that was answered, because its limit is used up. The time until any key is usable
    /// again; `None` while one is fresh.
    pub(super) fn rest(&self, choice: KeyChoice, pause: Duration) -> Option<Duration> {
        match choice {
            KeyChoice::Key(index) if self.keys.len() > 1 => self.state().rest(index, pause),
            KeyChoice::Keyless | KeyChoice::Key(_) => Some(pause),
        }
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_watch::FromFiles as _;

    fn ring(count: usize) -> KeyRing {
        KeyRing::new((0..count).map(|_| Secret::new("k").into()).collect())
    }

    fn limited(seconds: u64) -> Failure {
        Failure::new(Code::ProviderRateLimited, "later").retry_after(Some(Duration::from_secs(seconds)))
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_used_in_turns() {
        let ring = ring(3);
        let choices: Vec<_> = (0..4).map(|_| ring.choose()).collect();
        assert_eq!(choices, [0, 1, 2, 0].map(KeyChoice::Key));
        assert_eq!(KeyRing::new(Vec::new()).choose(), KeyChoice::Keyless);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_asked_for_a_pause_rests_until_then() {
        let ring = ring(2);
        assert!(ring.blame("p", KeyChoice::Key(0), &mut limited(30)), "the other one is fresh");
        assert_eq!([ring.choose(), ring.choose()], [KeyChoice::Key(1); 2]);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!([ring.choose(), ring.choose()], [KeyChoice::Key(0), KeyChoice::Key(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_rest_the_failure_names_the_first_that_is_back() {
        let ring = ring(2);
        ring.blame("p", KeyChoice::Key(0), &mut Failure::new(Code::ProviderUnauthorized, "401"));
        let mut last = limited(30);
        assert!(!ring.blame("p", KeyChoice::Key(1), &mut last));
        assert_eq!(last.retry_after, Some(Duration::from_secs(30)));
        let mut spent = Failure::new(Code::ProviderQuotaExhausted, "no money");
        assert!(!ring.blame("p", KeyChoice::Key(1), &mut spent));
        assert_eq!(spent.retry_after, Some(Duration::from_secs(15 * 60)), "the first key is back before the second");
        assert_eq!(ring.choose(), KeyChoice::Key(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_is_not_the_keys_lets_it_go_on() {
        let ring = ring(2);
        for code in [Code::ProviderUnavailable, Code::ProviderTimeout, Code::ProviderOverloaded, Code::ProviderRejected]
        {
            assert!(!ring.blame("p", KeyChoice::Key(0), &mut Failure::new(code, "x")));
        }
        assert_eq!(ring.choose(), KeyChoice::Key(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_whose_limit_is_used_up_rests_and_the_provider_with_the_last_one() {
        let (ring, pause) = (ring(2), Duration::from_secs(5));
        assert_eq!(ring.rest(KeyChoice::Key(0), pause), None, "the other one is fresh");
        assert_eq!([ring.choose(), ring.choose()], [KeyChoice::Key(1); 2]);
        assert_eq!(ring.rest(KeyChoice::Key(1), pause * 2), Some(pause));
        assert_eq!(KeyRing::new(Vec::new()).rest(KeyChoice::Keyless, pause), Some(pause));
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_key_is_the_breakers_matter() {
        let ring = ring(1);
        let mut failure = Failure::new(Code::ProviderUnauthorized, "401");
        assert!(!ring.blame("p", KeyChoice::Key(0), &mut failure));
        assert_eq!(failure.retry_after, None);
        assert_eq!(ring.choose(), KeyChoice::Key(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_replaced_is_used_at_once_though_the_former_one_rests() {
        let in_file =
            |name: &str| CurrentSecret::in_file(name.to_owned(), name.into(), Secret::new(name), Box::new(|_| Ok(())));
        let (first, second) = (in_file("first"), in_file("second"));
        let ring = KeyRing::new(vec![first.clone(), second.clone()]);
        let choice = ring.choose();
        let sent = ring.secret(choice);
        assert!(!ring.has_replaced(choice, sent.as_ref()));
        ring.blame("p", choice, &mut Failure::new(Code::ProviderUnauthorized, "401"));
        assert_eq!([ring.choose(), ring.choose()], [KeyChoice::Key(1); 2]);
        first.take(Ok(vec![b"newer".to_vec()]));
        assert!(ring.has_replaced(choice, sent.as_ref()));
        let choices = [ring.choose(), ring.choose()];
        assert!(choices.contains(&KeyChoice::Key(0)), "{choices:?}");
        assert_eq!(ring.secret(KeyChoice::Key(0)).unwrap().expose(), "newer");
    }
}
