"""Opens a run's .keras and .h5 with Keras and h5py, and trains on from both.

    python keras_files.py DIR STEM

DIR holds the files of one run, snippets.json, images.u8 (100 images) and logits.f32 (what Kiln's own
network answers to them). With checkpoint.safetensors in it, the body of the run's checkpoint, the
optimiser's state is compared too. Keras 2 opens the .h5 alone.
"""

import ast
import json
import os
import sys
import warnings
import zipfile
from io import BytesIO

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np

IS_KERAS_3 = int(keras.__version__.split(".")[0]) >= 3
TOLERANCE = 1e-4
LAYERS = "Conv2D MaxPooling2D Conv2D MaxPooling2D Flatten Dropout Dense".split()
PARAMETERS = "conv1.weight conv1.bias conv2.weight conv2.bias fc.weight fc.bias".split()
CLASSES = {"adam": "Adam", "adam_w": "AdamW", "sgd": "SGD", "rms_prop": "RMSprop"}
# Which of Kiln's vectors Keras keeps of each parameter, in its order.
SLOTS = {
    "adam": ["mean", "mean_square"],
    "adam_w": ["mean", "mean_square"],
    "sgd": ["velocity"],
    "rms_prop": ["mean_square"],
}


def done(what):
    print(f"keras {keras.__version__}: {what}")


