"""Artists: what they play on, and how it is recorded."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skgenre.datasets._synthetic import _synthesis as synth
from skgenre.datasets._synthetic._mastering import (
    N_BANDS,
    Recording,
    add_room_and_noise,
    master,
    random_curve,
)
from skgenre.datasets._synthetic._styles import Note, Song, Style
from skgenre.datasets._synthetic._synthesis import Waveform

_LEVELS = {
    "kick": 0.0,
    "snare": -3.0,
    "hat": -8.0,
    "bass": -8.0,
    "chords": -16.0,
    "melody": -15.0,
}
"""Level of each part in dB, before artists and songs differ from it."""
_PITCHED = ("bass", "chords", "melody")
_HIGHEST_NOISE = 10_000.0
_N_HARMONICS = 40
_NO_MELODY = 0.4
"""Share of the songs without a melody."""


@dataclass(frozen=True)
class Instrument:
    """A sound that plays notes."""

    kind: str
    """'tone', 'pluck' or 'bell'."""
    harmonics: NDArray[np.floating]
    """Amplitudes; of tones, and of all that swells."""
    brightness: float
    """From 0 to 1; of plucked strings and bells."""
    ratio: float
    """Modulator's frequency to the carrier's; of bells."""
    ring: float
    """Seconds in which a note falls by 60 dB while it is held."""

    def play(
        self,
        pitch: int,
        seconds: float,
        swells: bool,
        rng: np.random.Generator,
        sample_rate: int,
    ) -> Waveform:
        """Return one note, struck or swelling."""
        n_samples = max(1, int(seconds * sample_rate))
        frequency = synth.midi_to_hz(pitch)
        if swells:
            note = synth.tone(frequency, n_samples, self.harmonics, sample_rate)
            return note * synth.swell(n_samples)
        if self.kind == "pluck":
            note = synth.pluck(frequency, n_samples, self.brightness, rng, sample_rate)
        elif self.kind == "bell":
            index = 4 * self.brightness
            note = synth.bell(frequency, n_samples, self.ratio, index, sample_rate)
        else:
            note = synth.tone(frequency, n_samples, self.harmonics, sample_rate)
        note = note * synth.envelope(n_samples, 0.004, 0.03, sample_rate)
        return note * synth.decay(n_samples, self.ring, sample_rate)


@dataclass(frozen=True)
class Artist:
    """What the songs of one artist have in common."""

    instruments: dict[str, Instrument]
    """For bass, chords and melody."""
    levels: dict[str, float]
    """Of each part, in dB."""
    kit: dict[str, float]
    """The drums' frequencies and lengths."""
    tonics: NDArray[np.integer]
    """Keys the artist plays in; 0 is C."""
    tempo: float
    """Between the slowest (0) and the fastest (1) of the genre."""
    recording: Recording


def _draw_instrument(rng: np.random.Generator) -> Instrument:
    harmonics = np.arange(1, _N_HARMONICS + 1) ** -rng.uniform(1.2, 2.4)
    harmonics[1::2] *= rng.choice([1.0, 1.0, 0.1])  # odd ones only: a clarinet
    harmonics *= 10 ** (rng.normal(0, 4, _N_HARMONICS) / 20)
    return Instrument(
        kind=str(rng.choice(["tone", "tone", "pluck", "bell"])),
        harmonics=harmonics,
        brightness=rng.uniform(0.2, 0.7),
        ratio=float(rng.choice([1, 2, 3, 3.5, 4.2])),
        ring=float(np.exp(rng.uniform(np.log(0.6), np.log(6)))),
    )


def draw_artist(rng: np.random.Generator) -> Artist:
    """Draw an artist, in the same way for all genres."""
    return Artist(
        instruments={part: _draw_instrument(rng) for part in _PITCHED},
        levels={part: level + rng.normal(0, 1.5) for part, level in _LEVELS.items()},
        kit={
            "kick": rng.uniform(42, 75),
            "kick_seconds": rng.uniform(0.15, 0.45),
            "snare": rng.uniform(150, 230),
            "snare_seconds": rng.uniform(0.12, 0.35),
            "wires": rng.uniform(0.4, 0.8),
            "hat": rng.uniform(3000, 6500),
        },
        tonics=rng.integers(0, 12, size=3),
        tempo=rng.uniform(0.1, 0.9),
        recording=Recording(
            colour=rng.uniform(-24, -12) * np.linspace(0, 1, N_BANDS)
            + random_curve(rng, 2.0),
            dynamics=rng.uniform(10, 17) + random_curve(rng, 1.0),
            room_seconds=float(np.exp(rng.uniform(np.log(0.2), np.log(1.0)))),
            room_level=rng.uniform(0.03, 0.3),
            noise=rng.uniform(-55, -35),
            peak=1.0,
        ),
    )


