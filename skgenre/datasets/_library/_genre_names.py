"""Names of genres as people and programs write them, and what they mean."""

import re
import unicodedata
from collections.abc import Callable, Mapping

# By number: those of ID3v1, and Winamp's additions. Misspelt ones are spelt here as
# the others write them.
ID3_GENRES = tuple(
    """
Blues|Classic Rock|Country|Dance|Disco|Funk|Grunge|Hip-Hop|Jazz|Metal|New Age|Oldies
Other|Pop|R&B|Rap|Reggae|Rock|Techno|Industrial|Alternative|Ska|Death Metal|Pranks
Soundtrack|Euro-Techno|Ambient|Trip-Hop|Vocal|Jazz-Funk|Fusion|Trance|Classical
Instrumental|Acid|House|Game|Sound Clip|Gospel|Noise|Alternative Rock|Bass|Soul|Punk
Space|Meditative|Instrumental Pop|Instrumental Rock|Ethnic|Gothic|Darkwave
Techno-Industrial|Electronic|Pop-Folk|Eurodance|Dream|Southern Rock|Comedy|Cult|Gangsta
Top 40|Christian Rap|Pop/Funk|Jungle|Native American|Cabaret|New Wave|Psychedelic|Rave
Showtunes|Trailer|Lo-Fi|Tribal|Acid Punk|Acid Jazz|Polka|Retro|Musical|Rock & Roll
Hard Rock|Folk|Folk Rock|National Folk|Swing|Fast Fusion|Bebop|Latin|Revival|Celtic
Bluegrass|Avant-Garde|Gothic Rock|Progressive Rock|Psychedelic Rock|Symphonic Rock
Slow Rock|Big Band|Chorus|Easy Listening|Acoustic|Humour|Speech|Chanson|Opera
Chamber Music|Sonata|Symphony|Booty Bass|Primus|Porn Groove|Satire|Slow Jam|Club|Tango
Samba|Folklore|Ballad|Power Ballad|Rhythmic Soul|Freestyle|Duet|Punk Rock|Drum Solo
A Cappella|Euro-House|Dancehall|Goa|Drum & Bass|Club-House|Hardcore Techno|Terror|Indie
Britpop|Afro-Punk|Polsk Punk|Beat|Christian Gangsta Rap|Heavy Metal|Black Metal
Crossover|Contemporary Christian|Christian Rock|Merengue|Salsa|Thrash Metal|Anime|J-Pop
Synthpop|Abstract|Art Rock|Baroque|Bhangra|Big Beat|Breakbeat|Chillout|Downtempo|Dub|EBM
Eclectic|Electro|Electroclash|Emo|Experimental|Garage|Global|IDM|Illbient|Industro-Goth
Jam Band|Krautrock|Leftfield|Lounge|Math Rock|New Romantic|Nu-Breakz|Post-Punk|Post-Rock
Psytrance|Shoegaze|Space Rock|Trop Rock|World Music|Neoclassical|Audiobook|Audio Theatre
Neue Deutsche Welle|Podcast|Indie Rock|G-Funk|Dubstep|Garage Rock|Psybient
""".strip()
    .replace("\n", "|")
    .split("|")
)

# The same name in another spelling, and never another genre, however near.
_OTHER_SPELLINGS = {
    "A Cappella": "a capella, acapella",
    "Alternative Rock": "AlternRock, Alt Rock",
    "Bebop": "bebob",
    "Drum & Bass": "DnB, D&B, Drum+Bass",
    "Humour": "humor",
    "Progressive Rock": "prog rock",
    "Psychedelic": "psychadelic",
    "R&B": "RnB, rhythm and blues",
    "Soundtrack": "soundtracks, OST, original soundtrack",
    "World Music": "world",
}

# What programs and people write where they know no genre.
_NO_GENRE = frozenset(
    "default genre genreunknown misc miscellaneous music na nan no nogenre none "
    "notspecified null other unclassifiable unclassified undefined unknown "
    "unknowngenre unspecified untagged various".split()
)

# Longer text is a sentence, or an advertisement.
_LONGEST = 80
_SEPARATORS = re.compile(r"[;；/／,，、|\\\0\r\n\t]")
_URL = re.compile(r"://|\bwww\.", re.IGNORECASE)
_NUMBERS = re.compile(r"\((\d{1,9}|RX|CR)\)")
# Between letters of Persian, Hindi and others.
_JOINERS = "\u200c\u200d"
_AND = re.compile(r"&|(?<=\w)['’`´\s]+n['’`´\s]+(?=\w)")


def clean(text: str) -> str:
    r"""Return text as it is meant to be read.

    Composed (NFC), without characters that show nothing, with single blanks; UTF-8 that
    was taken for Latin-1 is read anew.

    Examples
    --------
    >>> clean(" Mu\u0301sica  Popular\u200b "), clean("MÃºsica")
    ('Música Popular', 'Música')
    """
    return _tidy(_repair(text))


def _repair(text: str) -> str:
    if not text.isascii():
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass
    return text


def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\0", " ")
    if not text.isprintable():
        text = "".join(
            c for c in text if c.isspace() or c in _JOINERS or not _shows_nothing(c)
        )
    return " ".join(text.split())


