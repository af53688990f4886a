"""Music genre recognition with scikit-learn: audio files in, genres out.

The public names are loaded when they are first used, so that ``import skgenre``
is quick and loads neither TensorFlow nor librosa nor matplotlib.
"""

from skgenre._lazy_names import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
