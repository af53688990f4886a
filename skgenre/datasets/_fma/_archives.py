"""FMA's archives: from the server to folders."""

import os

from skgenre.datasets._download import download
from skgenre.datasets._extract import extract_zip

BASE_URL = "https://os.unil.cloud.switch.ch/fma/"
"""Where FMA's authors publish the archives."""

# From the README of https://github.com/mdeff/fma, release of 2017-05-09.
SHA1 = {
    "fma_metadata": "f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    "fma_small": "ade154f733639d52e35e32f5593efe5be76c6d70",
    "fma_medium": "c67b69ea232021025fca9231fc1c7c1a063ab50b",
    "fma_large": "497109f4dd721066b5ce5e5f250ec604dc78939e",
    "fma_full": "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
}
"""Checksums of the archives, by the names of their folders."""


def fetch_archive(name: str, folder: str, base_url: str) -> None:
    """Download an archive, unless it is there, and extract it.

    Parameters
    ----------
    name : str
        One of `SHA1`.

    folder : str
        Where to put ``{name}.zip`` and the folder `name`. It is made if need be.

    base_url : str
        Where the server has ``{name}.zip``.

    Raises
    ------
    ConnectionError
        If the server doesn't give the file.

    ValueError
        If what it gives is not the archive that was published; it is deleted then.

    OSError
        If the disk is too small, or something that is no folder has the folder's name.
    """
    import pooch

    os.makedirs(folder, exist_ok=True)
    place = os.path.join(folder, name)
    if os.path.lexists(place) and not os.path.isdir(place):
        raise FileExistsError(
            f"{place!r} is a file, or a link to nothing, where the folder of "
            f"{name}.zip has to be. Delete it, or choose another folder as data_home."
        )
    archive = f"{place}.zip"
    # Not pooch.retrieve: it has the bytes in a temporary file while it checks them,
    # which takes minutes, and loses them if it is stopped then.
    if os.path.exists(archive) and pooch.file_hash(archive, "sha1") != SHA1[name]:
        os.remove(archive)
    if not os.path.exists(archive):
        url = f"{base_url.rstrip('/')}/{name}.zip"
        download(url, archive)
        sha1 = pooch.file_hash(archive, "sha1")
        if sha1 != SHA1[name]:
            os.remove(archive)
            raise ValueError(
                f"{url} is not the archive that was published: its SHA-1 is {sha1}, "
                f"not {SHA1[name]}. The download is deleted. Call again, or name "
                "another mirror by base_url."
            )
    extract_zip(archive, folder, name)
