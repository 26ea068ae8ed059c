"""A run as its plain files say it: what the files of the trackers are held against."""

import csv
import json
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path


def need(is_so, message):
    """Ends the script where something is not as it must be."""
    if not is_so:
        sys.exit(f"WRONG: {message}")


class Run:
    """`series`: (step, value, elapsed seconds) of every measurement, by series. `moments`: epoch, images
    and elapsed seconds when the first thing of a step was measured, by step. `config`: settings and
    results. `start`: when it was started, 1970 where that is not known. `answers`: label, answer and
    ten probabilities of every image, by split, and `answered_at` the step of each split."""

    def __init__(self, folder, stem):
        self.folder, self.stem = folder, stem
        self.series, self.moments = {}, {}
        for row in self.rows(".csv"):
            step, elapsed = int(row["step"]), float(row["elapsed_s"])
            self.series.setdefault(row["series"], []).append((step, float(row["value"]), elapsed))
            self.moments.setdefault(step, (float(row["epoch"]), int(row["images"]), elapsed))
        self.config = json.loads(self.path(".config.json").read_text("utf-8"))
        started = self.config["started_at"].replace("Z", "+00:00") or "1970-01-01T00:00:00+00:00"
        self.start = datetime.fromisoformat(started)
        self.answers, self.answered_at = {}, {}
        if self.path(".predictions.csv").exists():
            for row in self.rows(".predictions.csv"):
                shares = [float(row[f"probability_{digit}"]) for digit in range(10)]
                answer = (int(row["true"]), int(row["predicted"]), shares)
                self.answers.setdefault(row["split"], []).append(answer)
                self.answered_at[row["split"]] = int(row["step"])

    def path(self, ending):
        return self.folder / f"{self.stem}{ending}"

    def rows(self, ending):
        with open(self.path(ending), newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)

    def snippet(self, ending):
        """The lines that open the file."""
        snippets = json.loads((self.folder / "snippets.json").read_text("utf-8"))
        snippet = snippets[f"{self.stem}{ending}"]
        need(snippet["language"].lower() == "shell", f"the snippet of {ending} is no shell's")
        return snippet["text"]

    def unpacked(self, ending, to):
        """A folder with the file alone, as after a download."""
        shutil.copy(self.path(ending), to)
        return Path(to)


def environment(**more):
    """What the tools of this Python are found by, with nothing of the person who runs it."""
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    return {**os.environ, **own, **more}
