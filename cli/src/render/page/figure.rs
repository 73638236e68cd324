//! What figures are drawn with. Widths are percentages, so that a figure fits any page while its text keeps its size;
//! heights are pixels. What a colour tells, a pattern, a shape or a word tells too.

use maud::{Markup, html};

use super::super::units;

/// A part of a whole as a length: `12.5%`.
pub fn percent(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    format!("{}%", units::decimal(u128::from(part).min(whole) * 100, whole, 3))
}

/// A figure of this height, with a name and a description for those who cannot see it.
pub fn figure(class: &str, height: &str, title: &str, description: &str, marks: &Markup) -> Markup {
    html! {
        svg class=(class) width="100%" height=(height) role="img" {
            title { (title) }
            desc { (description) }
            (marks)
        }
    }
}

/// A bar from the left edge.
pub fn bar(class: &str, length: u64, whole: u64, y: &str, height: &str) -> Markup {
    span(class, 0, length, whole, y, height)
}

/// A bar that begins further right. Nothing is drawn of nothing; of something at least a hair is.
pub fn span(class: &str, from: u64, length: u64, whole: u64, y: &str, height: &str) -> Markup {
    let (x, width) = (percent(from, whole), percent(length, whole));
    html! { @if length > 0 { rect class={ "mark " (class) } x=(x) y=(y) width=(width) height=(height) {} } }
}

/// What a broker or a zone holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holding {
    /// Bytes at the start.
    pub before: u64,
    /// Bytes at most.
    pub peak: u64,
    /// Bytes at the end.
    pub after: u64,
    /// Bytes that fit; `None` where unknown.
    pub limit: Option<u64>,
}

impl Holding {
    /// How full it gets, in 1/1,000 of what fits.
    pub fn fullness(&self) -> Option<u128> {
        self.limit.map(|limit| u128::from(self.peak) * 1000 / u128::from(limit.max(1)))
    }

    /// How full it gets, in words.
    pub fn full(&self) -> String {
        match self.fullness() {
            Some(part) if part > 1000 => format!("{} %: over", part.div_ceil(10)),
            Some(part) => format!("{} %", part.div_ceil(10)),
            None => "unknown".into(),
        }
    }

    fn most(&self) -> u64 {
        self.before.max(self.peak).max(self.after)
    }
}

/// The length of a full bar for these: the limits too, unless what is held would hardly be seen beside them.
pub fn scale(holdings: impl Iterator<Item = Holding> + Clone) -> u64 {
    let most = holdings.clone().map(|holding| holding.most()).max().unwrap_or(0);
    let limit = holdings.filter_map(|holding| holding.limit).max().unwrap_or(0);
    if limit / 4 <= most { most.max(limit) } else { most }
}

/// Before (hatched), after (solid) and the peak (an open box around both) on one scale, with a post at the limit.
pub fn holding(name: &str, holding: &Holding, scale: u64) -> Markup {
    let Holding { before, peak, after, limit } = *holding;
    let told = format!(
        "before {}, at the peak {}, after {}, limit {}",
        units::bytes(before),
        units::bytes(peak),
        units::bytes(after),
        limit.map_or_else(|| "unknown".into(), units::bytes)
    );
    let box_of_peak = bar("peak", peak, scale, "1", "22");
    figure("glyph", "24", name, &told, &html! { (box_of_peak) (pair([before, after], limit, scale)) })
}

/// Before (hatched) and after (solid) on one scale, with a post at the limit: 24 pixels high.
pub fn pair([before, after]: [u64; 2], limit: Option<u64>, scale: u64) -> Markup {
    html! {
        (bar("old", before, scale, "4", "7"))
        (bar("new", after, scale, "13", "7"))
        @if let Some(limit) = limit.filter(|limit| *limit <= scale) {
            @let x = percent(limit, scale);
            line.limit x1=(x) x2=(x) y1="0" y2="24" {}
        }
    }
}

/// Patterns, once for the page.
pub fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.ground width="5" height="5" {}
                    line.stroke x1="0" y1="0" x2="0" y2="5" {}
                }
            }
        }
    }
}

