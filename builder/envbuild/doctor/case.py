"""What doctor judges: an examined tree, and what is known beside it."""

from __future__ import annotations

from msgspec import Struct

from envbuild.doctor.model import Driver
from envbuild.lock.model import VariantLock
from envbuild.scan.model import Scan


class Case(Struct, frozen=True, kw_only=True):
    """A scan, the driver that it will meet (None: not known), and the lock that it should be of
    (None: none was named)."""

    scan: Scan
    driver: Driver | None = None
    lock: VariantLock | None = None
