"""bucket://, a store whose files are those of a local folder, as workers see it.

Each worker of a cluster runs this file when it starts. The folder's name comes from
the environment; each file that is opened leaves the process's id in its ``opened.log``.
"""

import os
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem


class BucketFileSystem(LocalFileSystem):
    protocol = "bucket"
    cachable = False

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("bucket://").strip("/")

    def open(self, path, mode="rb", **options):
        folder = Path(os.environ["SKGENRE_TEST_BUCKET"])
        with open(folder / "opened.log", "a") as log:
            log.write(f"{os.getpid()}\n")
        return open(folder / self._strip_protocol(path), mode)


fsspec.register_implementation("bucket", BucketFileSystem, clobber=True)
