"""What both services make of an uploaded file, or why they can't."""

import skgenre

LARGEST = 100_000_000
"""Bytes that an upload may have."""


class NoGenre(Exception):
    """A file can't be read, or holds no music; the message says why."""


class GenreModel:
    """A saved pipeline that any number of threads may ask.

    Parameters
    ----------
    path : str
        Model file of a pipeline whose first step reads the clips, as that of each
        `skgenre.genre_pipeline` does.
    time_limit : float or None, default=None
        Seconds that a file may take. With a number, files are decoded in worker
        processes, which may crash or hang.
    """

    def __init__(self, path, time_limit=None):
        model = skgenre.load(path, runtime="auto")
        self.reader, self.classifier = model[0], model[1:]
        self.reader.set_params(
            on_error="ignore", time_limit=time_limit, n_jobs=None, verbose=False
        )

    def predict(self, file):
        """Return the most probable genre of a binary file, and all probabilities.

        Raises
        ------
        NoGenre
            If the file can't be read, is silent or too short.
        """
        features = self.reader.transform([file])
        note = what_was_read(self.reader)
        probabilities = self.classifier.predict_proba(features)[0].tolist()
        genres = dict(
            zip(self.classifier.classes_.tolist(), probabilities, strict=True)
        )
        return {
            "genre": max(genres, key=genres.get),
            "probabilities": genres,
            "note": note,
        }


class Tagger:
    """Pretrained tags, without a model; they need `skgenre weights` once.

    Parameters
    ----------
    time_limit : float or None, default=None
        As of a `GenreModel`.
    """

    def __init__(self, time_limit=None):
        self.excerpt = skgenre.GenreTagger(on_error="ignore", time_limit=time_limit)
        self.song = skgenre.GenreTagger(
            duration=600, excerpt="start", on_error="ignore", time_limit=time_limit
        )

    def tags(self, file):
        """Return the ten most probable tags of a binary file's middle 30 seconds.

        Raises
        ------
        ImportError
            If the pretrained weights are not here.
        NoGenre
            If the file can't be read, is silent or too short.
        """
        (tags,) = self.excerpt.top_tags([file], k=10)
        note = what_was_read(self.excerpt)
        return {"tags": dict(tags), "note": note}

    def timeline(self, file):
        """Return the genre of each 3 seconds of a binary file's first ten minutes.

        Raises
        ------
        ImportError, NoGenre
            As `tags` does.
        """
        (probabilities,), (times,) = self.song.predict_timeline([file])
        note = what_was_read(self.song)
        genres = self.song.classes_[probabilities.argmax(axis=1)].tolist()
        best = probabilities.max(axis=1).tolist()
        return {
            "timeline": [
                {"start": start, "end": end, "genre": genre, "probability": probability}
                for (start, end), genre, probability in zip(
                    times.tolist(), genres, best, strict=True
                )
            ],
            "note": note,
        }


def what_was_read(step):
    """Return what is to be said of the file that this thread's last call has read.

    Raises
    ------
    NoGenre
        If it was not music.
    """
    (read,) = step.extraction_records_
    if read["status"] not in ("ok", "damaged"):
        raise NoGenre(f"No genre ({read['status']}): {read['cause']}.")
    return read["cause"]
