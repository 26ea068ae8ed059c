//! However many compute a batch, the run is the same to the last bit.

use burn::tensor::Device;
use kiln_model::checkpoint::Snapshot;
use kiln_model::config::Config;
use kiln_model::event::Event;
use kiln_model::train::session::{ReadBack, Session};
use kiln_model::train::threads::Threads;

use crate::dataset;
use crate::session::SHORT;

/// 10 steps of 203 images, which are 13 shards in seven shares; the last shard has 11 images.
const CONFIG: Config = Config {
    training_images: 3_000,
    batch_size: 203,
    ..SHORT
};

/// The run by so many threads, or by one hand alone: what happened, and where it ended.
fn run(threads: Option<usize>) -> (Vec<Event>, Snapshot) {
    let mut session = Session::new(CONFIG, dataset(), Device::flex(), ReadBack::EveryStep).unwrap();
    if let Some(count) = threads {
        let split = dataset().split_for(&CONFIG);
        session.employ(Box::new(Threads::new(split, count)));
    }
    pollster::block_on(async {
        let mut events = Vec::new();
        while session.wants_step() {
            events.extend(session.advance().await.unwrap());
        }
        let (_, snapshot) = session.snapshot().await.unwrap();
        (events, snapshot.unwrap())
    })
}

/// What was found, without when.
fn figures(events: &[Event]) -> Vec<String> {
    let figure = |event: &Event| match event {
        Event::Step(_, trained) => Some(format!("{trained:?}")),
        Event::Epoch(_, quality) | Event::Validation(_, quality) => Some(format!("{quality:?}")),
        Event::Score(_, score) => Some(format!("{score:?}")),
        _ => None,
    };
    events.iter().filter_map(figure).collect()
}

#[test]
fn any_number_of_threads_trains_the_same_run() {
    let (alone, end) = run(None);
    assert_eq!(
        alone
            .iter()
            .filter(|event| matches!(event, Event::Step(..)))
            .count(),
        10
    );
    for count in [1, 2, 3, 8, 20] {
        let (events, snapshot) = run(Some(count));
        assert_eq!(figures(&events), figures(&alone), "{count} threads");
        assert_eq!(snapshot.weights, end.weights, "{count} threads");
        assert_eq!(snapshot.optimizer, end.optimizer, "{count} threads");
    }
}
