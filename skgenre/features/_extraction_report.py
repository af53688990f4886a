"""What came of the clips of a step's last transform, kept beside the step.

`transform` leaves a step as it is, so that several threads may use it; and a report
has no place in a step's copies and model files.
"""

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    import pandas

_Reports = WeakKeyDictionary[BaseEstimator, "pandas.DataFrame"]


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.reports = _Reports()


_of_thread = _OfThread()
_of_any_thread = _Reports()
_lock = threading.Lock()


def keep_report(step: BaseEstimator, report: "pandas.DataFrame | None") -> None:
    """Keep the report on the last clips of a step; None forgets an earlier one."""
    with _lock:
        for reports in (_of_thread.reports, _of_any_thread):
            if report is None:
                reports.pop(step, None)
            else:
                reports[step] = report


def last_report(step: BaseEstimator) -> "pandas.DataFrame | None":
    """Return the report of this thread's last transform, else of any thread's."""
    with _lock:
        if step in _of_thread.reports:
            return _of_thread.reports[step]
        return _of_any_thread.get(step)
