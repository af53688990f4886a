"""A miniature of the FMA data set: its folders, its tables, real MP3 files.

`make_fma` composes the music; `lay_out_fma` puts clips that exist into FMA's form.
"""

import csv
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from skgenre.audio import load_audio
from skgenre.datasets import make_genre_clips
from skgenre.features import mfcc_statistics

SAMPLE_RATE = 22050

# FMA-small's genres, and the synthetic ones that stand for them.
STYLES = {
    "Electronic": "techno",
    "Experimental": "ambient",
    "Folk": "folk",
    "Hip-Hop": "hip-hop",
    "Instrumental": "waltz",
    "International": "reggae",
    "Pop": "swing",
    "Rock": "rock",
}
GENRE_IDS = dict(zip(STYLES, (15, 38, 17, 21, 1235, 2, 10, 12), strict=True))
# Some of FMA's genres below those.
SUBGENRES = {25: ("Punk", 12), 89: ("Post-Punk", 25), 181: ("Techno", 15)}

# Known faults of the real archives.
SHORT, UNREADABLE, SILENT = 98565, 99134, 110736

ALBUM = (
    "comments date_created date_released engineer favorites id information listens "
    "producer tags title tracks type"
).split()
ARTIST = (
    "active_year_begin active_year_end associated_labels bio comments date_created "
    "favorites id latitude location longitude members name related_projects tags "
    "website wikipedia_page"
).split()
TRACK = (
    "bit_rate comments composer date_created date_recorded duration favorites "
    "genre_top genres genres_all information interest language_code license listens "
    "lyricist number publisher tags title"
).split()
TRACK_COLUMNS = [
    *(("album", name) for name in ALBUM),
    *(("artist", name) for name in ARTIST),
    ("set", "split"),
    ("set", "subset"),
    *(("track", name) for name in TRACK),
]

# Features, and how many numbers there are for each statistic.
FEATURES = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
FEATURE_COLUMNS = [
    (feature, statistic, f"{number + 1:02d}")
    for feature, count in FEATURES.items()
    for statistic in STATISTICS
    for number in range(count)
]


class Track(NamedTuple):
    """A row of tracks.csv, as far as it differs from track to track."""

    track_id: int
    genre: str
    artist: int
    album: int
    split: str
    subset: str = "small"


def clip_path(folder, track_id):
    """Return where FMA's archives have the clip of a track."""
    name = f"{track_id:06d}"
    return Path(folder, name[:3], f"{name}.mp3")


