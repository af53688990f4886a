"""No source file runs or fetches what it reads, except in a few reasoned places."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path
    for folder in ("skgenre", "benchmarks", "examples", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if "auto_examples" not in path.parts and "_build" not in path.parts
)

STARTS = ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
# Runs what it reads, or code that a text holds.
RUNS_CODE = {
    *("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "shelve.open"),
    *("cloudpickle.load", "cloudpickle.loads", "dill.load", "dill.loads"),
    *("marshal.load", "marshal.loads", "joblib.load", "torch.load"),
    *("pandas.read_pickle", "pandas.read_hdf", "pandas.eval", "yaml.load"),
    *("yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"),
    *("subprocess.getoutput", "subprocess.getstatusoutput"),
    *("joblib.Memory", "multiprocessing.connection.Client"),
    "multiprocessing.connection.Listener",
    *(f"os.{start}{how}" for start in ("exec", "spawn") for how in STARTS),
    *("keras.config.enable_unsafe_deserialization", "ctypes.CDLL"),
    *("skops.io.load", "skops.io.loads", "importlib.import_module"),
    *("pty.spawn", "runpy.run_path", "code.interact"),
}
# Writes, or extracts, where somebody else may choose the place.
WRITES_ANYWHERE = {
    *("tempfile.mktemp", "shutil.unpack_archive", "zipfile.ZipFile.extractall"),
    *("tarfile.open", "tarfile.TarFile", "keras.utils.get_file"),
}
# Gets what is not checked.
DOWNLOADS = {
    *("urllib.request.urlopen", "urllib.request.urlretrieve", "pooch.retrieve"),
    *("http.client.HTTPConnection", "http.client.HTTPSConnection", "socket.create"),
    *("requests.get", "requests.post", "requests.request", "requests.Session"),
    *("fsspec.open", "fsspec.core.url_to_fs", "fsspec.filesystem"),
}
FORBIDDEN = RUNS_CODE | WRITES_ANYWHERE | DOWNLOADS
# Calls of methods, whatever their object is.
METHODS = {"extractall", "read_pickle", "to_pickle", "register_custom_ops_library"}

ALLOWED = {
    ("benchmarks/loading.py", "joblib.load"): (
        "of a pickle that it has just written itself, to compare the times"
    ),
    ("benchmarks/_services.py", "http.client.HTTPConnection"): (
        "of a service on this machine that it has started itself"
    ),
    ("benchmarks/_forged_models.py", "importlib.import_module"): (
        "the names are those of the closed list, to forge a file of each class"
    ),
    ("skgenre/persistence/_classes/__init__.py", "importlib.import_module"): (
        "the modules are those of the closed list, and the file names a class of it"
    ),
    ("skgenre/persistence/_description.py", "importlib.import_module"): (
        "the modules are those of the table of functions, and the file names one of it"
    ),
    ("skgenre/audio/_decoders/_soundfile.py", "ctypes.CDLL"): (
        "of this process itself: the C library that it has loaded"
    ),
    ("skgenre/audio/_isolation/_worker.py", "pickle.load"): (
        "through pipes that nobody but the process and its own worker can write to"
    ),
    ("skgenre/datasets/_download.py", "requests.get"): (
        "the archive's SHA-1 is compared before it is used, in fetch_archive"
    ),
    ("skgenre/audio/_remote.py", "fsspec.core.url_to_fs"): (
        "of URLs that the user passes as X; they are audio, and decoded as such"
    ),
}


# Where model files are read, nothing is decided by what an object has: a file could
# have given it that. Classes and modules are not of the file.
ASKED = {
    "getattr(importlib.import_module(CLASSES[name].module), name, None)",
    "getattr(type(estimator), '_check_parameters', None)",
    "getattr(value, 'classes_', None)",  # of a part that must have classes
    "hasattr(cls, 'feature_names_in_')",
    "hasattr(cls, 'set_output')",
    "hasattr(type(part), '_runtime')",
    # In writing: facts about a model, and metrics, of the user's own objects.
    "getattr(model, 'classes_', None)",
    "hasattr(value, 'tolist')",
}


def name_of(node, aliases):
    """Return the dotted name of an expression, by what was imported; else None."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = name_of(node.value, aliases)
        return owner and f"{owner}.{node.attr}"
    return None


def imported(tree):
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.name if each.asname else each.name.split(".")[0]
                aliases[each.asname or name] = name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                aliases[each.asname or each.name] = f"{node.module}.{each.name}"
    return aliases


def says(call, argument, value):
    return any(
        keyword.arg == argument
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is value
        for keyword in call.keywords
    )


def gives(call, argument):
    return any(keyword.arg == argument for keyword in call.keywords)


