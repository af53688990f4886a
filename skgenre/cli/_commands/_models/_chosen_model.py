"""The pipelines that ``--model`` names, as the command line trains them."""

from pathlib import Path

from rich.console import Console
from sklearn.pipeline import Pipeline

from skgenre.classifiers import BaseGenreClassifier, SegmentClassifier
from skgenre.cli._commands._cache import set_cache
from skgenre.cli._commands._weights import NO_WEIGHTS, require_weights
from skgenre.features._pretrained._musicnn_weights import has_weights
from skgenre.pipelines import genre_pipeline


def best_installed() -> str:
    """Return the name of the best pipeline that can be used here."""
    return "best" if has_weights() else "fast"


def chosen_model(
    name: str | None,
    *,
    multi_label: bool = False,
    epochs: int | None = None,
    checkpoint_dir: Path | None = None,
    seed: int,
    cache_dir: Path | None,
    time_limit: float | None,
    n_jobs: int,
    yes: bool,
    console: Console,
) -> Pipeline:
    """Return the pipeline to train, and print which it is.

    With None as its name it is the best one that can be used here. A network prints a
    line for each epoch.

    Raises
    ------
    ImportError
        If it needs weights that are not here.
    ValueError
        If `epochs` or `checkpoint_dir` is given for a pipeline that has no network to
        train.
    """
    chosen = name or best_installed()
    if chosen == "best":
        require_weights(yes=yes)
    pipeline = _pipeline(
        chosen,
        multi_label=multi_label,
        epochs=epochs,
        checkpoint_dir=checkpoint_dir,
        seed=seed,
        n_jobs=n_jobs,
        progress=console.is_terminal,
    )
    pipeline[0].set_params(time_limit=time_limit)
    set_cache(pipeline[0], cache_dir)
    why = f", {NO_WEIGHTS}" if name is None and chosen == "fast" else ""
    several = " of several genres" if multi_label else ""
    console.print(f"Model: [bold]{chosen}[/]{several}{why}.")
    return pipeline


def _pipeline(
    name: str,
    *,
    multi_label: bool,
    epochs: int | None,
    checkpoint_dir: Path | None,
    seed: int,
    n_jobs: int,
    progress: bool,
) -> Pipeline:
    pipeline = genre_pipeline(
        name,
        multi_label=multi_label,
        n_jobs=n_jobs,
        random_state=seed,
        verbose=progress,
    )
    network = pipeline[-1]
    if isinstance(network, SegmentClassifier):
        network = network.estimator
    if isinstance(network, BaseGenreClassifier):
        network.set_params(verbose=2, checkpoint_dir=checkpoint_dir)
        if epochs is not None:
            network.set_params(epochs=epochs)
        return pipeline
    for option, value in (("epochs", epochs), ("checkpoint-dir", checkpoint_dir)):
        if value is not None:
            raise ValueError(
                f"--{option} is for networks, and --model {name} trains none. Leave it "
                "out, or choose --model scratch, crnn, parallel or paper."
            )
    return pipeline
