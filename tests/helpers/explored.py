"""Songs to explore: made clips, small models of them, and the server."""

import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import CRNNClassifier, MelSpectrogramTransformer, MFCCStandardizer
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


def fit_network(paths, genres):
    """Return a small network on spectrograms, which has learned little."""
    network = CRNNClassifier(
        filters=(10,),
        lstm_units=4,
        embedding_units=4,
        epochs=2,
        validation_fraction=0.5,
        random_state=0,
    )
    mel = MelSpectrogramTransformer(n_frames=64, n_mels=32)
    return make_pipeline(mel, network).fit(paths, genres)


def explore_in_process(paths, model, folder):
    """Return a server that has heard all songs, and a client that asks it directly.

    Its table of labels, and models that are trained, are in `folder`.
    """
    from starlette.testclient import TestClient

    from skgenre.explore._collection import Collection
    from skgenre.explore._extraction import Extraction
    from skgenre.explore._labels import Labels
    from skgenre.explore._listener import Listener
    from skgenre.explore._model._training import Training
    from skgenre.explore._server import Server

    collection, listener = Collection(paths), Listener(model)
    labels = Labels(
        *(collection.paths, collection.genres, collection.artists),
        folder / "labels.csv",
    )
    extraction = Extraction(listener, collection.paths, 1)
    extraction.start()
    extraction.wait()
    training = Training(folder / "models", n_jobs=1)
    server = Server(collection, listener, extraction, labels, training)
    return server, TestClient(server.app, raise_server_exceptions=False)
