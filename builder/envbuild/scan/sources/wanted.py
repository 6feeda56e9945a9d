"""Which files of a tree are looked into, decided by their paths alone.

So a layer of an image is read once, from its beginning to its end, before it is known what else is
in the image.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Keep = Literal["whole", "small", "head", "package"]

_KIB = 1024
_MIB = 1024 * _KIB
_LONG = 64 * _MIB
"""Bytes of the longest texts: RECORD files, conda's records, dpkg's status; a full desktop's has a
tenth of it, torch's RECORD a thirtieth."""

_MODULE = re.compile(r".*\.so(\.\d+[a-z]?)*", re.DOTALL)
_FINDER = re.compile(r"__editable___.*_finder\.py", re.DOTALL)
_WATCHED = re.compile(r"/(numpy|scipy)(\.libs)?/")
_OF_A_SITE = re.compile(
    r"/(site-packages|dist-packages|pip_prebundle|python_packages|pip3-envs)/|" + _WATCHED.pattern
)


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked of a tree beside what is always read.

    ``hashes``: the sha256 of the files of the ``watched`` packages (NumPy and SciPy, wherever a
    copy lies), or of ``all`` files that lie below a folder with the name of a site
    (``site-packages``, ``dist-packages``, ``pip_prebundle``, ``python_packages``, ``pip3-envs``),
    and of the watched ones; or of ``none``.
    """

    hashes: Literal["none", "watched", "all"] = "watched"


class Want(Struct, frozen=True, kw_only=True):
    """What is read of one file.

    ``text`` is how many bytes it may have as a text (0: it is none), ``keep`` what is kept of them:
    the ``whole``; the same of one that is ``small`` (a longer file is another thing of such a name,
    as a model's weights are in a ``.pth``, and no trouble); the ``head`` up to the first empty line
    (METADATA, whose rest is a description; the file itself may be longer); or of conda's record
    what says which ``package`` it is, without the lists of its files. ``module``: it is read as a
    shared object; ``digest``: its sha256 is taken.
    """

    text: int = 0
    keep: Keep = "whole"
    module: bool = False
    digest: bool = False


NOTHING = Want()

_Text = tuple[int, Keep]
_NO_TEXT: _Text = (0, "whole")
_SHORT: _Text = (4 * _KIB, "whole")
_USUAL: _Text = (_MIB, "whole")
_SMALL: _Text = (_MIB, "small")
_RECORD: _Text = (_LONG, "whole")
_HEAD: _Text = (_MIB, "head")
_PACKAGE: _Text = (_LONG, "package")

_IN_A_FOLDER: Mapping[str, tuple[tuple[str, _Text], ...]] = {
    "METADATA": ((".dist-info", _HEAD),),
    "RECORD": ((".dist-info", _RECORD),),
    "INSTALLER": ((".dist-info", _SHORT),),
    "direct_url.json": ((".dist-info", _USUAL),),
    "WHEEL": ((".dist-info", _USUAL),),
    "top_level.txt": ((".dist-info", _USUAL), (".egg-info", _USUAL), ("/EGG-INFO", _USUAL)),
    "PKG-INFO": ((".egg-info", _HEAD), ("/EGG-INFO", _HEAD)),
    "requires.txt": ((".egg-info", _USUAL), ("/EGG-INFO", _USUAL)),
    "installed-files.txt": ((".egg-info", _RECORD),),
    "extension.toml": (("/config", _USUAL),),
    "version.py": (("/numpy", _USUAL), ("/scipy", _USUAL), ("/torch", _USUAL), ("/cv2", _USUAL)),
    "_version.py": (("/numpy", _USUAL), ("/scipy", _USUAL)),
}
"""Names that are read where their folder's path ends so."""

_ANYWHERE: Mapping[str, _Text] = {
    "VERSION": _SMALL,
    "pyvenv.cfg": _SMALL,
    "python.sh": _SMALL,
    "setup_python_env.sh": _SMALL,
    "setup_conda_env.sh": _SMALL,
    "isaaclab.sh": _SMALL,
    "activate": _SMALL,  # of a virtual environment, where Isaac Lab may have added to it
}
_BY_ENDING: Mapping[str, _Text] = {
    "pth": _SMALL,
    "egg-link": _SMALL,
    "egg-info": _HEAD,  # a file where setuptools has a folder: distutils' and Debian's
}
_OF_THE_SYSTEM: Mapping[str, _Text] = {
    "/etc/os-release": _USUAL,
    "/usr/lib/os-release": _USUAL,
    "/etc/ld.so.conf": _USUAL,
    "/var/lib/dpkg/status": _RECORD,
}
_FOLDERS_OF_THE_SYSTEM: Mapping[str, tuple[str, _Text]] = {
    "/etc/ld.so.conf.d": (".conf", _USUAL),
    "/var/lib/dpkg/status.d": ("", _RECORD),
}
"""Folders whose files are read, with the ending of their names."""


def wanted(path: str, wish: Wish) -> Want:
    """What is read of the file of a path (absolute, as who lives in the tree has it)."""
    folder, _, name = path.rpartition("/")
    pattern = _WATCHED if wish.hashes == "watched" else _OF_A_SITE
    return _want(
        _text(path, folder, name),
        ".so" in name and _MODULE.fullmatch(name) is not None,
        wish.hashes != "none" and pattern.search(path) is not None,
    )


@functools.cache
def _want(text: _Text, module: bool, digest: bool) -> Want:  # noqa: FBT001 (a key of the cache)
    if not (text[0] or module or digest):
        return NOTHING
    return Want(text=text[0], keep=text[1], module=module, digest=digest)


def _text(path: str, folder: str, name: str) -> _Text:
    for end, text in _IN_A_FOLDER.get(name, ()):
        if folder.endswith(end):
            return text
    known = _ANYWHERE.get(name) or _BY_ENDING.get(name.rpartition(".")[2])
    if known:
        return known
    if name.endswith(".json") and folder.endswith("/conda-meta"):
        return _PACKAGE
    if name.endswith(".sh") and folder.endswith("/etc/conda/activate.d"):
        return _USUAL
    if name.startswith("__editable___") and _FINDER.fullmatch(name):
        return _USUAL
    ending, text = _FOLDERS_OF_THE_SYSTEM.get(folder, ("", _NO_TEXT))
    if text is not _NO_TEXT and name.endswith(ending):
        return text
    return _OF_THE_SYSTEM.get(path, _NO_TEXT)
