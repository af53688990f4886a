from hypothesis import given, settings
from hypothesis import strategies as st

from skgenre.datasets import GenreTree
from skgenre.datasets._library._fold_genres import fold_genres
from skgenre.datasets._library._genre_names import genre_key

texts = st.text(max_size=40) | st.text("(&1/7;rR oO)\0\\,ckn'N", max_size=20)


def test_known_names_are_spelt_as_in_the_list_and_others_as_mostly():
    tags = [["hip hop"], ["hiphop"], ["dub techno"], ["Dub Techno"], ["Dub-Techno"]]
    genres, spellings = fold_genres([*tags, ["dub techno"]], GenreTree({}))
    assert genres == [["Hip-Hop"], ["Hip-Hop"], *[["dub techno"]] * 4]
    assert spellings[0] == ("dub techno", "dub techno", 2)
    assert {row.genre for row in spellings} == {"Hip-Hop", "dub techno"}


def test_what_was_folded_is_told_with_numbers():
    tags = [["Folk/Rock"], ["Folk/Rock", "rock"], ["Other"], []]
    genres, spellings = fold_genres(tags, GenreTree({}))
    assert genres == [["Folk", "Rock"], ["Folk", "Rock"], [], []]
    assert spellings == [
        ("Folk/Rock", "Folk", 2),
        ("Folk/Rock", "Rock", 2),
        ("Other", None, 1),
        ("rock", "Rock", 1),
    ]


def test_subgenres_count_as_their_top_genres():
    tree = GenreTree({"Deep House": "house", "House": "Elektronik", "RnB": "Soul"})
    tags = [["deep-house"], ["HOUSE", "R&B"], ["elektronik"], ["Jazz"]]
    genres, _ = fold_genres(tags, tree)
    assert genres == [["Elektronik"], ["Elektronik", "Soul"], ["Elektronik"], ["Jazz"]]


@settings(max_examples=200)
@given(st.lists(st.lists(texts, max_size=3), max_size=6), st.randoms())
def test_folding_does_not_depend_on_the_order(tags, random):
    genres, spellings = fold_genres(tags, GenreTree({}))
    names = {name for track in genres for name in track}
    assert len({genre_key(name) for name in names}) == len(names)
    assert names == {row.genre for row in spellings} - {None}
    order = random.sample(range(len(tags)), len(tags))
    again, same = fold_genres([tags[i] for i in order], GenreTree({}))
    assert [genres[i] for i in order] == again
    assert spellings == same
