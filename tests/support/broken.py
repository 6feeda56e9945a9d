"""Files that were broken on purpose: by chance, but the same for the same seed."""

from __future__ import annotations

import random
import struct

INTERESTING = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, 1 << 63, (1 << 64) - 1)


def broken(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to eight things changed: numbers, bits, pieces left out or repeated, and
    mostly where the tables of an ELF file are."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if not made:
            break
        chance.choice(_WAYS)(made, chance)
    return bytes(made)


def _place(made: bytearray, chance: random.Random) -> int:
    """Somewhere: in the headers, in the first kilobytes, at the end, or anywhere."""
    limits = (64, 200, 4096, len(made))
    place = chance.randrange(max(1, min(chance.choice(limits), len(made))))
    return len(made) - 1 - place if chance.random() < 0.3 else place


def _bit(made: bytearray, chance: random.Random) -> None:
    made[_place(made, chance)] ^= 1 << chance.randrange(8)


def _number(made: bytearray, chance: random.Random) -> None:
    width = chance.choice("HIQ")
    place = _place(made, chance) // struct.calcsize(width) * struct.calcsize(width)
    if place + struct.calcsize(width) > len(made):
        return
    near = chance.choice((len(made), place, place + 16)) + chance.randint(-9, 9)
    value = chance.choice((*INTERESTING, near, near)) & (1 << 8 * struct.calcsize(width)) - 1
    struct.pack_into(chance.choice("<>") + width, made, place, value)


def _cut(made: bytearray, chance: random.Random) -> None:
    del made[_place(made, chance) :]


def _left_out(made: bytearray, chance: random.Random) -> None:
    place = _place(made, chance)
    del made[place : place + chance.choice((1, 8, 64, 1000))]


def _repeated(made: bytearray, chance: random.Random) -> None:
    place, other = _place(made, chance), _place(made, chance)
    size = chance.choice((4, 16, 64, 1000))
    made[place : place + size] = made[other : other + size]


_WAYS = (_bit, _number, _number, _number, _cut, _left_out, _repeated)
