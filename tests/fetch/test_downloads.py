"""Files from addresses into the store, from servers that have a bad day."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools import downloads
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access, Got, Wanted
from envbuild.tools.store import Store
from tests.support import file_server
from tests.support.file_server import Asked, Fault, Said, Served, serving

DATA = random.Random(1).randbytes(300_000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "files"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "served"
    made.mkdir()
    (made / "one.whl").write_bytes(DATA)
    return made


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wanted(served: Served, name: str = "one.whl", data: bytes = DATA, **changes: str) -> Wanted:
    url = changes.get("url", f"{served.url}/{name}")
    return Wanted(url=url, sha256=changes.get("sha256", sha(data)), name=name, what="one 1.0")


def access(*addresses: str, offline: bool = False, retries: int = 2) -> Access:
    return Access(
        environ={"HOME": "/nonexistent"},
        credentials=Credentials(lambda: addresses, {"HOME": "/nonexistent"}),
        offline=offline,
        retries=retries,
        pause=0.01,
    )


def fetch(served: Served, store: Store, *, access: Access = access()) -> Got:  # noqa: B008
    (got,) = downloads.fetch([wanted(served)], store, access)
    assert Path(got.path).read_bytes() == DATA
    return got


def refusal(work: Callable[[], object]) -> ToolError:
    with pytest.raises(ToolError) as caught:
        work()
    return caught.value


def test_a_file_is_fetched_once(folder: Path, store: Store) -> None:
    with serving(folder) as served:
        first = fetch(served, store)
        second = fetch(served, store)
    assert (first.origin, second.origin, len(served.asked)) == ("network", "store", 1)
    assert (first.path, first.size, first.sha256) == (second.path, len(DATA), sha(DATA))


def test_a_broken_file_of_the_store_is_fetched_again(folder: Path, store: Store) -> None:
    with serving(folder) as served:
        path = Path(fetch(served, store).path)
        path.chmod(0o644)
        path.write_bytes(DATA[:-1] + b"?")
        assert downloads.present([wanted(served)], store) == (None,)
        assert fetch(served, store).origin == "network"
    assert len(served.asked) == 2


def test_a_server_that_dies_half_way_is_asked_for_the_rest(folder: Path, store: Store) -> None:
    with serving(folder, {"one.whl": file_server.cut_once}) as served:
        fetch(served, store)
    assert [one.begin for one in served.asked] == [0, len(DATA) // 2]


def test_one_that_knows_no_ranges_is_asked_for_all_of_it(folder: Path, store: Store) -> None:
    with serving(folder, {"one.whl": file_server.no_ranges}) as served:
        fetch(served, store)
    assert [one.begin for one in served.asked] == [0, len(DATA) // 2]


def test_the_next_run_goes_on_where_this_one_ended(folder: Path, store: Store) -> None:
    with serving(folder, {"one.whl": file_server.cut_once}) as served:
        error = refusal(lambda: fetch(served, store, access=access(retries=0)))
        assert error.message.startswith("one 1.0: one.whl cannot be fetched from 127.0.0.1:")
        assert error.message.endswith(": the answer was cut off")
        fetch(served, store)
    assert [one.begin for one in served.asked] == [0, len(DATA) // 2]


def test_half_a_file_of_other_bytes_is_fetched_anew(folder: Path, store: Store) -> None:
    with store.writing(sha(DATA), "one.whl") as part:
        part.write(b"of yesterday")
    with serving(folder) as served:
        fetch(served, store)
    assert [one.begin for one in served.asked] == [12, 0]


def test_more_than_there_is_is_fetched_anew(folder: Path, store: Store) -> None:
    with store.writing(sha(DATA), "one.whl") as part:
        part.write(b"x" * (len(DATA) + 1))
    with serving(folder) as served:
        fetch(served, store)
    assert [one.begin for one in served.asked] == [len(DATA) + 1, 0]


@pytest.mark.parametrize("number", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    folder: Path, store: Store, number: int
) -> None:
    with serving(folder, {"one.whl": file_server.status(number, times=1)}) as served:
        fetch(served, store)


def test_what_a_server_asks_to_wait_is_waited(folder: Path, store: Store) -> None:
    fault = file_server.status(429, times=1, Retry_After="1")
    started = time.monotonic()
    with serving(folder, {"one.whl": fault}) as served:
        fetch(served, store)
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        (file_server.status(404), "answers 404 for one.whl", "the file is gone"),
        (file_server.status(401), "answers 401 for one.whl", "netrc"),
        (file_server.status(503), "answers 503 for one.whl", None),
        (file_server.always_cut, "the answer was cut off", "the network"),
    ],
)
def test_what_stays_wrong_is_named(
    folder: Path, store: Store, fault: Fault, message: str, hint: str | None
) -> None:
    with serving(folder, {"one.whl": fault}) as served:
        error = refusal(lambda: fetch(served, store, access=access(retries=0)))
    assert error.message.startswith("one 1.0: ")
    assert message in error.message
    assert "127.0.0.1:" in error.message
    assert (hint or "") in (error.hint or "")
    assert store.find(sha(DATA), "one.whl") is None


def test_other_bytes_than_the_lock_has_are_refused_at_once(folder: Path, store: Store) -> None:
    (folder / "one.whl").write_bytes(b"<html>sign in</html>")
    with serving(folder) as served:
        error = refusal(lambda: fetch(served, store))
    assert "has another one.whl than the lock" in error.message
    assert sha(DATA) in error.output
    assert sha(b"<html>sign in</html>") in error.output
    assert len(served.asked) == 1
    assert not [path for path in Path(store.folder).rglob("*") if path.is_file()]


def test_nobody_listens(store: Store) -> None:
    error = refusal(lambda: fetch(Served(url="http://127.0.0.1:9"), store))
    assert error.message.endswith(
        "one.whl cannot be fetched from 127.0.0.1:9: it cannot be reached"
    )


def test_offline_names_what_is_missing(store: Store) -> None:
    error = refusal(
        lambda: fetch(Served(url="http://127.0.0.1:9"), store, access=access(offline=True))
    )
    assert error.message == "one 1.0: one.whl is not in the cache, and the network is off"


def test_a_file_of_this_disk_needs_no_network(folder: Path, store: Store) -> None:
    here = Served(url=folder.as_uri())
    assert fetch(here, store, access=access(offline=True)).origin == "disk"
    (folder / "one.whl").write_bytes(b"other")
    other = wanted(here, data=b"another")
    error = refusal(lambda: downloads.fetch([other], store, access()))
    assert error.message == f"one 1.0: {folder}/one.whl has another one.whl than the lock"
    gone = wanted(Served(url=f"{folder.as_uri()}/gone"), data=b"gone")
    assert "cannot be read" in refusal(lambda: downloads.fetch([gone], store, access())).message


def test_an_index_gets_the_credentials_of_its_address_and_no_other(
    folder: Path, store: Store
) -> None:
    (folder / "two.whl").write_bytes(b"two")

    def private(asked: Asked, right: Said) -> Said:
        return right if asked.authorization == "Basic YW5uOnA=" else Said(status=401)

    with serving(folder, {"one.whl": private}) as served, serving(folder) as other:
        own = served.url.replace("://", "://ann:p@")
        two = wanted(other, "two.whl", b"two")
        assert len(downloads.fetch([wanted(served), two], store, access(f"{own}/simple"))) == 2
        assert [one.authorization for one in other.asked] == [""]


def test_credentials_in_the_address_of_a_file_go_in_a_header(folder: Path, store: Store) -> None:
    with serving(folder) as served:
        own = served.url.replace("://", "://ann:p@")
        downloads.fetch([wanted(served, url=f"{own}/one.whl#sha256=1")], store, access())
    assert [(one.path, one.authorization) for one in served.asked] == [
        ("one.whl", "Basic YW5uOnA=")
    ]


def test_a_file_whose_hash_nobody_says_is_taken_as_it_comes(folder: Path, store: Store) -> None:
    with serving(folder, {"one.whl": file_server.cut_once}) as served:
        (got,) = downloads.fetch([wanted(served, sha256="")], store, access())
    assert got.sha256 == sha(DATA)
    assert store.find(sha(DATA), "one.whl") == got.path


def test_many_files_come_together_and_in_order(folder: Path, store: Store) -> None:
    told: list[tuple[int, int]] = []
    listed = []
    with serving(folder) as served:
        for number in range(40):
            data = f"{number % 30}".encode() * 1000
            (folder / f"{number}.whl").write_bytes(data)
            listed.append(wanted(served, f"{number}.whl", data))
        got = downloads.fetch(
            listed,
            store,
            Access(
                environ={},
                credentials=access().credentials,
                progress=lambda b, n: told.append((b, n)),
            ),
        )
    assert [one.name for one in got] == [f"{number}.whl" for number in range(40)]
    assert [one.sha256 for one in got] == [one.sha256 for one in listed]
    assert told[-1][1] == 0


def test_the_first_failure_ends_all(folder: Path, store: Store) -> None:
    begun = threading.Event()

    def slow(asked: Asked, right: Said) -> Said:
        begun.wait(5)
        return right

    def gone(asked: Asked, right: Said) -> Said:
        begun.set()
        return Said(status=404)

    (folder / "gone.whl").write_bytes(b"")
    with serving(folder, {"one.whl": slow, "gone.whl": gone}) as served:
        listed = [wanted(served), wanted(served, "gone.whl", b"")]
        error = refusal(lambda: downloads.fetch(listed, store, access()))
    assert "404" in error.message


def test_two_at_once_fetch_one_file_once(folder: Path, store: Store) -> None:
    def slow(asked: Asked, right: Said) -> Said:
        time.sleep(0.3)
        return right

    got: list[Got] = []
    with serving(folder, {"one.whl": slow}) as served:
        threads = [threading.Thread(target=lambda: got.append(fetch(served, store))) for _ in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(one.origin for one in got) == ["network", "store"]
    assert len(served.asked) == 1


def test_a_store_that_cannot_be_written_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with serving(folder) as served:
        error = refusal(lambda: fetch(served, Store(f"{tmp_path}/taken")))
    assert "cannot be written" in error.message
    assert os.path.isfile(tmp_path / "taken")


def test_a_text_beside_a_file(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("0 one\n")
    with serving(folder, {"odd": file_server.status(500)}) as served:
        assert downloads.text(f"{served.url}/SHA256SUMS", access()) == "0 one\n"
        assert downloads.text(f"{served.url}/gone", access()) is None
        assert downloads.text(f"{served.url}/odd", access()) is None
        assert downloads.text(f"{served.url}/SHA256SUMS", access(offline=True)) is None
    assert downloads.text(f"{folder.as_uri()}/SHA256SUMS", access(offline=True)) == "0 one\n"
    assert downloads.text(f"{folder.as_uri()}/gone", access()) is None
