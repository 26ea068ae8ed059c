"""What Weights & Biases reads of STEM.wandb.zip: `wandb leet` shows it, and `wandb sync` uploads it to a
server that takes it as W&B's does."""

import json
import math
import os
import re
import subprocess
import zipfile
from datetime import datetime
from tempfile import TemporaryDirectory

import pexpect

from tracked import environment, need
from wandb_stub import Stub

ENDING = ".wandb.zip"
# By the run's status: what `wandb leet` calls it, and with which code it has ended.
STATES = {"finished": ("finished", 0), "stopped": ("finished", 0), "failed": ("failed", 1)}
# The run is open, or was interrupted: of a file that is not new that is a crash.
OTHER = ("crashed", None)


def check(run):
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(run.path(ENDING)) as archive:
            need(archive.testzip() is None, "a check sum of the zip archive is wrong")
            (name,) = archive.namelist()
            archive.extractall(folder)
        pattern = rf"offline-run-{run.start:%Y%m%d_%H%M%S}-([a-z0-9]+)/run-\1\.wandb"
        need(re.fullmatch(pattern, name), f"{name} is no name that W&B looks for")
        # As old as `unzip` makes it.
        os.utime(f"{folder}/{name}", (0, 0))
        records = inspected(f"{folder}/{name}", folder)
        read(run, records)
        state = inspected(f"{folder}/{name}", folder, "--summary")[0]
        need(state["exit_code"] == STATES.get(run.config["status"], OTHER)[1], "the exit code differs")
        need(state["state"] == STATES.get(run.config["status"], OTHER)[0], f"it is {state['state']}")
    print(f"wandb leet inspect: {len(records)} records, {state['state']}")
    with TemporaryDirectory() as folder:
        synced(run, run.unpacked(ENDING, folder), records)


def inspected(path, home, *more):
    command = ["wandb", "leet", "inspect", "--json", *more, path]
    asked = subprocess.run(command, env=environment(HOME=home), capture_output=True, text=True)
    need(asked.returncode == 0, f"wandb leet inspect: {asked.stderr}")
    return [json.loads(asked.stdout)] if more else list(map(json.loads, asked.stdout.splitlines()))


def is_same(found, expected):
    """Whether two figures are the very same number; W&B says some as texts."""
    found = float(found)
    return found == expected or math.isnan(found) and math.isnan(expected)


def read(run, records):
    kinds = [record["type"] for record in records]
    steps = len(run.moments)
    end = ["exit"] if run.config["status"] in STATES else []
    need(kinds == ["header", "run", *["history"] * steps, "summary", *end], f"records are {set(kinds)}")
    need([record["num"] for record in records] == list(range(1, len(kinds) + 1)), "numbers have gaps")
    about = records[1]["run"]
    need(about.get("display_name", "") == run.config["run"], f"it is called {about.get('display_name')}")
    need(about["project"] == "kiln", f"the project is {about['project']}")
    begun = datetime.fromisoformat(about["start_time"].replace("Z", "+00:00")).timestamp()
    need(begun == math.floor(run.start.timestamp()), f"it starts at {about['start_time']}")
    settings(run, about["config"]["update"])
    history(run, [record["history"] for record in records[2 : 2 + steps]])
    results(run, records[2 + steps]["summary"]["update"])


def settings(run, found):
    expected = dict(run.config["settings"])
    optimizer = dict(expected.pop("optimizer"))
    expected |= {"optimizer": optimizer.pop("name"), **optimizer}
    expected["parameters"] = run.config["network"]["parameters"]
    others = ["backend", "adapter", "data", "edits", "loss", "metric", "optimizer_constants", "steps_per_epoch"]
    expected |= {name: run.config[name] for name in others}
    need(found == expected, f"the settings are {found}, not {expected}")


def history(run, found):
    """`found`: the items of every step, as `wandb leet inspect` and as a server gets them."""
    figures = {step: {} for step in run.moments}
    for series, rows in run.series.items():
        for step, value, _ in rows:
            figures[step][series] = value
    count = 0
    for step, record in zip(sorted(figures), found, strict=True):
        items = dict(record.get("item", record))
        need(record.get("step", {}).get("num", step) == step, f"a record is of step {record}")
        epoch, images, elapsed = run.moments[step]
        expected = {**figures[step], "_step": step, "_runtime": elapsed, "epoch": epoch, "images": images}
        beyond = items.pop("_timestamp") - run.start.timestamp() - elapsed
        need(-1e-3 < beyond < 86_400, f"step {step} is at {beyond} s beyond the start")
        need(set(items) == set(expected), f"step {step} has {set(items)}, not {set(expected)}")
        for name, value in expected.items():
            need(is_same(items[name], value), f"{name} of step {step} is {items[name]}, not {value}")
        count += len(figures[step])
    need(count == sum(map(len, run.series.values())), "some figures are missing")


def results(run, found):
    for series, rows in run.series.items():
        need(is_same(found[series], rows[-1][1]), f"the last {series} is {found[series]}")
    validations = dict(zip(*[[value for _, value, _ in run.series.get(f"validation/{what}", [])]
                             for what in ("loss", "accuracy")]))
    losses = [loss for loss in validations if math.isfinite(loss)]
    if losses:
        best = min(losses)
        need(found["best_validation/loss"] == best, "the best validation differs")
        need(found["best_validation/accuracy"] == validations[best], "the best validation differs")
    for name in ("fingerprint", "status", "steps_done"):
        need(found.get(name) == run.config[name], f"{name} is {found.get(name)}")
    if test := run.config["results"]["test"]:
        need(found["test/correct"] == test["correct"], "the test score differs")
        need(found["test/accuracy"] == test["quality"]["accuracy"], "the test score differs")
    if run.moments:
        last = max(run.moments)
        need(found["_step"] == last, f"the summary is of step {found['_step']}, not {last}")


def synced(run, folder, records):
    """Runs the very lines that open the file, at a terminal: `wandb leet` draws until it is left."""
    stub = Stub()
    env = environment(HOME=str(folder), WANDB_BASE_URL=stub.url, WANDB_API_KEY="0" * 40, TERM="xterm-256color")
    lines = ["-ec", run.snippet(ENDING)]
    shell = pexpect.spawn("bash", lines, cwd=str(folder), env=env, dimensions=(50, 200),
                          encoding="utf-8", codec_errors="replace", timeout=60)
    try:
        if run.moments:
            shell.expect("train/loss|gradient_norm")
        shell.expect("kiln")
        shell.send("q")
        shell.expect("Finished syncing")
        shell.expect(pexpect.EOF)
        shell.close()
    except pexpect.ExceptionPexpect as error:
        need(False, f"the lines that open the file do not end as they should: {error}")
    finally:
        shell.close(force=True)
        stub.close()
    need(shell.exitstatus == 0, f"the lines that open the file end with {shell.exitstatus}")
    about = records[1]["run"]
    for sent, name in [("name", "run_id"), ("displayName", "display_name"), ("project", "project"),
                       ("notes", "notes"), ("tags", "tags")]:
        need(stub.run.get(sent) == about.get(name), f"{name} was sent as {stub.run.get(sent)}")
    config = {name: part["value"] for name, part in json.loads(stub.run["config"]).items()}
    config.pop("_wandb", None)
    settings(run, config)
    history(run, [stub.history[place] for place in sorted(stub.history)])
    results(run, stub.summary)
    # Whatever has no end is said to have failed.
    code = STATES.get(run.config["status"], (None, 1))[1]
    need(stub.exit_code == code, f"the run was sent with exit code {stub.exit_code}")
    print(f"wandb sync: {len(stub.history)} steps, settings and results, exit code {code}")
