"""Prints what is in this folder: a run of Kiln.

Needs nothing but Python; where NumPy and safetensors are installed, the weights are read too.
"""

import csv
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def the(ending):
    """The file whose name ends so; nothing where the run has none."""
    found = sorted(FOLDER.glob(f"*{ending}"))
    return found[0] if found else None


def config():
    """Settings and results."""
    return json.loads(the(".config.json").read_text(encoding="utf-8"))


def measurements():
    """Every measurement: for each series a list of (step, value)."""
    series = {}
    wide = the("-wide.csv")
    table = [path for path in sorted(FOLDER.glob("*.csv"))
             if path != wide and not path.name.endswith(".predictions.csv")][0]
    with open(table, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            series.setdefault(row["series"], []).append((int(row["step"]), float(row["value"])))
    return series


def weights():
    """The weights as arrays by name; nothing where the run has none or no reader is installed."""
    file = the(".safetensors")
    if file is None:
        return {}
    try:
        from safetensors.numpy import load_file
    except ImportError:
        return {}
    return load_file(str(file))


if __name__ == "__main__":
    run = config()
    print(run["run"], "·", run["status"], "·", run["steps_done"], "steps")
    for name, points in measurements().items():
        step, value = points[-1]
        print(f"{name:24} {len(points):8} values, the last {value:.6g} at step {step}")
    for name, array in weights().items():
        print(f"{name:24} {array.shape}")
