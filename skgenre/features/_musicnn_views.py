"""What musicnn can tell of a clip, by name."""

from collections.abc import Sequence
from typing import Any

N_FEATURES = {"penultimate": 200, "pooled": 1506, "tags": 50, "correlations": 2144}

TAGS = {
    "msd": """rock, pop, alternative, indie, electronic, female vocalists, dance, 00s,
        alternative rock, jazz, beautiful, metal, chillout, male vocalists,
        classic rock, soul, indie rock, Mellow, electronica, 80s, folk, 90s, chill,
        instrumental, punk, oldies, blues, hard rock, ambient, acoustic, experimental,
        female vocalist, guitar, Hip-Hop, 70s, party, country, easy listening, sexy,
        catchy, funk, electro, heavy metal, Progressive rock, 60s, rnb, indie pop, sad,
        House, happy""",
    "mtt": """guitar, classical, slow, techno, strings, drums, electronic, rock, fast,
        piano, ambient, beat, violin, vocal, synth, female, indian, opera, male,
        singing, vocals, no vocals, harpsichord, loud, quiet, flute, woman, male vocal,
        no vocal, pop, soft, sitar, solo, man, classic, choir, voice, new age, dance,
        male voice, female vocal, beats, harp, cello, no voice, weird, country, metal,
        female voice, choral""",
}


def views(
    weights: str | Sequence[str], output: str | Sequence[str]
) -> list[tuple[str, str]]:
    """Return the pairs of weights and output that two parameters of a step mean.

    Raises
    ------
    ValueError
        If a name isn't known, or the sequences have different lengths, are empty or
        name a pair twice.
    """
    given = {"weights": weights, "output": output}
    known: dict[str, Any] = {"weights": TAGS, "output": N_FEATURES}
    n = max(1 if isinstance(value, str) else len(value) for value in given.values())
    columns = []
    for name, value in given.items():
        values = [value] * n if isinstance(value, str) else list(value)
        if (
            not values
            or len(values) != n
            or not all(isinstance(each, str) and each in known[name] for each in values)
        ):
            raise ValueError(
                f"The '{name}' parameter must be one of {', '.join(known[name])}, or a "
                "sequence of them, as long as that of the other parameter. Got "
                f"weights={weights!r} and output={output!r}."
            )
        columns.append(values)
    pairs = list(zip(*columns, strict=True))
    if len(set(pairs)) < n:
        raise ValueError(
            f"weights={weights!r} and output={output!r} name a pair twice. Leave one "
            "out."
        )
    return pairs


def view_names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Name the features: tags by themselves, all others and those of several views."""
    names = []
    for weights, output in pairs:
        own: list[str] = [str(i) for i in range(N_FEATURES[output])]
        if output == "tags":
            own = [" ".join(tag.split()) for tag in TAGS[weights].split(",")]
        prefix = f"{weights}_{output}_" if len(pairs) > 1 else ""
        names += [prefix + name for name in own]
    return names