/// Keys of a figure: the class of a mark, and what it stands for.
pub fn legend(keys: &[(&str, &str)]) -> Markup {
    html! {
        ul.legend {
            @for (class, what) in keys {
                li {
                    svg width="22" height="12" aria-hidden="true" {
                        @if *class == "limit" {
                            line.limit x1="11" x2="11" y1="0" y2="12" {}
                        } @else if class.starts_with("line") || class.ends_with("-line") {
                            line class=(class) x1="0" x2="22" y1="6" y2="6" {}
                        } @else {
                            rect class={ "mark " (class) } x="1" y="1" width="20" height="10" {}
                        }
                    }
                    (what)
                }
            }
        }
    }
}

/// Round numbers from 0 up to `most`: at most `count` above 0, in steps of 1, 2 or 5 times a power of ten.
pub fn ticks(most: u64, count: u64) -> Vec<u64> {
    let mut step = 1u64;
    'found: while most / step > count {
        for factor in [2, 5, 10] {
            let Some(next) = step.checked_mul(factor) else { break 'found };
            if most / next <= count {
                step = next;
                break 'found;
            }
        }
        step = step.saturating_mul(10);
    }
    (0..=most / step).map(|n| n * step).collect()
}

/// Round times in seconds from 0 up to `most`, at most `count` above 0, with what they are called.
pub fn times(most: u64, count: u64) -> Vec<(u64, String)> {
    const STEPS: [u64; 18] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
    let fitting = STEPS.into_iter().find(|step| most / step <= count);
    let days = |seconds: u64| ticks(seconds / 86_400, count).get(1).copied().unwrap_or(1) * 86_400;
    let step = fitting.unwrap_or_else(|| days(most));
    (0..=most / step).map(|n| (n * step, clock(n * step))).collect()
}

fn clock(seconds: u64) -> String {
    match seconds {
        0 => "0".into(),
        s if s.is_multiple_of(86_400) => format!("{} d", s / 86_400),
        s if s.is_multiple_of(3600) => format!("{} h", s / 3600),
        s if s > 3600 => format!("{}:{:02} h", s / 3600, s % 3600 / 60),
        s if s.is_multiple_of(60) => format!("{} min", s / 60),
        s if s > 60 => format!("{}:{:02} min", s / 60, s % 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_parts_of_a_whole() {
        assert_eq!(percent(1, 8), "12.5%");
        assert_eq!((percent(0, 0), percent(7, 5)), ("0%".into(), "100%".into()));
        assert_eq!(percent(u64::MAX, u64::MAX), "100%");
    }

    #[test]
    fn limits_far_away_do_not_flatten_the_bars() {
        let one = |limit| Holding { before: 10, peak: 20, after: 15, limit };
        assert_eq!(scale([one(Some(80))].into_iter()), 80);
        assert_eq!(scale([one(Some(84))].into_iter()), 20);
        assert_eq!(scale([one(None)].into_iter()), 20);
        assert_eq!(scale(std::iter::empty()), 0);
    }

    #[test]
    fn fullness_is_of_the_peak() {
        let one = |limit| Holding { before: 10, peak: 20, after: 15, limit }.full();
        assert_eq!(
            (one(Some(80)), one(Some(19)), one(None)),
            ("25 %".into(), "106 %: over".into(), "unknown".into())
        );
        assert_eq!(one(Some(0)), "2000 %: over");
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0, 4), [0]);
        assert_eq!(ticks(3, 4), [0, 1, 2, 3]);
        assert_eq!(ticks(10, 4), [0, 5, 10]);
        assert_eq!(ticks(1_234, 4), [0, 500, 1000]);
        assert!(ticks(u64::MAX, 4).len() <= 5);
    }

    #[test]
    fn times_are_round_and_few() {
        let names = |most| times(most, 5).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(4), ["0", "1 s", "2 s", "3 s", "4 s"]);
        assert_eq!(names(900), ["0", "5 min", "10 min", "15 min"]);
        assert_eq!(names(9000), ["0", "30 min", "1 h", "1:30 h", "2 h", "2:30 h"]);
        assert_eq!(names(86_400 * 30), ["0", "10 d", "20 d", "30 d"]);
        assert!(times(u64::MAX, 5).len() <= 6);
    }
}
