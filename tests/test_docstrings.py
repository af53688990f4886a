"""Docstrings agree with the code, and what they and the guide show runs."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from numpydoc.docscrape import FunctionDoc, NumpyDocString
from sklearn.linear_model import LogisticRegression

import skgenre

DOCS = Path(__file__).parent.parent / "docs"
GUIDE = [DOCS / "index.rst", *DOCS.glob("user_guide/*.rst")]
GUIDE = sorted([*GUIDE, *DOCS.glob("tutorials/*.rst")])
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(skgenre.__path__, "skgenre.")
)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public_modules():
    """Yield the modules that users import names from."""
    for name in ["skgenre", *MODULES]:
        if not any(part.startswith("_") for part in name.split(".")):
            yield importlib.import_module(name)


def public_objects():
    """Return each public class and function of the package once, by name."""
    found = {}
    for module in public_modules():
        # Without `__all__`, as in persistence.py: what is defined there.
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__
            and not name.startswith("_")
        ]
        for name in names:
            value = getattr(module, name)
            is_documented = inspect.isclass(value) or inspect.isfunction(value)
            if is_documented and value.__module__.startswith("skgenre."):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


OBJECTS = public_objects()
CLASSES = {name: value for name, value in OBJECTS.items() if inspect.isclass(value)}


def public_methods(cls):
    """Yield the public methods that the package itself defines."""
    for name, value in inspect.getmembers(cls):
        function = inspect.unwrap(getattr(value, "__func__", value))
        if (
            not name.startswith("_")
            and inspect.isfunction(function)
            and function.__module__.startswith("skgenre.")
        ):
            yield value


FUNCTIONS = {
    f"{value.__module__}.{value.__qualname__}": value
    for value in [
        *(value for value in OBJECTS.values() if inspect.isfunction(value)),
        *(method for cls in CLASSES.values() for method in public_methods(cls)),
    ]
}


def documented_parameters(sections):
    """Return the (name, type) pairs of a docstring, one for each name of 'a, b'."""
    return [
        (name.strip(), parameter.type)
        for parameter in sections["Parameters"] + sections["Other Parameters"]
        for name in parameter.name.split(",")
    ]


def parameters(signature):
    """Return the parameters, starred ones with their stars as numpydoc wants them."""
    stars = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    return [
        (stars.get(parameter.kind, "") + name, parameter.default)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    ]


def assert_documented(signature, sections):
    """Compare names, order and defaults."""
    expected = parameters(signature)
    documented = documented_parameters(sections)
    assert [name for name, _ in documented] == [name for name, _ in expected]
    for (name, default), (_, kind) in zip(expected, documented, strict=True):
        stated = re.search(r"default=(.+?)\s*$", kind)
        if default is inspect.Parameter.empty:
            assert not stated, f"{name} : {kind}"
        elif kind != "None":  # 'y : None', which is ignored
            assert stated, f"{name} : {kind} states no default"
            assert ast.literal_eval(stated[1]) == default, f"{name} : {kind}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_class_documents_its_parameters(name):
    cls = CLASSES[name]
    if issubclass(cls, BaseException) and "__init__" not in vars(cls):
        pytest.skip("an exception with its parent's constructor")
    if cls.__name__.startswith("Base"):
        pytest.skip("a base class, whose parameters its subclasses document")
    sections = NumpyDocString(inspect.getdoc(cls))
    assert_documented(inspect.signature(cls), sections)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_documents_its_parameters(name):
    function = FUNCTIONS[name]
    with warnings.catch_warnings(action="error"):
        sections = FunctionDoc(function)
    assert sections["Summary"], "no summary"
    assert_documented(inspect.signature(function), sections)
    returned = inspect.signature(function).return_annotation
    if returned not in (None, inspect.Signature.empty):
        assert sections["Returns"] or sections["Yields"], "no Returns"


def _network(input_shape, n_classes):
    x = inputs = keras.Input(input_shape)
    x = keras.layers.Dense(n_classes, "softmax")(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    "name", [name for name in sorted(CLASSES) if hasattr(CLASSES[name], "fit")]
)
def test_fitted_attributes_are_documented(name):
    cls = CLASSES[name]
    if cls.__name__.startswith("Base"):
        pytest.skip("a base class, whose attributes its subclasses document")
    frames = keras.Input((None, 128))
    required = {
        "estimator": LogisticRegression(),
        "model": keras.Model(frames, keras.layers.Dense(2)(frames)),
        "network": _network,
    }
    estimator = cls(
        **{
            name: required[name]
            for name, default in parameters(inspect.signature(cls))
            if default is inspect.Parameter.empty
        }
    )
    small = {"epochs": 1, "n_clusters": 2}
    estimator.set_params(
        **{name: small[name] for name in small if name in estimator.get_params()}
    )
    rng = np.random.default_rng(0)
    takes_spectrograms = estimator.__sklearn_tags__().input_tags.three_d_array
    X = rng.normal(-40, 10, size=(12, 8, 4) if takes_spectrograms else (12, 64))
    estimator.fit(X, np.arange(12) % 2)
    documented = {
        name.strip(): " ".join(attribute.desc)
        for attribute in NumpyDocString(inspect.getdoc(cls))["Attributes"]
        for name in attribute.name.split(",")
    }
    fitted = {
        attribute
        for attribute in dir(estimator)
        if re.fullmatch(r"[a-z]\w*_", attribute)
    }
    assert fitted <= set(documented)
    for name in set(documented) - fitted:
        if hasattr(estimator, name):
            continue  # left out of dir(), as it is built when looked at
        # Some are not always there, and say when they are.
        said = documented[name].lower()
        assert "only" in said or "where x was" in said, f"there is no {name}"


@pytest.fixture
def quiet(tmp_path, monkeypatch):
    """Run in an empty folder, without windows, and leave no figures open."""
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_docstrings_run(name, quiet, capsys):
    results = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert results.failed == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDE, ids=lambda page: str(page.relative_to(DOCS)))
def test_snippets_of_the_guide_run(page, quiet, capsys):
    results = doctest.testfile(
        str(page), module_relative=False, optionflags=OPTIONS, encoding="utf-8"
    )
    assert results.failed == 0, capsys.readouterr().out


def test_public_names_are_in_the_api_reference():
    text = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
    listed = {
        entry.rsplit(".", 1)[-1] for entry in re.findall(r"^   ([\w.]+)$", text, re.M)
    }
    assert {value.__name__ for value in OBJECTS.values()} <= listed


def test_the_api_reference_says_what_can_be_imported_from_skgenre():
    text = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
    introduction = text[: text.index(".. currentmodule")]
    listed = set(re.findall(r"``(\w+)``", introduction)) - {"skgenre"}
    modules = {name for name in skgenre.__all__ if f"skgenre.{name}" in MODULES}
    assert listed == set(skgenre.__all__) - modules - {"__version__"}


def test_no_example_is_skipped():
    for path in [*GUIDE, *Path(skgenre.__path__[0]).rglob("*.py")]:
        assert "+SKIP" not in path.read_text(encoding="utf-8"), path
