use super::*;
use crate::record::Record;
use crate::run::Status;
use crate::run::tests::scored_run;
use kiln_model::event::State;
use serde_json::json;

fn sweep(value: Value) -> Sweep {
    serde_json::from_value(value).unwrap()
}

fn values_of(sweep: &Sweep, key: &str) -> Vec<String> {
    let all = sweep.all().unwrap();
    let found = all
        .iter()
        .flat_map(|pairs| pairs.iter().filter(|(name, _)| name == key));
    found.map(|(_, value)| value.clone()).collect()
}

fn standing(epochs: u32, loss: f64, status: State) -> Standing {
    let mut record = Record::of(&scored_run());
    record.status = Status::Session(status);
    record.config.epochs = epochs;
    record.summary.best = Some(kiln_model::event::Quality {
        loss,
        accuracy: 0.5,
    });
    Standing {
        record: Some(record),
        refused: None,
    }
}

#[test]
fn a_grid_has_every_value_with_every_other() {
    let sweep = sweep(json!({
        "search": "grid",
        "settings": { "epochs": 2 },
        "vary": {
            "optimizer": ["adam", "sgd"],
            "learning_rate": { "from": 0.001, "to": 0.1, "scale": "log", "steps": 3 },
            "batch_size": { "from": 32, "to": 34, "steps": 9 },
        },
    }));
    let all = sweep.all().unwrap();
    assert_eq!(all.len(), 2 * 3 * 3);
    let (key, value) = &all[0][0];
    assert_eq!((key.as_str(), value.as_str()), ("epochs", "2"));
    let rates: BTreeSet<String> = values_of(&sweep, "learning_rate").into_iter().collect();
    assert_eq!(Vec::from_iter(rates), ["0.001", "0.01", "0.1"]);
    let sizes: BTreeSet<String> = values_of(&sweep, "batch_size").into_iter().collect();
    assert_eq!(Vec::from_iter(sizes), ["32", "33", "34"]);
    let different: BTreeSet<Pairs> = all.into_iter().collect();
    assert_eq!(different.len(), 18);
}

#[test]
fn draws_follow_from_the_seed_and_lie_within() {
    let drawn = |seed: u32| {
        sweep(json!({
            "search": "random", "runs": 200, "seed": seed,
            "vary": { "learning_rate": { "from": 0.0001, "to": 0.1, "scale": "log" } },
        }))
    };
    let rates = values_of(&drawn(1), "learning_rate");
    assert_eq!(rates, values_of(&drawn(1), "learning_rate"));
    assert_ne!(rates, values_of(&drawn(2), "learning_rate"));
    let rates: Vec<f64> = rates.iter().map(|rate| rate.parse().unwrap()).collect();
    assert!(rates.iter().all(|rate| (0.0001..=0.1).contains(rate)));
    // A third of a log scale over three decades lies below 0.001: of 200 draws 67, and 4 standard
    // deviations (6.7 each) to both sides.
    let below = rates.iter().filter(|rate| **rate < 0.001).count();
    assert!((40..=94).contains(&below), "{below}");
}

