"""Opens the trained network's files NAME.onnx, NAME.pt and NAME.bpk and compares what they say.

    python models.py DIR STEM

DIR holds the files of one run, called STEM with their endings, and also images.u8 (100 images of
28 x 28 bytes), logits.f32 (100 x 10 floats: what Kiln's own network says of them with the weights
in the files) and snippets.json (file name -> {"language": ..., "text": ...}).
"""

import collections
import contextlib
import io
import json
import math
import os
import pathlib
import pickle
import pickletools
import struct
import sys
import zipfile

import numpy
import onnx
import onnxruntime
import safetensors
import safetensors.numpy

TOLERANCE = 1e-4
SHAPES = {
    "conv1.weight": (32, 1, 3, 3),
    "conv1.bias": (32,),
    "conv2.weight": (64, 32, 3, 3),
    "conv2.bias": (64,),
    "fc.weight": (10, 1600),
    "fc.bias": (10,),
}
# All that torch/_weights_only_unpickler.py of PyTorch 2 reads, by the names of pickletools.
TORCH_OPCODES = set(
    "GLOBAL NEWOBJ REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "NONE NEWFALSE NEWTRUE EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BININT BININT1 BININT2 "
    "BINFLOAT BINUNICODE SHORT_BINSTRING BINPERSID BINGET LONG_BINGET BINPUT LONG_BINPUT LONG1 "
    "PROTO STOP".split()
)


def check(holds, what):
    """Says what holds, or ends with what does not."""
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def check_logits(found, wanted, what):
    """Compares scores, and the digits that they choose."""
    check(found.shape == wanted.shape, f"{what}: logits have the shape {list(wanted.shape)}")
    worst = float(numpy.abs(found - wanted).max())
    check(worst <= TOLERANCE, f"{what}: logits differ by at most {worst:.1e}")
    check((found.argmax(1) == wanted.argmax(1)).all(), f"{what}: the same digits are chosen")


def check_tensors(found, wanted, what):
    """Compares names in their order, shapes and every bit."""
    check(list(found) == list(wanted), f"{what}: the tensors are {', '.join(wanted)}")
    for name, values in wanted.items():
        check(
            found[name].dtype == numpy.float32
            and found[name].shape == values.shape
            and found[name].tobytes() == values.tobytes(),
            f"{what}: {name} {list(values.shape)} is that of safetensors, bit by bit",
        )


