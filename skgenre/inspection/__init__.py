"""Inspection: plots of clips and of what was learnt, and judgements of predictions.

Modules are loaded when a name of theirs is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
