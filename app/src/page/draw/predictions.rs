//! What each network says: ten probabilities and the answer.

use std::collections::HashMap;

use gloo::timers::callback::Timeout;
use kiln_model::spec::CLASSES;
use leptos::prelude::*;

use super::asker::Asker;
use super::networks::{Network, State};
use super::pad::Board;
use kiln_run::classes::Classes;
use kiln_run::format;
use kiln_run::protocol::{Answer, RunId};

/// Shortest time between two sentences of the live region.
const SAY_EVERY_MS: u32 = 1_000;

/// The probability of each class.
type Probabilities = [f32; CLASSES];

/// The likeliest class and its probability; none where the network gave no numbers.
fn likeliest(probabilities: &Probabilities) -> Option<(usize, f32)> {
    let all = probabilities.iter().copied().enumerate();
    all.filter(|(_, probability)| probability.is_finite())
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// A share as the bars show it.
fn percent(share: f32) -> String {
    if share.is_finite() {
        format!("{:.1}\u{2009}%", 100.0 * share)
    } else {
        format::NOTHING.to_owned()
    }
}

/// A card for each network.
#[component]
pub fn Predictions(board: Board, networks: Memo<Vec<Network>>, asker: Asker) -> AnyView {
    let answers = Memo::new(move |_| {
        asker.answered.with(|answered| match answered {
            Some(answered) => match &answered.answer {
                Ok(Answer::Probabilities(all)) => {
                    let runs = answered.runs.iter().copied();
                    runs.zip(all.iter().copied()).collect()
                }
                _ => HashMap::new(),
            },
            None => HashMap::new(),
        })
    });
    let ids = Memo::new(move |_| {
        networks.with(|networks| {
            networks
                .iter()
                .map(|network| network.id)
                .collect::<Vec<_>>()
        })
    });
    let card = move |id: RunId| {
        let network = Memo::new(move |_| {
            networks.with(|networks| networks.iter().find(|network| network.id == id).cloned())
        });
        let answer = Memo::new(move |_| answers.with(|answers| answers.get(&id).copied()));
        view! { <Card board network answer /> }
    };
    view! {
        <div class="cards">
            <For each=move || ids.get() key=|id| *id children=card />
        </div>
        <Spoken board networks answers />
    }
    .into_any()
}

#[component]
fn Card(
    board: Board,
    network: Memo<Option<Network>>,
    answer: Memo<Option<Probabilities>>,
) -> AnyView {
    let names = Memo::new(move |_| {
        let names = network.with(|network| Some(network.as_ref()?.classes.clone()));
        names.unwrap_or_default()
    });
    let name = move || network.with(|network| network.as_ref().map(|network| network.name.clone()));
    let style = move || {
        let colour = network.with(|network| network.as_ref().map(|network| network.colour));
        format!("--run:{}", colour.unwrap_or_default())
    };
    let which = move || {
        network.with(|network| match &network.as_ref()?.state {
            State::Reading => Some("Reading the weights.".to_owned()),
            State::Here(taken) => Some(taken.describe()),
            State::Absent(why) => Some((*why).to_owned()),
            State::Unreadable(error) => Some(format!("The weights could not be read: {error}.")),
        })
    };
    let is_here = Memo::new(move |_| {
        network.with(|network| {
            network
                .as_ref()
                .is_some_and(|network| network.taken().is_some())
        })
    });
    view! {
        <section class="card" prop:style=style aria-label=name>
            <h2><i class="dot" aria-hidden="true"></i>{name}</h2>
            <p class="muted">{which}</p>
            <Show when=move || is_here.get()>
                <Says board answer names />
                <Bars names name=Signal::derive(move || name().unwrap_or_default()) answer />
            </Show>
        </section>
    }
    .into_any()
}

/// The answer in large type; of a test image, whether it is right.
#[component]
fn Says(board: Board, answer: Memo<Option<Probabilities>>, names: Memo<Classes>) -> AnyView {
    let digit = Memo::new(move |_| answer.with(|answer| likeliest(answer.as_ref()?)));
    let text = move || {
        let (class, _) = digit.get()?;
        Some(names.with(|names| names.name(class).to_owned()))
    };
    let beside = move || match (answer.with(Option::is_some), digit.get()) {
        (true, None) => Some("These weights give no numbers.".to_owned()),
        (true, Some((digit, probability))) => Some(match board.untouched() {
            Some(image) if usize::from(image.label) == digit => {
                format!("{} sure, and right", percent(probability))
            }
            Some(image) => format!("{} sure, but it is {}", percent(probability), image.called),
            None => format!("{} sure", percent(probability)),
        }),
        (false, _) => None,
    };
    view! {
        <p class="says">
            <strong>{move || text().unwrap_or_else(|| format::NOTHING.to_owned())}</strong>
            <span class="muted">{beside}</span>
        </p>
    }
    .into_any()
}

#[component]
fn Bars(
    names: Memo<Classes>,
    #[prop(into)] name: Signal<String>,
    answer: Memo<Option<Probabilities>>,
) -> AnyView {
    let best = Memo::new(move |_| {
        let best = answer.with(|answer| likeliest(answer.as_ref()?));
        best.map(|(digit, _)| digit)
    });
    let row = move |digit: usize| {
        let share = move || answer.with(|answer| answer.as_ref().map(|answer| answer[digit]));
        let width = move || {
            let share = share().filter(|share| share.is_finite());
            format!("{}%", 100.0 * share.unwrap_or(0.0))
        };
        let exact = move || share().map(|share| share.to_string());
        view! {
            <tr class:best=move || best.get() == Some(digit)>
                <th scope="row">{move || names.with(|names| names.name(digit).to_owned())}</th>
                <td class="bar" aria-hidden="true"><i style:width=width></i></td>
                <td class="number">
                    <data value=exact>
                        {move || share().map_or_else(|| format::NOTHING.to_owned(), percent)}
                    </data>
                </td>
            </tr>
        }
    };
    view! {
        <table class="bars">
            <caption class="hidden">{move || format!("Probabilities from {}", name.get())}</caption>
            <tbody>{(0..CLASSES).map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// Says the answers to a screen reader, at most once a second and then the newest.
#[component]
fn Spoken(
    board: Board,
    networks: Memo<Vec<Network>>,
    answers: Memo<HashMap<RunId, Probabilities>>,
) -> AnyView {
    let said = RwSignal::new(String::new());
    let timer = StoredValue::new_local(None::<Timeout>);
    let say = move || {
        let image = untrack(|| board.untouched());
        let image = image.map(|image| format!("Test image {}, {}.", image.index, image.called));
        let all = networks.with_untracked(|networks| {
            answers.with_untracked(|answers| {
                let sentence = |network: &Network| {
                    let (digit, share) = likeliest(answers.get(&network.id)?)?;
                    let class = network.classes.name(digit);
                    Some(format!("{}: {class}, {}.", network.name, percent(share)))
                };
                networks.iter().filter_map(sentence).collect::<Vec<_>>()
            })
        });
        let image = image.filter(|_| !all.is_empty());
        let text = image.into_iter().chain(all).collect::<Vec<_>>().join(" ");
        if said.with_untracked(|said| *said != text) {
            said.set(text);
        }
    };
    Effect::new(move |_| {
        answers.track();
        timer.update_value(|waiting| {
            waiting.get_or_insert_with(|| {
                Timeout::new(SAY_EVERY_MS, move || {
                    timer.update_value(|waiting| *waiting = None);
                    say();
                })
            });
        });
    });
    on_cleanup(move || timer.dispose());
    view! { <p class="hidden" role="status">{said}</p> }.into_any()
}
