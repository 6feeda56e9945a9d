"""What doctor judges: an examined tree, and what is known beside it."""

from __future__ import annotations

from msgspec import Struct

from envbuild.doctor.model import Driver
from envbuild.lock.model import VariantLock
from envbuild.scan.model import Scan


class Case(Struct, frozen=True, kw_only=True):
    """A scan, the driver that it will meet (None: not known), and the lock that it should be of
    (None: none was named). ``lock_folder`` is where that lock lies, as the user would type it."""

    scan: Scan
    driver: Driver | None = None
    lock: VariantLock | None = None
    lock_folder: str = ""