def faults_of_call(call, name, aliases):
    """Yield what is wrong with the arguments of a call."""
    last = (name or "").rpartition(".")[2]
    if isinstance(call.func, ast.Attribute):
        last = call.func.attr
    if last in METHODS:
        yield last
    if name in ("numpy.load", "numpy.lib.format.read_array") and not says(
        call, "allow_pickle", False
    ):
        yield f"{name} without allow_pickle=False"
    if last == "load_model" and not says(call, "compile", False):
        yield "load_model without compile=False"
    if gives(call, "shell") and not says(call, "shell", False):
        yield "shell=True"
    if name == "getattr" and len(call.args) > 1:  # pickle.load by its name
        module, attribute = call.args[:2]
        if isinstance(attribute, ast.Constant):
            yield from {f"{name_of(module, aliases)}.{attribute.value}"} & FORBIDDEN
    if says(call, "safe_mode", False):
        yield "safe_mode=False"
    if says(call, "verify", False):
        yield "verify=False"
    if says(call, "allow_pickle", True):
        yield "allow_pickle=True"
    is_request = name in ("requests.get", "requests.post", "requests.request")
    if is_request and not gives(call, "timeout"):
        yield f"{name} without a timeout"


def faults(source):
    """Return the names of what a source does and should not, each once."""
    tree = ast.parse(source)
    aliases = imported(tree)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = name_of(node, aliases)
            if name in FORBIDDEN:
                found.add(name)
        elif isinstance(node, ast.Call):
            found.update(faults_of_call(node, name_of(node.func, aliases), aliases))
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{each.name}" for each in node.names}
            found.update(names & FORBIDDEN)
            if f"{node.module}.*" in names:  # brings what can't be seen here
                found.add("import *")
    return found


def test_no_source_does_what_is_not_safe():
    found = {
        (path.relative_to(ROOT).as_posix(), fault)
        for path in FILES
        for fault in faults(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)  # and nothing is allowed in vain


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import pickle\npickle.loads(x)", "pickle.loads"),
        ("from pickle import load as l\nl(x)", "pickle.load"),
        ("import joblib as j\nmap(j.load, files)", "joblib.load"),
        ("eval(x)", "eval"),
        ("import numpy as np\nnp.load(x)", "numpy.load without allow_pickle=False"),
        ("import numpy as np\nnp.load(x, allow_pickle=True)", "allow_pickle=True"),
        ("import subprocess as s\ns.run(x, shell=True)", "shell=True"),
        ("import subprocess as s\ns.run(x, shell=is_text)", "shell=True"),
        ("import pickle\ngetattr(pickle, 'loads')(x)", "pickle.loads"),
        ("from pickle import *\nloads(x)", "import *"),
        ("import joblib\njoblib.Memory(x)", "joblib.Memory"),
        ("import os\nos.spawnlp(os.P_WAIT, x)", "os.spawnlp"),
        ("import os.path\nos.system(x)", "os.system"),
        ("import yaml\nyaml.load(x)", "yaml.load"),
        ("import tempfile\ntempfile.mktemp()", "tempfile.mktemp"),
        ("archive.extractall(x)", "extractall"),
        ("import requests\nrequests.get(x)", "requests.get without a timeout"),
        ("s.get(x, timeout=1, verify=False)", "verify=False"),
        ("from urllib.request import urlopen\nurlopen(x)", "urllib.request.urlopen"),
        ("import keras\nkeras.saving.load_model(x, compile=False, safe_mode=False)",)
        + ("safe_mode=False",),
        (
            "import keras\nkeras.models.load_model(x)",
            "load_model without compile=False",
        ),
    ],
)
def test_what_is_not_safe_is_seen(source, fault):
    assert fault in faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load(x, allow_pickle=False)",
        "import json\njson.loads(x)",
        "import re\nre.compile(x)",
        "evaluate(x)",
        "import subprocess\nsubprocess.run([x])",
        "import subprocess\nsubprocess.run([x], shell=False)",
        "getattr(x, 'load')(y)",
    ],
)
def test_what_is_safe_is_passed(source):
    assert not faults(source)


def questions(source):
    """Return the calls that ask whether an object has an attribute."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            is_default = node.func.id == "getattr" and len(node.args) == 3
            if is_default or node.func.id in ("hasattr", "callable"):
                found.add(ast.unparse(node))
        elif isinstance(node, ast.ExceptHandler) and node.type is not None:
            found |= {"except AttributeError"} & {f"except {ast.unparse(node.type)}"}
    return found


def test_model_files_are_judged_by_no_object():
    folder = ROOT / "skgenre" / "persistence"
    found = set()
    for path in folder.rglob("*.py"):
        found |= questions(path.read_text(encoding="utf-8"))
    assert found == ASKED  # and nothing is allowed in vain


@pytest.mark.parametrize(
    "source",
    [
        "hasattr(part, '_predictors')",
        "getattr(part, 'memory', None)",
        "callable(value)",
        "try:\n    part.x\nexcept AttributeError:\n    pass",
    ],
)
def test_a_question_to_an_object_is_seen(source):
    assert questions(source)
