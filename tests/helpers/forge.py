"""Model files as an attacker would write them.

Those of format 1 are written node by node of skops's format. One of format 2 is a good
file whose description and arrays are changed; the file is whole, and lies.
"""

import contextlib
import copy
import io
import itertools
import json
import zipfile

import numpy as np

from skgenre._estimators import parts

_numbers = itertools.count(1)
_arrays = {}


def node(loader, name, **more):
    module, _, cls = name.rpartition(".")
    return {
        "__class__": cls,
        "__module__": module,
        "__loader__": loader,
        **more,
    }


def value(of_json):
    return node("JsonNode", "builtins.str", content=json.dumps(of_json), is_json=True)


def items(*nodes, kind="list"):
    return node(f"{kind.title()}Node", f"builtins.{kind}", content=list(nodes))


def mapping(**nodes):
    kinds = [node("TypeNode", "builtins.str") for _ in nodes]
    return node(
        "DictNode", "builtins.dict", content=dict(nodes), key_types=items(*kinds)
    )


def array(of_numpy):
    name = f"{next(_numbers)}.npy"
    _arrays[name] = npy(of_numpy)
    return node("NdArrayNode", "numpy.ndarray", type="numpy", file=name)


def estimator(cls, **attributes):
    name = f"{cls.__module__}.{cls.__name__}"
    return node("ObjectNode", name, content=mapping(**attributes))


def write(path, root, *, members=()):
    """Write a file of format 1 that describes the node."""
    import skops.io

    schema = dict(root) | {"protocol": skops.io._protocol.PROTOCOL}
    schema["_skops_version"] = skops.__version__
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skgenre.json", json.dumps({"format": 1}))
        archive.writestr("schema.json", json.dumps(schema))
        for name, contents in {**_arrays, **dict(members)}.items():
            archive.writestr(name, contents)
    _arrays.clear()


def write_by_skops(path, model):
    """Write a file of format 1, as skgenre did, of any model that skops can write."""
    import skops.io

    model = copy.deepcopy(model)
    for part in parts(model):
        attributes = getattr(part, "__dict__", {})
        attributes.pop("_metadata_request", None)
        if "_feature_subsample_rng" in attributes:  # of gradient boosting
            attributes["_feature_subsample_rng"] = None
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skgenre.json", json.dumps({"format": 1}))
        for name, contents in members.items():
            archive.writestr(name, contents)


def npy(of_numpy, *, allow_pickle=False):
    """Return the contents of a file of NumPy."""
    file = io.BytesIO()
    np.save(file, of_numpy, allow_pickle=allow_pickle)
    return file.getvalue()


def npy_header(descr, shape):
    """Return the header of a file of NumPy, which says what its writer likes."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


class Parts(dict):
    """The arrays of a file of format 2, by name."""

    def of(self, node):
        """Return the array that a node names."""
        return np.load(io.BytesIO(self[node["array"]]), allow_pickle=False)

    def add(self, of_numpy):
        """Return a node that names a new array, or the contents of a file as given."""
        name = f"forged{len(self)}.npy"
        self[name] = of_numpy if isinstance(of_numpy, bytes) else npy(of_numpy)
        return {"array": name}

    def replace(self, node, of_numpy):
        """Put another array in the place of one."""
        self[node["array"]] = npy(of_numpy)


@contextlib.contextmanager
def forged(path):
    """Give a saved model's description and arrays, and write them back as changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    description = json.loads(members["model.json"])
    arrays = Parts(each for each in members.items() if each[0].endswith(".npy"))
    yield description, arrays
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skgenre.json", members["skgenre.json"])
        archive.writestr("model.json", json.dumps(description))
        for name, contents in arrays.items():
            archive.writestr(name, contents)


def objects(description, name=None):
    """Yield the estimators in a description, those of one class or all."""
    if isinstance(description, dict):
        if description.keys() == {"object", "parameters", "fitted"}:
            if name in (None, description["object"]):
                yield description
        description = [*description.values()]
    if isinstance(description, list):
        for each in description:
            yield from objects(each, name)
