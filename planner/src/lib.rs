//! Plans Kafka partition reassignments: pure, synchronous, deterministic. No network, clock or printing here.
//!
//! A **snapshot** is a [`model::Cluster`]: brokers, topics, and every partition in columns. [`file::snapshot`]
//! reads it from a file, [`generate`] makes one from a seed.
//!
//! An **intent** ([`plan::Intent`]) says what is asked. [`place::plan`] answers with a [`plan::Plan`], or with
//! everything that refuses it: typed, each with the flag that gets past it. A plan is a value: moves
//! `(from, to)`, from which every step follows ([`plan::moves`]), with bytes per broker before, at the peak and
//! after, and a certificate of its price.
//!
//! **Whoever checks did not choose**: [`check`] shares the model with [`place`] and nothing else, and judges
//! every list of every step. [`file::plan`] writes a plan sealed by a hash; [`schedule`] says which of its moves
//! may go at once, and [`forecast`] how long they take.
//!
//! ```
//! use restow_planner::model::watch::Unwatched;
//! use restow_planner::plan::{Intent, moves};
//! use restow_planner::{check, generate, place};
//!
//! // Six old brokers and six new ones over two zones.
//! let class = generate::Class::migrate(200, 6, 6);
//! let cluster = generate::cluster(&class, 7);
//! let (from, to) = generate::sources_and_destinations(&class);
//!
//! let intent = Intent::Migrate { from, to, topics: vec![], exclude: vec![], preserve_leaders: false };
//! let placed = place::plan(&cluster, &intent, &place::Options::default(), &mut Unwatched)?;
//! assert_eq!(placed.plan.moves.len(), 200);
//! assert!(placed.not_empty.is_empty(), "every old broker is empty at the end");
//!
//! // [1,4] -> [1,4,7,10] -> [7,10,1,4] -> [7,10]
//! let first = placed.plan.moves.get(0);
//! assert_eq!(moves::steps(first.from, first.to).len(), 3);
//!
//! assert!(check::judge(&placed.plan, &cluster, check::At::Start).accepted());
//! # Ok::<(), place::PlaceError>(())
//! ```
//!
//! `examples/plan_from_file.rs` does the same from a snapshot file.

pub mod check;
pub mod file;
pub mod forecast;
pub mod generate;
pub mod model;
pub mod place;
pub mod plan;
pub mod rule;
pub mod schedule;
pub mod whatif;
