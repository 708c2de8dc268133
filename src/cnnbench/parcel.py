"""The user's own files, as they travel to another machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnbench import folders, whole
from cnnbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cnnbench.prepare import Own


@dataclass(frozen=True, slots=True)
class Parcel:
    """The user's own files, and where they stand here.

    Attributes:
        own: By their paths here.
        texts: Of the files among them, by path.
    """

    own: Own
    texts: Mapping[Path, bytes]

    @classmethod
    def of(cls, own: Own) -> Parcel:
        """Pack what is the user's own.

        Raises:
            UsageError: Their environment is among it, which cannot travel.
        """
        if own.environments:
            raise UsageError("--python is an environment of this machine; nodes build stacks")
        paths = [path for path in [*own.models.values(), *own.datasets.values()] if path.is_file()]
        return cls(own, {path: path.read_bytes() for path in paths})

    def unpack(self) -> Own:
        """The same by their paths on this node."""
        places = {path: _written(path.name, text) for path, text in self.texts.items()}

        def here(known: Mapping[str, Path]) -> dict[str, Path]:
            return {name: places.get(path, path) for name, path in known.items()}

        return replace(self.own, models=here(self.own.models), datasets=here(self.own.datasets))


def _written(name: str, text: bytes) -> Path:
    """A file that was sent, in a folder named by what it holds."""
    folder = folders.cache() / "own" / hashlib.sha256(text).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    whole.write(folder / name, text)
    return folder / name
