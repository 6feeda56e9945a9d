"""Which copy each launcher takes."""

from envbuild.scan.model import Distribution, Order, Scan
from envbuild.scan.winners import winners


def copy(site, version, name="numpy", package=True):
    return Distribution(
        name=name,
        version=version,
        site=site,
        metadata=f"{site}/{name}-{version}.dist-info",
        package=f"{site}/{name}" if package else "",
    )


def order(before, after=None, launcher="python"):
    return Order(launcher=launcher, path="/x", python="3.11", before=before, after=after or before)


def test_the_first_site_wins_before_kit_and_the_bundle_after():
    env, bundle, third = copy("/site", "2.2.6"), copy("/bundle", "1.26.0"), copy("/c", "1.25.2")
    one = order(("/site", "/kit", "/c", "/bundle"), ("/bundle", "/site", "/kit", "/c"))
    scan = Scan(label="", roots=(), distributions=(bundle, third, env), orders=(one,))
    (found,) = winners(scan, "NumPy")
    assert (found.order, found.before, found.after) == (one, env, bundle)
    assert found.losers == (third,)


def test_a_copy_that_only_kit_finds_wins_after_it_alone():
    bundle = copy("/bundle", "1.26.0")
    one = order(("/site",), ("/bundle", "/site"))
    scan = Scan(label="", roots=(), distributions=(bundle,), orders=(one,))
    (found,) = winners(scan, "numpy")
    assert (found.before, found.after, found.losers) == (None, bundle, ())


def test_launchers_that_reach_no_copy_are_left_out():
    scan = Scan(
        label="",
        roots=(),
        distributions=(copy("/site", "1.26.0"), copy("/other", "1.0", name="numpy-financial")),
        orders=(order(("/other",)), order(("/site",), launcher="python.sh")),
    )
    assert [one.order.launcher for one in winners(scan, "numpy")] == ["python.sh"]
    assert winners(scan, "scipy") == ()


def test_metadata_alone_wins_nothing_where_there_is_a_package():
    husk, whole = copy("/first", "1.0", package=False), copy("/second", "2.0")
    one = order(("/first", "/second"))
    scan = Scan(label="", roots=(), distributions=(husk, whole), orders=(one,))
    (found,) = winners(scan, "numpy")
    assert (found.before, found.after, found.losers) == (whole, whole, (husk,))
    alone = Scan(label="", roots=(), distributions=(husk,), orders=(one,))
    assert winners(alone, "numpy")[0].before == husk
