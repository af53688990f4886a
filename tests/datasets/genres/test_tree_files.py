import builtins

import pytest

from skgenre.datasets import GenreTree

BEETS = """\
- country:
    - country rap
    - cowboy/western music
- hip hop:
    - country-rap
    - ragga:
- electronic:
    - house:
        - deep house
    - 'two tone'
- ska
"""
PARENTS = {
    "country": None,
    "country rap": "country",
    "cowboy/western music": "country",
    "hip hop": None,
    "ragga": "hip hop",
    "electronic": None,
    "house": "electronic",
    "deep house": "house",
    "two tone": "electronic",
    "ska": None,
}
FMA = """\
genre_id,#tracks,parent,title,top_level
12,32923,0,Rock,12
89,1858,25,Post-Punk,12
25,9261,12,Punk,12
"""


def tree_of(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return GenreTree.from_file(path)


@pytest.mark.parametrize("name", ["genres-tree.yaml", "tree.YML"])
def test_a_tree_of_beets(tmp_path, name):
    assert tree_of(tmp_path, name, BEETS) == PARENTS


def test_json_is_a_list_or_a_mapping(tmp_path):
    nested = '{"Rock": ["Punk", {"Metal": {"Black Metal": null}}], "Jazz": []}'
    parents = {
        "Rock": None,
        "Punk": "Rock",
        "Metal": "Rock",
        "Black Metal": "Metal",
        "Jazz": None,
    }
    assert tree_of(tmp_path, "tree.json", nested) == parents
    assert tree_of(tmp_path, "tree.json", f"[{nested}]") == parents


def test_csv_of_ones_own_or_of_fma(tmp_path):
    own = "\ufeffParent, genre,colour\n,Röck,\nRöck,Punk,red\n"
    assert tree_of(tmp_path, "own.csv", own) == {"Röck": None, "Punk": "Röck"}
    own = 'genre,parent\r\n"Hip\x0bHop",\r\n'  # a line ends in none of its names
    assert tree_of(tmp_path, "own.csv", own) == {"Hip\x0bHop": None}
    published = {"Rock": None, "Post-Punk": "Punk", "Punk": "Rock"}
    assert tree_of(tmp_path, "genres.csv", FMA) == published


# Each line ten times the one before, as in the "billion laughs".
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)


def test_yaml_is_names_and_nothing_else(tmp_path):
    """Its numbers would be computed: this one for minutes."""
    parents = {"1990": None, "yes": "1990", "2001-01-01": "1990", "id": None}
    text = "1990: [yes, 2001-01-01, ~, null, '']\n!!python/name:os.system id: !!int\n"
    assert tree_of(tmp_path, "tree.yaml", text) == parents
    with pytest.raises(ValueError, match="got '1:1:1"):
        tree_of(tmp_path, "tree.yaml", f"- {'1:' * 400_000}1\n")


# Each of many mappings would be a copy of a large one.
MERGES = f"a: &a {{{', '.join(f'b{i}: c' for i in range(100))}}}\n" + "".join(
    f"k{i}: {{<<: *a}}\n" for i in range(100)
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tree.txt", "Rock", "must end in .csv, .json, .yaml, .yml"),
        ("tree.csv", "", "must name the columns genre and parent"),
        ("tree.csv", "a,b\n1,2\n", "found 'a, b'"),
        ("tree.csv", "genre,parent\nRock,Punk\npunk,ROCK\n", "in a circle"),
        ("tree.csv", "genre,parent\n,Rock\n", "got '': 'Rock'"),
        ("tree.csv", "genre,parent\nPunk\nPunk,Rock\n", "below two genres, None and"),
        ("genres.csv", FMA + "7,1,20,Comedy,20\n", "genre 7 is below 20, which isn't"),
        ("genres.csv", FMA + "x,1,20,Comedy,20\n", "not given by their ids"),
        ("genres.csv", FMA + "7,1,12,Punk,12\n", "a title is there more than once"),
        ("tree.json", "{", "Expecting property name"),
        ("tree.json", "3", "must be a list of names"),
        ("tree.json", "[2000]", "2000 is no text"),
        ("tree.json", "[" * 100_000, "too deep"),
        ("tree.yaml", "- [1", "is not YAML"),
        ("tree.yaml", "- a\x01", "is not YAML"),
        ("tree.yaml", "&a [*a]", "is not YAML.*recursive"),
        ("tree.yaml", "[" * 100_000, "(is not YAML|too deep)"),
        ("tree.yaml", MERGES, "got '<<'"),
        ("tree.yaml", LAUGHS, "more than 200000 names and lists"),
        ("tree.yaml", LAUGHS.replace("[x]", "[]"), "more than 200000 names and lists"),
        ("tree.json", b"\xff\xfe", "is not UTF-8"),
        ("tree.json", b" " * (1 << 20) + b"[]", "larger than 1"),
    ],
    ids=lambda value: str(value)[:20].strip().replace("\n", " "),
)
def test_other_files_are_refused(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=f"{name}' holds no genre tree: .*{message}"):
        tree_of(tmp_path, name, text)


def test_files_that_are_not_there_and_yaml_without_its_package(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        GenreTree.from_file(tmp_path / "none.csv")
    with pytest.raises(OSError):
        GenreTree.from_file(tmp_path / ".csv" / "x.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "tree.csv")
    assert tree_of(tmp_path, "tree.csv", "genre,parent\nPunk,Rock\n") == (
        GenreTree.from_file(tmp_path / "link.csv")
    )
    imported = builtins.__import__

    def without_yaml(name, *args, **kwargs):
        if name == "yaml":
            raise ImportError("no yaml")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[yaml\]"'):
        tree_of(tmp_path, "tree.yaml", BEETS)