def write_mp3(path, waveform, sample_rate=SAMPLE_RATE):
    """Encode a waveform (n_samples,) as MP3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, sample_rate, format="MP3", subtype="MPEG_LAYER_III")


def _cells(track):
    genre_ids = [GENRE_IDS.get(track.genre, 4)] if track.genre else [15, 12]
    above = []
    if track.genre == "Rock" and track.track_id % 2:
        genre_ids, above = [89], [12, 25]
    known = {
        ("album", "date_created"): "2008-11-26 01:44:45",
        ("album", "id"): track.album,
        ("album", "tags"): [],
        ("album", "title"): f"Album {track.album}",
        ("album", "type"): "Album",
        ("artist", "bio"): '<p>Born in Zürich,\n"lives" on the road.</p>',
        ("artist", "date_created"): "2008-11-26 01:42:32",
        ("artist", "id"): track.artist,
        ("artist", "name"): f"Artist {track.artist}",
        ("artist", "tags"): ["awol", "field recordings"],
        ("set", "split"): track.split,
        ("set", "subset"): track.subset,
        ("track", "bit_rate"): 256000,
        ("track", "date_created"): "2008-11-26 01:48:12",
        ("track", "genre_top"): track.genre,
        ("track", "genres"): genre_ids,
        ("track", "genres_all"): [*genre_ids, *above],
        ("track", "language_code"): "en",
        ("track", "tags"): [],
        ("track", "title"): f"Track {track.track_id}",
    }
    return [known.get(column, "") for column in TRACK_COLUMNS]


def write_genres(folder):
    """Write ``genres.csv`` and ``raw_genres.csv`` of ``fma_metadata``."""
    rows = [(number, 0, name, number) for name, number in GENRE_IDS.items()]
    rows += [
        (number, above, name, 15 if above == 15 else 12)
        for number, (name, above) in SUBGENRES.items()
    ]
    with _table(folder, "genres.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow("genre_id #tracks parent title top_level".split())
        for number, above, name, top in sorted(rows):
            writer.writerow([number, 1, above, name, top])
    with _table(folder, "raw_genres.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            "genre_id genre_color genre_handle genre_parent_id genre_title".split()
        )
        for number, above, name, _ in sorted(rows):
            writer.writerow([number, f"#{number:06X}", name, above or "", name])


def write_tracks(folder, tracks):
    """Write ``fma_metadata/tracks.csv``, and the tables of its genres."""
    write_genres(folder)
    with _table(folder, "tracks.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(first for first, _ in TRACK_COLUMNS)])
        writer.writerow(["", *(second for _, second in TRACK_COLUMNS)])
        writer.writerow(["track_id", *[""] * len(TRACK_COLUMNS)])
        for track in sorted(tracks):
            writer.writerow([track.track_id, *_cells(track)])


def write_features(folder, statistics):
    """Write ``fma_metadata/features.csv`` of MFCC statistics (140,) by track id.

    The other features are zeros.
    """
    is_mfcc = np.array([feature == "mfcc" for feature, _, _ in FEATURE_COLUMNS])
    with _table(folder, "features.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        levels = ("feature", "statistics", "number")
        for level, names in zip(
            levels, zip(*FEATURE_COLUMNS, strict=True), strict=True
        ):
            writer.writerow([level, *names])
        writer.writerow(["track_id", *[""] * len(FEATURE_COLUMNS)])
        for track_id in sorted(statistics):
            row = np.zeros(len(FEATURE_COLUMNS))
            row[is_mfcc] = statistics[track_id]
            writer.writerow([track_id, *row])


def _table(folder, name):
    path = Path(folder, "fma_metadata", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "w", encoding="utf-8", newline="")


def split_artists(n_artists):
    """Return a part for each artist of a genre: about 80, 10 and 10 percent."""
    n_held_out = max(1, round(n_artists / 10)) if n_artists > 2 else 0
    parts = ["test"] * n_held_out + ["validation"] * n_held_out
    return ["training"] * (n_artists - len(parts)) + parts


def make_fma(
    folder,
    n_tracks_per_genre=10,
    *,
    genres=tuple(STYLES),
    duration=3.0,
    archive="small",
    random_state=0,
):
    """Write a miniature FMA of synthetic music.

    Parameters
    ----------
    folder : path
        The data home: gets ``fma_metadata`` and ``fma_{archive}``.

    n_tracks_per_genre : int, default=10
        Good clips of the small subset in each genre, two by each artist: with ten or
        more, every genre is in each part of the split, and no artist in two.

    genres : sequence of str
        Some of FMA-small's eight.

    duration : float, default=3.0
        Seconds of each clip (FMA's have 30).

    archive : {'small', 'medium', 'large', 'full'}, default='small'
        Which audio to write; in 'full' there are no faulty clips.

    random_state : int, default=0
        Decides the music.

    Returns
    -------
    tracks : list of Track
        All rows of ``tracks.csv``. Beside the good clips these are three of the small
        subset that are known as faulty (`SHORT`, `UNREADABLE`, `SILENT`), one of the
        medium subset, and one of the large subset without a top-level genre.
    """
    genres = list(genres)
    clips = make_genre_clips(
        n_tracks_per_genre * len(genres),
        [STYLES[genre] for genre in genres],
        duration=duration,
        sample_rate=SAMPLE_RATE,
        random_state=random_state,
    )
    parts = split_artists(-(-n_tracks_per_genre // 2))
    tracks, waveforms, statistics = [], {}, {}
    for i, waveform in enumerate(clips.waveforms):
        place, number = i % len(genres), i // len(genres)
        artist = 1 + place * len(parts) + number // 2
        # Ids grow with gaps, as FMA's, and reach more than one folder.
        track = Track(
            2 + 37 * i, genres[place], artist, 1000 + artist, parts[number // 2]
        )
        tracks.append(track)
        waveforms[track.track_id] = waveform
    # Artists of their own, so that a split by artists stays one.
    faulty = {
        SHORT: waveforms[2][: SAMPLE_RATE // 2],
        UNREADABLE: None,
        SILENT: np.zeros_like(waveforms[2]),
    }
    others = {150_000: ("medium", genres[0]), 151_000: ("large", "")}
    for track_id in faulty:
        genre = genres[track_id % len(genres)]
        tracks.append(Track(track_id, genre, track_id, track_id, "training"))
    for track_id, (subset, genre) in others.items():
        tracks.append(Track(track_id, genre, track_id, track_id, "training", subset))
        waveforms[track_id] = waveforms[2][::-1]
    waveforms |= dict.fromkeys(faulty, waveforms[2]) if archive == "full" else faulty

    subsets = ("small", "medium", "large")
    in_archive = subsets[: subsets.index(archive) + 1] if archive != "full" else subsets
    for track in tracks:
        waveform = waveforms[track.track_id]
        if track.subset in in_archive:
            path = clip_path(Path(folder, f"fma_{archive}"), track.track_id)
            if waveform is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Like the real one: an ID3 tag and hardly anything else.
                path.write_bytes(b"ID3\x04" + bytes(1748))
                continue
            write_mp3(path, waveform)
            waveform = load_audio(path)
        if waveform is not None:
            statistics[track.track_id] = mfcc_statistics(waveform)
    statistics.setdefault(UNREADABLE, statistics[2])
    write_tracks(folder, tracks)
    write_features(folder, statistics)
    return sorted(tracks)


def lay_out_fma(folder, paths, genres, artists, *, splits=None, copy=False):
    """Put labelled clips that exist into FMA's form, for measurements by hand.

    Parameters
    ----------
    folder : path
        The data home: gets ``fma_metadata`` and ``fma_small``.

    paths, genres, artists : sequences of equal length
        The clips; any audio file may stand behind a name that ends in ``.mp3``.

    splits : sequence of str or None, default=None
        'training', 'validation' or 'test' for each clip. None divides the artists of
        each genre, about 80, 10 and 10 percent of them.

    copy : bool, default=False
        Copy the files rather than link to them.

    Returns
    -------
    tracks : list of Track
        The rows of ``tracks.csv``, in the order of the clips. An artist's clips are
        one album.
    """
    numbers = {name: i + 1 for i, name in enumerate(dict.fromkeys(artists))}
    if splits is None:
        part_of = {}
        for genre in dict.fromkeys(genres):
            pairs = zip(artists, genres, strict=True)
            own = dict.fromkeys(a for a, g in pairs if g == genre)
            names = [name for name in own if name not in part_of]
            part_of |= zip(names, split_artists(len(names)), strict=True)
        splits = [part_of[artist] for artist in artists]
    tracks, statistics = [], {}
    rows = zip(paths, genres, artists, splits, strict=True)
    for i, (path, genre, artist, split) in enumerate(rows):
        number = numbers[artist]
        track = Track(2 + 3 * i, genre, number, number, split)
        tracks.append(track)
        statistics[track.track_id] = mfcc_statistics(load_audio(path))
        target = clip_path(Path(folder, "fma_small"), track.track_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy:
            shutil.copyfile(path, target)
        else:
            target.symlink_to(os.path.abspath(path))
    write_tracks(folder, tracks)
    write_features(folder, statistics)
    return tracks
