"""One process with two copies of NumPy: what becomes of each submodule. Prints JSON.

Started as ``python -S pair_probe.py SITE BUNDLE MODULE...``. ``SITE``'s numpy is imported; from
then on a finder like Kit's stands first and takes every further ``numpy.*`` from ``BUNDLE``,
whatever its parent's ``__path__`` says. Each module is imported in a fork of its own.
"""

import importlib
import importlib.machinery
import json
import os
import sys
from importlib.abc import MetaPathFinder


class Finder(MetaPathFinder):
    """Full dotted names to files of one folder, as the extensions of Kit have it."""

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG002
        if not name.startswith("numpy."):
            return None
        above = os.path.join(self.root, *name.split(".")[:-1])
        return importlib.machinery.PathFinder.find_spec(name, [above])


def outcome(module: str, bundle: str) -> tuple[str, int]:
    """The last line of the traceback (empty: it imports), and how many loaded modules of NumPy are
    the bundle's."""
    said = ""
    try:
        importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 (it is what is asked for)
        lines = str(error).splitlines() or [""]
        said = f"{type(error).__name__}: {lines[0]}"
    loaded = [module for name, module in sys.modules.items() if name.startswith("numpy")]
    return said, sum(
        (getattr(one, "__file__", None) or "").startswith(f"{bundle}/") for one in loaded
    )


def forked(modules: list[str], bundle: str) -> list[object]:
    """The outcome of importing some modules, in a fork."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        found = [outcome(module, bundle) for module in modules]
        os.write(writing, json.dumps(next((one for one in found if one[0]), found[-1])).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(child, 0)
    return json.loads(data) if data else [f"signal {os.WTERMSIG(status)}", 0]


def main() -> None:
    """Import the site's numpy, then each module behind the finder."""
    site, bundle, *modules = sys.argv[1:]
    sys.path.insert(0, site)
    importlib.import_module("numpy")
    if bundle != site:
        sys.meta_path.insert(0, Finder(bundle))
    found = {module: forked([module], bundle)[0] for module in modules}
    fine = [module for module in modules if not found[module]]
    print(json.dumps({"fails": found, "foreign": forked(fine, bundle)[1] if fine else 0}))


if __name__ == "__main__":
    main()
