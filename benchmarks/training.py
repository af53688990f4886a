"""The speed of training: beside Keras alone, of the forms of a network, of a restart.

    python benchmarks/training.py [--clips 128] [--rounds 9] [--cpu] [--results FOLDER]
    python benchmarks/training.py --against CHECKOUT [...]

In each round, these train on the same noise of 640 frames and 128 bands, in turn, and
another one is the first:

- a classifier of skgenre and, in Keras alone, the network that it trains;
- for the parallel network, also its form in the paper's notebook, in Keras alone, and
  the classifier with ``precision="mixed_bfloat16"``.

The time of an epoch is from its end back to the end of the one before, and includes
what is done between them. Of the epochs of a fit the fastest counts, as in `timeit`:
others are those in which the machine did something else. How soon a fit starts is the
time of one with a single batch: the first of a fresh process, and the next, by a clone
with another seed. Ratios are medians over the rounds.

With ``--against``, the classifiers are compared with those of another checkout of
skgenre instead, such as ``git worktree add ../before COMMIT`` makes one. Both train in
processes of their own, which take turns.
"""

import argparse
import contextlib
import functools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
from _results import RATIO, row, write_rows
from sklearn.base import clone

import skgenre
from skgenre import CRNNClassifier, ParallelCNNRNNClassifier

SHAPE = (640, 128)
N_GENRES = 8
BATCH = 32
N_EPOCHS = 6
NAMES = {"CRNN": CRNNClassifier, "parallel network": ParallelCNNRNNClassifier}


def noise(n_clips):
    """Return spectrograms and genres, as hard to train on as music."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_clips, *SHAPE)).astype(np.float32)
    return X, np.arange(n_clips) % N_GENRES


def classifier(name, **parameters):
    return NAMES[name](
        batch_size=BATCH, validation_fraction=0, random_state=0, **parameters
    )


def by_skgenre(name, X, y, **parameters):
    estimator = classifier(name, epochs=N_EPOCHS, **parameters)
    return lambda: estimator.fit(X, y)


def by_keras(name, X, y, **form):
    from skgenre import networks

    build = getattr(networks, NAMES[name]._network)
    network = build(SHAPE, N_GENRES, seed=0, **form)
    loss = "sparse_categorical_crossentropy"
    network.compile("adam", loss, metrics=["accuracy"])
    return lambda: network.fit(X, y, batch_size=BATCH, epochs=N_EPOCHS, verbose=0)


def seconds(clock, function, *arguments):
    begin = clock()
    function(*arguments)
    return clock() - begin


def epoch_seconds(clock, fit):
    """Return the seconds of the fastest epoch of a fit but the first."""
    import keras

    ends = []
    end_of_epoch = keras.callbacks.CallbackList.on_epoch_end

    def note_time(callbacks, *arguments, **keywords):
        end_of_epoch(callbacks, *arguments, **keywords)
        ends.append(clock())

    with mock.patch.object(keras.callbacks.CallbackList, "on_epoch_end", note_time):
        fit()
    return np.diff(ends).min()


def epochs_of(fits, n_rounds, clock):
    """Return by name the seconds of an epoch in each round."""
    for fit in fits.values():
        fit()  # traces
    names = list(fits)
    times = {name: [] for name in names}
    for i in range(n_rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            times[name].append(epoch_seconds(clock, fits[name]))
    return {name: np.array(values) for name, values in times.items()}


def contestants(name, X, y):
    form = NAMES[name]._training_parameters
    fits = {"skgenre": by_skgenre(name, X, y), "Keras": by_keras(name, X, y, **form)}
    if form:
        fits["notebook"] = by_keras(name, X, y)
        fits["bfloat16"] = by_skgenre(name, X, y, precision="mixed_bfloat16")
    return fits


def measure_epochs(n_clips, n_rounds, clock=time.perf_counter):
    X, y = noise(n_clips)
    rows = []
    for name in NAMES:
        times = epochs_of(contestants(name, X, y), n_rounds, clock)

        def ratio(over, under, times=times):
            return np.median(times[over] / times[under])

        rows.append(
            row(
                f"epoch of the {name} over the same in Keras alone",
                ratio("skgenre", "Keras"),
                RATIO,
                better="lower",
                target=1.03,
            )
        )
        more = {}
        if "notebook" in times:
            more["rival"] = np.median(times["notebook"]) / n_clips * 1000
            rows += [
                row(
                    f"epoch of the {name} in the notebook's form over skgenre's",
                    ratio("notebook", "skgenre"),
                    RATIO,
                    better="higher",
                    target=1.3,
                ),
                row(
                    f"epoch of the {name} in float32 over mixed_bfloat16",
                    ratio("skgenre", "bfloat16"),
                    RATIO,
                    better="higher",
                    target=2.0 if has_amx() else None,
                ),
            ]
        rows.append(
            row(
                f"training of the {name}, a clip and epoch",
                np.median(times["skgenre"]) / n_clips * 1000,
                "ms",
                better="lower",
                **more,
            )
        )
    return rows


def has_amx():
    """Tell whether the processor multiplies matrices of bfloat16 by itself."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return False


