//! The time line: bytes over time as they are expected, with how sure that is, the stages and their gates.

use std::time::Duration;

use maud::{Markup, html};
use restow_planner::forecast::{Forecast, Side, Span};
use restow_planner::plan::{Pacing, Plan, Step};

use super::super::units;
use super::figure::{self, percent};
use super::{Outlook, Section, Subject};

/// Heights in pixels: of the place of bytes, of what stands above it, and of what stands below.
const PLOT: u64 = 210;
const TOP: u64 = 50;
const BOTTOM: u64 = 30;

/// The time that a plan takes, for the summary, and how sure that is.
pub fn in_short(subject: &Subject<'_>) -> (String, String) {
    let Some(outlook) = &subject.outlook else {
        return ("unknown".into(), "no throttle was given: see Time line".into());
    };
    match (outlook.throttle, outlook.told.total) {
        (None, _) => ("unknown".into(), "without a throttle".into()),
        (_, None) => {
            ("it never ends".into(), format!("at {}/s", units::bytes(outlook.throttle.unwrap_or(0))))
        }
        (Some(rate), Some(span)) => (
            time(span.likely),
            format!("{} at {}/s{}", between(&span), units::bytes(rate), waiting(subject.plan)),
        ),
    }
}

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let body = match &subject.outlook {
        None => html! {
            p { "How long it takes is not on this page: that needs a snapshot and a throttle. To have it:" }
            pre { code { "restow report " (subject.file) " --cluster cluster.json --throttle 50MB/s -o report.html" } }
        },
        Some(outlook) => expected(subject.plan, outlook),
    };
    Section { id: "time".into(), heading: "Time line".into(), body }
}

fn expected(plan: &Plan, outlook: &Outlook) -> Markup {
    let told = &outlook.told;
    html! {
        p { (words(plan, outlook)) }
        @if let (Some(span), true) = (told.total, told.curve.len() > 1) { (chart(plan, told, &span)) }
        @if told.total.is_some() && !told.stages.is_empty() { (stages(plan, told)) }
        @for note in notes(told) { p.note { (note) } }
    }
}

fn words(plan: &Plan, outlook: &Outlook) -> String {
    let told = &outlook.told;
    let Some(rate) = outlook.throttle else {
        return "Unknown: without a throttle copies take what they can get.".into();
    };
    let at = format!("At a throttle of {} per broker and direction", units::rate(rate));
    match told.total {
        Some(span) => {
            format!("{at} it takes {}, {}{}.", time(span.likely), between(&span), waiting(plan))
        }
        None => {
            let first = told.stuck.first().map(|first| format!(", among them {first}")).unwrap_or_default();
            format!(
                "{at} it never ends: {} never catch up{first}.",
                units::of(told.stuck.len() as u64, "partition")
            )
        }
    }
}

fn between(span: &Span) -> String {
    let high = span.high.map_or_else(|| "an unknown time".into(), time);
    format!("between {} and {high}", time(span.low))
}

fn waiting(plan: &Plan) -> &'static str {
    if plan.pacing == Pacing::Staged { ", waiting at gates not counted" } else { "" }
}

fn time(seconds: u64) -> String {
    units::time(Duration::from_secs(seconds))
}

fn notes(told: &Forecast) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(bound) = told.bound {
        let side = match bound.side {
            Side::Out => "sends",
            Side::In => "fetches",
        };
        let least = time(bound.milliseconds.div_ceil(1000));
        notes.push(format!(
            "No order of copies takes less than {least}: that is what broker {} {side}.",
            bound.broker
        ));
    }
    if told.unknown_rates > 0 {
        let partitions = units::of(told.unknown_rates, "partition");
        notes.push(format!(
            "Nobody measured what is written to {partitions}: counted as nothing (restow snapshot --sample 60s)."
        ));
    }
    if told.unknown_sizes > 0 {
        notes
            .push(format!("The size of {} is unknown: in no figure.", units::of(told.unknown_sizes, "copy")));
    }
    notes
}

fn stages(plan: &Plan, told: &Forecast) -> Markup {
    let is_staged = plan.pacing == Pacing::Staged;
    let waits = |step: Step| is_staged && step != Step::Expand;
    html! {
        div.box tabindex="0" role="region" aria-label="Time of each stage" {
            table {
                thead { tr {
                    th scope="col" { (if is_staged { "Stage" } else { "Step" }) }
                    th.n scope="col" { "Time" }
                    th scope="col" { "Before it" }
                } }
                tbody {
                    @for (step, seconds) in &told.stages {
                        tr {
                            th scope="row" { (step) }
                            td.n { (time(*seconds)) }
                            td.some { (if waits(*step) { "gate: for as long as a person takes" } else { "" }) }
                        }
                    }
                }
            }
        }
    }
}

/// When what is expected, in milliseconds.
struct Axis {
    /// The end of the chart.
    end: u64,
    /// The likely time over which a curve is stretched.
    likely: u64,
}

