"""Optuna asks for settings, `kiln train --json` answers with what came of them.

Usage: python optuna_search.py BASE.config.json DIR TRIALS, with `kiln` on PATH and `pip install optuna`.
A trial that does worse than others did at the same epoch is ended early: Kiln keeps it, and says so.
"""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import optuna


def train(base: Path, folder: Path, trial: optuna.Trial) -> float:
    """Trains one run with the settings that Optuna suggests; its lowest validation loss."""
    settings = {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
    }
    config = folder / f"trial-{trial.number}.config.json"
    shutil.copy(base, config)
    command = ["kiln", "train", str(config), "--out", str(folder), "--json"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    best, is_pruned = float("inf"), False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as kiln:
        for line in kiln.stdout:
            told = json.loads(line)
            # A loss that is no number has none in JSON.
            if told["event"] == "validation" and told["loss"] is not None:
                best = min(best, told["loss"])
                trial.report(best, told["step"])
                if not is_pruned and trial.should_prune():
                    kiln.send_signal(signal.SIGTERM)
                    is_pruned = True
    if is_pruned:
        raise optuna.TrialPruned
    if kiln.returncode != 0 or best == float("inf"):
        # Optuna counts it as failed and goes on with the next.
        raise RuntimeError(f"{config.stem} did not get to its end")
    return best


def main() -> None:
    base, folder, trials = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    # A folder for each study: runs of an earlier one would be taken for this one's.
    folder.mkdir(parents=True)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    study.optimize(
        lambda trial: train(base, folder, trial), n_trials=trials, catch=(RuntimeError,)
    )
    print(json.dumps({"trial": study.best_trial.number, "loss": study.best_value, **study.best_params}))


if __name__ == "__main__":
    main()
