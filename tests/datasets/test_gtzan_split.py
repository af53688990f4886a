from collections import Counter

from skgenre.datasets._gtzan_split import GENRES, fault_filtered_split

PARTS = ("training", "validation", "test")


def test_counts_are_the_published_ones():
    split = fault_filtered_split()
    assert Counter(split.values()) == {"training": 443, "validation": 197, "test": 290}
    # As dictionary keys, clips in two parts would have been counted once.
    assert len(split) == 443 + 197 + 290
    by_genre = Counter((name.split(".")[0], part) for name, part in split.items())
    assert [[by_genre[genre, part] for part in PARTS] for genre in GENRES] == [
        [46, 23, 31],
        [48, 20, 31],
        [45, 23, 30],
        [42, 22, 29],
        [47, 18, 27],
        [43, 17, 27],
        [44, 20, 27],
        [41, 13, 30],
        [43, 17, 26],
        [44, 24, 32],
    ]


def test_single_clips():
    split = fault_filtered_split()
    assert list(GENRES) == sorted(GENRES)
    for name, part in {
        "blues.00029": "training",
        "rock.00099": "training",
        "jazz.00054": "training",
        "blues.00000": "validation",
        "reggae.00074": "validation",
        "rock.00085": "validation",
        "blues.00012": "test",
        "disco.00021": "test",
        "rock.00090": "test",
    }.items():
        assert split[name] == part
    assert not {"disco.00050", "pop.00015"} & set(split)
