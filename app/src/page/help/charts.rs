//! What each chart shows, and how to read it.

use leptos::prelude::*;

use super::list::list;
use kiln_run::series::Subject;

/// The charts of Evaluate.
const EVALUATED: [(&str, &str); 4] = [
    (
        "Confusion matrix",
        "A row is a true digit, a column is what the network said. The diagonal is right. A strong \
         cell beside it is a common mistake: press it to see its images.",
    ),
    (
        "Precision–recall",
        "Every point of a curve is a threshold: recall goes across, precision up. The nearer to the \
         upper right corner, the better. Drag the threshold, and the point shows what it does.",
    ),
    (
        "ROC",
        "Every point of a curve is a threshold: false alarms go across, what was found goes up. The \
         nearer to the upper left corner, the better; the diagonal is guessing. Good networks differ \
         in that corner alone: press Zoom corner.",
    ),
    (
        "Calibration",
        "Answers are grouped by how sure the network was. A bar is how often those answers are \
         right, a mark how sure it was: a bar below its mark says that it was too sure. ECE is how \
         far they are apart on average; 0 is best.",
    ),
];

const fn meaning(subject: Subject) -> &'static str {
    match subject {
        Subject::Loss => {
            "How little the network expected the right answers: less is better, and guessing among \
             ten digits comes to 2.3. Where validation rises while training still falls, the \
             network learns its images by heart. Dropout is on in training alone, so validation may \
             be the better of the two."
        }
        Subject::Accuracy => {
            "The share of images that the network gets right; guessing among ten digits comes to \
             about 10 %. It moves in steps where loss moves smoothly: two runs of the same accuracy \
             may differ in loss."
        }
        Subject::Throughput => {
            "Training images a second. It says how fast this computer is, not how well the network \
             learns. It dips where the computer has something else to do."
        }
        Subject::LearningRate => {
            "How far each step changes the weights. Constant is a flat line; the other schedules \
             change it over the run. Where loss jumps about, try less; where it hardly falls, try \
             more."
        }
        Subject::GradientNorm => {
            "How steep the loss is at each step. It is noisy, because every batch has other images. \
             Where it shoots up and loss with it, the learning rate is probably too high."
        }
    }
}

/// The charts.
pub fn show() -> AnyView {
    let trained = Subject::ALL.map(|subject| (subject.title(), meaning(subject)));
    view! {
        <h3>"Train and Compare"</h3>
        {list(trained)}
        <p>
            "Strong training lines are smoothed; behind them, fainter, is what was measured. Drag across a chart to see a part of it."
        </p>
        <h3>"Evaluate"</h3>
        {list(EVALUATED)}
    }
    .into_any()
}
