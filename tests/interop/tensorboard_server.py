"""Runs the lines that open STEM.tensorboard.zip, and asks the server what its pages ask it."""

import json
import math
import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from tempfile import TemporaryDirectory

from tracked import environment, need

METRICS = {
    ("test", "accuracy"): "test/accuracy", ("test", "loss"): "test/loss",
    ("validation", "accuracy"): "validation/accuracy", ("validation", "loss"): "validation/loss",
    ("train", "epoch_accuracy"): "train/epoch_accuracy", ("train", "epoch_loss"): "train/epoch_loss",
    ("train", "images_per_s"): "images_per_s",
}


def check(run, ending, places):
    with TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        run.unpacked(ending, folder)
        # The very lines; only the port is another, so that several servers do not meet.
        shim = f"tensorboard() {{ command tensorboard \"$@\" --port {port}; }}\n"
        lines = ["bash", "-ec", shim + run.snippet(ending)]
        server = subprocess.Popen(lines, cwd=folder, env=environment(), start_new_session=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            ask = asker(f"http://127.0.0.1:{port}/data", server)
            answers(run, ask, places)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def asker(url, server):
    def ask(path, body=None, **query):
        query = urllib.parse.urlencode(query)
        body = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{url}/{path}?{query}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    for _ in range(120):
        need(server.poll() is None, "the lines that open the file ended")
        try:
            if ask("runs"):
                return ask
        except OSError:
            pass
        time.sleep(0.5)
    need(False, "TensorBoard shows no run")


def answers(run, ask, places):
    # The lines may show the run among others, by its name.
    places = {(f"{run.stem}/{folder}", tag): series for (folder, tag), series in places.items()}
    splits = {f"{run.stem}/{split}": split for split in run.answers}
    folders = {folder for folder, _ in places} | set(splits) | {run.stem}
    for _ in range(60):
        tags = ask("plugin/scalars/tags")
        found = {(folder, tag) for folder, tags in tags.items() for tag in tags}
        # It reads one folder after another.
        if found == set(places) and folders <= set(ask("runs")):
            break
        time.sleep(0.5)
    need(found == set(places), f"the server's scalars are {found}")
    for (folder, tag), series in places.items():
        rows = run.series[series]
        shown = ask("plugin/scalars/scalars", run=folder, tag=tag)
        steps = {step: value for step, value, _ in rows}
        need(len(shown) == min(len(rows), 1_000), f"the server shows {len(shown)} of {series}")
        need(all(step in steps for _, step, _ in shown), f"the server shows other steps of {series}")
    for plugin, count in [("pr_curves", 10), ("images", 1)]:
        tags = ask(f"plugin/{plugin}/tags")
        counts = {folder: len(tags) for folder, tags in tags.items() if tags}
        need(counts == dict.fromkeys(splits, count), f"the server has {plugin} {counts}")
    for folder, split in splits.items():
        (curve,) = ask("plugin/pr_curves/pr_curves", run=folder, tag="pr_curve/class_3")[folder]
        most = max(shares[3] for _, _, shares in run.answers[split])
        # Thresholds that nothing reaches are not shown.
        reached = sum(threshold / 200 <= most for threshold in range(201))
        need(len(curve["precision"]) == reached, f"a curve of {split} is cut")
        need(curve["step"] == run.answered_at[split], f"a curve of {split} is of another step")
    histogram = ask("plugin/histograms/histograms", run=f"{run.stem}/train", tag="weights/fc.weight")
    need(sum(bucket[2] for bucket in histogram[0][2]) == 16_000, "a histogram is not of all weights")
    results(run, ask)
    print(f"the lines that open it start a server, which shows {len(places)} series in {len(folders)} runs")


def results(run, ask):
    everything = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    asked = {"experimentName": "", "allowedStatuses": everything, "startIndex": 0, "sliceSize": 9,
             "colParams": [{"metric": {"group": group, "tag": tag}} for group, tag in METRICS]}
    ask("plugin/hparams/experiment", {"experimentName": ""})
    (group,) = ask("plugin/hparams/session_groups", asked)["sessionGroups"]
    need(group["name"] == (run.config["run"] or run.stem), f"the run is called {group['name']}")
    need(group["hparams"]["batch_size"] == run.config["settings"]["batch_size"], "settings differ")
    shown = {(value["name"].get("group"), value["name"]["tag"]): value["value"]
             for value in group.get("metricValues", [])}
    expected = {name: run.series[series][-1][1] for name, series in METRICS.items() if series in run.series}
    need(set(shown) == set(expected), f"the server's results are {shown}")
    for name, value in expected.items():
        # JSON has no NaN, and the server says it as a text.
        is_same = math.isclose(float(shown[name]), value, rel_tol=1e-6)
        is_same |= math.isnan(float(shown[name])) and math.isnan(value)
        need(is_same, f"{name} is {shown[name]}, not {value}")
    print(f"hparams of the server: {len(group['hparams'])} settings, {len(shown)} results")