def _shows_nothing(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf")


def _squeeze(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        c
        for c in _AND.sub("and", text)
        if c.isalnum() or unicodedata.category(c)[0] == "M"
    )


_SAME = {
    _squeeze(spelling): _squeeze(name)
    for name, spellings in _OTHER_SPELLINGS.items()
    for spelling in spellings.split(", ")
}


def genre_key(name: str) -> str:
    """Return what spellings of one name have in common.

    Neither case nor blanks nor punctuation count, and "&" is "and".

    Examples
    --------
    >>> genre_key("Hip Hop") == genre_key("hip-hop") == genre_key("HipHop")
    True
    >>> genre_key("Rock 'n' Roll") == genre_key("rock & roll"), genre_key("RnB")
    (True, 'randb')
    """
    key = _squeeze(name)
    return _SAME.get(key, key)


KNOWN_GENRES = {
    genre_key(name): name
    for name in (*ID3_GENRES, "Singer-Songwriter")
    if "/" not in name
}
"""Genres as ID3's list spells them, by what their spellings have in common."""


def spelt(name: str) -> str:
    """Return a genre as ID3's list spells it, or as it is.

    Examples
    --------
    >>> spelt("hip-hop"), spelt("Zeuhl")
    ('Hip-Hop', 'Zeuhl')
    """
    return KNOWN_GENRES.get(genre_key(name), name)


def split_genres(text: str) -> list[str]:
    r"""Return the names in a tag's text, each as it is written there.

    Parameters
    ----------
    text : str
        Names between ``;``, ``/``, ``,``, ``|``, ``\`` or NUL; numbers of ID3's list,
        also in parentheses before a name, stand for names. Neither "&" nor what is in
        parentheses separates.

    Returns
    -------
    list of str
        Without those that say nothing, such as "Other" or numbers beyond the list.

    Examples
    --------
    >>> split_genres("(4)Eurodisco"), split_genres("17")
    (['Disco', 'Eurodisco'], ['Rock'])
    >>> split_genres("Folk/Rock; Other"), split_genres("Folk, World, & Country")
    (['Folk', 'Rock'], ['Folk', 'World', 'Country'])
    >>> split_genres("Rock & Roll"), split_genres("N/A")
    (['Rock & Roll'], [])
    """
    text = _repair(text)
    names = []
    if not _is_nothing(text):
        for part in _parts(text):
            names += _without_numbers(_tidy(part))
    return [name for name in names if not _is_nothing(name)]


def _is_nothing(name: str) -> bool:
    key = genre_key(name)
    return not key or key in _NO_GENRE or bool(_URL.search(name))


def _parts(text: str) -> list[str]:
    # The one common name with a slash in it.
    text = re.sub(r"\b(singer)\s*/\s*(songwriter)\b", r"\1-\2", text, flags=re.I)
    parts, begin, depth = [], 0, 0
    for match in re.finditer(rf"[()]|{_SEPARATORS.pattern}", text):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth = max(0, depth - 1)
        elif depth == 0 or match[0] == "\0":
            parts.append(text[begin : match.start()])
            begin, depth = match.end(), 0
    parts.append(text[begin:])
    # "Folk, World, & Country"
    return [re.sub(r"^\s*&\s*", "", part) for part in parts]


def _without_numbers(name: str) -> list[str]:
    """Return a name without ID3's numbers before it, and the names that these mean."""
    names = []
    while match := _NUMBERS.match(name):
        names += _names_of_number(match[1])
        name = name[match.end() :].strip()
    if name.startswith("(("):  # ID3v2.3's way to write one
        name = name[1:]
    return names + _names_of_number(name)


def _names_of_number(text: str) -> list[str]:
    """Return the names of a number of ID3's list, or a text that is none."""
    if text.isdecimal():
        number = int(text[:9])
        return ID3_GENRES[number].split("/") if number < len(ID3_GENRES) else []
    # Without letters it is a year, a date or "17.0".
    if len(text) > _LONGEST or not any(c.isalpha() for c in text):
        return []
    return [{"RX": "Remix", "CR": "Cover"}.get(text, text)]


def common_spellings(
    counts: Mapping[str, int], key: Callable[[str], str] = genre_key
) -> dict[str, str]:
    """Return for each spelling of a name the one that is most common.

    Parameters
    ----------
    counts : mapping of str to int
        How often each spelling is there.
    key : callable
        Returns what the spellings of one name have in common.

    Returns
    -------
    dict of str to str
        Of equally common ones, the first in sorted order.

    Examples
    --------
    >>> common_spellings({"dub techno": 3, "Dub Techno": 5, "Dub-Techno": 1})
    {'Dub Techno': 'Dub Techno', 'Dub-Techno': 'Dub Techno', 'dub techno': 'Dub Techno'}
    """
    best: dict[str, str] = {}
    for spelling in sorted(counts):
        other = best.setdefault(key(spelling), spelling)
        if counts[spelling] > counts[other]:
            best[key(spelling)] = spelling
    return {spelling: best[key(spelling)] for spelling in sorted(counts)}
