//! Whole runs.

use burn::tensor::Device;
use kiln_model::config::Config;
use kiln_model::event::Event;
use kiln_model::optimizer::Optimizer;
use kiln_model::train::session::{ReadBack, Session};

use crate::{SEED, dataset, device};

/// Losses of 20 steps differ by so much at most. A step's gradients differ by some 1e-6 of their
/// largest; Adam and `RMSprop` divide by √v, so that one near zero can become a whole step of the
/// rate, 0.001.
const LOSS_TOLERANCE: f64 = 2e-3;

fn config(optimizer: Optimizer) -> Config {
    Config {
        epochs: 1,
        batch_size: 32,
        training_images: 1_000,
        optimizer,
        seed: SEED,
        ..Config::default()
    }
}

fn session(config: Config, device: Device) -> Session {
    Session::new(config, dataset(), device, ReadBack::EveryStep).unwrap()
}

/// The losses of the next so many steps, whatever is validated between them.
fn losses(session: &mut Session, steps: usize) -> Vec<f64> {
    let mut losses = Vec::new();
    while losses.len() < steps {
        let events = pollster::block_on(session.advance()).unwrap();
        losses.extend(events.into_iter().filter_map(|event| match event {
            Event::Step(_, trained) => Some(trained.quality.loss),
            _ => None,
        }));
    }
    losses
}

#[test]
fn twenty_steps_are_the_cpus() {
    for optimizer in Optimizer::ALL {
        let config = config(optimizer);
        let expected = losses(&mut session(config, Device::flex()), 20);
        let found = losses(&mut session(config, device()), 20);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= LOSS_TOLERANCE,
                "{optimizer:?}: {found:?} instead of {expected:?}"
            );
        }
        assert!(found[19] < found[0], "{optimizer:?}: {found:?}");
    }
}

#[test]
fn a_run_goes_on_as_if_it_had_never_stopped() {
    for optimizer in Optimizer::ALL {
        let mut whole = session(config(optimizer), device());
        losses(&mut whole, 4);
        let (_, snapshot) = pollster::block_on(whole.snapshot()).unwrap();
        let mut resumed =
            Session::resume(snapshot.unwrap(), dataset(), device(), ReadBack::EveryStep).unwrap();
        assert_eq!(losses(&mut whole, 4), losses(&mut resumed, 4));
        let last = |session: &mut Session| {
            let (_, snapshot) = pollster::block_on(session.snapshot()).unwrap();
            snapshot.map(|snapshot| (snapshot.weights, snapshot.optimizer))
        };
        assert_eq!(last(&mut whole), last(&mut resumed));
    }
}
