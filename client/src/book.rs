//! Who is where: the brokers' addresses, whom to ask, and who takes cluster writes.

use std::collections::BTreeMap;

use restow_planner::model::BrokerId;

/// What the last Metadata told, and what has failed since.
#[derive(Debug, Default)]
pub(crate) struct Book {
    addresses: BTreeMap<BrokerId, String>,
    reader: Option<BrokerId>,
    controller: Option<BrokerId>,
    kraft: bool,
}

impl Book {
    /// Takes over what a broker answered. `kraft` is whether that broker is in KRaft mode.
    pub(crate) fn learn(
        &mut self,
        addresses: BTreeMap<BrokerId, String>,
        controller: Option<BrokerId>,
        kraft: bool,
    ) {
        self.addresses = addresses;
        self.kraft = kraft;
        self.reader = self.reader.filter(|id| self.addresses.contains_key(id));
        // In KRaft mode each answer names another random broker, and each broker forwards. Staying with one
        // saves connections, and keeps writes to one topic's configs in order.
        let stay = self.controller.filter(|id| kraft && self.addresses.contains_key(id));
        self.controller = stay.or(controller.filter(|id| self.addresses.contains_key(id)));
    }

    /// Known brokers, in order of their ids.
    pub(crate) fn brokers(&self) -> Vec<BrokerId> {
        self.addresses.keys().copied().collect()
    }

    /// Whether the broker that was heard last is in KRaft mode.
    pub(crate) fn is_kraft(&self) -> bool {
        self.kraft
    }

    /// `host:port` of a broker.
    pub(crate) fn address(&self, id: BrokerId) -> Option<&str> {
        self.addresses.get(&id).map(String::as_str)
    }

    /// All brokers, the one that answered last first: views from one broker do not go back in time.
    pub(crate) fn readers(&self) -> Vec<BrokerId> {
        self.ring(self.reader)
    }

    /// The broker that takes cluster writes and knows the reassignments.
    pub(crate) fn controller(&self) -> Option<BrokerId> {
        self.controller
    }

    /// This broker served a question that any broker can answer.
    pub(crate) fn answered(&mut self, id: BrokerId) {
        self.reader = Some(id);
    }

    /// This broker could not be used for cluster writes: another one, or nobody until Metadata tells.
    pub(crate) fn avoid_controller(&mut self, id: BrokerId) {
        if self.controller == Some(id) {
            let next = self.ring(Some(id)).into_iter().nth(1);
            self.controller = next.filter(|_| self.kraft);
        }
    }

    fn ring(&self, from: Option<BrokerId>) -> Vec<BrokerId> {
        let Some(from) = from else { return self.brokers() };
        let at_or_after = self.addresses.range(from..).map(|(id, _)| *id);
        at_or_after.chain(self.addresses.range(..from).map(|(id, _)| *id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(controller: i32, kraft: bool) -> Book {
        let mut book = Book::default();
        learn(&mut book, controller, kraft);
        book
    }

    fn learn(book: &mut Book, controller: i32, kraft: bool) {
        let addresses = (1..=3).map(|id| (BrokerId(id), format!("h:{id}"))).collect();
        book.learn(addresses, Some(BrokerId(controller)), kraft);
    }

    #[test]
    fn kraft_stays_with_one_broker_and_moves_on_when_it_fails() {
        let mut book = book(2, true);
        learn(&mut book, 3, true);
        assert_eq!(book.controller(), Some(BrokerId(2)));
        book.avoid_controller(BrokerId(2));
        assert_eq!(book.controller(), Some(BrokerId(3)));
        book.avoid_controller(BrokerId(3));
        assert_eq!(book.controller(), Some(BrokerId(1)));
        // A stale complaint about another broker changes nothing.
        book.avoid_controller(BrokerId(3));
        assert_eq!(book.controller(), Some(BrokerId(1)));
    }

    #[test]
    fn zookeeper_mode_follows_the_controller() {
        let mut book = book(2, false);
        learn(&mut book, 3, false);
        assert_eq!(book.controller(), Some(BrokerId(3)));
        book.avoid_controller(BrokerId(3));
        assert_eq!(book.controller(), None);
    }

    #[test]
    fn readers_begin_with_the_one_that_answered() {
        let mut book = book(1, true);
        book.answered(BrokerId(2));
        assert_eq!(book.readers(), [BrokerId(2), BrokerId(3), BrokerId(1)]);
    }
}
