//! Journal, then send (promises E1, E6).

use restow_client::write::{Answer, Write, route, send_to};
use restow_client::{Client, Code};
use restow_planner::model::BrokerId;

use super::RunError;
use crate::drive::{Moment, Request, View, Wrote};
use crate::journal::{ConfigKey, ItemResult, Journal, Memory, Record, Sent};

/// A request that was made.
#[derive(Debug)]
pub(super) struct Made {
    /// Whether all of it succeeded.
    pub ok: bool,
    /// What it was, in words.
    pub what: String,
}

/// One process's hands.
#[derive(Debug)]
pub(super) struct Hands<'a> {
    pub client: &'a Client,
    pub journal: &'a mut Journal,
    pub memory: &'a mut Memory,
}

impl Hands<'_> {
    /// Journals records and learns them.
    pub fn record(&mut self, records: &[Record]) -> Result<(), RunError> {
        if records.is_empty() {
            return Ok(());
        }
        self.journal.append(records)?;
        records.iter().for_each(|record| self.memory.learn(record));
        Ok(())
    }

    /// Journals and sends one request; `wrote` sees the answer before anything else can go wrong.
    pub async fn send(
        &mut self,
        request: &Request,
        view: &mut View,
        wall: u64,
        moment: impl Fn() -> Moment,
        wrote: &mut dyn FnMut(BrokerId, &Sent),
    ) -> Result<Made, RunError> {
        let broker = route(self.client, &request.write).await?;
        let seq = self.memory.next;
        let write = request.write.clone();
        self.record(&[Record::Asked { seq, time: wall, broker, write, moves: request.moves.clone() }])?;
        let sent = match send_to(self.client, broker, &request.write).await {
            Answer::Items(items) => Sent::Items(
                items.into_iter().map(|item| ItemResult { code: item.code, message: item.message }).collect(),
            ),
            Answer::NotSent(error) => Sent::NotSent(error.to_string()),
            Answer::Open(error) => Sent::Unknown(error.to_string()),
        };
        wrote(broker, &sent);
        self.record(&[Record::Answered { seq, sent: sent.clone() }])?;
        let ok = learn(request, &sent, view, moment());
        Ok(Made { ok, what: words(&request.write, broker, &sent) })
    }
}

/// Whether an error of an item means that what was wanted is so already.
fn is_fine(write: &Write, code: Code) -> bool {
    match write {
        Write::Elect { .. } => code == Code::ELECTION_NOT_NEEDED,
        Write::Reassign { .. } => code == Code::NO_REASSIGNMENT_IN_PROGRESS,
        Write::Configs { .. } => false,
    }
}

/// Remembers in the view what was written and what was refused; whether all of it succeeded.
fn learn(request: &Request, sent: &Sent, view: &mut View, now: Moment) -> bool {
    if let Write::Configs { items, .. } = &request.write {
        let is_done = |at: usize| match sent {
            Sent::Items(told) => told.get(at).is_some_and(|one| one.code.is_none()),
            _ => false,
        };
        view.wrote.extend(items.iter().enumerate().map(|(at, change)| {
            let done = is_done(at).then(|| change.op.clone());
            (ConfigKey::of(change), Wrote { at: now, done })
        }));
    }
    let Sent::Items(items) = sent else { return false };
    let mut ok = true;
    for (position, item) in items.iter().enumerate() {
        let failed = item.code.filter(|code| !is_fine(&request.write, *code));
        ok &= failed.is_none();
        let Some(at) = request.moves.get(position) else { continue };
        match failed {
            None => {
                view.submitted.insert(*at, now);
                view.refused.remove(at);
            }
            Some(code) => {
                let message = item.message.as_deref().filter(|m| !m.is_empty());
                let why = message.map_or(code.to_string(), |message| format!("{code}: {message}"));
                view.refused.insert(*at, (now, why));
            }
        }
    }
    ok
}

fn words(write: &Write, broker: BrokerId, sent: &Sent) -> String {
    let what = match write {
        Write::Reassign { items, .. } => {
            let cancels = items.iter().filter(|(_, list)| list.is_none()).count();
            match cancels {
                0 => format!("reassign {} partitions", items.len()),
                _ => format!("cancel the reassignment of {cancels} partitions"),
            }
        }
        Write::Elect { items } => format!("elect the preferred leaders of {} partitions", items.len()),
        Write::Configs { items, .. } => format!("change {} throttle configs", items.len()),
    };
    let how = match sent {
        Sent::NotSent(why) => format!(": not sent to broker {broker}: {why}"),
        Sent::Unknown(why) => format!(": no answer from broker {broker}: {why}"),
        Sent::Items(items) => {
            let failed: Vec<Code> =
                items.iter().filter_map(|i| i.code).filter(|c| !is_fine(write, *c)).collect();
            match failed.first() {
                None => String::new(),
                Some(first) => {
                    format!(": {} of {} refused, the first with {first}", failed.len(), items.len())
                }
            }
        }
    };
    what + &how
}
