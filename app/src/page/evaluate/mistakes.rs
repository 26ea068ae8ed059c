//! The wrong answers that the network was surest of.

use std::sync::Arc;

use kiln_model::evaluation::confident_mistakes;
use leptos::prelude::*;

use super::answers::Answers;
use super::gallery::{Gallery, Images, Item};
use super::look::Look;

/// Their images, the surest first.
#[component]
pub fn Mistakes(look: Look, answers: Memo<Option<Arc<Answers>>>) -> AnyView {
    let names = look.classes();
    let images = Memo::new(move |_| {
        answers.with(|answers| {
            let answers = answers.as_ref()?;
            let mistakes = confident_mistakes(&answers.predictions);
            Some(Images {
                config: answers.config,
                part: answers.part,
                classes: names.get(),
                items: mistakes
                    .into_iter()
                    .map(|mistake| Item {
                        index: mistake.image,
                        label: mistake.label,
                        answer: mistake.answer,
                        confidence: mistake.confidence,
                    })
                    .collect(),
            })
        })
    });
    let trainer = look.trainer;
    let shown = move || {
        let images = images.get()?;
        Some(if images.items.is_empty() {
            view! { <p class="hint">"There is none: every answer is right."</p> }.into_any()
        } else {
            view! { <Gallery trainer images=Signal::stored(images) /> }.into_any()
        })
    };
    view! {
        <section class="panel half" aria-label="Confident mistakes">
            <h2>"Confident mistakes"</h2>
            <p class="hint">"Wrong answers that the network was surest of, with what it took them for and how sure it was."</p>
            {shown}
        </section>
    }
    .into_any()
}
