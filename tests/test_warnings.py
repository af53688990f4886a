"""Warnings that are ignored are shown again, whatever the order of threads."""

import threading
import warnings

from skgenre._warnings import ignored_warnings


def test_overlapping_threads_leave_the_filters_as_they_were():
    is_inside, may_leave = threading.Event(), threading.Event()

    def stay():
        with ignored_warnings():
            is_inside.set()
            may_leave.wait(10)

    before = list(warnings.filters)
    thread = threading.Thread(target=stay)
    with warnings.catch_warnings(record=True, action="always") as shown:
        with ignored_warnings():
            thread.start()
            assert is_inside.wait(10)
            warnings.warn("one", stacklevel=1)
        warnings.warn("two", stacklevel=1)
        may_leave.set()
        thread.join()
        warnings.warn("three", stacklevel=1)
    assert [str(each.message) for each in shown][-1] == "three"
    assert "one" not in [str(each.message) for each in shown]
    assert list(warnings.filters) == before
