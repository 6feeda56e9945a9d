from envbuild.export import requirements
from envbuild.lock.requirements import parse
from tests.support.exports import CONDA, PLAIN, Locking, digest, exported

BOTH = Locking(pins={"gamma==3": "wheel", "alpha==1.0": "source"})


def hashes(text: str) -> str:
    listed = sorted(digest(f"{text} {kind}") for kind in ("wheel", "sdist"))
    return "".join(f" \\\n    --hash=sha256:{one}" for one in listed)


def test_wheels_and_sources_stand_together_with_every_hash_and_who_asked() -> None:
    assert requirements.text(exported(PLAIN, BOTH)) == (
        "# Exported by envbuild from the lock of one: do not edit, export again.\n"
        "# For linux-amd64-cpu: Python 3.11, x86_64-manylinux_2_35, as of 2026-01-01T00:00:00Z.\n"
        "# pip install --no-deps --require-hashes -r FILE\n"
        f"alpha==1.0{hashes('alpha==1.0')}\n"
        "    # via profile\n"
        f"gamma==3{hashes('gamma==3')}\n"
        "    # via profile\n"
    )


def test_it_is_read_back_as_the_lock_has_it() -> None:
    subject = exported(PLAIN, BOTH)
    assert parse(requirements.text(subject)) == subject.pins


def test_what_the_profile_sets_aside_is_said_with_the_reason() -> None:
    lines = requirements.text(exported(CONDA)).splitlines()
    assert "# pywin32 is left out: it is for Windows" in lines


def test_a_lock_of_nothing_is_a_file_of_comments() -> None:
    lines = requirements.text(exported(PLAIN, Locking(pins={}))).splitlines()
    assert [line for line in lines if not line.startswith("#")] == []