def expect(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def near(found, wanted, tolerance, what):
    found, wanted = np.asarray(found), np.asarray(wanted)
    expect(found.shape, wanted.shape, f"shape of {what}")
    same = np.isclose(found, wanted, rtol=0, atol=tolerance, equal_nan=True)
    assert same.all(), f"{what}: off by {np.abs(found - wanted).max()}, {(~same).sum()} values"


def safetensors(path):
    """Arrays by name and the metadata, read without any library."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        if entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            arrays[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return arrays, metadata


def channels_last(array):
    """PyTorch's layout of a parameter as Keras has it."""
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if array.ndim == 2:
        return array.reshape(10, 64, 5, 5).transpose(2, 3, 1, 0).reshape(1600, 10)
    return array


class Run:
    def __init__(self, folder, stem):
        self.folder, self.stem = folder, stem
        pixels = np.fromfile(f"{folder}/images.u8", np.uint8)
        self.images = (pixels.reshape(100, 28, 28, 1) / 255).astype(np.float32)
        self.logits = np.fromfile(f"{folder}/logits.f32", "<f4").reshape(100, 10)
        powers = np.exp(self.logits - self.logits.max(1, keepdims=True))
        self.probabilities = powers / powers.sum(1, keepdims=True)
        # Any labels will do; these are right for half of the images.
        self.labels = self.logits.argmax(1)
        self.labels[::2] = (self.labels[::2] + 1) % 10
        with open(self.file(".config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.settings = self.config["settings"]
        arrays, self.metadata = safetensors(self.file(".safetensors"))
        self.weights = [channels_last(arrays[name]) for name in PARAMETERS]
        self.is_finite = all(np.isfinite(array).all() for array in self.weights)
        with open(f"{folder}/snippets.json", encoding="utf-8") as file:
            self.snippets = json.load(file)
        path = f"{folder}/checkpoint.safetensors"
        self.checkpoint = safetensors(path) if os.path.exists(path) else None

    def file(self, ending):
        return f"{self.folder}/{self.stem}{ending}"


def check_hdf5(file, groups, what):
    """Every object and attribute can be read, and the weights are those of the .safetensors."""
    found = {}

    def visit(name, item):
        dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    dict(file.attrs)
    file.visititems(visit)
    names = [f"{group}/{name}" for group, *own in groups for name in own]
    others = [name for name in found if name not in names and not name.startswith("optimizer/")]
    expect(others, [], f"other datasets of {what}")
    return [found[name] for name in names]


def check_weights(run, arrays, what):
    expect(len(arrays), 6, f"arrays of {what}")
    for name, array, wanted in zip(PARAMETERS, arrays, run.weights):
        near(array, wanted, 0, f"{name} of {what}")
    done(f"{what}: all 34,826 weights are those of the .safetensors, bit by bit")


def check_network(run, model, what):
    expect([type(layer).__name__ for layer in model.layers], LAYERS, f"layers of {what}")
    expect(tuple(model.input_shape), (None, 28, 28, 1), f"input of {what}")
    expect(model.count_params(), 34_826, f"parameters of {what}")
    expect(model.layers[5].rate, run.settings["dropout"], f"dropout of {what}")
    for layer, activation in [(0, "relu"), (2, "relu"), (6, "softmax")]:
        expect(model.layers[layer].activation.__name__, activation, f"activation of {what}")
    check_weights(run, [np.array(weight) for weight in model.get_weights()], f"{what} in Keras")


def check_answers(run, model, what):
    found = model.predict(run.images, verbose=0)
    near(found, run.probabilities, TOLERANCE, f"probabilities of {what}")
    features = keras.Sequential(model.layers[:-1]).predict(run.images, verbose=0)
    kernel, bias = [np.array(weight) for weight in model.layers[-1].get_weights()]
    logits = features @ kernel + bias
    near(logits, run.logits, TOLERANCE, f"logits of {what}")
    off = np.nanmax(np.abs(logits - run.logits)) if run.is_finite else 0
    done(f"{what}: 100 answers agree, logits within {off:.1e}")


def array_of(variable):
    return keras.ops.convert_to_numpy(variable) if IS_KERAS_3 else np.array(variable)


def scalar(variable):
    return array_of(variable).item()


def is_adamw_of_keras_2(run, what):
    """Of this alone Keras 3 takes neither rate nor decay, but its own."""
    return IS_KERAS_3 and what == ".h5" and run.settings["optimizer"]["name"] == "adam_w"


def check_optimizer(run, optimizer, what):
    wanted = run.settings["optimizer"]
    expect(type(optimizer).__name__, CLASSES[wanted["name"]], f"optimiser of {what}")
    config = optimizer.get_config()
    constants = dict(run.config["optimizer_constants"])
    constants.update({name: value for name, value in wanted.items() if name != "name"})
    if is_adamw_of_keras_2(run, what):
        constants["weight_decay"] = 0.004
    for name, value in constants.items():
        expect(config[name], value, f"{name} of {what}")
    done(f"{what}: compiled with {type(optimizer).__name__}, {constants}")


def check_training(run, model, what):
    """Measures right, and `fit` takes a step."""
    if not run.is_finite:
        return done(f"{what}: weights are no numbers, so nothing is trained")
    expect(keras.losses.get(model.loss).__name__, "sparse_categorical_crossentropy", f"loss of {what}")
    found = model.evaluate(run.images, run.labels, batch_size=100, verbose=0, return_dict=True)
    own = run.probabilities[np.arange(100), run.labels]
    near(found["accuracy"], (run.probabilities.argmax(1) == run.labels).mean(), 1e-6, "accuracy")
    near(found["loss"], -np.log(np.maximum(own, 1e-7)).mean(), 1e-3, "loss")
    before, steps = model.get_weights(), scalar(model.optimizer.iterations)
    images, labels = np.tile(run.images, (2, 1, 1, 1)), np.tile(run.labels, 2)
    history = model.fit(images, labels, batch_size=200, verbose=0).history
    assert np.isfinite(history["loss"][0]), f"loss of {what}: {history}"
    expect(scalar(model.optimizer.iterations), steps + 1, f"steps of {what}")
    moved = max(np.abs(old - new).max() for old, new in zip(before, model.get_weights()))
    assert moved > 0, f"{what} did not learn"
    done(f"{what}: measures right, and fit does step {steps + 1}, weights move by {moved:.1e}")


def check_snippet(run, ending):
    entry = run.snippets[run.stem + ending]
    expect(entry["language"], "Python", "language")
    *lines, last = ast.parse(entry["text"]).body
    names, here = {}, os.getcwd()
    os.chdir(run.folder)
    exec(compile(ast.Module(lines, []), "snippet", "exec"), names)
    digits = eval(compile(ast.Expression(last.value), "snippet", "eval"), names)
    os.chdir(here)
    expect(digits.shape, (1,), f"what the snippet of {ending} says")
    done(f"{ending}: the snippet runs")


def check_h5(run):
    layers = ["conv1", "conv2", "fc"]
    groups = [(f"model_weights/{name}/{name}", "kernel:0", "bias:0") for name in layers]
    with h5py.File(run.file(".h5")) as file:
        check_weights(run, check_hdf5(file, groups, ".h5"), ".h5 in h5py")
        for name in ["model_config", "training_config"]:
            json.loads(file.attrs[name])
        weights = file.attrs["weights"]
        weights = weights.decode() if isinstance(weights, bytes) else weights
        expect(weights, run.metadata["weights"], "weights of .h5")
        expect("optimizer_weights" in file, False, "optimiser's state in .h5")
    model = keras.models.load_model(run.file(".h5"))
    check_network(run, model, ".h5")
    check_answers(run, model, ".h5")
    check_optimizer(run, model.optimizer, ".h5")
    rate = 0.001 if is_adamw_of_keras_2(run, ".h5") else run.settings["learning_rate"]
    rate = np.float32(rate).item()
    expect(scalar(model.optimizer.learning_rate), rate, "learning rate of .h5")
    expect(scalar(model.optimizer.iterations), 0, "steps of .h5")
    check_training(run, model, ".h5")
    check_snippet(run, ".h5")


def loaded(run):
    """The .keras, and what Keras warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras.models.load_model(run.file(".keras"))
    return model, [str(one.message) for one in caught if "optimizer" in str(one.message)]


def check_keras(run):
    with zipfile.ZipFile(run.file(".keras")) as file:
        expect(file.testzip(), None, "damaged file of .keras")
        names = ["metadata.json", "config.json", "model.weights.h5"]
        expect(file.namelist(), names, "files of .keras")
        metadata = json.loads(file.read("metadata.json"))
        weights = BytesIO(file.read("model.weights.h5"))
    expect(metadata["weights"], run.metadata["weights"], "weights of .keras")
    groups = [(f"layers/{name}/vars", "0", "1") for name in ["conv2d", "conv2d_1", "dense"]]
    with h5py.File(weights) as file:
        check_weights(run, check_hdf5(file, groups, ".keras"), ".keras in h5py")
        variables = file["optimizer/vars"] if "optimizer" in file else {}
        variables = {int(name): array[()] for name, array in variables.items()}
    model, warned = loaded(run)
    check_network(run, model, ".keras")
    check_answers(run, model, ".keras")
    check_optimizer(run, model.optimizer, ".keras")
    step = int(metadata["weights"].split()[-1])
    if run.checkpoint:
        steps_done = json.loads(run.checkpoint[1]["checkpoint"])["step"]
    else:
        steps_done = run.config["steps_done"]
    if step == steps_done:
        check_state(run, model.optimizer, variables, steps_done, warned)
        check_one_step(run, variables)
    else:
        expect(variables, {}, f"state of step {steps_done} beside weights of step {step}")
        expect(len(warned), 1, "warnings of Keras")
        expect(scalar(model.optimizer.iterations), 0, "steps of .keras")
        done(f".keras: no state, since weights are of step {step} of {steps_done}")
    check_training(run, model, ".keras")
    check_snippet(run, ".keras")


def slots(run):
    """What Kiln's own checkpoint keeps, in Keras' order and layout."""
    optimizer = run.settings["optimizer"]
    if optimizer.get("momentum") == 0:
        return []
    arrays, kinds = run.checkpoint[0], SLOTS[optimizer["name"]]
    names = [f"optimizer.{kind}.{name}" for name in PARAMETERS for kind in kinds]
    return [channels_last(arrays[name]) for name in names]


def rate_of_next(run, steps_done):
    """The schedule's rate, or nothing where that is not told to Keras by one number."""
    base, total = run.settings["learning_rate"], run.config["steps_per_epoch"] * run.settings["epochs"]
    share = min(steps_done, total - 1) / total
    kind = run.settings["schedule"]
    if kind == "cosine":
        return base * (1 + np.cos(np.pi * share)) / 2
    if kind == "step":
        return base * (1 if share < 0.5 else 0.1 if share < 0.75 else 0.01)
    return base if kind == "constant" else None


def check_state(run, optimizer, variables, steps_done, warned):
    expect(warned, [], "warnings of Keras")
    found = [array_of(variable) for variable in optimizer.variables]
    expect(sorted(variables), list(range(len(found))), "variables in .keras")
    expect(scalar(optimizer.iterations), steps_done, "steps of .keras")
    rate = rate_of_next(run, steps_done)
    if rate is not None:
        expect(scalar(optimizer.learning_rate), np.float32(rate).item(), "learning rate of .keras")
    if run.checkpoint is None:
        return done("no checkpoint.safetensors: the optimiser's slots are not compared")
    wanted = slots(run)
    expect(len(found), 2 + len(wanted), "variables of the optimiser")
    for index, (own, array) in enumerate(zip(wanted, found[2:])):
        near(array, own, 0, f"slot {index}")
        assert not own.size or own.any(), f"slot {index} says nothing"
    done(f".keras: step {steps_done}, rate {rate} and {len(wanted)} slots are the checkpoint's")


def check_one_step(run, variables):
    """The next step is that of an optimiser whose state was set by hand."""
    if not run.is_finite:
        return
    by_hand = [variables[index] for index in range(2)]
    by_hand += slots(run) if run.checkpoint else [variables[2 + i] for i in range(len(variables) - 2)]

    def after_a_step(model):
        # Without chance, two networks do the same.
        model.layers[5].rate = 0.0
        model.train_on_batch(run.images, run.labels)
        return [np.array(weight) for weight in model.get_weights()]

    def built(state):
        model = keras.Sequential.from_config(loaded(run)[0].get_config())
        model.set_weights(run.weights)
        kind = run.settings["optimizer"]
        name = CLASSES[kind["name"]]
        constants = {key: value for key, value in kind.items() if key != "name"}
        optimizer = getattr(keras.optimizers, name)(run.settings["learning_rate"], **constants)
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        optimizer.build(model.trainable_variables)
        for variable, value in zip(optimizer.variables, state):
            variable.assign(value)
        return model

    found, wanted = after_a_step(loaded(run)[0]), after_a_step(built(by_hand))
    fresh = after_a_step(built([]))
    for name, new, same in zip(PARAMETERS, found, wanted):
        near(new, same, 1e-7, f"{name} after a step")
    off = max(np.abs(new - other).max() for new, other in zip(found, fresh))
    if len(by_hand) > 2:
        assert off > 1e-7, "a fresh optimiser does the same"
    done(f".keras: the next step is that of a state set by hand; a fresh one's is {off:.1e} away")


def main(folder, stem):
    run = Run(folder, stem)
    check_h5(run)
    if IS_KERAS_3:
        check_keras(run)


main(*sys.argv[1:])
