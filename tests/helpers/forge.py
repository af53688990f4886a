"""Model files as an attacker would write them, node by node of skops's format."""

import io
import itertools
import json
import zipfile

import numpy as np
import skops.io

_numbers = itertools.count(1)
_arrays = {}


def node(loader, name, **more):
    module, _, cls = name.rpartition(".")
    return {
        "__class__": cls,
        "__module__": module,
        "__loader__": loader,
        "__id__": next(_numbers),
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
    file = io.BytesIO()
    np.save(file, of_numpy, allow_pickle=False)
    _arrays[name] = file.getvalue()
    return node("NdArrayNode", "numpy.ndarray", type="numpy", file=name)


def estimator(cls, **attributes):
    name = f"{cls.__module__}.{cls.__name__}"
    return node("ObjectNode", name, content=mapping(**attributes))


def write(path, root, *, members=()):
    """Write a file of format 1 that describes the node."""
    schema = dict(root) | {"protocol": skops.io._protocol.PROTOCOL}
    schema["_skops_version"] = skops.__version__
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skgenre.json", json.dumps({"format": 1}))
        archive.writestr("schema.json", json.dumps(schema))
        for name, contents in {**_arrays, **dict(members)}.items():
            archive.writestr(name, contents)
    _arrays.clear()
