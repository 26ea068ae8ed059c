//! Many runs from one form, and the same runs on a machine's own program.

use leptos::prelude::*;

use super::list::list;
use crate::page::parts::snippet::Snippet;
use kiln_run::export::Language;

const SEARCHES: [(&str, &str); 3] = [
    (
        "Grid",
        "Every value with every other: for few settings with few values.",
    ),
    (
        "Random",
        "As many runs as you say, drawn from the values: for several settings, of which few will \
         matter.",
    ),
    (
        "Halving",
        "Drawn too. All begin with few epochs; those with the lowest validation loss go on, and the \
         others stay where they are: for long runs.",
    ),
];

const COMMANDS: &str = "\
kiln train RUN.kiln.zip          # goes on with a run, on the CPU; --device names a GPU
kiln sweep rates.toml --out rates --run
kiln serve                       # this page, trained by this machine";

/// What a sweep is, and how its results are read.
pub fn show_sweep() -> AnyView {
    view! {
        <p>
            "A sweep trains one run for each choice of values, one after the other. In "
            <a href="#/sweep">"Sweep"</a>
            ", write beside each setting what it is to be: a list, such as "<code>"0.001, 0.01"</code>
            ", or a range, such as "<code>"0.0001 to 0.1 log in 4"</code>
            ". All other settings are as Train has them."
        </p>
        {list(SEARCHES)}
        <p>
            "Its runs have its name as a tag and are runs like any other. A run that fails comes last and stops nobody. "
            "After a reload press Go on with the sweep: what is done is not trained again. Two tabs never train one sweep."
        </p>
        <p>
            "In the chart each line is a run, from its settings on the left to its loss on the right. Lines of one colour that come from one place say that this value is good or bad by itself. "
            "Importance has a figure for each setting: at +1 more of it always meant a higher loss, at \u{2212}1 a lower one, and near 0 it made no difference that a rank can see."
        </p>
    }
    .into_any()
}

/// Where a run goes that outgrows the tab.
pub fn show_kiln() -> AnyView {
    view! {
        <p>
            "The program "<code>"kiln"</code>", built from the same source, takes a run's "<code>".kiln.zip"</code>
            " along to a workstation, to several, or to a cluster, and this page imports what comes of it with its whole history."
        </p>
        <div class="snippet">
            <Snippet language=Language::Shell text=COMMANDS.to_owned() />
        </div>
        <p>
            "With "<code>"kiln serve"</code>" the page trains in that program: open the address that it says, and Backend has This machine. Runs are kept in this browser, under that address: those of this one come along as .kiln.zip. "
            "When the program ends, the run goes on in the tab from its last checkpoint. The address holds a secret that lets whoever has it train on that machine: do not pass it on."
        </p>
    }
    .into_any()
}
