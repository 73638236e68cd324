//! A partition and what is asked of its controller.

use super::*;

/// One partition on six brokers.
pub(super) struct Case(pub State);

impl Case {
    pub fn new(version: &str, replicas: &[i32]) -> Case {
        let mut state = State::new(Rules::of(version).unwrap());
        for id in 1..=6 {
            let broker = BrokerId(id);
            let rack = Some(if id % 2 == 1 { "a" } else { "b" }.to_owned());
            apply(&mut state, Request::Register { broker, rack, host: format!("b{id}"), port: 9092 });
            apply(&mut state, Request::Unfence { broker });
        }
        let mut case = Case(state);
        case.create("t", vec![ids(replicas)]).unwrap();
        case
    }

    pub fn create(&mut self, name: &str, lists: Vec<Vec<BrokerId>>) -> Result<TopicId, Refusal> {
        let placement = Placement::Given(lists);
        let item = NewTopic { name: name.to_owned(), placement, configs: Configs::new() };
        match apply(&mut self.0, Request::CreateTopics { items: vec![item], validate_only: false }) {
            Response::Topics(mut outcomes) => outcomes.remove(0).1,
            other => panic!("{other:?}"),
        }
    }

    pub fn ask(&mut self, target: Option<&[i32]>, allow_rf_change: bool) -> Code {
        let items = vec![(at(), target.map(ids))];
        match apply(&mut self.0, Request::Alter { items, allow_rf_change }) {
            Response::Partitions(outcomes) => code(&outcomes[0].1),
            other => panic!("{other:?}"),
        }
    }

    pub fn submit(&mut self, target: &[i32]) -> Code {
        self.ask(Some(target), true)
    }

    pub fn cancel(&mut self) -> Code {
        self.ask(None, true)
    }

    pub fn elect(&mut self) -> Code {
        match apply(&mut self.0, Request::Elect { unclean: false, only: Some(vec![at()]) }) {
            Response::Partitions(outcomes) => code(&outcomes[0].1),
            other => panic!("{other:?}"),
        }
    }

    pub fn join(&mut self, brokers: &[i32]) -> Code {
        let mut last = Code::None;
        for broker in ids(brokers) {
            last = self.one(Request::Join { partition: at(), broker });
        }
        last
    }

    pub fn leave(&mut self, broker: i32) -> Code {
        self.one(Request::Leave { partition: at(), broker: BrokerId(broker) })
    }

    pub fn fence(&mut self, broker: i32) -> Code {
        self.one(Request::Fence { broker: BrokerId(broker) })
    }

    pub fn unfence(&mut self, broker: i32) -> Code {
        self.one(Request::Unfence { broker: BrokerId(broker) })
    }

    pub fn one(&mut self, request: Request) -> Code {
        match apply(&mut self.0, request) {
            Response::One(outcome) => code(&outcome),
            other => panic!("{other:?}"),
        }
    }

    pub fn part(&self) -> &Partition {
        self.0.partition("t", 0).unwrap()
    }

    /// `[replicas] i[isr] L leader`, and `+[adding] -[removing]` while in flight.
    pub fn shown(&self) -> String {
        let p = self.part();
        let list = |l: &[BrokerId]| restow_planner::model::replicas::show(l);
        let mut isr = p.isr.clone();
        isr.sort_unstable();
        let leader = p.leader.map_or_else(|| "-".to_owned(), |l| l.to_string());
        let mut text = format!("{} i{} L{leader}", list(&p.replicas), list(&isr));
        if p.in_flight() {
            text += &format!(" +{} -{}", list(&p.adding), list(&p.removing));
        }
        text
    }
}