def two_fits(name):
    """Return the seconds of the first fit of this process and of the next."""
    import skgenre.runtime._keras  # noqa: F401  Importing TensorFlow isn't counted.

    X, y = noise(N_GENRES)
    estimator = classifier(name, epochs=1)
    again = clone(estimator).set_params(random_state=1)
    return [seconds(time.perf_counter, each.fit, X, y) for each in (estimator, again)]


def train_when_asked(name, n_clips, clock):
    """For each line on the standard input, train, and print the seconds of an epoch."""
    fit = by_skgenre(name, *noise(n_clips))
    fit()  # traces
    for _ in sys.stdin:
        print(epoch_seconds(clock, fit), flush=True)


def environment(checkout):
    """Return the environment in which skgenre is imported from a checkout."""
    return os.environ | {"PYTHONPATH": str(checkout)}


def epochs_against(name, checkouts, n_rounds, options):
    """Return by checkout the seconds of an epoch in each round."""
    command = [sys.executable, __file__, "--when-asked", name, *options]
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdin=-1, stdout=-1, text=True, env=environment(checkout)
                )
            )
            for checkout in checkouts
        ]

        def ask(worker):
            print(file=worker.stdin, flush=True)
            return float(worker.stdout.readline())

        for worker in workers:
            ask(worker)  # and wait until it has traced
        return in_turn(n_rounds, [functools.partial(ask, each) for each in workers])


def in_turn(n_rounds, functions):
    """Return what each of two functions returns in each round."""
    results = [[], []]
    for i in range(n_rounds):
        for which in (0, 1) if i % 2 else (1, 0):
            results[which].append(functions[which]())
    return np.array(results)


def measure_against(checkout, n_rounds, options):
    own = Path(skgenre.__file__).parents[1]
    checkouts = own, Path(checkout).resolve()
    if not (checkouts[1] / "skgenre" / "__init__.py").exists():
        sys.exit(f"There is no checkout of skgenre at {str(checkout)!r}.")
    rows = []
    for name in NAMES:
        epochs = epochs_against(name, checkouts, n_rounds, options)
        two = [functools.partial(two_fits_of, name, each) for each in checkouts]
        starts = in_turn(min(5, n_rounds), two)
        for what, (new, old) in {
            "epoch": epochs,
            "first fit": starts[..., 0],
            "next fit on one batch": starts[..., 1],
        }.items():
            rows.append(
                row(
                    f"{what} of the {name} over that of the other checkout",
                    np.median(new / old),
                    RATIO,
                    better="lower",
                    target=1.03 if what == "epoch" else None,
                )
            )
    return rows


def two_fits_of(name, checkout):
    """Return the seconds of `two_fits` in a fresh process."""
    command = [sys.executable, __file__, "--two-fits", name]
    done = subprocess.run(command, check=True, stdout=-1, env=environment(checkout))
    return json.loads(done.stdout)


def measure_starts(n_rounds):
    rows = []
    for name in NAMES:
        own = Path(skgenre.__file__).parents[1]
        times = [two_fits_of(name, own) for _ in range(n_rounds)]
        rows += [
            row(
                f"first fit of the {name} over the next one",
                statistics.median(first / second for first, second in times),
                RATIO,
                better="higher",
                target=3.0,
            ),
            row(
                f"a fit of the {name} on one batch, after the first",
                statistics.median(second for _, second in times),
                "s",
                better="lower",
                rival=statistics.median(first for first, _ in times),
            ),
        ]
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--cpu", action="store_true", help="processor time of epochs: others are busy"
    )
    parser.add_argument("--results", help="folder to write training.json to")
    parser.add_argument(
        "--against", metavar="CHECKOUT", help="another checkout to compare with"
    )
    parser.add_argument("--two-fits", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--when-asked", choices=NAMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    clock = time.process_time if options.cpu else time.perf_counter
    if options.two_fits:
        print(json.dumps(two_fits(options.two_fits)))
        return
    if options.when_asked:
        train_when_asked(options.when_asked, options.clips, clock)
        return
    if options.against:
        passed_on = ["--clips", str(options.clips), *["--cpu"] * options.cpu]
        rows = measure_against(options.against, options.rounds, passed_on)
    else:
        rows = measure_starts(min(5, options.rounds))
        rows += measure_epochs(options.clips, options.rounds, clock)
    for result in rows:
        print(f"{result['name']:70} {result['value']:8.3f} {result['unit']}")
    if options.results:
        print(write_rows("training", rows, options.results))


if __name__ == "__main__":
    main()
