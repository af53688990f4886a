"""How many files a call passes through, and how many lines each room has.

    python benchmarks/structure.py

Three calls are followed in a fresh process: the first `CRNNClassifier.fit`, and the
first and the second prediction of a pipeline of a mel step and a CRNN, from the path of
a sound file to its genre. A file of the package counts if one of its functions is
called, in any thread that Python has started; importing a module, which runs its body
and what that calls, doesn't count, and neither do other processes. A move is a
function that calls another one in another file, directly or through a library; it
counts once, however often it happens. The exit code is 1 if a call passes through
more files than it may.
"""

import inspect
import os
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

import skgenre

PACKAGE = Path(skgenre.__file__).parent
ROOT = f"{PACKAGE}{os.sep}"
# The most files that a call may pass through. The first prediction also builds the
# network, once in a process.
FIT, PATH_TO_GENRE = 9, 12


def follow(call):
    """Return the files that a call passes through and the moves between them.

    Returns
    -------
    functions : dict of str to set of str
        Names of the functions that are called, by file, in the order of first calls.
    moves : set of tuple
        Calling and called function, each as (file, name).
    """
    functions, moves = {}, set()

    def place(frame):
        code = frame.f_code
        is_ours = code.co_filename.startswith(ROOT)
        if is_ours and code.co_flags & inspect.CO_OPTIMIZED:  # no module, no class
            return code.co_filename.removeprefix(ROOT), code.co_qualname
        return None

    def importing(frame):
        while frame is not None:
            code = frame.f_code
            if code.co_name == "<module>" and code.co_filename.startswith(ROOT):
                return True
            frame = frame.f_back
        return False

    def note(frame, event, argument):
        if event != "call" or (called := place(frame)) is None or importing(frame):
            return
        functions.setdefault(called[0], set()).add(called[1])
        while (frame := frame.f_back) is not None:
            if caller := place(frame):
                if caller[0] != called[0]:
                    moves.add((caller, called))
                return

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return functions, moves


def followed_calls():
    """Yield each call's name, the most files it may pass through, and its trace."""
    import soundfile
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(0)
    small = {"filters": (4,), "lstm_units": 4, "random_state": 0}
    network = skgenre.CRNNClassifier(**small, epochs=2)
    X = rng.normal(size=(20, 40, 16)).astype(np.float32)
    y = np.repeat(["folk", "techno"], 10)
    yield "CRNNClassifier.fit", FIT, *follow(lambda: network.fit(X, y))

    mel = skgenre.MelSpectrogramTransformer(n_frames=30, n_mels=16)
    model = make_pipeline(mel, skgenre.CRNNClassifier(**small, epochs=1))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "noise.wav")
        soundfile.write(path, rng.normal(scale=0.1, size=44100), 44100)
        model.fit([path] * 4, ["folk", "techno"] * 2)
        for which, most in (("first", None), ("second", PATH_TO_GENRE)):
            trace = follow(lambda: model.predict([path]))
            yield f"path to genre, {which} time", most, *trace


def rooms():
    """Return the modules and their lines by room; '.' is the package itself."""
    sizes = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parents = path.relative_to(PACKAGE).parts[:-1]
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        sizes.setdefault(parents[0] if parents else ".", []).append(n_lines)
    return sizes


def main():
    too_many = []
    for name, most, functions, moves in followed_calls():
        limit = "" if most is None else f" (at most {most})"
        print(f"{name}: {len(functions)} files{limit}, {len(moves)} moves")
        if most is not None and len(functions) > most:
            too_many.append(name)
        for file, names in functions.items():
            print(f"    {file:42} {len(names):3} functions")
    sizes = rooms()
    print(f"\n{'room':14} modules  lines")
    for room, n_lines in [*sizes.items(), ("all", sum(sizes.values(), []))]:
        print(f"{room:14} {len(n_lines):7} {sum(n_lines):6}")
    sys.exit(bool(too_many))


if __name__ == "__main__":
    main()
