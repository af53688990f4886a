"""Songs to explore: made clips, and a small model of them."""

import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import MFCCStandardizer
from skgenre.datasets import make_genre_clips

MARKUP = "<img src=x onerror='window.attacked=1'><script>window.attacked=1</script>"


def write_songs(folder, n_songs, *, duration=3.0):
    """Write clips with tags, some of whose titles and genres are markup.

    Returns
    -------
    paths : list of str
        In the order in which a folder is searched.
    genres : list of str
        Of each; the tags of the last are wrong.
    """
    clips = make_genre_clips(n_songs, duration=duration, random_state=0)
    genres = {}
    for i, (wave, genre, artist) in enumerate(
        zip(clips.waveforms, clips.target, clips.groups, strict=True)
    ):
        path = folder / f"{i:03}.flac"
        rate = clips.sample_rate
        with soundfile.SoundFile(path, "w", rate, 1, format="FLAC") as file:
            file.title = f"{MARKUP} {i}" if i % 5 == 0 else f"Song {i}"
            file.artist, file.genre = f"Artist {artist}", genre
            file.write(wave)
        genres[str(path)] = str(genre)
    return [*genres], [*genres.values()]


def fit_model(paths, genres, **parameters):
    """Return a classifier that needs no weights and takes milliseconds a song."""
    model = make_pipeline(
        MFCCStandardizer(**parameters), StandardScaler(), LogisticRegression()
    )
    return model.fit(paths, genres)
