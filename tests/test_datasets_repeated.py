from skgenre.datasets import _repeated
from skgenre.datasets._repeated import repeated_files


def test_copies_of_the_same_bytes(tmp_path, monkeypatch):
    contents = [b"abc", b"abd", b"abc", b"", b"abcd", b"abd", b"abc"]
    paths = [str(tmp_path / f"{i}.wav") for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        with open(path, "wb") as file:
            file.write(content)
    read = []
    digest = _repeated.digest
    monkeypatch.setattr(
        _repeated, "digest", lambda path: read.append(path) or digest(path)
    )
    assert list(repeated_files(paths)) == [(0, 2), (1, 5), (0, 6)]
    assert len(read) == 5  # of other sizes there is one file each
    assert list(repeated_files([])) == []
