"""The rules that CONTRIBUTING gives for modules, imports and tests' names."""

import ast
import functools
import graphlib
import importlib
import re
import tomllib
from pathlib import Path

import pytest

import skgenre

ROOT = Path(__file__).parents[1]

# A module imports from its own room and from those before it.
ROOMS = (
    *("_lazy_names", "_install", "_files", "_text", "_version", "_docstrings"),
    "_warnings",
    *("_sklearn_compat", "_estimators"),
    *("audio", "runtime", "networks", "features", "datasets", "classifiers"),
    *("clustering", "pipelines", "persistence", "inspection", "explore"),
    "cli",
)
MOST_MODULES = 12

POSIX_ONLY = {"fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty"}
POSIX_ONLY_ATTRIBUTES = {
    *("signal.SIGKILL", "signal.SIGALRM", "signal.SIGHUP", "signal.SIGUSR1"),
    *("signal.pthread_sigmask", "os.fork", "os.mkfifo", "os.geteuid", "os.getuid"),
}

PUBLIC_NAMES = {
    "skgenre": """
        AbstainingClassifier AudioError CRNNClassifier EmbeddingKMeans GenreTagger
        KerasEmbedding KerasGenreClassifier MFCCStandardizer MelSpectrogramTransformer
        MissingClipClassifier ModelFileError MultiLabelClassifier MusicnnEmbedding
        ParallelCNNRNNClassifier SecondOrderClassifier SegmentClassifier SpectrogramFile
        TemperatureScalingClassifier TrackRecommender Waveform __version__ audio
        classifiers clustering datasets explore export_onnx features fetch_weights
        genre_pipeline inspection load load_audio networks persistence pipelines save
    """,
    "skgenre.audio": "AudioError Clip Waveform load_audio map_clips",
    "skgenre.features": """
        KerasEmbedding MFCCStandardizer MelSpectrogramTransformer MusicnnEmbedding
        SpectrogramFile fetch_weights log_mel_spectrogram mfcc_statistics precompute
    """,
    "skgenre.networks": """
        RandomTimeCrop SpecAugment crnn parallel_cnn_rnn second_order set_statistics
    """,
    "skgenre.classifiers": """
        AbstainingClassifier BaseGenreClassifier CRNNClassifier GenreTagger
        KerasGenreClassifier MissingClipClassifier MultiLabelClassifier
        ParallelCNNRNNClassifier SecondOrderClassifier SegmentClassifier
        TemperatureScalingClassifier risk_coverage_curve
    """,
    "skgenre.clustering": """
        EmbeddingKMeans TrackRecommender mean_average_precision precision_at_k
    """,
    "skgenre.datasets": """
        GenreTree audit check_audio fetch_fma find_audio_files from_hugging_face
        from_mirdata load_audio_folder load_fma load_fma_features load_gtzan
        load_music_library make_genre_clips
    """,
    "skgenre.inspection": """
        ClusterDisplay EmbeddingDisplay FilterActivationDisplay LearningCurvesDisplay
        RiskCoverageDisplay SilhouetteCurveDisplay SilhouetteDisplay SpectrogramDisplay
        TimelineDisplay accuracy_scores bootstrap_accuracy classification_report_html
        compare_predictions expected_calibration_error hierarchical_scores
        maximize_activation multilabel_report_html multilabel_score_intervals saliency
        score_intervals sonify suspected_label_errors
    """,
    "skgenre.explore": "Explorer explore",
    "skgenre.persistence": "ModelFileError export_onnx load read_info save",
    "skgenre.pipelines": "embedding_pipeline genre_pipeline",
    "skgenre.cli": "app",
}


