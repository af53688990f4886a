"""The benchmarks run from beginning to end, on a few clips."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from published_weights import HAS_WEIGHTS, needs_weights
from sklearn.metrics import adjusted_rand_score

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
def test_accuracy_on_synthetic_clips_is_resumed(run_script, tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(40, duration=4, random_state=0, folder=tmp_path / "music")
    rows = ["majority", "MFCC + SVC", "fast", "scratch"]
    rows += ["CRNN (paper)", "Parallel (paper)", "CRNN + Parallel (paper)"]
    rows += ["CRNN (ours)", "Parallel (ours)", "CRNN + Parallel (ours)"]
    command = [BENCHMARKS / "accuracy.py", tmp_path / "music"]
    command += ["--folds", 2, "--epochs", 1, "--output", tmp_path / "out"]

    def run(*rows):
        run_script(*command, "--rows", *rows)
        table = json.loads((tmp_path / "out" / "table.json").read_text())
        return {row["name"]: row for row in table}

    first = run("majority", "MFCC + SVC")
    assert list(first) == ["MFCC + SVC", "majority"]
    written = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-*.json")
    }
    table = run(*rows)
    assert set(table) == set(rows)
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    os.utime(next((tmp_path / "music").rglob("*.flac")), ns=(1, 1))  # as if changed
    run("majority")
    kept = list((tmp_path / "out").glob("majority-*.json"))
    assert len(kept) == 4 and len(written.keys() & set(kept)) == 2
    for row in table.values():
        low, high = row["interval"]
        assert 0 <= low <= row["accuracy"] <= high <= 1
        low, high = row["gain_interval"]
        assert low <= row["gain"] <= high
        assert row["fit_seconds"] > 0
    assert table["MFCC + SVC"]["gain"] == 0
    assert table["MFCC + SVC"]["log_loss"] is None
    assert table["scratch"]["log_loss"] > 0
    assert table["fast"]["accuracy"] > table["majority"]["accuracy"]


@pytest.mark.slow
def test_activation_on_a_few_clips(run_script, tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(12, duration=4, random_state=0, folder=tmp_path)
    command = [BENCHMARKS / "activation.py", tmp_path, "--epochs", 1, "--steps", 16]
    lines = run_script(*command).splitlines()
    assert sum(line.startswith(("conv1 ", "conv5 ")) for line in lines) == 40
    (raised,) = (line for line in lines if line.startswith("Raised 5 x over the start"))
    assert int(raised.split()[-4]) > 30


@pytest.mark.slow
def test_embeddings_of_synthetic_clips_are_resumed(run_script, tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(48, duration=4, random_state=0, folder=tmp_path / "music")
    rows = ["random", "MFCC", "CRNN (ours)"]
    if HAS_WEIGHTS:
        rows.append("musicnn MTT")
    command = [BENCHMARKS / "embeddings.py", tmp_path / "music"]
    command += ["--folds", 2, "--epochs", 1, "--output", tmp_path / "out"]

    def run():
        run_script(*command, "--rows", *rows)
        return json.loads((tmp_path / "out" / "table.json").read_text())

    table = run()
    written = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.np?")
    }
    assert len(list((tmp_path / "out").glob("*.npy"))) == 2 * len(rows)
    assert run() == table
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    assert list(table) == rows
    for measures in table.values():
        assert list(measures) == ["rand", "silhouette", "precision", "map"]
        for name, measure in measures.items():
            low, high = measure["interval"]
            assert (-1 if name in ("rand", "silhouette") else 0) <= low <= high <= 1
            assert low - 0.1 <= measure["mean"] <= high + 0.1
    for name in ("rand", "precision", "map"):
        assert table["MFCC"][name]["mean"] > table["random"][name]["mean"]


def test_sampled_rand_indices_lie_around_that_of_scikit_learn(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import embeddings

    rng = np.random.default_rng(0)
    genres, artists = rng.integers(4, size=200), rng.integers(50, size=200)
    clusters = np.where(rng.random(200) < 0.5, genres, rng.integers(4, size=200))
    folds = [(np.arange(i, 200, 2), None) for i in range(2)]
    for labels in (clusters, rng.integers(4, size=200)):
        mean, sampled = embeddings.rand(folds, labels, genres, artists)
        of_folds = [adjusted_rand_score(genres[f], labels[f]) for f, _ in folds]
        assert mean == pytest.approx(np.mean(of_folds))
        assert np.median(sampled) == pytest.approx(mean, abs=0.02)
        assert np.std(sampled) > 0.005


@pytest.mark.slow
@needs_weights
def test_tags_beside_the_published_network(run_script, tmp_path):
    printed = run_script(BENCHMARKS / "tagging.py", "--clips", 4, "--results", tmp_path)
    difference = printed.split("difference between tags: ")[1].split()[0]
    assert float(difference) < 0.005  # decoded and resampled by other libraries
    rows = json.loads((tmp_path / "tagging.json").read_text())["rows"]
    ratios = [row["value"] for row in rows if row["unit"] == "x"]
    assert len(ratios) == 2 and min(ratios) > 1.2  # other tests may run beside this one


@pytest.mark.slow
def test_augmentation_and_pretraining_on_a_few_clips(tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(16, duration=2, random_state=0, folder=tmp_path / "music")
    command = [sys.executable, BENCHMARKS / "augmentation.py", tmp_path / "music"]
    command += ["--folds", "2", "--repeats", "1", "--epochs", "2", "--steps", "2"]
    command += ["--labels", "4", "--output", tmp_path]
    done = subprocess.run(
        command,
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    tables = [table.splitlines()[1:] for table in done.stdout.strip().split("\n\n")]
    assert [len(table) for table in tables] == [11, 6, 4, 3]
    for rival, *others in tables:
        assert "+0.000 [+0.000, +0.000]" in rival
        for row in others:
            *_, gain, low, high, _ = row.replace("[", "").replace("]", "").split()
            assert float(low.rstrip(",")) <= float(gain) <= float(high)


@pytest.mark.slow
def test_varied_copies_of_clips(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import augmentation

    samples = np.sin(np.arange(44100) * 2 * np.pi * 440 / 22050).astype(np.float32)
    rng = np.random.default_rng(0)
    others = [np.zeros(100), rng.normal(size=30000)]
    clips = list(augmentation.versions(samples, others, rng))
    assert {len(clip) for clip in clips} == {44100}
    tones = [np.abs(np.fft.rfft(clip[:11025])).argmax() * 2 for clip in clips]
    lower, higher = tones[1:3]
    assert tones[:1] + tones[3:] == [440] * 7
    assert (
        440 * 2 ** (-2 / 12) - 2 < lower < 432 < 448 < higher < 440 * 2 ** (2 / 12) + 2
    )
    silence = augmentation.slower(np.zeros(22050, np.float32), 1.1)
    assert not silence.any() and len(silence) == pytest.approx(1.1 * 22050, abs=1024)


@pytest.mark.slow
def test_no_copy_in_training_contains_a_test_clip(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from augmentation import COPIES, KINDS, Data, partners

    genres, artists = np.repeat(["folk", "rock"], 8), np.repeat(np.arange(8), 2)
    data = Data.__new__(Data)
    data.partners = partners(genres, artists, np.random.default_rng(0))
    assert (genres[data.partners] == genres[:, np.newaxis]).all()
    assert (artists[data.partners] != artists[:, np.newaxis]).all()
    train = np.arange(0, 16, 2)
    clips, version = data.chosen(train, KINDS)
    mixed = (version - 1) // COPIES == KINDS.index("mix")
    within = np.isin(data.partners[train], train)
    assert mixed.sum() == within.sum() < within.size
    assert np.isin(clips, train).all()
    assert np.isin(
        data.partners[clips[mixed], (version[mixed] - 1) % COPIES], train
    ).all()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_collection(tmp_path):
    command = [sys.executable, BENCHMARKS / "memory.py", "--sizes", "0.05", "1"]
    command += ["--folder", tmp_path, "--results", tmp_path]
    subprocess.run(command, check=True)
    rows = json.loads((tmp_path / "memory.json").read_text())["rows"]
    steps = ("fit", "predict", "transform")
    for step, row in zip(steps, rows, strict=True):
        assert f"in {step}, from 0.05 to 1 GB" in row["name"]
        assert row["value"] < row["target"] == 200
    assert not list(tmp_path.glob("*/"))


@pytest.mark.slow
def test_float16_on_a_few_clips(run_script, tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(24, duration=4, random_state=0, folder=tmp_path)
    command = [BENCHMARKS / "float16.py", tmp_path, "--folds", 2, "--seeds", 1]
    first, *_, last = run_script(*command, "--epochs", 2).splitlines()
    assert first.startswith("24 clips: float16 is off by 0.03")
    assert last.startswith("mean accuracy ")


@pytest.mark.slow
def test_eight_threads_on_one_model(tmp_path):
    command = [sys.executable, BENCHMARKS / "load.py", "--seconds", "5", "--bad", "4"]
    subprocess.run([*command, "--results", tmp_path], check=True)
    rows = json.loads((tmp_path / "load.json").read_text())["rows"]
    assert [row["value"] for row in rows if "wrong" in row["name"]] == [0, 0, 0]
    growth = [row["value"] for row in rows if "growth" in row["name"]]
    assert len(growth) == 3 and max(growth) * 5 / 3600 < 30  # MB in 5 s
    steadiness = [row["value"] for row in rows if "slowest" in row["name"]]
    assert min(steadiness) > 0.3  # other tests may run beside this one


@pytest.mark.slow
def test_services_get_good_and_bad_uploads(tmp_path):
    """The script compares each answer, and looks for tracebacks, too."""
    command = [sys.executable, BENCHMARKS / "load.py", "--models", "baseline"]
    command += ["--services", "threads", "asgi", "workers", "--clips", "8"]
    done = subprocess.run(
        [*command, "--duration", "2", "--seconds", "4", "--results", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "services.json").read_text())["rows"]
    for service in ("threads", "asgi", "workers"):
        found = {
            row["name"].partition(",")[0]: row["value"]
            for row in rows
            if f"'{service}'" in row["name"]
        }
        assert found["answers"] > 4 and found["wrong answers"] == 0
        assert found["memory"] > 50


@pytest.mark.parametrize(
    ("grows", "at_least", "at_most"), [(0, -20, 20), (60, 40, 80)], ids=["flat", "leak"]
)
def test_memory_that_grows_is_told_from_a_few_long_clips(
    grows, at_least, at_most, monkeypatch
):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import load

    sizes = 300 + grows * np.arange(10) / 20  # MB in half an hour
    sizes += np.random.default_rng(0).normal(0, 1, 10)
    sizes[[3, 8]] += 200
    assert at_least < load.growth(sizes, 180) < at_most


def test_wrong_answers_of_a_service_are_found(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from _services import LEAVES, Request, Response, fault

    def answer(status, content):
        return Response(status, json.dumps(content).encode())

    error = {"detail": "No genre (silent): no sample is above -60 dB."}
    found = {"genre": "b", "probabilities": {"a": 0.25, "b": 0.75}, "note": ""}
    good = Request("good", "POST", "/genre", expected=[0.25, 0.75])
    bad = Request("bad", "POST", "/genre", expected={400, 422})
    assert fault(good, answer(200, found)) is None
    assert fault(bad, answer(422, error)) is None
    assert fault(Request("left", "POST", "/genre", expected=LEAVES), None) is None
    for request, response in (
        (good, answer(500, found)),
        (good, answer(422, error)),
        (good, answer(200, found | {"probabilities": {"a": 0.25, "b": 0.7500001}})),
        (good, answer(200, found | {"genre": "a"})),
        (bad, answer(200, found)),
        (bad, answer(500, error)),
        (bad, answer(422, {"detail": ""})),
        (bad, answer(422, {"detail": 1000 * "x"})),
        (bad, Response(422, b"<html>")),
    ):
        assert request.name in fault(request, response)


@pytest.mark.slow
def test_training_of_a_few_clips(tmp_path):
    command = [sys.executable, BENCHMARKS / "training.py", "--clips", "32"]
    command += ["--rounds", "1", "--results", tmp_path]
    subprocess.run(command, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    rows = json.loads((tmp_path / "training.json").read_text())["rows"]
    values = {row["name"]: row["value"] for row in rows}
    # Generous: other tests may run beside this one.
    assert values["first fit of the CRNN over the next one"] > 1.5
    assert values["first fit of the parallel network over the next one"] > 1.5
    assert values["epoch of the CRNN over the same in Keras alone"] < 1.5
    form = "epoch of the parallel network in the notebook's form over skgenre's"
    assert values[form] > 0.9


@pytest.mark.slow
def test_calls_pass_through_few_files():
    """The script's own limits hold, and it has seen the files that matter."""
    command = [sys.executable, BENCHMARKS / "structure.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    fit, first, second, *_ = done.stdout.split("path to genre")
    assert "CRNNClassifier.fit: 9 files" in fit
    for module in ("_base", "_training/_train", "_training/_wrapper"):
        assert f"classifiers/{module}.py" in fit.replace(os.sep, "/")
    assert "networks/_crnn.py" in first and "networks/_crnn.py" not in second


@pytest.mark.slow
def test_jobs_that_are_stopped_at_random_moments(tmp_path):
    """Those that write what others go on from; the script stops each kind of job."""
    jobs = ["extract", "spectrograms", "download"]
    command = [sys.executable, BENCHMARKS / "interruptions.py", "--moments", "3"]
    done = subprocess.run(
        [*command, "--jobs", *jobs, "--results", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "interruptions.json").read_text())["rows"]
    assert [(row["value"], row["target"]) for row in rows] == [(0, 0)] * len(jobs)
    assert all(row["name"].startswith("faults after 3 stops") for row in rows)


def test_what_a_stop_may_leave_is_told_from_faults(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import interruptions

    expected = {"X.npy": b"rows", "X.npy.json": b"done", "a.flac": b"music"}
    for name in ("X.npy.part", f"kept/crnn-{'0' * 32}.npz", f".skgenre-{'0' * 16}"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"not yet")
    (tmp_path / "X.npy.json").write_bytes(b"half")
    assert list(interruptions.compare(tmp_path, expected, finished=False)) == []
    (tmp_path / "a.flac").write_bytes(b"mus")
    faults = list(interruptions.compare(tmp_path, expected, finished=False))
    assert faults == ["a.flac differs, 3 bytes"]
    faults = list(interruptions.compare(tmp_path, expected, finished=True))
    assert len(faults) == 5 and "X.npy is missing" in faults
    (tmp_path / "new").write_bytes(b"")
    faults = list(interruptions.compare(tmp_path, expected, finished=False))
    assert faults[1:] == ["new is not of an undisturbed run"]


@pytest.mark.slow
def test_extraction_of_a_few_synthetic_clips(run_script, tmp_path):
    run_script(BENCHMARKS / "extraction.py", "--clips", 4, "--results", tmp_path)
    rows = json.loads((tmp_path / "extraction.json").read_text())["rows"]
    ratios = {row["name"]: row["value"] for row in rows}
    assert "n_jobs=1 / n_jobs=2" in ratios
    # Generous: other programs may run.
    assert ratios["librosa / mel step"] > 1.2
    assert 1 < ratios["mel step / decode"] < 3
    assert ratios["separate / precompute"] > 1
    assert ratios["second run / first run"] < 0.2


@pytest.mark.slow
def test_growth_on_a_tenth_of_the_clips(tmp_path):
    command = [sys.executable, BENCHMARKS / "growth.py", "--scale", "0.1"]
    subprocess.run(
        [*command, "--results", tmp_path],
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    rows = json.loads((tmp_path / "growth.json").read_text())["rows"]
    values = {row["name"]: row["value"] for row in rows}
    assert len(values) == 12
    # Generous: other tests may run beside this one.
    name = "extraction: growth from 10 to 1,000 clips, 1 being linear"
    assert 0.5 < values[name] < 1.5
    assert all(0.2 < value < 3 for name, value in values.items() if " over " in name)


@pytest.mark.slow
def test_inference_on_a_few_synthetic_clips(tmp_path):
    command = [sys.executable, BENCHMARKS / "inference.py", "--clips", "16"]
    subprocess.run([*command, "--repeats", "1", "--results", tmp_path], check=True)
    rows = json.loads((tmp_path / "inference.json").read_text())["rows"]
    values = {row["name"]: row["value"] for row in rows}
    assert values["cold start, TensorFlow over ONNX Runtime"] > 1.5
    for name in ("CRNN", "parallel network"):
        assert values[f"largest difference of probabilities ({name})"] < 1e-5
        ratio = values[f"one clip, Keras's predict over ONNX Runtime ({name})"]
        assert ratio > 1.5  # generous: other programs may run
        assert values[f"warm folder, extraction over prediction ({name})"] > 0.4


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        (
            "file = open('.skgenre-0123456789abcdef', 'wb')",
            "file.close(); os.replace(file.name, 'it')",
            None,
        ),
        ("file = open('it', 'wb')", "", "it differs, "),
    ],
    ids=["whole", "torn"],
)
def test_stops_find_jobs_that_write_under_the_final_name(
    first, last, fault, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import interruptions

    lines = ["import os, time", first, "for i in range(6):"]
    lines += ["    file.write(bytes(10**5)); file.flush(); time.sleep(0.05)", last]
    job = [sys.executable, "-c", "\n".join(lines)]
    monkeypatch.setitem(interruptions.JOBS, "it", job)
    outcome = interruptions.try_job("it", tmp_path, moments=6, seed=0, environment={})
    assert list(outcome.stops.values()) == [2, 2, 2]
    if fault is None:
        assert outcome.faults == []
    else:
        assert any(fault in each for each in outcome.faults), outcome.faults


class TestReport:
    @pytest.fixture(autouse=True)
    def scripts(self, monkeypatch):
        monkeypatch.syspath_prepend(BENCHMARKS)

    @staticmethod
    def write(folder, *ratios, seconds=1.0):
        from _results import RATIO, row, write_rows

        rows = [
            row(f"{better} {i}", value, RATIO, better=better, command="python x.py")
            for i, (value, better) in enumerate(ratios)
        ]
        rows.append(row("time", seconds, "s", better="lower", target=2, rival=3))
        write_rows("speed", rows, folder)
        return folder

    @pytest.mark.parametrize(
        ("new", "worse"),
        [
            ([(2.0, "higher"), (0.5, "lower")], []),
            ([(1.8, "higher"), (0.55, "lower")], []),  # within the tolerance
            ([(9.0, "higher"), (0.1, "lower")], []),
            ([(1.6, "higher"), (0.5, "lower")], ["speed: higher 0: 1.6, before 2."]),
            ([(2.0, "higher"), (0.6, "lower")], ["speed: lower 1: 0.6, before 0.5."]),
            ([(2.0, "higher")], ["speed: lower 1: measured before, and now no more."]),
        ],
    )
    def test_check_compares_ratios_alone(self, tmp_path, new, worse):
        old = self.write(tmp_path / "old", (2.0, "higher"), (0.5, "lower"))
        new = self.write(tmp_path / "new", *new, seconds=1000.0)
        result = subprocess.run(
            [sys.executable, BENCHMARKS / "report.py", "--check", old, new],
            capture_output=True,
            text=True,
        )
        assert result.returncode == bool(worse), result.stderr
        assert result.stdout.splitlines() == (worse or ["2 ratios, none worse."])

    def test_table(self, tmp_path):
        import report
        from _results import read_rows

        folder = self.write(tmp_path, (1.234, "higher"))
        text = report.table(read_rows(folder))
        assert "   * - time\n     - 3 s\n     - ≤ 2 s\n     - 1 s\n" in text
        assert "   * - higher 0\n     -\n     -\n     - 1.23 ×\n" in text
        with pytest.raises(FileNotFoundError, match="no results"):
            read_rows(tmp_path / "none")

    def test_a_line_for_each_number_of_threads(self):
        import load
        import report

        loads = {
            threads: load.Load(
                lambda i: time.sleep(0.001), 4, threads, lambda: [100.0, 50.0]
            )
            for threads in (1, 2)
        }
        rows = [
            row
            for threads, each in loads.items()
            for part in load.measure_load(each, f"best, onnx, {threads} threads", 0.1)
            for row in part
        ]
        machine = {"processor": "It", "cores": 2, "python": "3"}
        content = {"version": "1", "machine": machine, "rows": rows}
        text = report.latency_table(content)
        assert text.count("   * - best, onnx\n") == 2
        assert "     - 2\n" in text and text.count("     - 100 MB\n") == 2
        assert "     - 95th percentile of latency\n" in text
        assert "Measured on It, 2 cores" in text

    def test_documentation_shows_the_latest_results(self):
        import report
        import scaling
        from _results import read_rows

        docs = BENCHMARKS.parent / "docs"
        latest = max(
            (BENCHMARKS / "results").iterdir(),
            key=lambda folder: tuple(map(int, folder.name.split("."))),
        )
        results = read_rows(latest)
        shown = report.tables(results)
        assert len(shown) == 3
        for file, text in shown.items():
            assert (docs / file).read_text() == text
        expected = scaling.plan_table(scaling.costs_of(results), scaling.CORPORA)
        many_machines = docs / "performance" / "many_machines.inc"
        assert many_machines.read_text() == expected

    @pytest.mark.slow
    def test_spectrograms_cost_little_beside_decoding(self, tmp_path):
        import scaling

        path = str(tmp_path / "track.mp3")
        scaling.make_track(path, 40)
        rows = {row["name"]: row["value"] for row in scaling.measure_track(path, 5)}
        # The floors of releases are lower; other tests may run beside this one.
        assert 1 < rows["excerpt over its decoding alone"] < 2
        assert 1 < rows["whole track over its decoding alone"] < 2
        assert rows["written an excerpt, float32"] == pytest.approx(640 * 128 * 4e-3)
        assert rows["read a second of audio"] == pytest.approx(32, rel=0.05)
        assert 0 < rows["fetching a file, processor time a megabyte"] < 100

    def test_a_plan_is_arithmetic(self):
        import scaling

        costs = {
            "excerpt of 30 s to its spectrogram, processor time": 50,
            "whole track to its spectrogram, processor time a second of audio": 2,
            "fetching a file, processor time a megabyte": 4,
            "read a second of audio": 32,
            "written an excerpt, float16": 164,
            "written a second of audio of whole tracks, float32": 11,
            scaling.EFFICIENCY: 0.8,
        }
        excerpts, whole = scaling.plan(costs, 3600, 250, 10, link=1e8).values()
        assert excerpts["core_hours"] == pytest.approx(0.050 + 8 * 0.004)
        assert whole["core_hours"] == pytest.approx(0.5 + 8 * 0.004)
        assert whole["hours"] == pytest.approx(0.532 / 10 / 0.8)
        assert whole["read_tb"] == pytest.approx(3600 * 8e-6)
        assert whole["network_hours"] == pytest.approx(0.08)
        assert excerpts["written_tb"] == pytest.approx(3600 * 164e-9)
        assert whole["written_tb"] == pytest.approx(3600 * 250 * 5.5e-9)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_explore_on_a_few_songs():
    pytest.importorskip("uvicorn")
    from chromium import executable

    if executable() is None:
        pytest.skip("there is no chromium")
    command = [sys.executable, BENCHMARKS / "explore.py", "--songs", "40"]
    run = subprocess.run(
        [*command, "--clips", "0"], check=True, capture_output=True, text=True
    )
    assert "40 songs\nfirst map: " in run.stdout and "loaded []" in run.stdout
    assert "click to sound: " in run.stdout
