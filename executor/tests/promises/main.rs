//! The promises E1 to E9, on simulated clusters: the real executor, the real protocol, virtual time.

mod lab;

mod crash;
mod disks;
mod forward;
mod guards;
mod incident;
mod others;
mod pipelined;
mod seeds;
