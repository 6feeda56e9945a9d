"""The image that a probe builds: nothing but a program of 150 bytes, for want of any base.

A probe may fetch nothing, and an engine needs a program in the image to run. A shell of this
machine would need its libraries, whose places differ between distributions, and where it is linked
statically nobody knows. So the program is written here, byte by byte: Linux's interface to
programs is older than any engine and has never changed. It succeeds if every path that it is given
exists, which is what mounts are probed by.
"""

from __future__ import annotations

import struct

_BASE = 0x400000
_PAGE = 0x10000
"""The largest page of an arm64 kernel; smaller ones divide it."""

_X86_64 = bytes.fromhex(
    "5f 5f"  # pop rdi; pop rdi          the count of arguments; the program's own name
    "5f"  # next: pop rdi                the next path, or 0
    "48 85 ff"  # test rdi, rdi
    "74 12"  # jz done
    "b8 15 00 00 00"  # mov eax, 21      access(path, F_OK)
    "31 f6"  # xor esi, esi
    "0f 05"  # syscall
    "85 c0"  # test eax, eax
    "74 ed"  # jz next
    "6a 01 5f"  # push 1; pop rdi
    "eb 02"  # jmp exit
    "31 ff"  # done: xor edi, edi
    "b8 3c 00 00 00"  # exit: mov eax, 60
    "0f 05"  # syscall
)

_ARM64 = struct.pack(
    "<13I",
    0x910043F4,  # add x20, sp, #16      behind the count of arguments and the program's name
    0xF8408681,  # next: ldr x1, [x20], #8
    0xB4000101,  # cbz x1, done
    0x92800C60,  # mov x0, #-100         faccessat(AT_FDCWD, path, F_OK)
    0xD2800002,  # mov x2, #0
    0xD2800608,  # mov x8, #48
    0xD4000001,  # svc #0
    0xB4FFFF40,  # cbz x0, next
    0xD2800020,  # mov x0, #1
    0x14000002,  # b exit
    0xD2800000,  # done: mov x0, #0
    0xD2800BA8,  # exit: mov x8, #93
    0xD4000001,  # svc #0
)

_MACHINES = {"amd64": (62, _X86_64), "arm64": (183, _ARM64)}
"""The numbers of the processors in ELF, and what they run."""

PROGRAM = "/probe"
SECRET = "envbuild_probe"  # noqa: S105 (its name)
EPOCH = 1_000_000
"""Any moment that no clock shows: what is set to it was set by the engine."""

# ARG stands behind COPY: podman cannot remove the parent of an image that has no layer yet.
DOCKERFILE = f"""\
FROM scratch
COPY probe {PROGRAM}
ARG SOURCE_DATE_EPOCH
RUN --mount=type=bind,source=bound,target=/run/bound --mount=type=secret,id={SECRET} \
["{PROGRAM}", "/run/bound/file", "/run/secrets/{SECRET}"]
"""

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""The names of the processors that Isaac Sim and GR00T run on, as engines write them."""


def program(architecture: str) -> bytes:
    """An ELF program for ``amd64`` or ``arm64`` that succeeds if all its arguments exist."""
    machine, code = _MACHINES[architecture]
    start = 64 + 56  # behind the two headers
    size = start + len(code)
    header = struct.pack(
        "<7s9xHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",  # 64 bits, little endian, version 1
        *(2, machine, 1),  # an executable
        *(_BASE + start, 64, 0),  # where it begins, and its table of segments
        *(0, 64, 56, 1, 0, 0, 0),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, _PAGE)  # read, execute
    return header + segment + code
