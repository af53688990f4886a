import os
import signal
import threading
import time

import pytest

from skgenre.runtime._interrupts import interrupts_wait, let_interrupts_in

pytestmark = pytest.mark.usefixtures("ctrl_c")


def test_waits_for_the_end_of_the_block():
    done = False
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.01)
        done = True
    assert done


def test_is_let_in_between():
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        let_interrupts_in()
        signal.raise_signal(signal.SIGINT)
        let_interrupts_in()
        pytest.fail("not interrupted")


def test_the_second_does_not_wait():
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("not interrupted")


def test_error_and_interrupt():
    """The interrupt comes out, and tells of the error."""
    with pytest.raises(KeyboardInterrupt) as caught, interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("of the block")
    assert str(caught.value.__context__) == "of the block"


def test_blocks_in_blocks_wait_for_the_outermost():
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        with interrupts_wait():
            signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached


@pytest.mark.parametrize("interrupted", [False, True])
def test_handlers_are_as_before(interrupted):
    numbers = [signal.SIGINT, signal.SIGTERM]
    before = [signal.getsignal(number) for number in numbers]
    try:
        with interrupts_wait():
            assert signal.getsignal(signal.SIGINT) != before[0]
            if interrupted:
                signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        assert interrupted
    assert [signal.getsignal(number) for number in numbers] == before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no SIGALRM on Windows")
def test_other_handlers_are_called_once_with_their_signal():
    seen = []
    previous = signal.signal(signal.SIGALRM, lambda *given: seen.append(given))
    try:
        with interrupts_wait():
            signal.raise_signal(signal.SIGALRM)
            assert not seen
            let_interrupts_in()
            let_interrupts_in()
    finally:
        signal.signal(signal.SIGALRM, previous)
    [(number, frame)] = seen
    assert number == signal.SIGALRM and frame.f_code.co_name


def test_ignored_signals_stay_ignored():
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interrupts_wait():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_other_threads_neither_wait_nor_interrupt():
    raised = []

    def work():
        try:
            with interrupts_wait():  # can't set handlers here
                let_interrupts_in()
        except BaseException as error:
            raised.append(error)

    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert not raised


def test_as_a_decorator():
    @interrupts_wait()
    def interrupted(result):
        signal.raise_signal(signal.SIGINT)
        result.append(1)

    result = []
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            interrupted(result)
    assert len(result) == 2