/// Bytes over time: a line as it is likely, a band between the earliest and the latest.
fn chart(plan: &Plan, told: &Forecast, span: &Span) -> Markup {
    let latest = span.high.unwrap_or(span.likely.saturating_add(span.likely / 2));
    let axis = Axis { end: latest.saturating_mul(1000).max(1), likely: span.likely.max(1) };
    let bytes = told.curve.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0).max(1);
    let description = format!("{} in {}, {}.", units::bytes(bytes), time(span.likely), between(span));
    let marks = html! {
        (grid(TOP, bytes, axis.end))
        (curves(told, span, latest, &axis, bytes))
        (gates(plan, told, &axis))
    };
    html! {
        figure.chart {
            (figure::legend(&[("line", "likely"), ("band", "between the earliest and the latest"), ("gate-line", "gates and the end")]))
            (figure::figure("time", &height(TOP), "Copied bytes over time", &description, &marks))
            figcaption {
                "Copied bytes over time. "
                @if span.high.is_none() { "Sizes are unknown, so that the latest end is unknown too: the band shows half as much again. " }
                @if plan.pacing == Pacing::Staged { "Time that people take at gates is not on the axis." }
            }
        }
    }
}

/// The height of a chart with so much above the place of bytes.
pub fn height(top: u64) -> String {
    (top + PLOT + BOTTOM).to_string()
}

/// Lines at round bytes and round times, with what they are.
pub fn grid(top: u64, bytes: u64, milliseconds: u64) -> Markup {
    let bottom = top + PLOT;
    html! {
        @for at in figure::ticks(bytes, 4) {
            @let y = bottom - (u128::from(at) * u128::from(PLOT) / u128::from(bytes)) as u64;
            line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
            @if at > 0 { text.soft.halo x="2" y=(y.saturating_sub(4)) { (units::bytes(at)) } }
        }
        line.axis x1="0" x2="100%" y1=(bottom) y2=(bottom) {}
        @for (at, name) in figure::times(milliseconds / 1000, 5) {
            @let x = percent(at * 1000, milliseconds);
            @let anchor = if at == 0 { "start" } else if at * 20 > milliseconds / 1000 * 19 { "end" } else { "middle" };
            line.axis x1=(x) x2=(x) y1=(bottom) y2=(bottom + 5) {}
            text.soft x=(x) y=(bottom + 20) text-anchor=(anchor) { (name) }
        }
    }
}

/// Lines over the place of bytes: it stretches, and what is drawn in it counts in 1/10,000 of both sides.
pub fn plot(top: u64, marks: &Markup) -> Markup {
    html! {
        svg x="0" y=(top) width="100%" height=(PLOT) viewBox="0 0 10000 10000" preserveAspectRatio="none" aria-hidden="true" {
            (marks)
        }
    }
}

/// A point in [`plot`].
pub fn point(at: u64, end: u64, bytes: u64, most: u64) -> String {
    let part = |n: u64, of: u64| u128::from(n.min(of)) * 10_000 / u128::from(of.max(1));
    format!("{},{}", part(at, end), 10_000 - part(bytes, most))
}

fn curves(told: &Forecast, span: &Span, latest: u64, axis: &Axis, most: u64) -> Markup {
    let stretched = |by: u64| {
        let at = move |at: u64| {
            u64::try_from(u128::from(at) * u128::from(by) / u128::from(axis.likely)).unwrap_or(axis.end)
        };
        told.curve.iter().map(move |(time, bytes)| point(at(*time), axis.end, *bytes, most))
    };
    let early: Vec<String> = stretched(span.low).collect();
    let mut late: Vec<String> = stretched(latest).collect();
    late.reverse();
    let band = [early, late].concat().join(" ");
    let likely = stretched(span.likely).collect::<Vec<_>>().join(" ");
    plot(
        TOP,
        &html! {
            polygon.mark.band points=(band) {}
            polyline.line points=(likely) {}
        },
    )
}

/// Where stages end, as marked lines: their names stand one above the other, since the last stages are short.
fn gates(plan: &Plan, told: &Forecast, axis: &Axis) -> Markup {
    let is_staged = plan.pacing == Pacing::Staged;
    let mut at = 0u64;
    let mut marks: Vec<(u64, String)> = Vec::new();
    for (number, (step, seconds)) in told.stages.iter().enumerate() {
        at = at.saturating_add(seconds.saturating_mul(1000));
        let next = told.stages.get(number + 1).map(|(next, _)| *next);
        let text = match next {
            Some(next) if is_staged => format!("{step} ends; gate before {next}"),
            Some(_) => format!("{step} ends"),
            None => "likely end".into(),
        };
        marks.push((at, text));
    }
    html! {
        @for (number, (at, text)) in marks.iter().enumerate() {
            @let (x, y) = (percent(*at, axis.end), 12 + 15 * number as u64);
            @let is_late = at.saturating_mul(2) > axis.end;
            line.gate-line x1=(x) x2=(x) y1=(y + 3) y2=(TOP + PLOT) {}
            text.halo x=(x) y=(y) text-anchor=(if is_late { "end" } else { "start" }) { (text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stay_in_the_plot() {
        assert_eq!(point(0, 10, 0, 10), "0,10000");
        assert_eq!(point(5, 10, 10, 10), "5000,0");
        assert_eq!(point(20, 10, 20, 10), "10000,0");
        assert_eq!(point(1, 0, 1, 0), "0,10000");
    }

    #[test]
    fn a_chart_of_hardly_anything_is_drawn() {
        let markup = grid(0, 1, 1).into_string();
        assert!(markup.contains("1 B") && markup.contains(">0<"), "{markup}");
    }
}