def run_snippet(run, file):
    """What is defined once a Python snippet has run where its file lies."""
    snippet = run.snippets[file]
    check(snippet["language"] == "Python", f"{file}: its snippet is in Python")
    defined, before = {}, os.getcwd()
    os.chdir(run.folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(snippet["text"], defined)
    finally:
        os.chdir(before)
    check(printed.getvalue().strip() != "", f"{file}: its snippet runs and prints")
    return defined


def forward(tensors, images):
    """The network in NumPy, [n, 1, 28, 28] -> [n, 10], with weights in PyTorch's layout."""

    def block(maps, name):
        windows = numpy.lib.stride_tricks.sliding_window_view(maps, (3, 3), axis=(2, 3))
        maps = numpy.einsum("nirckl,oikl->norc", windows, tensors[f"{name}.weight"], optimize=True)
        maps = maps + tensors[f"{name}.bias"][:, None, None]
        count, channels, rows, columns = maps.shape
        maps = maps[:, :, : rows // 2 * 2, : columns // 2 * 2]
        maps = maps.reshape(count, channels, rows // 2, 2, columns // 2, 2).max((3, 5))
        return numpy.maximum(maps, 0)

    maps = block(block(images, "conv1"), "conv2")
    return maps.reshape(len(maps), -1) @ tensors["fc.weight"].T + tensors["fc.bias"]


class Run:
    """The folder, and what its files are compared with."""

    def __init__(self, folder, stem):
        self.folder, self.stem = pathlib.Path(folder), stem
        pixels = numpy.fromfile(self.folder / "images.u8", numpy.uint8).reshape(100, 1, 28, 28)
        self.images = pixels.astype(numpy.float32) / numpy.float32(255)
        self.logits = numpy.fromfile(self.folder / "logits.f32", "<f4").reshape(100, 10)
        self.snippets = json.loads((self.folder / "snippets.json").read_text("utf-8"))
        self.config = json.loads(self.path(".config.json").read_text("utf-8"))
        with safetensors.safe_open(self.path(".safetensors"), "numpy") as file:
            self.which = file.metadata()["weights"]
        tensors = safetensors.numpy.load_file(self.path(".safetensors"))
        self.tensors = {name: tensors[name] for name in SHAPES}

    def path(self, ending):
        return self.folder / (self.stem + ending)

    def check_metadata(self, found, what):
        """Compares what a file says of the run beside its weights."""
        check(found["run"] == self.config["run"], f"{what}: the run's name is there")
        check(json.loads(found["config"]) == self.config, f"{what}: the settings are there")
        check(found["weights"] == self.which, f"{what}: the weights are the {self.which}")


def check_onnx(run):
    file = f"{run.stem}.onnx"
    model = onnx.load(run.path(".onnx"))
    onnx.checker.check_model(str(run.path(".onnx")), full_check=True)
    check(True, f"{file}: onnx.checker {onnx.__version__} finds no fault")
    check(model.ir_version == 8, f"{file}: the messages are of version 8")
    opsets = [(opset.domain, opset.version) for opset in model.opset_import]
    check(opsets == [("", 17)], f"{file}: the operators are of version 17")
    run.check_metadata({entry.key: entry.value for entry in model.metadata_props}, file)

    def sides(value):
        tensor = value.type.tensor_type
        check(tensor.elem_type == onnx.TensorProto.FLOAT, f"{file}: {value.name} is of floats")
        return [side.dim_param or side.dim_value for side in tensor.shape.dim]

    inputs = {value.name: sides(value) for value in model.graph.input}
    check(inputs == {"images": ["batch", 1, 28, 28]}, f"{file}: takes images {inputs['images']}")
    outputs = {value.name: sides(value) for value in model.graph.output}
    both = {"logits": ["batch", 10], "probabilities": ["batch", 10]}
    check(outputs == both, f"{file}: gives logits and probabilities [batch, 10]")
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    inner = {value.name: sides(value) for value in inferred.graph.value_info}
    wanted = {
        "conv1": ["batch", 32, 26, 26],
        "pool1": ["batch", 32, 13, 13],
        "conv2": ["batch", 64, 11, 11],
        "pool2": ["batch", 64, 5, 5],
        "flatten": ["batch", 1600],
    }
    seen = {name: inner.get(name) for name in wanted}
    check(seen == wanted, f"{file}: inferred shapes are {seen}")
    arrays = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer
    }
    check_tensors(arrays, run.tensors, file)

    session = run_snippet(run, file)["session"]
    for count in (1, 7, 100):
        given = {"images": run.images[:count]}
        logits, probabilities = session.run(["logits", "probabilities"], given)
        reader = f"{file}: onnxruntime {onnxruntime.__version__}, batch of {count}"
        check_logits(logits, run.logits[:count], reader)
        sums = probabilities.sum(1, dtype=numpy.float64)
        check(numpy.abs(sums - 1).max() < 1e-5, f"{reader}: probabilities sum to 1")
        powers = numpy.exp(logits - logits.max(1, keepdims=True))
        softmax = powers / powers.sum(1, keepdims=True)
        close = numpy.abs(probabilities - softmax).max() < 1e-5
        check(close, f"{reader}: probabilities are the softmax of the logits")


class StateDict(pickle.Unpickler):
    """Reads a state dict as arrays, and knows nothing but what a state dict is made of."""

    def __init__(self, archive, folder):
        super().__init__(io.BytesIO(archive.read(f"{folder}/data.pkl")))
        self.archive, self.folder, self.storages = archive, folder, []

    def find_class(self, module, name):
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self.rebuild_tensor,
            ("torch", "FloatStorage"): numpy.dtype("<f4"),
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a state dict")
        return known[module, name]

    def persistent_load(self, pid):
        kind, dtype, key, device, count = pid
        if (kind, device) != ("storage", "cpu"):
            raise pickle.UnpicklingError(f"{pid} is no storage")
        self.storages.append(key)
        values = numpy.frombuffer(self.archive.read(f"{self.folder}/data/{key}"), dtype)
        if len(values) != count:
            raise pickle.UnpicklingError(f"storage {key} holds {len(values)} values, not {count}")
        return values

    @staticmethod
    def rebuild_tensor(storage, offset, size, stride, requires_grad, backward_hooks):
        if requires_grad is not False or backward_hooks != collections.OrderedDict():
            raise pickle.UnpicklingError("a state dict's tensor has no gradient and no hooks")
        last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
        if last >= len(storage):
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        strides = [4 * step for step in stride]
        return numpy.lib.stride_tricks.as_strided(storage[offset:], size, strides)


def check_torch(run):
    file = f"{run.stem}.pt"
    with zipfile.ZipFile(run.path(".pt")) as archive:
        check(archive.testzip() is None, f"{file}: zipfile finds no fault")
        entries = archive.infolist()
        folder = entries[0].filename.split("/")[0]
        storages = [f"data/{index}" for index in range(len(SHAPES))]
        wanted = [f"{folder}/{name}" for name in ["data.pkl", "byteorder", *storages, "version"]]
        names = [entry.filename for entry in entries]
        check(names == wanted, f"{file}: the archive holds {', '.join(names)}")
        stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
        check(stored, f"{file}: nothing in it is packed")
        check(archive.read(f"{folder}/version") == b"3\n", f"{file}: it is of version 3")
        check(archive.read(f"{folder}/byteorder") == b"little", f"{file}: it is little-endian")
        whole = run.path(".pt").read_bytes()
        check(whole[:4] == b"PK\x03\x04", f"{file}: it begins with a file, as torch.load wants")
        for entry in entries:
            if "/data/" in entry.filename:
                at = entry.header_offset
                name_length, extra_length = struct.unpack_from("<2H", whole, at + 26)
                begin = at + 30 + name_length + extra_length
                check(begin % 64 == 0, f"{file}: {entry.filename} lies at {begin}, 64-aligned")
                stands = whole[begin : begin + entry.file_size] == archive.read(entry)
                check(stands, f"{file}: {entry.filename} can be used where it lies")
        opcodes = list(pickletools.genops(archive.read(f"{folder}/data.pkl")))
        used = {opcode.name for opcode, _, _ in opcodes}
        check(used <= TORCH_OPCODES, f"{file}: weights_only reads all of {', '.join(sorted(used))}")
        check(opcodes[0][:2][1] == 2, f"{file}: the pickle is of protocol 2")
        reader = StateDict(archive, folder)
        state = reader.load()
        keys = [str(index) for index in range(len(SHAPES))]
        check(reader.storages == keys, f"{file}: each storage is named once")
    check(type(state) is collections.OrderedDict, f"{file}: it is an OrderedDict")
    check_tensors(state, run.tensors, file)
    check_logits(forward(state, run.images), run.logits, f"{file}: NumPy")
    snippet = run.snippets[file]
    check(snippet["language"] == "Python", f"{file}: its snippet is in Python")
    check(f'"{file}"' in snippet["text"], f"{file}: the snippet names it")
    compile(snippet["text"], file, "exec")
    check_with_torch(run, file)


def check_with_torch(run, file):
    try:
        import torch
    except ImportError:
        print(f"SKIPPED: torch is not installed, so torch.load and the snippet of {file} are not run")
        return
    for mmap in (False, True):
        state = torch.load(run.path(".pt"), weights_only=True, mmap=mmap)
        arrays = {name: tensor.numpy() for name, tensor in state.items()}
        check_tensors(arrays, run.tensors, f"{file}: torch.load, mmap={mmap}")
    network = run_snippet(run, file)["network"]
    with torch.no_grad():
        logits = network(torch.from_numpy(run.images)).numpy()
    check_logits(logits, run.logits, f"{file}: torch {torch.__version__}")


def read_cbor(data):
    """Decodes numbers, texts, lists and maps; anything else is an error, and so is a rest."""
    try:
        import cbor2
    except ImportError:
        pass
    else:
        return cbor2.loads(data)

    def item(at):
        kind, length = data[at] >> 5, data[at] & 31
        at += 1
        if 24 <= length < 28:
            width = 1 << (length - 24)
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        elif length >= 28:
            raise ValueError("a length of a kind that is not expected")
        if kind == 0:
            return length, at
        if kind == 3:
            return data[at : at + length].decode("utf-8"), at + length
        values = []
        if kind not in (4, 5):
            raise ValueError(f"major type {kind} is not expected")
        for _ in range(length * (kind - 3)):
            value, at = item(at)
            values.append(value)
        if kind == 4:
            return values, at
        return dict(zip(values[::2], values[1::2], strict=True)), at

    value, end = item(0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes are left")
    return value


def check_burnpack(run):
    file = f"{run.stem}.bpk"
    data = run.path(".bpk").read_bytes()
    magic, version, length = struct.unpack_from("<4sHI", data)
    check((magic, version) == (b"NRUB", 1), f"{file}: it is a burnpack of version 1")
    described = read_cbor(data[10 : 10 + length])
    check(set(described) == {"tensors", "metadata"}, f"{file}: {length} bytes describe it")
    run.check_metadata(described["metadata"], file)
    start = math.ceil((10 + length) / 256) * 256
    check(not any(data[10 + length : start]), f"{file}: zeros follow up to byte {start}")
    names = list(described["tensors"])
    check(names == sorted(SHAPES), f"{file}: the names are sorted: {', '.join(names)}")
    end, found = start, {}
    for name, tensor in described["tensors"].items():
        begin, after = (start + offset for offset in tensor["data_offsets"])
        check(begin % 256 == 0, f"{file}: {name} lies at {begin}, 256-aligned")
        follows = 0 <= begin - end < 256 and not any(data[end:begin])
        check(follows, f"{file}: {name} follows what is before it")
        count = math.prod(tensor["shape"])
        check(tensor["dtype"] == "F32" and after - begin == 4 * count, f"{file}: {name} is of F32")
        found[name] = numpy.frombuffer(data[begin:after], "<f4").reshape(tensor["shape"])
        end = after
    check(end == len(data), f"{file}: nothing follows the last tensor")
    check(found["fc.weight"].shape == (1600, 10), f"{file}: burn's Linear wants [in, out]")
    found["fc.weight"] = numpy.ascontiguousarray(found["fc.weight"].T)
    check_tensors({name: found[name] for name in SHAPES}, run.tensors, file)
    check_logits(forward(found, run.images), run.logits, f"{file}: NumPy")
    snippet = run.snippets[file]
    check(snippet["language"] == "Rust", f"{file}: its snippet is in Rust")
    check(f'"{file}"' in snippet["text"], f"{file}: the snippet names it")
    print(f"SKIPPED: the snippet of {file} is Rust, and is not built here")


def main():
    if len(sys.argv) != 3:
        sys.exit("models.py DIR STEM")
    run = Run(*sys.argv[1:])
    shapes = {name: values.shape for name, values in run.tensors.items()}
    check(shapes == SHAPES, f"{run.stem}: the network has {len(SHAPES)} tensors")
    check_onnx(run)
    check_torch(run)
    check_burnpack(run)


main()
