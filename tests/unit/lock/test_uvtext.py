"""What is read from uv's explanations. The texts are uv 0.13.8's own."""

from envbuild.lock.uvtext import Edge, chain, read

RERUN = """\
error: No solution found when resolving dependencies
  cause: Because rerun-sdk>=0.24.0,<=0.26.2 depends on numpy>=2 and opencv-python-headless==4.11.0.86 depends on numpy==1.26.0, we can conclude that opencv-python-headless==4.11.0.86 and rerun-sdk>=0.24.0,<=0.26.2 are incompatible.
         And because lerobot==0.4.4 depends on opencv-python-headless==4.11.0.86, we can conclude that lerobot==0.4.4 and rerun-sdk>=0.24.0,<=0.26.2 are incompatible.
         And because lerobot==0.4.4 depends on rerun-sdk>=0.24.0,<0.27.0 and you require lerobot[smolvla]==0.4.4, we can conclude that your requirements are unsatisfiable.
"""
DECORD = """\
error: No solution found when resolving dependencies
  cause: Because decord==0.6.0 has no wheels with a matching platform tag (e.g., `manylinux_2_39_aarch64`) and you require decord==0.6.0, we can conclude that your requirements are unsatisfiable.
"""
MISSING = """\
  cause: Because nosuchpkg-zz9 was not found in the package registry and isaaclab>=2.3.2.post1 depends on nosuchpkg-zz9, we can conclude that isaaclab>=2.3.2.post1 cannot be used.
"""
ALL_VERSIONS = """\
  cause: Because all versions of gamma depend on beta<2 and all versions of alpha depend on beta>=2, we can conclude that all versions of alpha and all versions of gamma are incompatible.
"""


def test_dependencies_of_all_versions_are_read() -> None:
    assert read(ALL_VERSIONS).edges == (Edge("gamma", "beta<2"), Edge("alpha", "beta>=2"))


def test_dependencies_are_read_with_their_bounds() -> None:
    assert read(RERUN).edges == (
        Edge("rerun-sdk>=0.24.0,<=0.26.2", "numpy>=2"),
        Edge("opencv-python-headless==4.11.0.86", "numpy==1.26.0"),
        Edge("lerobot==0.4.4", "opencv-python-headless==4.11.0.86"),
        Edge("lerobot==0.4.4", "rerun-sdk>=0.24.0,<0.27.0"),
    )


def test_a_package_without_a_wheel_is_read() -> None:
    assert read(DECORD).no_wheel == ("decord==0.6.0",)


def test_a_name_that_no_index_has_is_read() -> None:
    reading = read(MISSING)
    assert reading.missing == ("nosuchpkg-zz9",)
    assert reading.edges == (Edge("isaaclab>=2.3.2.post1", "nosuchpkg-zz9"),)


def test_the_chain_runs_from_the_requirement_to_what_contradicts_it() -> None:
    assert chain(read(RERUN), start="lerobot", ends={"numpy": "numpy==1.26.0"}) == (
        "lerobot==0.4.4",
        "rerun-sdk>=0.24.0,<0.27.0",
        "numpy>=2",
        "numpy==1.26.0",
    )


def test_no_chain_where_the_text_connects_nothing() -> None:
    assert chain(read(RERUN), start="lerobot", ends={"scipy": "scipy==1.15.3"}) == ()


def test_prose_of_another_kind_says_nothing() -> None:
    reading = read("error: Failed to fetch: something depends on the weather")
    assert (reading.edges, reading.no_wheel, reading.missing) == ((), (), ())


def test_the_last_moment_of_what_is_hidden_is_read() -> None:
    hint = "hint: `{}` was filtered by `exclude-newer` to only include packages uploaded before x. "
    when = "The latest version satisfying the requirement is v2, published at {}.123Z. "
    text = hint.format("beta") + when.format("2026-03-01T00:00:00")
    text += hint.format("alpha") + when.format("2026-02-01T00:00:00")
    reading = read(text)
    assert reading.late == ("beta", "alpha")
    assert reading.published == "2026-03-01T00:00:00Z"
    assert read("published at 2026-03-01T00:00:00Z").published is None
