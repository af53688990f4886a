"""What is published: wheel, sdist and conda recipe."""

import email
import re
import runpy
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import skgenre

ROOT = Path(__file__).parents[1]
with open(ROOT / "pyproject.toml", "rb") as _file:
    PROJECT = tomllib.load(_file)["project"]
VERSION = skgenre.__version__
# What a release has no use for, or no right to: music and models, pages that are made.
UNWANTED = re.compile(
    r"\.(mp3|wav|flac|ogg|m4a|h5|onnx|pyc|log)$|__pycache__|/_build/|auto_examples"
    r"|/generated/|\.egg-info|/shared/"
)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Return the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_the_wheel_is_the_package_and_its_manual_page(distributions):
    wheel, _ = distributions
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sizes = [each.file_size for each in archive.infolist()]
    package = {name for name in names if name.startswith("skgenre/")}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "skgenre").rglob("*.*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert package == here
    assert {"skgenre/py.typed", "skgenre/__init__.pyi"} <= package
    assert "skgenre/inspection/_report/_template.html" in package
    data = f"skgenre-{VERSION}.data/data/share/man/man1/skgenre.1"
    info = f"skgenre-{VERSION}.dist-info/"
    rest = {name for name in names if not name.startswith(("skgenre/", info))}
    assert rest == {data} and not any(map(UNWANTED.search, names))
    assert sum(sizes) < 5e6


def test_the_sdist_holds_no_music_and_nothing_that_is_made(distributions):
    with tarfile.open(distributions[1]) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    assert not [name for name in names if UNWANTED.search(f"/{name}")]
    assert {"pyproject.toml", "hatch_build.py", "docs/skgenre.1", "LICENSE"} <= names
    assert {"tests/conftest.py", "requirements/serve.txt", "CHANGELOG.md"} <= names
    assert sum(member.size for member in members) < 20e6


def test_the_description_needs_no_other_file(distributions):
    with zipfile.ZipFile(distributions[0]) as archive:
        text = archive.read(f"skgenre-{VERSION}.dist-info/METADATA").decode()
    metadata = email.message_from_string(text)
    assert metadata["Version"] == VERSION and metadata["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    readme = metadata.get_payload()
    assert readme.startswith("# skgenre") and "skgenre tag" in readme
    text = re.sub("```.*?```", "", readme, flags=re.DOTALL)
    assert not re.findall(r"\]\((?!https?:|#|mailto:)", text)


def test_pictures_and_links_of_the_readme():
    description = runpy.run_path(str(ROOT / "hatch_build.py"))["description"]
    readme = (
        "![A map](docs/map.png) [guide](docs/a.rst), [web](https://a.b) [top](#a)\n"
    )
    code = "```python\nx[0](y)\n```\n"
    assert description(readme + code, None, "1") == (
        "A map guide, [web](https://a.b) [top](#a)\n" + code
    )
    assert description(readme + code, "https://c/d", "1") == (
        "![A map](https://c/d/raw/v1/docs/map.png) "
        "[guide](https://c/d/blob/v1/docs/a.rst), [web](https://a.b) [top](#a)\n" + code
    )


OF_CONDA = {
    "matplotlib": "matplotlib-base",
    "soundfile": "pysoundfile",
    "soxr": "soxr-python",
}


def test_the_conda_recipe_needs_the_same():
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
    expected = set()
    for requirement in PROJECT["dependencies"]:
        name, bounds = re.fullmatch(r"([\w-]+)(.+)", requirement).groups()
        expected.add(f"{OF_CONDA.get(name, name)} {bounds}")
    python, *found = recipe["requirements"]["run"]
    assert set(found) == expected and python == "python >=${{ python_min }}"
    context = recipe["context"]
    assert PROJECT["requires-python"] == f">={context['python_min']}"
    assert context["version"] == VERSION


def test_the_changelog_begins_with_this_version():
    headings = re.findall(
        "^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert headings[0].split()[0] == VERSION
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == VERSION
