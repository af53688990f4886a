import pytest
from typer.testing import CliRunner

from skgenre.cli import app
from skgenre.cli._commands import _weights
from skgenre.features._pretrained._musicnn_weights import has_weights


def invoke(*arguments, **options):
    command = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, command, **options)


@pytest.fixture
def local_index(musicnn_wheel, monkeypatch):
    """Have pip find the wheel in a folder, and ask no server."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(musicnn_wheel.parent))


@pytest.fixture
def at_a_terminal(monkeypatch):
    class Terminal:
        @staticmethod
        def isatty():
            return True

    monkeypatch.setattr(_weights.sys, "stdin", Terminal)
    monkeypatch.setattr(_weights.console, "_force_terminal", True)


@pytest.mark.slow
def test_weights_of_the_users_index(no_weights, local_index):
    result = invoke("weights")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "28 MiB from your package index, ISC licence" in said
    assert f"The weights are in {no_weights}/musicnn-0.1.0." in said
    assert has_weights()
    assert "index" not in invoke("weights").stderr  # they are here


@pytest.mark.slow
def test_weights_of_a_wheel(no_weights, musicnn_wheel):
    result = invoke("weights", "--wheel", musicnn_wheel)
    assert result.exit_code == 0, result.output
    assert has_weights()


def test_a_wheel_that_is_none(no_weights, tmp_path):
    (tmp_path / "it.whl").write_bytes(b"forged")
    for wheel in ("it.whl", "no.whl"):
        result = invoke("weights", "--wheel", tmp_path / wheel)
        assert result.exit_code == 1
        assert "Error: " in result.stderr and wheel in result.stderr
    assert not no_weights.exists()


@pytest.mark.slow
def test_yes_gets_them_without_a_question(no_weights, local_index, tmp_path):
    command = ("train", tmp_path / "no music", "-o", tmp_path / "it.model")
    result = invoke(*command, "--model", "best", "--yes")
    assert result.exit_code == 1
    assert "no music" in result.stderr  # what comes after the weights
    assert has_weights()


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_there_is_a_question(
    answer, no_weights, local_index, at_a_terminal, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        _weights.typer,
        "confirm",
        lambda question, **_: asked.append(question) or answer == "y",
    )
    _weights.offer_weights(yes=False)
    assert asked == ["Get them now?"]
    assert has_weights() == (answer == "y")
    if answer == "n":
        with pytest.raises(ImportError, match="skgenre weights"):
            _weights.require_weights(yes=False)


def test_nobody_is_asked_elsewhere(no_weights):
    _weights.offer_weights(yes=False)
    with pytest.raises(ImportError, match="skgenre weights"):
        _weights.require_weights(yes=False)
    assert not no_weights.exists()
