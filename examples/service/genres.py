"""The genre of an uploaded file, or why it has none: what both services use."""

import skgenre


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
        """Return the genre of a binary file, and the probabilities of all genres.

        Raises
        ------
        NoGenre
            If the file can't be read, is silent or too short.
        """
        features = self.reader.transform([file])
        read = self.reader.extraction_report_.iloc[0]  # of this thread
        if read["status"] not in ("ok", "damaged"):
            raise NoGenre(f"No genre ({read['status']}): {read['cause']}.")
        probabilities = self.classifier.predict_proba(features)[0].tolist()
        genres = dict(
            zip(self.classifier.classes_.tolist(), probabilities, strict=True)
        )
        return {
            "genre": max(genres, key=genres.get),
            "probabilities": genres,
            "note": read["cause"],
        }
