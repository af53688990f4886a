"""Sound files damaged as files are in the world, in every container.

Each damaged file is a function of the whole files, a seed and a number alone.
"""

import random
import struct

# Formats whose headers give the length, which FFmpeg ignores: it would play what
# follows, a header and all, as samples.
_LENGTH_RULES = (b".snd", b"dns.", b"\xf0~\0\1")


def cut(data, rng, others):
    """Stop after a part, as a download does."""
    return data[: int(len(data) * rng.uniform(0.15, 0.99))]


def flip(data, rng, others):
    """Change some bytes, from a single one to one of 1,000."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, max(1, len(data) // 1000)))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def hole(data, rng, others):
    """Overwrite a block with zeros, ones or junk, as a bad sector is."""
    size = min(rng.choice((512, 2048, 4096, 16384)), len(data) // 2)
    at = rng.randrange(len(data) // 20, len(data) - size)
    fill = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    return data[:at] + fill + data[at + size :]


def missing(data, rng, others):
    """Leave a block out."""
    size = min(rng.choice((100, 2048, 16384)), len(data) // 2)
    at = rng.randrange(len(data) // 20, len(data) - size)
    return data[:at] + data[at + size :]


def splice(data, rng, others):
    """Put a tag, or a piece of another file, into the middle."""
    other = rng.choice(others)
    start = rng.randrange(len(other))
    piece = rng.choice((b"ID3\4\0\0\0\0\x07\x68" + bytes(1000), other[start:][:3000]))
    at = rng.randrange(len(data) // 20, len(data))
    return data[:at] + piece + data[at:]


def chain(data, rng, others):
    """Append the file to itself, or another of the same kind, as radios do."""
    if data[:4] in _LENGTH_RULES:
        return data
    same = [other for other in others if other[:4] == data[:4]]
    return data + rng.choice([data, *same])


def header_lies(data, rng, others):
    """Write a wrong number over one of the header, such as a length."""
    data = bytearray(data)
    letter = rng.choice("IQH")
    size = struct.calcsize(letter)
    number = rng.choice(
        (0, (1 << 8 * size) - 1, 1 << 8 * size - 1, rng.getrandbits(16))
    )
    at = rng.randrange(min(len(data) - size, 200))
    if (mark := data.find(b"data")) >= 0 and rng.random() < 0.5:
        at = mark + 4
    data[at : at + size] = struct.pack(rng.choice("<>") + letter, number)
    return bytes(data)


KINDS = (cut, flip, hole, missing, splice, chain, header_lies)


def damaged(files, seed, number):
    """Return the name and the bytes of a damaged file.

    Parameters
    ----------
    files : dict of str to bytes
        Whole files; they and the kinds of damage take turns.
    seed, number : int
        Together they tell which files are made.

    Returns
    -------
    name : str
        ``number-kind-name``.
    data : bytes
        The file.
    """
    names = list(files)
    name = names[number % len(names)]
    kind = KINDS[number // len(names) % len(KINDS)]
    rng = random.Random(f"{seed}-{number}")
    data = kind(files[name], rng, list(files.values()))
    return f"{number}-{kind.__name__}-{name}", data


def seconds_by_ffmpeg(path):
    """Return the seconds that FFmpeg decodes when it skips what does not decode."""
    import av

    seconds, n_errors = 0.0, 0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = container.demux(stream)
        while n_errors < 100:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.FFmpegError:
                n_errors += 1
                packets = container.demux(stream)
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            seconds += sum(frame.samples / frame.sample_rate for frame in frames)
    return seconds
