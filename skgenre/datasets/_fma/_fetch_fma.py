"""FMA from its server."""

import os
from typing import Any

from skgenre._docstrings import substitute
from skgenre._files import data_home_folder
from skgenre._sklearn_compat import validate_params
from skgenre.datasets._fma._archives import BASE_URL, fetch_archive
from skgenre.datasets._fma._load_fma import (
    FMA_CONSTRAINTS,
    FMA_DOCS,
    archives_with,
    load_fma,
)
from skgenre.datasets._fma._tables import METADATA


@substitute(**FMA_DOCS)
@validate_params(
    FMA_CONSTRAINTS | {"base_url": [str]}, prefer_skip_nested_validation=True
)
def fetch_fma(
    data_home: str | os.PathLike[str] | None = None,
    *,
    subset: str = "small",
    target: str = "genre_top",
    keep_faulty: bool = False,
    base_url: str = BASE_URL,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Download what is missing of the FMA data set, and list its tracks.

    Archives whose folders are missing are downloaded and extracted: the metadata, 342
    MiB, and the clips, 7.2 GiB ('small'), 22 GiB ('medium'), 93 GiB ('large') or 879
    GiB ('full'). As much again is needed for their content. The archives stay beside
    their folders, and may be deleted.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        Where to download to, as :func:`load_fma` takes it. It is made if need be.

    %(subset)s

    %(target)s

    %(keep_faulty)s

    base_url : str, default='https://os.unil.cloud.switch.ch/fma/'
        Where to download ``fma_metadata.zip`` and so on: the authors' server, or a
        mirror of it.

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        As of :func:`load_fma`.

    Raises
    ------
    ConnectionError
        If a download fails. What has arrived is kept, and the next call resumes
        there.

    OSError
        If the disk has not enough room for an archive or its content, or a folder lacks
        files.

    ValueError
        If an archive is not the published one, or unsafe to extract; or as of
        :func:`load_fma`.

    See Also
    --------
    load_fma : Reads what is there, and needs no network.

    Notes
    -----
    Downloads are checked by the SHA-1 sums that the authors published [1]_. A folder
    is there only when all of its archive has been extracted; one that ends in
    ``.part-`` and other letters was left by a killed process, and may be deleted.

    References
    ----------
    .. [1] https://github.com/mdeff/fma

    Examples
    --------
    ::

        tracks = fetch_fma("my_data")
        X, y = fetch_fma("my_data", target="genres", return_X_y=True)
    """
    folder = data_home_folder(data_home)
    if not os.path.isdir(os.path.join(folder, METADATA)):
        fetch_archive(METADATA, folder, base_url)
    archives = archives_with(subset)
    if not any(os.path.isdir(os.path.join(folder, name)) for name in archives):
        fetch_archive(archives[0], folder, base_url)
    return load_fma(
        folder,
        subset=subset,
        target=target,
        keep_faulty=keep_faulty,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )
