"""Checks the tables, the settings, the notebook and the reports of one run.

    python reports.py DIR STEM

DIR holds the files of a run whose names begin with STEM, and snippets.json. Every file is opened
as the page tells a person to, and what two files say of one thing must be the same. Besides, every
HTML and Markdown file in DIR is looked through, such as a report of two runs.
"""

import ast
import contextlib
import csv
import io
import json
import math
import os
import re
import shutil
import sys
import tempfile
import urllib.parse
import urllib.request
import webbrowser
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pandas as pd
from markdown_it import MarkdownIt
from sklearn import metrics

LONG = ["run", "step", "epoch", "images", "elapsed_s", "series", "value"]
FIGURES = [
    "train/loss",
    "train/accuracy",
    "learning_rate",
    "gradient_norm",
    "images_per_s",
    "train/epoch_loss",
    "train/epoch_accuracy",
    "validation/loss",
    "validation/accuracy",
    "test/loss",
    "test/accuracy",
]
COURSE = ["epochs", "batch_size", "validation_split", "loss", "optimizer", "metric"]
VOID = {"meta", "img", "br", "hr", "link", "input", "wbr", "col"}
THIN = "\u2009"


def demand(holds, message):
    if not holds:
        sys.exit(f"FAILED: {message}")


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def run_snippet(directory, name):
    """What the last line of the file's snippet comes to."""
    snippet = json.loads((directory / "snippets.json").read_text(encoding="utf-8"))[name]
    demand(snippet["language"] == "Python", f"the snippet of {name} is no Python")
    tree = ast.parse(snippet["text"])
    last = ast.Expression(tree.body.pop().value)
    scope = {}
    before = os.getcwd()
    os.chdir(directory)
    try:
        exec(compile(tree, name, "exec"), scope)
        return eval(compile(last, name, "eval"), scope)
    finally:
        os.chdir(before)


