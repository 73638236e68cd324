//! What can happen in a state.

use super::*;

impl World {
    /// What Kafka and its brokers can do by themselves.
    pub(super) fn adversary(&self, node: &Node, actions: &mut Vec<Action>) {
        let kafka = &node.kafka;
        if let Some(leader) = kafka.working_leader() {
            let out = minus(&kafka.replicas, &kafka.isr);
            actions.extend(out.into_iter().filter(|id| kafka.is_up(*id)).map(Action::Join));
            if self.scope.calm {
                return;
            }
            let followers = kafka.isr.iter().copied().filter(|id| *id != leader);
            actions.extend(followers.map(Action::Leave));
        }
        match kafka.down {
            None => actions.extend(self.shape.brokers().into_iter().map(Action::Down)),
            Some(_) if kafka.fenced => actions.push(Action::Up),
            Some(_) => actions.extend([Action::Fence, Action::Up]),
        }
        if kafka.leader != kafka.replicas.first().copied() {
            actions.push(Action::Rebalance);
        }
        if self.scope.meddle && node.foreign == Foreign::No {
            // A move like ours cannot be told from ours once we asked for it.
            let is_ours = |at: u8| matches!(node.doing, Some((Req::List(list), _)) if list == at);
            let theirs = (0..=self.lists.len() as u8).filter(|at| node.asked & 1 << at == 0 && !is_ours(*at));
            actions.extend(theirs.map(Action::Meddle));
            actions.push(Action::MeddleCancel);
        }
        if self.scope.lag && node.stale.is_none() && node.doing.is_none() && node.open.is_none() {
            actions.push(Action::Lag);
        }
    }

    /// What our process, its person and the wire can do.
    pub(super) fn ours(&self, node: &Node, actions: &mut Vec<Action>) {
        let Scope { calm, steps, lag, gates, .. } = self.scope;
        let is_idle = node.doing.is_none();
        if is_idle {
            actions.push(Action::Look(Eyes::Fresh));
            if lag {
                actions.push(Action::Look(Eyes::Slow));
            }
            if node.stale.is_some() {
                actions.push(Action::Look(Eyes::Lagging));
                if node.recent {
                    actions.push(Action::Look(Eyes::Behind));
                }
            }
            if gates && node.want == Want::Forward && node.approvals < 2 {
                actions.push(Action::Approve);
            }
            if node.recent {
                actions.push(Action::Moment);
            }
            if node.steady == Steady::Young {
                actions.push(Action::Dwell);
            }
        }
        match node.doing {
            Some((_, Stage::Decided)) => actions.push(Action::Journal),
            Some((_, Stage::Asked)) => actions.push(Action::Send),
            Some((_, Stage::Sent)) if steps => {}
            Some((_, Stage::Sent | Stage::Applied(_))) => actions.push(Action::Answer),
            None => {}
        }
        if node.wire.is_some_and(|wire| !wire.hangs) {
            actions.push(Action::Land);
        }
        if calm {
            return;
        }
        if steps {
            return self.astray(node, actions);
        }
        if lag && !is_idle {
            actions.push(Action::Minute);
        }
        if is_idle {
            // While a request is on its way our process waits: to change its goal then is the same later.
            actions.extend([Want::Forward, Want::Back].map(|want| Action::Restart(want, false)));
        }
    }

    /// What can go wrong between our process, its journal and Kafka.
    fn astray(&self, node: &Node, actions: &mut Vec<Action>) {
        let is_sent = matches!(node.doing, Some((_, Stage::Sent | Stage::Applied(_))));
        // Once it answered, or was heard of, it has nothing of ours any more that it could hold back.
        let hangs: &[bool] = if is_sent { &[false, true] } else { &[false] };
        if is_sent {
            actions.push(Action::TimeOut);
            actions.extend(hangs.iter().map(|hangs| Action::Lose(*hangs)));
        } else if node.doing.is_none() && (node.open.is_some() || node.wire.is_some()) {
            actions.push(Action::Minute);
        }
        if node.wire.is_some_and(|wire| wire.hangs) {
            actions.push(Action::Wake);
        }
        for want in [Want::Forward, Want::Back, Want::Sweep] {
            actions.extend(hangs.iter().map(|hangs| Action::Restart(want, *hangs)));
        }
    }
}
