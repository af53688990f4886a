"""Training, evaluation and prediction on a synthetic corpus."""

from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import Bunch

from skgenre.audio import Waveform
from skgenre.classifiers import CRNNClassifier
from skgenre.cli._commands._models._train import Evaluation, train_and_evaluate
from skgenre.cli._console import plain
from skgenre.cli._files import predict_files
from skgenre.cli._tables import write_predictions
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.features import MelSpectrogramTransformer
from skgenre.inspection import (
    EmbeddingDisplay,
    LearningCurvesDisplay,
    SpectrogramDisplay,
    TimelineDisplay,
)
from skgenre.persistence import save

_N_CLIPS = 200
_SECONDS = 10.0
_N_FRAMES = 215  # of 1,024 samples at 22,050 Hz, in 10 s
_EPOCHS = 40


def run_demo(folder: Path, *, seed: int, n_jobs: int, console: Console) -> None:
    """Make a corpus in `folder`, train, evaluate, predict, and save what came out."""
    import matplotlib

    matplotlib.use("Agg")

    music = folder / "music"
    folder.mkdir(parents=True, exist_ok=True)
    console.rule(f"Making {_N_CLIPS} synthetic clips")
    make_genre_clips(_N_CLIPS, duration=_SECONDS, random_state=seed, folder=music)
    tracks = load_audio_folder(music)

    console.rule("Training")
    model = make_pipeline(
        MelSpectrogramTransformer(n_frames=_N_FRAMES, n_jobs=n_jobs),
        CRNNClassifier(epochs=_EPOCHS, random_state=seed, verbose=2),
    )
    evaluation = train_and_evaluate(
        model, tracks, test_size=0.2, random_state=seed, console=console
    ).evaluation
    assert evaluation is not None
    model.set_params(crnnclassifier__verbose=0)

    console.rule("Predicting clips of new artists")
    new = make_genre_clips(
        2 * len(model.classes_),
        duration=_SECONDS,
        random_state=seed + 1,
        folder=folder / "new",
    )
    predictions, _ = predict_files(
        model, list(new.paths), top=2, n_jobs=n_jobs, console=console
    )
    write_predictions(predictions, "table", console.file)

    save(model, folder / "genres.model", metrics=evaluation.metrics)
    save_plots(model, tracks, new, evaluation, folder)
    console.rule("Done")
    console.print(
        f"The model, the corpus and the plots are in [bold]{plain(folder)}[/]."
    )


def save_plots(
    model: Pipeline, tracks: Bunch, new: Bunch, evaluation: Evaluation, folder: Path
) -> None:
    """Save pictures of the training, of the music, and of what the model hears."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(layout="constrained")
    confusion = ConfusionMatrixDisplay.from_predictions(
        evaluation.target,
        evaluation.predicted,
        labels=model.classes_,
        cmap="Blues",
        ax=ax,
    )
    embedding = EmbeddingDisplay.from_estimator(model, tracks.paths, tracks.target)
    figures = {
        "confusion_matrix": confusion.figure_,
        "learning_curves": LearningCurvesDisplay.from_estimator(model).figure_,
        "map": embedding.figure_,
        "timeline": _draw_timeline(model, new).figure_,
    }
    for genre in model.classes_:
        clip = tracks.paths[list(tracks.target).index(genre)]
        spectrogram = SpectrogramDisplay.from_estimator(model[0], clip)
        spectrogram.ax_.set_title(genre)
        figures[f"spectrogram_{genre}"] = spectrogram.figure_
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)
        plt.close(figure)


def _draw_timeline(model: Pipeline, clips: Bunch) -> TimelineDisplay:
    """Draw what the model hears through a medley of one clip of each genre."""
    rate, n_samples = clips.sample_rate, clips.waveforms.shape[1]
    medley = clips.waveforms[: len(model.classes_)].ravel()
    starts = np.arange(0, len(medley) - n_samples + 1, rate)  # every second
    windows = [Waveform(medley[i : i + n_samples], rate) for i in starts]
    return TimelineDisplay.from_predictions(
        model.predict_proba(windows),
        np.column_stack([starts, starts + n_samples]) / rate,
        classes=model.classes_,
    )
