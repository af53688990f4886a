"""Sound file to waveform: decoding, mixing down, resampling.

Modules are loaded when a name of theirs is first used.
"""

from skgenre._lazy_names import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
