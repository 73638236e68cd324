//! What can be made to go wrong with single requests.

use std::time::Duration;

use restow_planner::model::BrokerId;

use crate::rules::Api;

/// What happens to a request instead of a plain answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done; the connection closes.
    Drop,
    /// Nothing is done; no answer ever comes.
    Hang,
    /// It is done and answered after this time.
    Delay(Duration),
    /// Nothing is done; this error code is answered.
    Error(i16),
    /// It is done; the connection closes without an answer.
    LoseAnswer,
    /// It is done this much later, whether or not the client still waits, and then answered.
    Late(Duration),
    /// This error code is answered at once, and it is done this much later all the same.
    LateAfterError(i16, Duration),
    /// It is done twice; the first answer is given.
    Twice,
}

/// Which requests a fault strikes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only requests of this kind.
    pub api: Option<Api>,
    /// Only those that reach this broker.
    pub broker: Option<BrokerId>,
}

impl Filter {
    /// Requests of this kind, at any broker.
    pub fn api(api: Api) -> Self {
        Filter { api: Some(api), broker: None }
    }

    /// Any request that reaches this broker.
    pub fn broker(broker: BrokerId) -> Self {
        Filter { api: None, broker: Some(broker) }
    }

    /// Of these, only those that reach this broker.
    #[must_use]
    pub fn at(self, broker: BrokerId) -> Self {
        Filter { broker: Some(broker), ..self }
    }

    fn strikes(&self, api: Api, broker: BrokerId) -> bool {
        self.api.is_none_or(|wanted| wanted == api) && self.broker.is_none_or(|wanted| wanted == broker)
    }
}

#[derive(Debug, Clone)]
struct Installed {
    filter: Filter,
    fault: Fault,
    skip: u64,
    left: u64,
}

/// The faults that are waiting for their requests; the oldest that fits strikes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    installed: Vec<Installed>,
}

impl Faults {
    /// Strikes the requests that fit: not the first `skip`, then the next `times`.
    pub(crate) fn install(&mut self, filter: Filter, fault: Fault, skip: u64, times: u64) {
        self.installed.push(Installed { filter, fault, skip, left: times });
    }

    pub(crate) fn clear(&mut self) {
        self.installed.clear();
    }

    /// The fault of this request, if one strikes.
    pub(crate) fn take(&mut self, api: Api, broker: BrokerId) -> Option<Fault> {
        let mut struck = None;
        for one in self.installed.iter_mut().filter(|one| one.filter.strikes(api, broker)) {
            if one.skip > 0 {
                one.skip -= 1;
            } else if struck.is_none() && one.left > 0 {
                one.left -= 1;
                struck = Some(one.fault.clone());
            }
        }
        self.installed.retain(|one| one.left > 0);
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_requests_it_was_made_for_and_no_other() {
        let mut faults = Faults::default();
        let alter = Filter::api(Api::AlterPartitionReassignments);
        faults.install(alter.at(BrokerId(2)), Fault::Drop, 1, 2);
        let mut strike = |api, id| faults.take(api, BrokerId(id));
        assert_eq!(strike(Api::AlterPartitionReassignments, 1), None);
        assert_eq!(strike(Api::Metadata, 2), None);
        assert_eq!(strike(Api::AlterPartitionReassignments, 2), None, "skipped");
        assert_eq!(strike(Api::AlterPartitionReassignments, 2), Some(Fault::Drop));
        assert_eq!(strike(Api::AlterPartitionReassignments, 2), Some(Fault::Drop));
        assert_eq!(strike(Api::AlterPartitionReassignments, 2), None, "spent");
    }
}
