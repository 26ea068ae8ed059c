"""Makes the seeds out of the fixtures, without their values, which the targets add.

    python seeds.py        (with the packages onnx and h5py)
"""

import pathlib
import zipfile

import h5py
import onnx

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE / "../../tests/interop/fixtures"
SEEDS = HERE / "seeds"
NAMES = {
    (32, 1, 3, 3): "conv1.weight",
    (64, 32, 3, 3): "conv2.weight",
    (10, 1600): "fc.weight",
    (1600, 10): "fc.turned",
}


def folder(name):
    path = SEEDS / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def torch():
    for name in ("state_dict", "checkpoint"):
        with zipfile.ZipFile(FIXTURES / f"{name}.pt") as archive:
            pickle = archive.read(f"{name}/data.pkl")
        (folder("torch") / f"{name}.pkl").write_bytes(pickle)


def safetensors():
    data = (FIXTURES / "bfloat16.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    (folder("safetensors") / "bfloat16.json").write_bytes(data[8 : 8 + length])


def zips():
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(folder("zip") / f"{name}.zip", "w", method) as archive:
            for file in ("a/data.pkl", "a/byteorder"):
                archive.writestr(zipfile.ZipInfo(file), b"some text " * 9, method)


def onnxs():
    for name in ("dynamo", "torchscript", "keras-torch", "keras-tensorflow"):
        model = onnx.load(FIXTURES / f"{name}.onnx")
        renamed, others = {}, []
        for array in model.graph.initializer:
            shape = tuple(array.dims)
            longest = max(shape, default=0)
            bias = {32: "conv1.bias", 64: "conv2.bias", 10: "fc.bias"}.get(longest)
            if array.data_type != onnx.TensorProto.FLOAT:
                others.append(array)
            else:
                renamed[array.name] = NAMES.get(shape, bias)
        others = [onnx.TensorProto.FromString(array.SerializeToString()) for array in others]
        del model.graph.initializer[:]
        model.graph.initializer.extend(others)
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
            for at, read in enumerate(node.input):
                node.input[at] = renamed.get(read, read)
        del model.graph.value_info[:]
        (folder("onnx") / f"{name}.onnx").write_bytes(model.SerializeToString())


def hdf5s():
    """Both generations, each with its description and small arrays, without what all begin with."""
    for version in ("earliest", "latest"):
        path = folder("hdf5") / f"{version}.h5"
        with h5py.File(FIXTURES / "keras2.h5") as source:
            described = source.attrs["model_config"]
        with h5py.File(path, "w", libver=version) as file:
            file.attrs["model_config"] = described
            for layer in ("conv1", "fc"):
                for array in ("kernel:0", "bias:0"):
                    file[f"model_weights/{layer}/{layer}/{array}"] = [0.0] * 2
        path.write_bytes(path.read_bytes()[8:])


torch()
safetensors()
zips()
onnxs()
hdf5s()
