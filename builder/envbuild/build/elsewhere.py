"""One image that no engine here keeps: built elsewhere, checked here, and pushed by its builder.

It comes as an archive, which is held against its profile as every image is. Then the builder is
asked for the same again, out of its cache, and pushes it: first without a name, and only when that
is the image that was checked, under its names.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from envbuild.build import doing, guarding, records
from envbuild.build.doing import Bench, Order
from envbuild.build.records import BuiltImage
from envbuild.engines import building, images
from envbuild.engines.building import Built, Watch
from envbuild.engines.model import BuildRequest, ImageFacts
from envbuild.errors import ToolError
from envbuild.tools import oci, temporary
from envbuild.tools.references import parse
from envbuild.tools.trouble import cannot_write


def make(
    order: Order,
    bench: Bench,
    *,
    pushes: tuple[str, ...],
    root: str,
    line: Callable[[str], None],
) -> BuiltImage:
    """Build an image, check it, have it pushed under its names, and write its record.

    Raises:
        RefusedError: it is not what was meant; it has no name anywhere.
        ToolError: the builder or a registry failed, or the builder gave another image than before.
    """
    watch = Watch(log=order.log, line=line, follow=bench.follow)
    with temporary.beside(order.scratch) as folder:
        try:
            os.mkdir(folder)
        except OSError as error:
            raise cannot_write(folder, error) from None
        archive = f"{folder}/image.tar"
        built = _built(msgspec.structs.replace(order.request, archive=archive), bench, watch)
        facts = _checked(order, archive)
    digest = _pushed(order, bench, facts, pushes=pushes)
    made = doing.record(order, facts, identity=built.identity, seconds=built.seconds, bench=bench)
    logged = os.path.relpath(order.log, root)
    made = msgspec.structs.replace(made, log=logged, digest=digest, tags=pushes)
    records.write(root, made)
    return made


def _checked(order: Order, archive: str) -> ImageFacts:
    """What an archive says of its image, which may get a name.

    Raises:
        RefusedError: it may not.
    """
    with oci.opened(archive, order.target) as image:
        facts = images.described(
            {
                "Id": image.measured(),
                "Os": oci.text(image.config, "os"),
                "Architecture": oci.text(image.config, "architecture"),
                "Size": os.path.getsize(archive),
                "Config": image.config.get("config"),
                "RootFS": {"Layers": oci.items(image.config.get("rootfs"), "diff_ids")},
            }
        )
    faults = guarding.in_facts(facts, order.expected)
    if order.searched:
        faults += guarding.in_saved(archive, order.hidden, base=(), label=order.target)
    if faults:
        raise guarding.RefusedError(order.target, faults)
    return facts


def _pushed(order: Order, bench: Bench, facts: ImageFacts, *, pushes: tuple[str, ...]) -> str:
    """The digest of the manifest of the image that was pushed under its names."""
    watch = Watch(log=f"{order.log}.push", line=lambda _: None, follow=bench.follow)
    place = pushes[0].removesuffix(f":{parse(pushes[0]).tag}")
    bare = msgspec.structs.replace(order.request, push=(place,), push_by_digest=True)
    first = _built(bare, bench, watch)
    named = msgspec.structs.replace(order.request, push=pushes)
    second = _built(named, bench, watch) if first.identity == facts.identity else first
    if first.identity != facts.identity or second.manifest != first.manifest:
        name = bench.engine.remote.name if bench.engine.remote else bench.engine.name
        raise ToolError(
            f"{order.target}: the builder {name} gave another image when it was to push it",
            hint="it keeps nothing between two builds: name a place with --cache-from and"
            " --cache-to",
        )
    os.remove(watch.log)
    return second.manifest


def _built(request: BuildRequest, bench: Bench, watch: Watch) -> Built:
    return building.build(
        bench.engine, request, environ=bench.environ, watch=watch, runner=bench.runner
    )