def draw_song(
    style: Style, artist: Artist, seconds: float, rng: np.random.Generator
) -> tuple[Song, float]:
    """Draw a song, which begins anywhere, and its tempo in beats a minute."""
    slow, fast = style.tempo
    place = np.clip(artist.tempo + rng.normal(0, 0.15), 0, 1)
    tempo = float(slow + place * (fast - slow))
    scale = style.scales[rng.integers(len(style.scales))]
    progression = style.progressions[rng.integers(len(style.progressions))]
    begin = rng.uniform(0, style.meter * len(progression))
    song = Song(
        scale=scale,
        tonic=int(48 + rng.choice(artist.tonics)),
        progression=progression,
        meter=style.meter,
        begin=begin,
        end=begin + seconds * tempo / 60,
    )
    return song, tempo


def perform(
    style: Style,
    artist: Artist,
    n_samples: int,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Compose, play and record one clip.

    Parameters
    ----------
    style : Style
        The genre.
    artist : Artist
        Who plays.
    n_samples : int
        Length of the clip.
    rng : Generator
        Decides all that the artist leaves open.
    sample_rate : int
        Samples a second.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        In the range -1 to 1.
    """
    mix = _mix(style, artist, n_samples, rng, sample_rate)
    recording = replace(
        artist.recording,
        colour=artist.recording.colour + random_curve(rng, 1.0),
        peak=rng.uniform(0.4, 0.95),
    )
    live = add_room_and_noise(mix, recording, rng, sample_rate)
    return master(live, recording, sample_rate)


def _mix(
    style: Style,
    artist: Artist,
    n_samples: int,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Play all notes of a song, and put each where it belongs."""
    song, tempo = draw_song(style, artist, n_samples / sample_rate, rng)
    levels = {
        part: 10 ** ((level + rng.normal(0, 1)) / 20)
        for part, level in artist.levels.items()
    }
    if rng.random() < _NO_MELODY:
        levels["melody"] = 0.0
    loose = rng.uniform(0.002, 0.008)  # how exactly they play, in seconds
    beat = 60 / tempo
    drums = np.zeros(n_samples, dtype=np.float32)
    others = np.zeros(n_samples, dtype=np.float32)
    duck = np.ones(n_samples, dtype=np.float32)
    rise = np.linspace(0.05, 1, int(0.8 * beat * sample_rate), dtype=np.float32)
    sounds: dict[tuple[str, int, float], Waveform] = {}
    for note in style.play(song, rng):
        seconds = (note.beat - song.begin) * beat + rng.normal(0, loose)
        start = round(seconds * sample_rate)
        level = np.float32(levels[note.part] * note.level * rng.uniform(0.8, 1.1))
        length = round(note.length * beat, 2)
        if start >= n_samples or not level:
            continue
        # A note that comes again sounds the same but for its level, as from a sampler.
        key = (note.part, note.pitch, length)
        if key not in sounds:
            sounds[key] = _sound(note, length, style, artist, rng, sample_rate)
        sound = sounds[key][max(0, -start) : n_samples - start]
        if style.pumps and note.part == "kick":
            curve = rise[max(0, -start) : n_samples - start]
            duck[max(0, start) : max(0, start) + len(curve)] = curve
        start = max(0, start)
        bus = others if note.part in _PITCHED else drums
        bus[start : start + len(sound)] += level * sound
    return drums + duck * others


def _sound(
    note: Note,
    seconds: float,
    style: Style,
    artist: Artist,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Return what a note sounds like; drums ring as long as they like."""
    kit = artist.kit
    if note.part == "kick":
        return synth.kick(kit["kick"], kit["kick_seconds"], sample_rate)
    if note.part == "snare":
        ring = kit["snare_seconds"]
        return synth.snare(kit["snare"], ring, kit["wires"], rng, sample_rate)
    if note.part == "hat":
        ring = seconds if style.swells else 1.5 * seconds
        n_samples = max(1, int(ring * sample_rate))
        noise = synth.noise(kit["hat"], _HIGHEST_NOISE, n_samples, rng, sample_rate)
        if style.swells:
            return noise * synth.swell(n_samples)
        return noise * synth.decay(n_samples, ring, sample_rate)
    return artist.instruments[note.part].play(
        note.pitch, seconds, style.swells, rng, sample_rate
    )
