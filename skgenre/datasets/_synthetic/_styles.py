"""What each genre plays: tempo, metre, harmony and rhythm, as a list of notes.

Nothing here is about sound. The instruments, the mix and the recording are drawn from
the same pool for all genres, so that genres differ in what happens when.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Rng = np.random.Generator

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_DORIAN = (0, 2, 3, 5, 7, 9, 10)
_MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)


class Note(NamedTuple):
    """One sound of one instrument."""

    part: str
    """'kick', 'snare', 'hat', 'bass', 'chords' or 'melody'."""
    beat: float
    """When it begins."""
    length: float
    """How long it lasts, in beats."""
    pitch: int = 0
    """MIDI number; drums have none."""
    level: float = 1.0
    """Amplitude."""


@dataclass(frozen=True)
class Song:
    """What the musicians agreed on: key, chords, and where the clip begins."""

    scale: tuple[int, ...]
    tonic: int
    """MIDI number of the tonic, in the octave from 48."""
    progression: tuple[int, ...]
    """A degree of the scale for each bar, from 0."""
    meter: int
    """Beats in a bar."""
    begin: float
    end: float
    """The beats between which the clip lies."""

    def bars(self) -> Iterator[tuple[int, int]]:
        """Yield the first beat and the chord's degree of every bar."""
        first, last = int(self.begin // self.meter), int(self.end // self.meter)
        for bar in range(first, last + 1):
            yield bar * self.meter, self.progression[bar % len(self.progression)]

    def pitch(self, degree: int, octave: int = 0) -> int:
        """Return the MIDI number of a degree of the scale; 7 is the octave."""
        octaves, step = divmod(degree, len(self.scale))
        return self.tonic + 12 * (octave + octaves) + self.scale[step]

    def chord(self, degree: int, n_tones: int = 3) -> list[int]:
        """Return a chord on a degree, all its tones within one octave of the tonic's.

        So the hand stays where it is from chord to chord.
        """
        return sorted(
            self.tonic + self.scale[(degree + 2 * i) % len(self.scale)]
            for i in range(n_tones)
        )


def _tune(
    song: Song, rng: Rng, beats: tuple[float, ...], rests: float, legato: float = 0.9
) -> Iterator[Note]:
    """Yield a melody: a motif in `beats` of each bar, led by the chords."""
    degree = int(rng.integers(7))
    steps = rng.integers(-2, 3, size=len(beats))
    kept = rng.random(len(beats)) >= rests
    lengths = np.diff([*beats, song.meter]) * legato
    for start, chord in song.bars():
        for i, beat in enumerate(beats):
            if beat == beats[0]:
                degree = chord + 2 * int(rng.integers(3))
            else:
                degree += int(steps[i])
            if kept[i] ^ (rng.random() < 0.1):
                level = 1.0 if i == 0 else 0.75
                pitch = song.pitch(degree % 9, 1)
                yield Note("melody", start + beat, lengths[i], pitch, level)


def _strum(
    song: Song, start: float, length: float, chord: int, level: float = 1.0
) -> Iterator[Note]:
    for pitch in song.chord(chord):
        yield Note("chords", start, length, pitch, level)


def techno(song: Song, rng: Rng) -> Iterator[Note]:
    """Four on the floor: kick on each beat, hat between, a riff in sixteenths."""
    riff = rng.random(16) < 0.45
    jumps = rng.choice([0, 0, 0, 7, 4], size=16)
    claps = (1, 3) if rng.random() < 0.5 else ()
    for start, chord in song.bars():
        for beat in range(4):
            yield Note("kick", start + beat, 1)
            yield Note("hat", start + beat + 0.5, 0.4)
            for quarter in (0.25, 0.75):
                yield Note("hat", start + beat + quarter, 0.1, level=0.2)
        for beat in claps:
            yield Note("snare", start + beat, 0.5, level=0.4)
        for i in np.flatnonzero(riff):
            pitch = song.pitch(chord + jumps[i], -1)
            level = 0.6 if i % 4 == 0 else 1.0
            yield Note("bass", start + i / 4, 0.22, pitch, level)
        # Held under it all, for the kick to push down.
        yield from _strum(song, start, 4, chord)
    yield from _tune(song, rng, (0, 0.75, 1.5, 2.25, 3, 3.5), rests=0.4, legato=0.5)


def rock(song: Song, rng: Rng) -> Iterator[Note]:
    """Backbeat: snare on two and four, straight eighths in hat, bass and guitar."""
    kicks = [0, 2] + [b for b in (1.5, 2.5, 3.5) if rng.random() < 0.4]
    strums = (0, 1.5, 2.5) if rng.random() < 0.4 else tuple(np.arange(8) / 2)
    for start, chord in song.bars():
        for beat in kicks:
            yield Note("kick", start + beat, 1)
        for beat in (1, 3):
            yield Note("snare", start + beat, 0.8, level=1.3)
        for eighth in range(8):
            accent = 0.8 if eighth % 2 == 0 else 0.5
            yield Note("hat", start + eighth / 2, 0.2, level=accent)
            yield Note("bass", start + eighth / 2, 0.45, song.pitch(chord, -1), accent)
        for beat in strums:
            length = 0.45 if len(strums) == 8 else 1.2
            yield from _strum(song, start + beat, length, chord)
    yield from _tune(song, rng, (0, 1, 1.5, 2, 3, 3.5), rests=0.3)


def hip_hop(song: Song, rng: Rng) -> Iterator[Note]:
    """Boom bap: slow, syncopated kicks, swung sixteenths, long bass notes."""
    late = rng.uniform(0.04, 0.09)  # how far the second sixteenth drags
    kicks = [0, 2.5] + [b for b in (0.75, 1.75, 3.25) if rng.random() < 0.5]
    loop = np.sort(rng.choice(8, size=2, replace=False)) / 2
    for start, chord in song.bars():
        for beat in kicks:
            drag = late if beat % 0.5 else 0.0
            yield Note("kick", start + beat + drag, 1, level=1.2)
            yield Note("bass", start + beat + drag, 0.9, song.pitch(chord, -2))
        for beat in (1, 3):
            yield Note("snare", start + beat, 0.5, level=1.3)
        for i in range(16):
            if i % 2 == 0 or rng.random() < 0.25:
                drag = late if i % 2 else 0.0
                yield Note("hat", start + i / 4 + drag, 0.12, level=0.6)
        for beat in loop:
            yield from _strum(song, start + beat, 1.3, chord)
    yield from _tune(song, rng, (0.5, 1.25, 2.5), rests=0.3)


def swing(song: Song, rng: Rng) -> Iterator[Note]:
    """Ride cymbal in swung eighths, hat on two and four, a walking bass."""
    off = rng.uniform(0.62, 0.7)  # where the second eighth of a beat falls
    comps = ((0.0, 1 + off), (off, 2 + off), (1.0, 2 + off))
    comp = comps[rng.integers(3)]
    for start, chord in song.bars():
        for beat in range(4):
            yield Note("hat", start + beat, 0.9, level=1.0 if beat % 2 else 0.7)
            if beat % 2:
                yield Note("hat", start + beat + off, 0.6, level=0.7)
            step = int(rng.integers(-1, 3)) + (0, 2, 4, 5)[beat]
            pitch = song.pitch(chord + (step if beat else 0), -1)
            yield Note("bass", start + beat, 0.85, pitch)
        if rng.random() < 0.4:
            yield Note("snare", start + rng.integers(4) + off, 0.4, level=0.35)
        if rng.random() < 0.3:
            yield Note("kick", start + rng.integers(4) + off, 0.8, level=0.4)
        for place in comp:
            yield from _strum(song, start + place, 0.35, chord)
    beats = (0, off, 1, 2, 2 + off, 3 + off)
    yield from _tune(song, rng, beats, rests=0.35)


def waltz(song: Song, rng: Rng) -> Iterator[Note]:
    """Three in a bar: bass on one, chords on two and three."""
    fifth = 4 if rng.random() < 0.5 else 0
    for start, chord in song.bars():
        low = chord + (fifth if start % 2 else 0)
        yield Note("bass", start, 0.9, song.pitch(low, -1), 1.2)
        yield Note("kick", start, 1, level=0.8)
        for beat in (1, 2):
            yield from _strum(song, start + beat, 0.4, chord)
            yield Note("hat", start + beat, 0.3, level=0.5)
    beats = (0, 1, 2) if rng.random() < 0.5 else (0, 2, 2.5)
    yield from _tune(song, rng, beats, rests=0.2)


def ambient(song: Song, rng: Rng) -> Iterator[Note]:
    """No beat: chords that swell into one another, a drone, bells here and there."""
    octave = -int(rng.integers(1, 3))
    for start, chord in song.bars():
        begin = start + rng.uniform(-0.5, 0.5)
        for pitch in song.chord(chord, 4):
            yield Note("chords", begin + rng.uniform(0, 1), song.meter + 2, pitch, 0.8)
        yield Note("bass", begin, song.meter + 2, song.pitch(chord, octave), 0.8)
        yield Note("hat", begin + rng.uniform(0, 2), song.meter, level=0.5)
        for _ in range(rng.integers(0, 3)):
            pitch = song.pitch(chord + 2 * int(rng.integers(4)), 1)
            yield Note("melody", start + rng.uniform(0, song.meter), 2.5, pitch, 0.6)


def folk(song: Song, rng: Rng) -> Iterator[Note]:
    """Fingerpicking: the thumb on every beat, the fingers in eighths between."""
    order = [rng.permutation(3) for _ in range(2)]
    for start, chord in song.bars():
        tones = song.chord(chord)
        for eighth in range(8):
            tone = tones[order[eighth // 4][eighth % 3]] + (
                12 if eighth % 4 == 3 else 0
            )
            yield Note("chords", start + eighth / 2, 1.0, tone, 0.9)
        for beat in range(4):
            pitch = song.pitch(chord + (4 if beat % 2 else 0), -1)
            yield Note("bass", start + beat, 0.9, pitch, 0.9)
        yield Note("hat", start + 1, 0.15, level=0.3)
        yield Note("hat", start + 3, 0.15, level=0.3)
    yield from _tune(song, rng, (0, 1, 2, 2.5), rests=0.35)


def reggae(song: Song, rng: Rng) -> Iterator[Note]:
    """One drop: nothing on one, kick and snare on three, chords off the beat."""
    bass = np.flatnonzero(rng.random(8) < 0.5) / 2
    for start, chord in song.bars():
        yield Note("kick", start + 2, 1, level=1.1)
        yield Note("snare", start + 2, 0.4)
        for beat in range(4):
            yield from _strum(song, start + beat + 0.5, 0.18, chord, 1.2)
            yield Note("hat", start + beat, 0.1, level=0.4)
            yield Note("hat", start + beat + 0.5, 0.15, level=0.7)
        for beat in bass:
            pitch = song.pitch(chord + (0, 2, 4)[rng.integers(3)], -1)
            yield Note("bass", start + beat, 0.45, pitch, 1.2)
    yield from _tune(song, rng, (0, 0.5, 1.5, 2.5), rests=0.45)


@dataclass(frozen=True)
class Style:
    """A genre: how it is played, and the range of what its songs agree on."""

    play: Callable[[Song, Rng], Iterator[Note]]
    tempo: tuple[float, float]
    """Beats a minute, from and to."""
    scales: tuple[tuple[int, ...], ...]
    progressions: tuple[tuple[int, ...], ...]
    meter: int = 4
    swells: bool = False
    """Whether notes fade in and out instead of being struck."""
    pumps: bool = False
    """Whether the kick pushes the other instruments down, which then come up again."""


_POP = ((0, 4, 5, 3), (0, 3, 4, 0), (0, 5, 3, 4), (5, 3, 0, 4))
_LOOPS = ((0, 0, 5, 5), (0, 0, 3, 0), (0, 5, 2, 6), (0, 3))

STYLES: dict[str, Style] = {
    "ambient": Style(
        ambient, (50, 75), (_MAJOR, _DORIAN, _MIXOLYDIAN), _LOOPS, swells=True
    ),
    "folk": Style(folk, (80, 112), (_MAJOR, _MIXOLYDIAN), _POP),
    "hip-hop": Style(hip_hop, (78, 96), (_MINOR, _DORIAN), _LOOPS),
    "reggae": Style(reggae, (120, 160), (_MAJOR, _MINOR), _LOOPS),
    "rock": Style(rock, (92, 126), (_MAJOR, _MIXOLYDIAN, _MINOR), _POP),
    "swing": Style(swing, (150, 210), (_MAJOR, _DORIAN), ((1, 4, 0, 5), (0, 5, 1, 4))),
    "techno": Style(techno, (124, 142), (_MINOR, _DORIAN), _LOOPS, pumps=True),
    "waltz": Style(waltz, (130, 185), (_MAJOR, _MINOR), _POP, meter=3),
}
"""The genres, by name."""