def long_rows(directory, stem):
    """The rows of the CSV, read by nothing but Python itself."""
    with open(directory / f"{stem}.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    demand(header == LONG, f"the columns of the CSV are {header}")
    numbers = {"step": int, "images": int, "epoch": float, "elapsed_s": float, "value": float}
    return [
        {key: numbers.get(key, str)(cell) for key, cell in zip(header, row, strict=True)}
        for row in rows
    ]


def check_table(table, rows, what):
    demand(list(table.columns) == LONG, f"{what}: columns {list(table.columns)}")
    demand(len(table) == len(rows), f"{what}: {len(table)} rows, not {len(rows)}")
    for at, (read, row) in enumerate(zip(table.to_dict("records"), rows)):
        for key in LONG:
            is_same = same(read[key], row[key]) if key == "value" else read[key] == row[key]
            demand(is_same, f"{what}, row {at}: {key} is {read[key]!r}, not {row[key]!r}")
    demand(pd.api.types.is_float_dtype(table["value"]) or not rows, f"{what}: values are no numbers")


def check_tables(directory, stem, name):
    rows = long_rows(directory, stem)
    demand({row["run"] for row in rows} <= {name}, "the CSV has another name than the settings")
    table = run_snippet(directory, f"{stem}.csv")
    check_table(table, rows, "CSV")
    odd = sum(not math.isfinite(row["value"]) for row in rows)
    print(f"{stem}.csv: pandas gives back {len(rows)} rows of {name!r}, {odd} of no finite value")
    lines = (directory / f"{stem}.jsonl").read_text(encoding="utf-8").splitlines()

    def refuse(text):
        demand(False, f"JSON has no {text}")

    objects = [json.loads(line, parse_constant=refuse) for line in lines]
    for read, row in zip(objects, rows, strict=True):
        demand(list(read) == LONG, f"an object of JSON Lines has {list(read)}")
        demand(same(float(read["value"]), row["value"]), f"JSON Lines has {read}, the CSV {row}")
    if rows:
        check_table(run_snippet(directory, f"{stem}.jsonl"), rows, "JSON Lines")
    print(f"{stem}.jsonl: strict JSON, and pandas gives back the same {len(rows)} rows")
    return rows


def check_wide(directory, stem, rows):
    path = directory / f"{stem}-wide.csv"
    with open(path, newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    demand(header == ["step", "epoch", "elapsed_s", *FIGURES], f"{path.name} has {header}")
    formula = [cell for line in lines for cell in line if cell[:1] in tuple("=+-@\t\r")]
    demand(not formula, f"{path.name}: a spreadsheet may take {formula[:1]} for a formula")
    found = [
        (int(line[0]), series, float(cell))
        for line in lines
        for series, cell in zip(FIGURES, line[3:], strict=True)
        if cell != ""
    ]
    wanted = [(row["step"], row["series"], row["value"]) for row in rows]
    order = lambda figure: (*figure[:2], str(figure[2]))
    for read, told in zip(sorted(found, key=order), sorted(wanted, key=order)):
        is_same = read[:2] == told[:2] and same(read[2], told[2])
        demand(is_same, f"{path.name} has {read}, the CSV {told}")
    demand(len(found) == len(wanted), f"{path.name}: {len(found)} figures, not {len(wanted)}")
    steps = [int(line[0]) for line in lines]
    demand(steps == sorted(steps), f"{path.name}: steps are not in order")
    moments = {}
    for row in rows:
        # A row tells the moment of the training step, where it has one.
        moments.setdefault(row["step"], (row["epoch"], row["elapsed_s"]))
    for line in lines:
        read, told = tuple(map(float, line[1:3])), moments[int(line[0])]
        demand(read == told, f"{path.name}: step {line[0]} was at {read}, not {told}")
    table = run_snippet(directory, path.name)
    for series in FIGURES:
        read = [value for value in table[series].astype(float) if not math.isnan(value)]
        told = [value for _, name, value in wanted if name == series and not math.isnan(value)]
        demand(sorted(read) == sorted(told), f"{path.name}: pandas reads other {series}")
    print(f"{path.name}: {len(lines)} rows hold the same {len(found)} figures, none a formula")


def check_settings(directory, stem, rows):
    settings = run_snippet(directory, f"{stem}.config.json")
    demand(list(settings)[:6] == COURSE, f"the settings begin with {list(settings)[:6]}")
    chosen = settings["settings"]
    for key in ["epochs", "batch_size", "validation_split"]:
        demand(settings[key] == chosen[key], f"{key} is told twice, and differently")
    optimizer = chosen["optimizer"]["name"].replace("_", "")
    demand(settings["optimizer"] == optimizer, f"optimizer {settings['optimizer']}, not {optimizer}")
    last = {row["series"]: row["value"] for row in rows}
    told = settings["results"]
    for part, series in [("last_epoch", "train/epoch_"), ("last_validation", "validation/")]:
        for figure, value in (told[part] or {}).items():
            demand(last[series + figure] == value, f"{part} {figure} is {value}")
    print(f"{stem}.config.json: the course's six settings first, results as in the CSV")
    return settings


def check_names(settings):
    """Keras takes the names of loss, optimizer and metric as they are."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
    model.compile(
        loss=settings["loss"], optimizer=settings["optimizer"], metrics=[settings["metric"]]
    )
    model.fit(
        np.zeros((settings["batch_size"], 4)),
        np.eye(10)[np.zeros(settings["batch_size"], int)],
        epochs=1,
        verbose=0,
    )
    print(f"Keras compiles with {[settings[key] for key in COURSE[3:]]}")


def read_answers(directory, stem):
    name = f"{stem}.predictions.csv"
    if not (directory / name).exists():
        return None
    table = run_snippet(directory, name)
    split = "test" if "test" in set(table["split"]) else "validation"
    return split, table[table["split"] == split].reset_index(drop=True)


def measures(answers):
    """Scikit-learn's measures of each digit, a row of five for each."""
    labels = list(range(10))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        answers["true"], answers["predicted"], labels=labels, zero_division=np.nan
    )
    area = [
        metrics.roc_auc_score(answers["true"] == label, answers[f"probability_{label}"])
        for label in labels
    ]
    return np.column_stack([support, precision, recall, f1, area])


def execute(notebook, directory):
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": directory}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    streams = {output["name"] for output in outputs if output["output_type"] == "stream"}
    demand(streams <= {"stdout"}, f"the notebook warns: {said}")
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return said, pictures


def numbers(text):
    """The numbers of a printed table, but for its head and the first of each line."""
    return [[float(cell) for cell in line.split()[1:]] for line in text.strip().splitlines()]


def check_notebook(directory, stem, settings, answers):
    path = directory / f"{stem}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(json.loads(path.read_text(encoding="utf-8")))
    demand((notebook.nbformat, notebook.nbformat_minor) == (4, 5), "the notebook is no 4.5")
    kinds = [cell.cell_type for cell in notebook.cells]
    demand(kinds == ["markdown", "code"] * (len(kinds) // 2), f"cells are {kinds}")
    said, pictures = execute(notebook, directory)
    for key in COURSE:
        demand(re.search(rf"^{key} +{re.escape(str(settings[key]))}$", said, re.M), f"no {key}")
    missing = f"{stem}.predictions.csv is not here. Download it in Kiln"
    if answers is None:
        demand(missing in said and pictures == 1, f"{pictures} pictures, and it says: {said}")
        print(f"{path.name}: valid, runs, and asks for the answers that are not there")
    else:
        split, table = answers
        demand(f"{len(table)} {split} images" in said, "the notebook counts other images")
        labels = list(range(10))
        wanted = metrics.confusion_matrix(table["true"], table["predicted"], labels=labels)
        printed = re.search(r"^ +0 +1 .* 9\n((?:\d(?: +\d+){10}\n){10})", said, re.M)
        demand(printed, "the notebook prints no confusion matrix")
        demand(np.array_equal(numbers(printed[1]), wanted), "another confusion matrix is printed")
        printed = re.search(r"^class +\n((?:\d .*\n){10})", said, re.M)
        demand(printed, "the notebook prints no scores")
        differ = np.abs(np.array(numbers(printed[1])) - measures(table))
        demand(np.nanmax(differ) <= 5.1e-5, f"scores differ by {np.nanmax(differ)}")
        wrong = int((table["true"] != table["predicted"]).sum())
        demand(f"{wrong} of {len(table)} are wrong." in said, "another number of mistakes")
        demand(pictures == 3, f"the notebook draws {pictures} pictures")
        print(f"{path.name}: valid, runs; matrix and scores as scikit-learn has them from the CSV")
    with tempfile.TemporaryDirectory() as empty:
        shutil.copy(path, empty)
        said, pictures = execute(nbformat.read(path, as_version=4), empty)
        for ending in [".config.json", ".csv", ".predictions.csv"]:
            sentence = f"{stem}{ending} is not here. Download it in Kiln, put it beside this"
            demand(said.count(sentence) == 1, f"without files the notebook says {said}")
        demand(said.count("\n") == 3 and pictures == 0, f"without files it says {said}")
    print(f"{path.name}: alone, it says which three files to download")


class Page(HTMLParser):
    """A page whose every tag is closed, its tables, figures and texts."""

    def __init__(self, text, what):
        super().__init__(convert_charrefs=True)
        self.what, self.open, self.tags, self.ids = what, [], [], []
        self.texts, self.tables, self.figures, self.attributes = {}, [], [], []
        self.feed(text)
        self.close()
        demand(not self.open, f"{what}: {self.open} are never closed")

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        attributes = dict(attributes)
        self.attributes.append((tag, attributes))
        if tag == "table":
            self.tables.append({"caption": "", "rows": []})
        elif tag == "tr":
            self.tables[-1]["rows"].append([])
        elif tag in ("td", "th"):
            self.tables[-1]["rows"][-1].append("")
        elif tag == "img":
            self.figures.append(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        demand(tag in VOID, f"{self.what}: <{tag}/>")
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        demand(self.open and self.open[-1] == tag, f"{self.what}: </{tag}> closes {self.open}")
        self.open.pop()

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        self.texts[inside] = self.texts.get(inside, "") + data
        if inside in ("td", "th"):
            self.tables[-1]["rows"][-1][-1] += data
        elif inside == "caption":
            self.tables[-1]["caption"] += data


def check_page(page, what, is_html):
    demand("script" not in page.tags, f"{what}: there is a script")
    on = [name for _, given in page.attributes for name in given if name.startswith("on")]
    demand(not on, f"{what}: {on}")
    demand("b" not in page.tags and "a" not in page.tags, f"{what}: a person's mark is a tag")
    known = {"html", "head", "meta", "title", "style", "body", "main", "section", "div", "h1", "h2"}
    known |= {"p", "blockquote", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th"}
    known |= {"td", "figure", "img", "figcaption", "strong", "br"}
    demand(set(page.tags) <= known, f"{what}: tags {set(page.tags) - known}")
    demand(page.tags.count("h1") == 1, f"{what}: {page.tags.count('h1')} titles")
    for table in page.tables:
        widths = {len(row) for row in table["rows"]}
        demand(len(widths) == 1, f"{what}: rows of a table have {widths} cells")
        demand(table["caption"] or not is_html, f"{what}: a table has no caption")
    for figure in page.figures:
        demand(len(figure["alt"]) > 30, f"{what}: a figure says {figure['alt']!r}")
        kind, data = figure["src"].split(",", 1)
        demand(kind == "data:image/svg+xml;charset=utf-8", f"{what}: a figure is {kind}")
        drawing = ET.fromstring(urllib.parse.unquote(data, errors="strict"))
        demand(drawing.tag == "{http://www.w3.org/2000/svg}svg", f"{what}: {drawing.tag}")
        demand(len(list(drawing.iter())) > 20, f"{what}: a figure is empty")
    if is_html:
        given = dict(page.attributes)
        demand(given["html"].get("lang") == "en", f"{what}: no language")
        demand(page.texts["title"].strip() == page.texts["h1"] + " · Kiln", f"{what}: its title")
        linked = [(tag, key) for tag, keys in page.attributes for key in keys if key == "href"]
        demand(not linked, f"{what}: it needs {linked}")


def share(value):
    return "–" if math.isnan(value) else f"{100 * value:.2f}{THIN}%"


def near(cell, value, scale):
    """Whether a printed figure is this value, to its last digit."""
    if math.isnan(value):
        return cell == "–"
    read = float(cell.replace(THIN, "").rstrip("%")) / scale
    return abs(read - value) <= 0.501 / scale / (100 if scale == 100 else 10000)


def check_report(page, what, name, settings, rows, answers):
    told = {row[0]: row[1] for table in page.tables for row in table["rows"]}
    demand(page.texts["h1"] == name, f"{what}: its title is {page.texts['h1']!r}, not {name!r}")
    labels = {"Epochs": "epochs", "Batch size": "batch_size", "Random seed": "seed"}
    for label, key in {**labels, "Learning rate": "learning_rate"}.items():
        demand(float(told[label]) == settings["settings"][key], f"{what}: {label} {told[label]}")
    last = {row["series"]: row["value"] for row in rows}
    for label, series in [
        ("Training loss, last epoch", "train/epoch_loss"),
        ("Last loss", "validation/loss"),
    ]:
        wanted = f"{last[series]:.4f}" if series in last else "–"
        demand(told[label] == wanted, f"{what}: {label} is {told[label]}, not {wanted}")
    for label, series in [
        ("Last accuracy", "validation/accuracy"),
        ("Test accuracy", "test/accuracy"),
    ]:
        demand(near(told[label], last.get(series, math.nan), 100), f"{what}: {label} {told[label]}")
    fingerprint = settings["fingerprint"] or "–"
    demand(told["Fingerprint"] == fingerprint, f"{what}: fingerprint {told['Fingerprint']}")
    texts = " ".join(page.texts.values())
    if answers is None:
        demand("What this run answered is not kept" in texts, f"{what}: answers are passed over")
        demand("Class" not in told, f"{what}: measures of no answers")
        return
    split, table = answers
    mistakes = int((table["true"] != table["predicted"]).sum())
    spaced = lambda count: f"{count:,}".replace(",", THIN)
    headline = f"{share(1 - mistakes / len(table))}, {spaced(mistakes)} wrong of {spaced(len(table))}"
    demand(f"all {split} images: {headline}." in texts, f"{what}: it does not say {headline}")
    wanted = measures(table)
    per_class = [row for told in page.tables for row in told["rows"] if "Class" in told["rows"][0]]
    demand(len(per_class) == 13, f"{what}: {len(per_class)} rows of measures")
    for row, values in zip(per_class[1:11], wanted, strict=True):
        demand(int(row[1].replace(THIN, "")) == values[0], f"{what}: support {row}")
        for cell, value in zip(row[2:5], values[1:4]):
            demand(near(cell, value, 100), f"{what}: {cell} is not {value}")
        demand(near(row[5], values[4], 1), f"{what}: {row[5]} is not {values[4]}")
    for cell, values in zip(per_class[11][2:5], wanted[:, 1:4].T):
        demand(near(cell, np.nanmean(values), 100), f"{what}: mean {cell}")


def page_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        return Page(text, path.name)
    # As VS Code renders it: GitHub's tables, HTML passed through, any picture's data shown.
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    renderer.validateLink = lambda link: not link.startswith(("javascript:", "vbscript:", "file:"))
    return Page(renderer.render(text), path.name)


def check_reports(directory, stem, settings, rows, answers):
    own = {f"{stem}.report.html", f"{stem}.report.md"}
    paths = [path for ending in ("html", "md") for path in sorted(directory.glob(f"*.{ending}"))]
    demand(own <= {path.name for path in paths}, "a report is missing")
    for path in paths:
        page = page_of(path)
        check_page(page, path.name, path.suffix == ".html")
        if path.name in own:
            name = " ".join(settings["run"].split())
            check_report(page, path.name, name, settings, rows, answers)
            wanted = (2 if rows else 0) + (answers is not None)
            figures = "every figure as in the CSV"
        else:
            texts = " ".join(page.texts.values())
            demand(settings["run"] in texts, f"{path.name}: the run is not named")
            demand("Differs" in texts and "Of the same" in texts, f"{path.name}: not compared")
            wanted = 4
            figures = "two runs compared"
        demand(len(page.figures) == wanted, f"{path.name}: {len(page.figures)} figures")
        counts = f"{len(page.tables)} tables, {len(page.figures)} figures"
        print(f"{path.name}: {counts}, every tag closed, {figures}")
    path = directory / f"{stem}.report.md"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        run_snippet(directory, path.name)
    opened = []
    webbrowser.open, before = opened.append, webbrowser.open
    run_snippet(directory, f"{stem}.report.html")
    webbrowser.open = before
    page = urllib.request.urlopen(opened[0]).read()
    demand(page == (directory / f"{stem}.report.html").read_bytes(), f"it opens {opened}")
    demand(printed.getvalue() == path.read_text(encoding="utf-8") + "\n", "it prints something else")


def main(directory, stem):
    directory = Path(directory)
    name = json.loads((directory / f"{stem}.config.json").read_text(encoding="utf-8"))["run"]
    rows = check_tables(directory, stem, name)
    check_wide(directory, stem, rows)
    settings = check_settings(directory, stem, rows)
    answers = read_answers(directory, stem)
    check_reports(directory, stem, settings, rows, answers)
    check_names(settings)
    check_notebook(directory, stem, settings, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
