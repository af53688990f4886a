import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skgenre.datasets._library._genre_names import (
    ID3_GENRES,
    clean,
    common_spellings,
    genre_key,
    split_genres,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Rock", ["Rock"]),
        ("17", ["Rock"]),
        ("(17)", ["Rock"]),
        ("(17)Rock", ["Rock", "Rock"]),
        ("(4)Eurodisco", ["Disco", "Eurodisco"]),
        ("(17)(80)", ["Rock", "Folk"]),
        ("(255)Dub Techno", ["Dub Techno"]),
        ("(12)", []),
        ("191", ["Psybient"]),
        ("192", []),
        ("62", ["Pop", "Funk"]),
        ("1987", []),
        ("17.0", []),
        ("(RX)", ["Remix"]),
        ("((sic) Wave", ["(sic) Wave"]),
        ("Folk/Rock", ["Folk", "Rock"]),
        ("Rock; Pop;", ["Rock", "Pop"]),
        ("Rock\0Pop", ["Rock", "Pop"]),
        ("Rock\\\\Pop", ["Rock", "Pop"]),
        (r"Rock \\ Pop", ["Rock", "Pop"]),
        ("Rock|Pop", ["Rock", "Pop"]),
        ("ロック／ポップ、民謡", ["ロック", "ポップ", "民謡"]),
        ("ロック、民謡".encode().decode("latin-1"), ["ロック", "民謡"]),
        ("Folk, World, & Country", ["Folk", "World", "Country"]),
        ("Techno (Peak Time / Driving)", ["Techno (Peak Time / Driving)"]),
        ("Singer/Songwriter", ["Singer-Songwriter"]),
        ("Hip-Hop/Rap", ["Hip-Hop", "Rap"]),
        ("Rock & Roll", ["Rock & Roll"]),
        ("R&B/Soul", ["R&B", "Soul"]),
        ("Drum & Bass", ["Drum & Bass"]),
        ("2-Step", ["2-Step"]),
        ("Other", []),
        ("unknown genre", []),
        ("[Unknown]", []),
        ("Misc.", []),
        ("default", []),
        ("N/A", []),
        ("?", []),
        ("  ", []),
        ("", []),
        ("Unknown/Rock", ["Rock"]),
        ("http://free.mp3/", []),
        ("Get it at www.free-mp3.com", []),
        ("so long a text " * 10, []),
    ],
)
def test_names_in_a_text(text, names):
    assert split_genres(text) == names


def test_numbers_are_those_of_mutagen():
    mutagen = pytest.importorskip("mutagen._constants")
    assert len(ID3_GENRES) == len(mutagen.GENRES)
    for ours, theirs in zip(ID3_GENRES, mutagen.GENRES, strict=True):
        same = {"Gangsta": "Gangsta Rap", "Hardcore Techno": "Hardcore"}
        assert genre_key(same.get(ours, ours)) == genre_key(theirs)


@pytest.mark.parametrize(
    "spellings",
    [
        ["Hip Hop", "Hip-Hop", "hiphop", "HIP  HOP", "Hip‐Hop"],
        ["R&B", "RnB", "R 'n' B", "r and b", "Rhythm and Blues", "Rhythm & Blues"],
        ["Drum & Bass", "DnB", "D&B", "drum and bass", "Drum'n'Bass", "Drum n Bass"],
        ["Rock & Roll", "Rock 'n' Roll", "Rock’n’Roll", "rock and roll", "Rock N Roll"],
        ["Ｒｏｃｋ", "rock", "ROCK "],
        ["Straße", "STRASSE"],
        ["Mu\u0301sica", "Música"],
    ],
)
def test_spellings_of_one_name(spellings):
    assert len({genre_key(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Electronic", "Electronica"),
        ("Rock", "Rock & Roll"),
        ("R&B", "Rap"),
        ("Punk", "Punk Rock"),
        ("हिप", "हप"),
    ],
)
def test_names_of_two_genres(one, other):
    assert genre_key(one) != genre_key(other)


def test_text_is_cleaned():
    assert clean("Mu\u0301sica") == "Música"
    assert clean("MÃºsica") == "Música"
    assert clean("Größe") == "Größe"
    assert clean(" a\u200b\x00b\tc\u202e\x1b ") == "a b c"
    assert clean("Рок") == "Рок"


def test_the_most_common_spelling_is_taken():
    assert common_spellings({"b": 1, "B": 1}) == {"B": "B", "b": "B"}
    assert common_spellings({"a": 1, "A": 2}) == {"A": "A", "a": "A"}


texts = st.text(max_size=40) | st.text("(&1/7;rR oO)\0\\,ckn'N", max_size=20)


@settings(max_examples=300)
@given(texts)
@example("(" * 40)
def test_any_text_is_split_into_clean_names(text):
    for name in split_genres(text):
        assert name == " ".join(unicodedata.normalize("NFC", name).split())
        assert genre_key(name)
        assert len(name) <= 80


@settings(max_examples=200)
@given(texts)
def test_case_and_blanks_do_not_matter(text):
    assert genre_key(f" {text}  ") == genre_key(text)
    assert genre_key(text.casefold()) == genre_key(text)
