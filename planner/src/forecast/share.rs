//! Max–min fair rates: streams share what their two ports have.

/// A stream from one port to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    /// Index of the sending broker.
    pub from: usize,
    /// Index of the fetching broker.
    pub to: usize,
    /// Bytes/s that it can take at most.
    pub ceiling: f64,
}

/// Ports whose shares differ by less are filled together: it saves rounds.
const CLOSE: f64 = 1.002;

/// What is left of the ports in one direction.
struct Ports {
    room: Vec<f64>,
    streams: Vec<u32>,
}

impl Ports {
    fn share(&self, port: usize) -> f64 {
        if self.streams[port] == 0 { f64::INFINITY } else { self.room[port] / f64::from(self.streams[port]) }
    }

    fn take(&mut self, port: usize, rate: f64) {
        self.room[port] = (self.room[port] - rate).max(0.0);
        self.streams[port] -= 1;
    }

    fn least(&self) -> f64 {
        (0..self.room.len()).map(|port| self.share(port)).fold(f64::INFINITY, f64::min)
    }
}

/// The rate of each stream, bytes/s, where ports can send `out` and fetch `into`.
pub(super) fn share(streams: &[Stream], out: &[f64], into: &[f64], rates: &mut Vec<f64>) {
    rates.clear();
    rates.resize(streams.len(), 0.0);
    let mut out = Ports { room: out.to_vec(), streams: vec![0; out.len()] };
    let mut into = Ports { room: into.to_vec(), streams: vec![0; into.len()] };
    for stream in streams {
        out.streams[stream.from] += 1;
        into.streams[stream.to] += 1;
    }
    let mut open: Vec<usize> = (0..streams.len()).collect();
    while !open.is_empty() {
        let slowest = open.iter().map(|n| streams[*n].ceiling).fold(f64::INFINITY, f64::min);
        let level = out.least().min(into.least()).min(slowest) * CLOSE;
        let before = open.len();
        // Shares of this round: those of later ones are never less.
        let (outs, intos): (Vec<f64>, Vec<f64>) =
            (0..out.room.len()).map(|port| (out.share(port), into.share(port))).unzip();
        open.retain(|n| {
            let stream = &streams[*n];
            let rate = outs[stream.from].min(intos[stream.to]).min(stream.ceiling);
            if rate > level {
                return true;
            }
            rates[*n] = rate;
            out.take(stream.from, rate);
            into.take(stream.to, rate);
            false
        });
        // With level 0 times anything, or rounding, at least the least is fixed; this only guards the loop.
        if open.len() == before {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(streams: &[(usize, usize, f64)], out: &[f64], into: &[f64]) -> Vec<u64> {
        let streams: Vec<Stream> = streams
            .iter()
            .map(|(from, to, ceiling)| Stream { from: *from, to: *to, ceiling: *ceiling })
            .collect();
        let mut rates = Vec::new();
        share(&streams, out, into, &mut rates);
        rates.into_iter().map(|rate| rate.round() as u64).collect()
    }

    #[test]
    fn what_one_cannot_take_the_others_get() {
        let none = f64::INFINITY;
        assert_eq!(rates(&[(0, 1, none), (0, 2, none)], &[100.0; 3], &[100.0; 3]), [50, 50]);
        assert_eq!(rates(&[(0, 1, 10.0), (0, 2, none)], &[100.0; 3], &[100.0; 3]), [10, 90]);
        // 0 sends to 2 alone and to 1, where a second stream from 2 comes in.
        let streams = [(0, 2, none), (0, 1, none), (2, 1, none)];
        assert_eq!(rates(&streams, &[100.0; 3], &[100.0, 60.0, 100.0]), [70, 30, 30]);
        assert_eq!(rates(&[(0, 1, none)], &[0.0; 2], &[100.0; 2]), [0], "nothing is left of the port");
    }
}
