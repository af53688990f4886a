from dataclasses import replace

import numpy as np
import pytest

from skgenre.datasets._synthetic._styles import STYLES, Song

PARTS = {"kick", "snare", "hat", "bass", "chords", "melody"}


def song(meter, **changes):
    plain = Song((0, 2, 4, 5, 7, 9, 11), 48, (0, 3, 4, 0), meter, 1.5, 25.0)
    return replace(plain, **changes)


def notes(genre, seed=0):
    style = STYLES[genre]
    return list(style.play(song(style.meter), np.random.default_rng(seed)))


def beats(genre, part):
    meter = STYLES[genre].meter
    return {round(n.beat % meter, 2) for n in notes(genre) if n.part == part}


@pytest.mark.parametrize("genre", STYLES)
def test_notes_are_playable(genre):
    for seed in range(5):
        played = notes(genre, seed)
        assert {note.part for note in played} <= PARTS
        assert all(note.length > 0 and note.level > 0 for note in played)
        pitches = [n.pitch for n in played if n.part in ("bass", "chords", "melody")]
        assert 20 < min(pitches) < max(pitches) < 96
        # Every bar that the clip touches is played.
        bars = {note.beat // STYLES[genre].meter for note in played}
        assert bars >= set(range(1, 25 // STYLES[genre].meter))


# Of three clips: notes, pitches times beats, lengths times levels.
SUMS = {
    "ambient": (145, 80422.0, 574.50),
    "folk": (347, 227749.0, 259.61),
    "hip-hop": (563, 136368.4, 398.44),
    "reggae": (590, 279287.0, 175.87),
    "rock": (834, 381538.5, 456.82),
    "swing": (448, 235501.0, 247.75),
    "techno": (648, 212662.2, 426.81),
    "waltz": (337, 187150.5, 175.97),
}


@pytest.mark.parametrize("genre", STYLES)
def test_examples_and_published_figures_are_of_these_notes(genre):
    played = [note for seed in range(3) for note in notes(genre, seed)]
    tune = sum(note.pitch * note.beat for note in played)
    strength = sum(note.length * note.level for note in played)
    assert (len(played), round(tune, 1), round(strength, 2)) == SUMS[genre]


def test_rhythms_are_those_of_the_genres():
    assert beats("techno", "kick") == {0, 1, 2, 3}
    assert beats("rock", "snare") == {1, 3}
    assert beats("waltz", "bass") == {0}
    assert beats("waltz", "chords") == {1, 2}
    assert beats("reggae", "chords") == {0.5, 1.5, 2.5, 3.5}
    assert beats("reggae", "kick") == {2}
    assert beats("swing", "bass") == {0, 1, 2, 3}
    assert not beats("ambient", "kick")
    assert not beats("folk", "snare")
    assert {0, 2.5} <= beats("hip-hop", "kick")


def test_song_chords_and_bars():
    tune = song(4)
    assert tune.pitch(0) == 48
    assert tune.pitch(7, 1) == 72
    assert tune.pitch(-1) == 47
    assert tune.chord(0) == [48, 52, 55]
    assert tune.chord(3) == [48, 53, 57]
    assert list(tune.bars())[:3] == [(0, 0), (4, 3), (8, 4)]