#[test]
fn what_cannot_be_says_what_and_why() {
    let said = |value: Value| sweep(value).all().unwrap_err().to_string();
    let both = json!({ "search": "grid", "settings": { "seed": 1 }, "vary": { "seed": [1, 2] } });
    assert!(said(both).starts_with("seed stands in [settings] and in [vary]"));
    let none = said(json!({ "search": "grid", "vary": {} }));
    assert!(none.starts_with("[vary] names no setting"), "{none}");
    let varied = |search: &str, values: Value| {
        said(json!({ "search": search, "vary": { "learning_rate": values } }))
    };
    assert_eq!(
        varied("grid", json!({ "from": 0.1, "to": 0.01, "steps": 3 })),
        "learning_rate in [vary]: from (0.1) must be less than to (0.01)."
    );
    assert!(varied("grid", json!({ "from": 0.01, "to": 0.1 })).contains("a grid needs steps"));
    assert!(varied("grid", json!({ "form": 0.01 })).contains("unknown field `form`"));
    assert!(varied("grid", json!([])).contains("has no values"));
    let wide = varied("grid", json!({ "from": 0.01, "to": 100, "steps": 3 }));
    assert!(wide.contains("Learning rate must be"), "{wide}");
    assert!(varied("random", json!([0.1])).contains("needs runs"));
    let few = said(json!({ "search": "random", "runs": 3, "vary": { "seed": [1, 2] } }));
    assert!(
        few.starts_with("There are only 2 different settings"),
        "{few}"
    );
    let unused = said(json!({ "search": "grid", "runs": 3, "vary": { "seed": [1, 2] } }));
    assert!(unused.starts_with("runs means nothing"), "{unused}");
    let steps = json!({ "from": 1, "to": 1000, "steps": 1000 });
    let many = said(json!({ "search": "grid", "vary": { "seed": steps, "patience": [1, 2] } }));
    assert!(many.contains("from 1 to 1000, not 2000"), "{many}");
}

#[test]
fn of_a_halving_the_best_go_on_and_a_failed_run_never() {
    let sweep = sweep(json!({
        "search": "halving", "runs": 6, "keep_one_of": 2, "vary": { "seed": [1, 2, 3, 4, 5, 6] },
    }));
    let rungs = sweep.rungs(6, 5);
    let expected = [(1, 6), (2, 3), (5, 1)].map(|(epochs, runs)| Rung { epochs, runs });
    assert_eq!(rungs, expected);

    let mut standings = vec![Standing::default(); 6];
    assert_eq!(
        sweep.now(&standings, &[5; 6]),
        Some((1, vec![0, 1, 2, 3, 4, 5]))
    );
    for (run, loss) in [0.6, 0.5, 0.4, 0.3, 0.2, 0.1].into_iter().enumerate() {
        standings[run] = standing(1, loss, State::Finished);
    }
    standings[5] = standing(1, 0.1, State::Failed);
    assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![2, 3, 4])));
    // Whoever goes on may be better by now; who is asked does not change.
    standings[2] = standing(2, 0.01, State::Finished);
    assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![3, 4])));
    // Of one that was interrupted the rest is left, to the same epoch.
    standings[3] = standing(2, 0.3, State::Running);
    assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![3, 4])));
    standings[3] = standing(2, 0.3, State::Finished);
    standings[4].refused = Some("damaged".to_owned());
    // In place of the one that cannot.
    assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![1])));
    standings[1] = standing(2, 0.2, State::Finished);
    assert_eq!(sweep.now(&standings, &[5; 6]), Some((5, vec![2])));
    standings[2] = standing(5, 0.005, State::Finished);
    assert_eq!(sweep.now(&standings, &[5; 6]), None);
}

#[test]
fn a_run_of_few_epochs_is_done_after_these() {
    let sweep = sweep(json!({ "search": "grid", "vary": { "epochs": [2, 4] } }));
    let mut standings = vec![standing(2, 0.5, State::Finished), Standing::default()];
    assert_eq!(sweep.now(&standings, &[2, 4]), Some((4, vec![1])));
    standings[1] = standing(4, 0.4, State::Finished);
    assert_eq!(sweep.now(&standings, &[2, 4]), None);
}

#[test]
fn a_halving_needs_epochs_to_halve() {
    let sweep = sweep(json!({
        "search": "halving", "runs": 2, "first_epochs": 5, "vary": { "seed": [1, 2] },
    }));
    let said = sweep.check_epochs(2, 5).unwrap_err().to_string();
    assert!(
        said.contains("after 5 epochs needs more epochs than that, not 5"),
        "{said}"
    );
    sweep.check_epochs(2, 6).unwrap();
}

#[test]
fn runs_that_all_fail_end_the_sweep() {
    let sweep = sweep(json!({ "search": "halving", "runs": 2, "vary": { "seed": [1, 2] } }));
    let failed = vec![standing(1, 0.1, State::Failed); 2];
    assert_eq!(sweep.now(&failed, &[9; 2]), None);
}
