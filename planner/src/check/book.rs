//! The judge's book of brokers: those of the plan and those of the cluster, in one table.

use crate::model::{BrokerId, Cluster};
use crate::plan::Plan;

/// What is known of one broker.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Its id.
    pub id: BrokerId,
    /// Zone number; 0 where there is none.
    pub zone: u32,
    /// Zone name.
    pub zone_name: Option<&'a str>,
    /// Its `broker.rack`, by the plan.
    pub rack: Option<&'a str>,
    /// Whether the plan lists it.
    pub in_plan: bool,
    /// Its index in the cluster.
    pub at_cluster: Option<u16>,
    /// Bytes that it may hold at most.
    pub limit: Option<u64>,
    /// Whether the intent leaves it.
    pub source: bool,
    /// Whether the intent goes to it.
    pub destination: bool,
    /// Whether a person gave it up.
    pub given_up: bool,
    /// Whether nothing may come to it and nothing may leave it.
    pub pinned: bool,
}

impl<'a> Entry<'a> {
    fn new(id: BrokerId, zone_name: Option<&'a str>) -> Self {
        Entry {
            id,
            zone: 0,
            zone_name,
            rack: None,
            in_plan: false,
            at_cluster: None,
            limit: None,
            source: false,
            destination: false,
            given_up: false,
            pinned: false,
        }
    }
}

/// Brokers by id.
#[derive(Debug)]
pub(super) struct Book<'a> {
    pub entries: Vec<Entry<'a>>,
    /// Position in `entries` of each broker index of the cluster.
    pub of_cluster: Vec<u32>,
    /// Number of zones; 0 where brokers have none.
    pub zones: usize,
    /// Ids that stand twice among the plan's brokers.
    pub twice: Vec<BrokerId>,
}

impl<'a> Book<'a> {
    /// The book of a plan and perhaps a cluster. The plan's zones count; the cluster's for brokers that the
    /// plan does not know.
    pub fn of_plan(plan: &'a Plan, cluster: Option<&'a Cluster>) -> Self {
        let mut entries: Vec<Entry<'a>> = (plan.brokers.iter())
            .map(|broker| Entry {
                in_plan: true,
                rack: broker.rack.as_deref(),
                limit: broker.limit_bytes,
                pinned: broker.pinned,
                ..Entry::new(broker.id, broker.zone.as_deref())
            })
            .collect();
        entries.sort_by_key(|entry| entry.id);
        let twice =
            entries.windows(2).filter(|pair| pair[0].id == pair[1].id).map(|pair| pair[0].id).collect();
        entries.dedup_by_key(|entry| entry.id);
        let mut book = Book::finish(entries, cluster);
        book.twice = twice;
        let (from, to) = (plan.intent.sources(), plan.intent.destinations());
        for (list, mark) in [
            (from, (|entry| entry.source = true) as fn(&mut Entry<'a>)),
            (to, |entry| entry.destination = true),
            (&plan.given_up, |entry| entry.given_up = true),
        ] {
            for id in list {
                if let Some(at) = book.at(*id) {
                    mark(&mut book.entries[at as usize]);
                }
            }
        }
        book
    }

    /// The book of a cluster alone.
    pub fn of_cluster(cluster: &'a Cluster) -> Self {
        Book::finish(Vec::new(), Some(cluster))
    }

    fn finish(mut entries: Vec<Entry<'a>>, cluster: Option<&'a Cluster>) -> Self {
        let planned = entries.len();
        for (index, broker) in cluster.iter().flat_map(|cluster| cluster.brokers.iter().enumerate()) {
            let index = Some(index as u16);
            match entries[..planned].binary_search_by_key(&broker.id, |entry| entry.id) {
                Ok(at) => entries[at].at_cluster = index,
                Err(_) => {
                    entries
                        .push(Entry { at_cluster: index, ..Entry::new(broker.id, broker.zone.as_deref()) });
                }
            }
        }
        entries.sort_by_key(|entry| entry.id);
        // Zones that came with a broker after the plan are not the plan's.
        let counts = |entry: &&Entry<'a>| planned == 0 || entry.in_plan;
        let mut names: Vec<&str> =
            entries.iter().filter(counts).filter_map(|entry| entry.zone_name).collect();
        names.sort_unstable();
        names.dedup();
        for entry in &mut entries {
            let zone = entry.zone_name.and_then(|zone| names.binary_search(&zone).ok());
            entry.zone = zone.unwrap_or(0) as u32;
        }
        let zones = names.len();
        let mut book = Book { entries, of_cluster: Vec::new(), zones, twice: Vec::new() };
        book.of_cluster =
            cluster.iter().flat_map(|c| c.brokers.iter()).map(|b| book.at(b.id).unwrap_or(0)).collect();
        book
    }

    /// Position of a broker.
    pub fn at(&self, id: BrokerId) -> Option<u32> {
        self.entries.binary_search_by_key(&id, |entry| entry.id).ok().map(|at| at as u32)
    }

    /// A broker by its position.
    pub fn entry(&self, at: u32) -> &Entry<'a> {
        &self.entries[at as usize]
    }

    /// Zone number of a broker.
    pub fn zone(&self, at: u32) -> u32 {
        self.entries[at as usize].zone
    }

    /// By zone number: whether it is among these; any is where they are none.
    pub fn allowed(&self, zones: &[String]) -> Vec<bool> {
        let mut allowed = vec![zones.is_empty(); self.zones.max(1)];
        for entry in &self.entries {
            allowed[entry.zone as usize] |= zones.iter().any(|zone| Some(zone.as_str()) == entry.zone_name);
        }
        allowed
    }

    /// Id of a broker.
    pub fn id(&self, at: u32) -> BrokerId {
        self.entries[at as usize].id
    }

    /// A list as `[1,2,3]`.
    pub fn show(&self, list: &[u32]) -> String {
        let ids: Vec<BrokerId> = list.iter().map(|at| self.id(*at)).collect();
        crate::model::replicas::show(&ids)
    }

    /// A list with the zone of each, as `[1/az-a,2/az-b]`.
    pub fn show_zones(&self, list: &[u32]) -> String {
        let name = |at: &u32| format!("{}/{}", self.id(*at), self.entry(*at).zone_name.unwrap_or("-"));
        let items: Vec<String> = list.iter().map(name).collect();
        format!("[{}]", items.join(","))
    }
}
