"""Files of npm packages that the browser gets, and no other file of `node_modules`. There is no bundler: each is served as
its authors published it, under `vendor/<package>/`."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

VENDORED = {
    "vendor/tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/echarts/echarts.min.js": "echarts/dist/echarts.min.js",
    "vendor/idiomorph/idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "vendor/sortablejs/Sortable.min.js": "sortablejs/Sortable.min.js",
}


class VendoredFinder(BaseFinder):
    """Finds exactly the files of `VENDORED`; a missing one is left to the manifest, which refuses a page that names it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.root = Path(settings.NODE_MODULES)
        self.storage = _Renamed(location=self.root)

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = VENDORED.get(path)
        found = str(self.root / source) if source and (self.root / source).is_file() else None
        if find_all:
            return [found] if found else []
        return found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for path, source in VENDORED.items():
            ignored = any(fnmatch.fnmatch(path, pattern) for pattern in ignore_patterns or ())
            if not ignored and (self.root / source).is_file():
                yield path, self.storage


class _Renamed(FileSystemStorage):
    """Opens `vendor/...` names from where npm put them."""

    def path(self, name: str) -> str:
        return super().path(VENDORED.get(name, name))


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies. Only addresses inside style sheets are rewritten: the source maps that vendored
    files mention are for their authors and are not served."""

    patterns = (("*.css", (r"""(?P<matched>url\((?P<quote>['"]{0,1})\s*(?P<url>.*?)(?P=quote)\))""",)),)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """A name with a hash has one content for ever, so what was compressed once is not compressed again."""
        yield from super().compress_files([path for path in paths if not self.exists(f"{path}.gz")])
