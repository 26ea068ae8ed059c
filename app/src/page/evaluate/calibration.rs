//! Whether the network is right as often as it is sure.

use std::sync::Arc;

use kiln_model::evaluation::{BINS, Bin, Calibration};
use leptos::prelude::*;

use super::answers::Answers;
use kiln_run::evaluation::threshold::share;
use kiln_run::format;

/// The chart and the table of the bins.
#[component]
pub fn Calibrated(answers: Memo<Option<Arc<Answers>>>) -> AnyView {
    let calibration = Memo::new(move |_| {
        answers.with(|answers| {
            let answers = answers.as_ref()?;
            Some(Calibration::new(&answers.predictions))
        })
    });
    let error = move || {
        calibration.with(|calibration| {
            let error = calibration.as_ref()?.error?;
            Some(format!("ECE {error:.4}"))
        })
    };
    let bins = move || {
        calibration.with(|calibration| {
            calibration
                .as_ref()
                .map_or_else(Vec::new, |calibration| calibration.bins.to_vec())
        })
    };
    let bars = move || bins().iter().map(bar).collect_view();
    let rows = move || bins().iter().enumerate().map(row).collect_view();
    let summary = move || {
        format!(
            "Accuracy over confidence in {BINS} bins. {}: a perfectly honest network has 0.",
            error().unwrap_or_default()
        )
    };
    view! {
        <section class="panel half" aria-label="Calibration">
            <header>
                <h2>"Calibration"</h2>
                <p class="headline">{error}</p>
            </header>
            <p class="hint">
                "Bars: how often the answers of a confidence are right. Marks: how sure the network was. ECE is how far they are apart."
            </p>
            <div class="bins" role="img" aria-label=summary>{bars}</div>
            <div class="bins-axis" aria-hidden="true">
                <span>"0"</span>
                <span>"confidence"</span>
                <span>"1"</span>
            </div>
            <details class="what">
                <summary>"Table" <span class="hidden">" of calibration"</span></summary>
                <div class="scroll" tabindex="0" role="group" aria-label="Calibration">
                    <table>
                        <caption class="hidden">"Calibration"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Confidence"</th>
                                <th scope="col" class="number">"Images"</th>
                                <th scope="col" class="number">"Mean confidence"</th>
                                <th scope="col" class="number">"Right"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </section>
    }
    .into_any()
}

fn bar(bin: &Bin) -> AnyView {
    let percent = |share: f64| format!("{:.2}%", 100.0 * share);
    let accuracy = bin.accuracy.map(percent).unwrap_or_else(|| "0".to_owned());
    let mark = bin.confidence.map(|confidence| {
        let bottom = percent(confidence);
        view! { <i style:bottom=bottom></i> }
    });
    view! {
        <div class="bin" title=format!("{} images", format::count(bin.images.into()))>
            <b style:height=accuracy></b>
            {mark}
            <span>{(bin.images > 0).then(|| format::count(bin.images.into()))}</span>
        </div>
    }
    .into_any()
}

fn row((index, bin): (usize, &Bin)) -> AnyView {
    let edge = |index: usize| format!("{:.2}", index as f64 / BINS as f64);
    view! {
        <tr>
            <th scope="row">{format!("{}–{}", edge(index), edge(index + 1))}</th>
            <td class="number">{format::count(bin.images.into())}</td>
            <td class="number">{share(bin.confidence)}</td>
            <td class="number">{share(bin.accuracy)}</td>
        </tr>
    }
    .into_any()
}