def read_sources(folder):
    """Return the modules' texts by name; a package's holds its stub's lines, too."""
    texts = {}
    for path in sorted(folder.rglob("*.py*")):
        if path.suffix in (".py", ".pyi"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            text = path.read_text(encoding="utf-8")
            texts[name] = texts.get(name, "") + text
    return texts


SOURCES = read_sources(ROOT / "skgenre")


@functools.cache
def imports(text, package):
    """Return (module, name or None) of each import, wherever in the file it stands.

    That is also inside functions and under ``TYPE_CHECKING``, and by the name of a
    module in a string, as `importlib.import_module` takes it.
    """
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {(each.name, None) for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: -(node.level - 1) or None]
                module = ".".join([*above, module] if module else above)
            found |= {(module, each.name) for each in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"(skgenre|sklearn|scikeras)(\.\w+)+", node.value):
                found.add((node.value, None))
    return found


def package_of(name, sources):
    is_package = any(other.startswith(f"{name}.") for other in sources)
    return name if is_package else name.rpartition(".")[0]


def all_imports(sources):
    """Return the imports of each module."""
    return {
        name: imports(text, package_of(name, sources)) for name, text in sources.items()
    }


def room(name):
    return name.split(".")[1]


def import_graph(sources):
    """Return the modules that each module imports; those of the root are left out."""
    graph = {}
    for name, found in all_imports(sources).items():
        targets = {
            f"{module}.{imported}" if f"{module}.{imported}" in sources else module
            for module, imported in found
        }
        graph[name] = {
            target for target in targets - {name} if target.startswith("skgenre.")
        }
    del graph["skgenre"]
    return graph


def faults_of_imports(sources):
    """Return what breaks the order of rooms, one line each."""
    faults = []
    for name, found in all_imports(sources).items():
        if name == "skgenre":
            continue
        for module, imported in found:
            if module == "skgenre" and imported not in ROOMS:
                faults.append(f"{name} imports {imported} from skgenre itself")
    graph = import_graph(sources)
    for name, targets in graph.items():
        for target in targets:
            if target in sources and ROOMS.index(room(target)) > ROOMS.index(
                room(name)
            ):
                faults.append(f"{name} imports {target}, which is of a later room")
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        faults.append(f"a circle: {' imports '.join(reversed(error.args[1]))}")
    return faults


def test_every_module_is_in_a_room_of_the_list():
    assert {room(name) for name in SOURCES if name != "skgenre"} == set(ROOMS)


def test_imports_point_to_earlier_rooms_and_never_in_a_circle():
    assert faults_of_imports(SOURCES) == []


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("audio._load", "import skgenre.features", "later room"),
        ("audio._load", "from skgenre import features", "later room"),
        ("audio._load", "def f():\n    from skgenre.cli import app", "later room"),
        ("audio._load", "from ..features._mfcc import mfcc_statistics", "later room"),
        ("audio._load", "from .. import features", "later room"),
        ("audio._load", "if TYPE_CHECKING:\n    import skgenre.cli", "later room"),
        ("audio._load", "import_module('skgenre.features')", "later room"),
        ("_text", "from skgenre.audio import AudioError", "later room"),
        ("cli._app", "from skgenre import load", "from skgenre itself"),
        ("cli._app", "import skgenre", "from skgenre itself"),
        ("audio._errors", "from ._load import load_audio", "a circle"),
        ("audio._errors", "def f():\n    from skgenre.audio import _load", "a circle"),
    ],
)
def test_a_planted_import_is_found(module, line, fault):
    name = f"skgenre.{module}"
    before = faults_of_imports(SOURCES)
    after = faults_of_imports(SOURCES | {name: f"{SOURCES[name]}\n{line}\n"})
    planted = {*after} - {*before}
    assert any(fault in each and name in each for each in planted)


@pytest.mark.parametrize("module", PUBLIC_NAMES)
def test_public_names(module):
    found = importlib.import_module(module)
    expected = set(PUBLIC_NAMES[module].split())
    names = getattr(found, "__all__", None) or {
        name
        for name, value in vars(found).items()
        if getattr(value, "__module__", None) == module and not name.startswith("_")
    }
    assert set(names) == expected
    for name in expected:
        assert getattr(found, name) is not None
        if module == "skgenre" and name not in {"__version__", *ROOMS}:
            owners = [getattr(skgenre, room) for room in ROOMS if room in expected]
            assert any(
                getattr(owner, name, None) is getattr(found, name) for owner in owners
            ), f"{name} is of no room"


def private_imports(sources, package):
    """Return (module, what it imports) of the private names of a package."""
    return {
        (name, f"{module}.{imported or ''}")
        for name, found in all_imports(sources).items()
        for module, imported in found
        if module.split(".")[0] == package
        and re.search(r"\._", f"{module}.{imported or ''}")
    }


def test_private_names_of_scikit_learn_are_in_one_module():
    found = private_imports(SOURCES, "sklearn")
    assert {name for name, _ in found} == {"skgenre._sklearn_compat"}, found


def test_scikeras_is_known_to_one_module():
    users = {
        name
        for name, found in all_imports(SOURCES).items()
        for module, _ in found
        if module.split(".")[0] == "scikeras"
    }
    assert users == {"skgenre.classifiers._training._wrapper"}


