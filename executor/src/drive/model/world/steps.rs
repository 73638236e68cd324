//! The steps, as the checker takes them.

use super::*;

impl Model for World {
    type State = Node;
    type Action = Action;

    fn init_states(&self) -> Vec<Node> {
        vec![self.start()]
    }

    fn actions(&self, node: &Node, actions: &mut Vec<Action>) {
        if node.broken.is_some() {
            return;
        }
        // What is decided, journalled or answered is changed by nobody: an adversary's step there is the same
        // a step later.
        let is_private = matches!(node.doing, Some((_, Stage::Decided | Stage::Asked | Stage::Applied(_))));
        if !is_private {
            self.adversary(node, actions);
        }
        self.ours(node, actions);
    }

    fn next_state(&self, before: &Node, action: Action) -> Option<Node> {
        let mut node = before.clone();
        let at = partition();
        match action {
            Action::Join(broker) => self.by_itself(&mut node, Request::Join { partition: at, broker })?,
            Action::Leave(broker) => self.by_itself(&mut node, Request::Leave { partition: at, broker })?,
            Action::Down(broker) => (node.kafka.down, node.kafka.fenced) = (Some(broker), false),
            Action::Fence => self.by_itself(&mut node, Request::Fence { broker: before.kafka.down? })?,
            Action::Up => {
                if before.kafka.fenced {
                    self.by_itself(&mut node, Request::Unfence { broker: before.kafka.down? })?;
                }
                node.kafka.down = None;
            }
            Action::Rebalance => {
                self.by_itself(&mut node, Request::Elect { unclean: false, only: Some(vec![at]) })?;
            }
            Action::Meddle(list) => {
                let mut list = self.lists.get(list as usize).unwrap_or(&self.shape.from).clone();
                if list == self.shape.from {
                    list.reverse();
                }
                node.foreign = Foreign::Flying;
                let request = Request::Alter { items: vec![(at, Some(list))], allow_rf_change: true };
                self.by_itself(&mut node, request)?;
            }
            Action::MeddleCancel => {
                node.foreign = Foreign::Done;
                self.by_itself(&mut node, Request::Alter { items: vec![(at, None)], allow_rf_change: true })?;
            }
            Action::Lag => {
                node.stale = Some(Box::new(Stale { kafka: node.kafka.clone(), is_old_epoch: false }));
            }
            Action::Look(eyes) => self.look(&mut node, eyes)?,
            Action::Journal => self.journal(&mut node),
            Action::Send => self.send(&mut node),
            Action::Land => self.land(&mut node)?,
            Action::Answer => self.answer(&mut node),
            Action::TimeOut => self.leave_open(&mut node, true, false),
            Action::Lose(hangs) => self.leave_open(&mut node, false, hangs),
            Action::Restart(want, hangs) => self.restart(&mut node, want, hangs),
            Action::Approve => node.approvals += 1,
            Action::Moment => (node.recent, node.stale) = (false, None),
            Action::Dwell => {
                (node.steady, node.recent, node.stale) = (Steady::Old, false, None);
                node.dwelt = self.scope.gates;
            }
            Action::Minute => self.minute(&mut node),
            Action::Wake => node.wire = node.wire.map(|wire| Wire { hangs: false, ..wire }),
        }
        (node != *before).then_some(node)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(PROMISES, |world: &World, node: &Node| world.broken(node).is_none())]
    }
}
