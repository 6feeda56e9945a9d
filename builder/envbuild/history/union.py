"""What one history has that another has not. Pure."""

from __future__ import annotations

from msgspec import Struct

from envbuild.history import sealing
from envbuild.history.layout import night_path
from envbuild.history.model import Night
from envbuild.history.sealing import BrokenError
from envbuild.history.store import Merged, Read


class Union(Struct, frozen=True, kw_only=True):
    """``new`` are nights to be taken, ``shared`` those that both have; ``conflicts`` are ids of
    different nights, ``broken`` what of the other cannot be read: both are told and left."""

    new: dict[str, Night]
    shared: dict[str, Night]
    conflicts: tuple[str, ...]
    broken: tuple[str, ...]

    def merged(self, blobs: int) -> Merged:
        """The answer, when it has been done."""
        return Merged(
            nights=tuple(self.new), blobs=blobs, conflicts=self.conflicts, broken=self.broken
        )


def union(ours: Read, theirs: Read) -> Union:
    """How two histories meet, by the bytes of their files."""
    new: dict[str, Night] = {}
    shared: dict[str, Night] = {}
    conflicts, broken = [], list(theirs.broken)
    for name, data in sorted(theirs.files.items()):
        try:
            night = sealing.unsealed(data, name)
        except BrokenError as error:
            broken.append(f"{night_path(name)}: {error}")
            continue
        if name in ours.files and ours.files[name] != data:
            conflicts.append(name)
        else:
            (shared if name in ours.files else new)[name] = night
    return Union(new=new, shared=shared, conflicts=tuple(conflicts), broken=tuple(broken))
