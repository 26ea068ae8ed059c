"""What TensorBoard reads of STEM.tensorboard.zip, by its own accumulator and by its server."""

import io
import zipfile
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.histogram import summary_v2 as histogram
from tensorboard.plugins.pr_curve import metadata as pr_curve
from tensorboard.util import tensor_util

import tensorboard_server
from tracked import need

# Zero means all.
EVERYTHING = {"scalars": 0, "tensors": 0, "images": 0, "histograms": 0}
ENDING = ".tensorboard.zip"
SIZES = {
    "conv1.weight": 288, "conv1.bias": 32, "conv2.weight": 18_432, "conv2.bias": 64,
    "fc.weight": 16_000, "fc.bias": 10,
}


def check(run):
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(run.path(ENDING)) as archive:
            need(archive.testzip() is None, "a check sum of the zip archive is wrong")
            archive.extractall(folder)
        read = {}
        folders = {place(series)[0] for series in run.series} | set(run.answers) | {"", "train"}
        for name in archive.namelist():
            parts = name.split("/")
            need(parts[0] == run.stem and len(parts) in (2, 3), f"{name} is in no folder of the run")
            need(".tfevents." in parts[-1], f"{name} is no name of an event file")
            within = parts[1] if len(parts) == 3 else ""
            need(within not in read, f"there are two files in {within!r}")
            read[within] = EventAccumulator(f"{folder}/{run.stem}/{within}", EVERYTHING).Reload()
        need(set(read) == folders, f"folders are {set(read)}, not {folders}")
        print(f"{run.stem}{ENDING}: {len(read)} event files")
        scalars(run, read)
        histograms(run, read["train"])
        for split in run.answers:
            curves(run, read[split], split)
            matrix(run, read[split], split)
        settings(run, read[""])
    tensorboard_server.check(run, ENDING, {place(series): series for series in run.series})


def place(series):
    """The folder and the tag of a series."""
    folder, _, tag = series.rpartition("/")
    return folder or "train", tag


def scalars(run, read):
    start = run.start.timestamp()
    for folder, events in read.items():
        expected = {tag for at, tag in map(place, run.series) if at == folder}
        need(set(events.Tags()["scalars"]) == expected, f"{folder} has {events.Tags()['scalars']}")
    count = 0
    for series, rows in run.series.items():
        folder, tag = place(series)
        events = read[folder].Scalars(tag)
        steps, values, elapsed = zip(*rows)
        need([event.step for event in events] == list(steps), f"the steps of {series} differ")
        with np.errstate(over="ignore"):
            expected = np.array(values).astype(np.float32)
        found = np.array([event.value for event in events], np.float32)
        need(np.array_equal(found, expected, equal_nan=True), f"the values of {series} differ")
        # What the clock says beyond the time of training is pauses, which only grow.
        beyond = np.array([event.wall_time for event in events]) - start - np.array(elapsed)
        grows = np.diff(beyond, prepend=-1.0) > -1e-3
        need(grows.all() and beyond[-1] < 86_400, f"the times of {series} are wrong: {beyond}")
        count += len(rows)
    print(f"TensorBoard's accumulator: {count} scalars in {len(run.series)} series, each as in the CSV")


def histograms(run, read):
    tags = set(read.Tags()["histograms"])
    need(tags == {f"weights/{name}" for name in SIZES}, f"histograms of {tags}")
    weights, best_step = {}, None
    if run.path(".safetensors").exists():
        with safe_open(run.path(".safetensors"), "numpy") as file:
            best_step = int(file.metadata()["weights"].split()[-1])
            weights = {name: file.get_tensor(name) for name in file.keys()}
    for name, size in SIZES.items():
        tensors = {event.step: event.histogram_value for event in read.Histograms(f"weights/{name}")}
        need(min(tensors) == 0 and best_step in {None, *tensors}, f"{name} at steps {list(tensors)}")
        for step, value in tensors.items():
            need(value.num == sum(value.bucket) == size, f"{value.num} values of {name} at step {step}")
        if name.endswith("bias"):
            zeros = (tensors[0].min, tensors[0].max, tensors[0].bucket, tensors[0].sum_squares)
            need(zeros == (0, 0, [size], 0), f"{name} does not begin with zeros")
        if weights:
            values, found = weights[name].astype(float), tensors[best_step]
            own = tensor_util.make_ndarray(histogram.histogram_pb("w", values).value[0].tensor)
            need(found.bucket == list(own[:, 2]), f"the buckets of {name} differ")
            need(np.allclose(found.bucket_limit, own[:, 1], rtol=1e-9), f"the edges of {name} differ")
            need((found.min, found.max) == (values.min(), values.max()), f"the ends of {name} differ")
            sums = (values.sum(), (values**2).sum())
            need(np.allclose((found.sum, found.sum_squares), sums), f"the sums of {name} differ")
    own = f", those of step {best_step} as TensorBoard's own" if weights else ""
    print(f"histograms of {len(SIZES)} tensors at steps {sorted(tensors)}{own}")