def test_skops_is_for_tests_alone():
    for name, found in all_imports(SOURCES).items():
        assert not {module for module, _ in found if module.split(".")[0] == "skops"}, (
            name
        )
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    assert not [each for each in project["dependencies"] if "skops" in each]


@pytest.mark.parametrize(
    "line",
    [
        "from sklearn.base import _fit_context",
        "from sklearn.utils._param_validation import Interval",
        "def f():\n    import sklearn.utils._set_output",
        "x = 'sklearn.tree._tree'",
    ],
)
def test_a_planted_private_name_is_found(line):
    planted = {"skgenre": "", "skgenre.audio._load": line}
    assert private_imports(planted, "sklearn")


def test_rooms_are_small():
    sizes = {}
    for path in (ROOT / "skgenre").rglob("*.py"):
        if path.name != "__init__.py":
            folder = path.parent.relative_to(ROOT / "skgenre").as_posix()
            sizes[folder] = sizes.get(folder, 0) + 1
    for folder, size in sizes.items():
        assert size <= MOST_MODULES, f"{folder} has {size} modules"


def test_a_test_module_in_a_folder_is_named_for_the_module_that_it_tests():
    for path in (ROOT / "tests").rglob("test_*.py"):
        *folders, name = path.relative_to(ROOT / "tests").parts
        if folders:
            first, *rest = folders
            folder = ROOT.joinpath("skgenre", first, *(f"_{part}" for part in rest))
            tested = folder / name.replace("test_", "_", 1)
            assert tested.is_file(), f"{path} tests no {tested}"


def module_level_nodes(tree):
    """Yield what runs when a module is imported, but for imports that may fail."""
    rest = [tree]
    while rest:
        node = rest.pop()
        yield node
        if isinstance(node, ast.FunctionDef):
            rest += node.decorator_list + node.args.defaults
        elif isinstance(node, ast.Try) and "ImportError" in "".join(
            map(ast.unparse, node.handlers)
        ):
            rest += node.orelse + node.finalbody
        elif not isinstance(node, ast.Lambda):
            rest += ast.iter_child_nodes(node)


def needs_posix(source):
    """Return what a module would need as it is imported, and Windows has not."""
    found = set()
    for node in module_level_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names} & POSIX_ONLY
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} & POSIX_ONLY
        elif isinstance(node, ast.Attribute):
            found |= {ast.unparse(node)} & POSIX_ONLY_ATTRIBUTES
    return found


@pytest.mark.parametrize("folder", ["skgenre", "tests"])
def test_modules_can_be_imported_on_windows(folder):
    needed = {
        path.relative_to(ROOT).as_posix(): needs_posix(path.read_text(encoding="utf-8"))
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: needs for name, needs in needed.items() if needs} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import resource", {"resource"}),
        ("if x:\n    from fcntl import flock", {"fcntl"}),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", set()),
        ("class A:\n    x = signal.SIGKILL", {"signal.SIGKILL"}),
        ("@mark(signal.SIGALRM)\ndef f(): pass", {"signal.SIGALRM"}),
        ("def f():\n    import resource\n    os.mkfifo(x)", set()),
        ("resource = pytest.importorskip('resource')", set()),
        ("getattr(signal, 'SIGKILL', None)", set()),
    ],
)
def test_what_windows_has_not_is_found(source, found):
    assert needs_posix(source) == found


def test_tools_have_one_version_each():
    """pre-commit runs what pyproject.toml pins, and has no versions of its own."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert "repo: local" in hooks and "rev:" not in hooks
    with open(ROOT / "pyproject.toml", "rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    pinned = {entry.split("==")[0] for entry in extras["dev"] if "==" in entry}
    assert pinned >= {"ruff", "mypy"}


def test_python_versions_and_systems_are_those_that_the_workflow_tests():
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    classifiers = " ".join(project["classifiers"])
    named = re.findall(r"Python :: (3\.\d+)", classifiers)
    workflow = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    (tested,) = re.findall(r"python: \[(.+)\]", workflow)
    assert re.findall(r"3\.\d+", tested) == named
    assert project["requires-python"] == f">={named[0]}"
    (systems,) = re.findall(r"os: \[(.+)\]", workflow)
    assert re.findall(r"(\w+)-latest", systems) == ["ubuntu", "macos", "windows"]
    named = re.findall(r"Operating System :: ([\w: ]+?) (?=Op|Pr)", classifiers)
    assert named == ["MacOS", "Microsoft :: Windows", "POSIX :: Linux"]
