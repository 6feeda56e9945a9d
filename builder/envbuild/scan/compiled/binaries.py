"""What one ELF file says, whatever it is: the way in for who has the bytes of a file."""

from __future__ import annotations

from envbuild.scan.binary import Binary
from envbuild.scan.compiled import dynamic, fatbin, numpyabi
from envbuild.scan.compiled.elf import Elf, ElfError
from envbuild.scan.sources.content import Content


def read(content: Content) -> Binary:
    """What a file needs, offers and was made for; one that cannot be read says why (``wrong``)."""
    try:
        elf = Elf(content)
        table = dynamic.read(elf)
        # What does not use Python's C-API cannot use NumPy's.
        numpy = numpyabi.build(elf) if table.python else None
        gpus = fatbin.architectures(elf)
    except ElfError as error:
        return Binary(wrong=str(error))
    except OSError as error:
        return Binary(wrong=error.strerror or type(error).__name__)
    return Binary(
        machine=elf.machine,
        soname=table.soname,
        needed=table.needed,
        runpaths=table.runpaths,
        demands=table.demands,
        offers=table.offers,
        python=table.python,
        numpy=numpy,
        gpus=gpus,
    )