def curves(run, read, split):
    answers = run.answers[split]
    labels = np.array([label for label, _, _ in answers])
    shares = np.array([shares for _, _, shares in answers], np.float32)
    tags = set(read.Tags()["tensors"])
    need(tags == {f"pr_curve/class_{digit}" for digit in range(10)}, f"curves of {split}: {tags}")
    thresholds = np.arange(201) / 200
    for digit in range(10):
        tag = f"pr_curve/class_{digit}"
        (event,) = read.Tensors(tag)
        need(event.step == run.answered_at[split], f"{tag} is of step {event.step}")
        table = tensor_util.make_ndarray(event.tensor_proto)
        need(table.shape == (6, 201), f"{tag} has shape {table.shape}")
        is_digit = labels == digit
        called = shares[:, digit].astype(float) >= thresholds[:, None]
        right, wrong = (called & is_digit).sum(axis=1), (called & ~is_digit).sum(axis=1)
        counts = [right, wrong, (~is_digit).sum() - wrong, is_digit.sum() - right]
        need(np.array_equal(table[:4], counts), f"the counts of {tag} of {split} differ")
        precision, recall = right / np.maximum(right + wrong, 1), right / max(is_digit.sum(), 1)
        need(np.allclose(table[4:], [precision, recall]), f"the shares of {tag} of {split} differ")
        plugin = read.SummaryMetadata(tag).plugin_data
        need(plugin.plugin_name == pr_curve.PLUGIN_NAME, f"{tag} is for {plugin.plugin_name}")
        content = pr_curve.parse_plugin_metadata(plugin.content)
        need(content.num_thresholds == 201, f"{tag} does not say its thresholds")
    print(f"{split}: precision and recall of 10 classes at 201 thresholds, as of {len(labels)} answers")


def matrix(run, read, split):
    counts = np.zeros((10, 10), int)
    for label, answer, _ in run.answers[split]:
        counts[label, answer] += 1
    (event,) = read.Images("confusion_matrix")
    need(event.step == run.answered_at[split], f"the matrix is of step {event.step}")
    image = np.array(Image.open(io.BytesIO(event.encoded_image_string)).convert("RGB")).astype(int)
    need(image.shape[:2] == (event.height, event.width), "the matrix has another size than is said")
    need(image.shape == (472, 472, 3), f"the matrix has shape {image.shape}")
    most = max(counts[row, column] for row in range(10) for column in range(10) if row != column)
    for row in range(10):
        for column in range(10):
            cell = image[32 + 44 * row :, 32 + 44 * column :][:43, :43]
            count, ground = counts[row, column], cell[0, 0]
            share = (count / most) ** 0.5 if most else 0
            colour = [232] * 3 if row == column else 255 + (np.array([194, 65, 12]) - 255) * share
            need(abs(ground - colour).max() <= 1, f"cell {row}, {column} has the colour {ground}")
            need(drawn(cell) == str(count), f"cell {row}, {column} says {drawn(cell)}, not {count}")
    print(f"{split}: the confusion matrix, its 100 numbers and colours")


def drawn(cell):
    """The number in a cell: digits of 3 times 5 points, each of 2 times 2 pixels."""
    ink = (cell != cell[0, 0]).any(axis=2)
    left, right = np.flatnonzero(ink.any(axis=0))[[0, -1]]
    top = np.flatnonzero(ink.any(axis=1))[0]
    # The one begins with an empty column only above and below its foot, so every digit is 3 wide.
    points = ink[top : top + 10 : 2, left : right + 1 : 2]
    digits = (points[:, place : place + 3] for place in range(0, points.shape[1], 4))
    return "".join(FONT.get(digit.astype(int).tobytes(), "?") for digit in digits)


def font(rows):
    """By its points, each digit of ten given as five rows of three bits."""
    for digit, bits in enumerate(rows.split()):
        points = np.array([[int(row) >> 2 & 1, int(row) >> 1 & 1, int(row) & 1] for row in bits])
        yield points.tobytes(), str(digit)


FONT = dict(font("75557 26227 71747 71717 55711 74717 74757 71122 75757 75717"))


def settings(run, read):
    def data(name):
        return read.SummaryMetadata(f"_hparams_/{name}").plugin_data.content

    tags = set(read.Tags()["tensors"])
    ends = {"finished": 1, "stopped": 1, "failed": 2}
    names = {"experiment", "session_start_info"}
    names |= {"session_end_info"} if run.config["status"] in ends else set()
    need(tags == {f"_hparams_/{name}" for name in names}, f"the run's own file has {tags}")
    start = hparams.parse_session_start_info_plugin_data(data("session_start_info"))
    found = {name: value.string_value if value.HasField("string_value") else value.number_value
             for name, value in start.hparams.items()}
    need(found == run_settings(run), f"settings are {found}")
    need(start.group_name == run.config["run"], f"the run is called {start.group_name}")
    experiment = hparams.parse_experiment_plugin_data(data("experiment"))
    infos = {info.name: info.type for info in experiment.hparam_infos}
    need(set(found) <= set(infos), f"the experiment has {set(infos)}")
    need({"momentum", "weight_decay", "patience"} <= set(infos), "a setting of other runs is missing")
    for name, value in found.items():
        need(infos[name] == (1 if isinstance(value, str) else 3), f"{name} is of type {infos[name]}")
    if "session_end_info" in names:
        end = hparams.parse_session_end_info_plugin_data(data("session_end_info"))
        need(end.status == ends[run.config["status"]], f"the run's status is {end.status}")
        need(end.end_time_secs >= start.start_time_secs > 0, "the run ends before it begins")
    print(f"hparams: {len(found)} settings, {len(experiment.metric_infos)} results, {run.config['status']}")


def run_settings(run):
    """The settings without levels, and without what is switched off."""
    settings = dict(run.config["settings"])
    optimizer = dict(settings.pop("optimizer"))
    settings |= {"optimizer": optimizer.pop("name"), **optimizer}
    settings |= {"backend": run.config["backend"], "data": run.config["data"]["name"]}
    return {name: value for name, value in settings.items() if value is not None}
