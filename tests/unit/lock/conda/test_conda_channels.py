"""Where channels are read, after the user's own conda settings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from envbuild.errors import InputError
from envbuild.lock.conda import channels
from envbuild.lock.conda.channels import Settings

HOME = {"HOME": "/home/me"}


def read(texts: Mapping[str, str], environ: Mapping[str, str] = HOME) -> Settings:
    return channels.user_settings(environ, texts.get)


def url(settings: Settings, name: str) -> str:
    found = settings.channel(name)
    assert found.name == name
    return found.url


def test_without_settings_a_name_is_on_anaconda_org() -> None:
    assert url(read({}), "conda-forge") == "https://conda.anaconda.org/conda-forge"


def test_an_address_is_itself_without_its_last_slash() -> None:
    assert url(read({}), "https://packages.example/world/") == "https://packages.example/world"


def test_the_alias_stands_before_names() -> None:
    settings = read({"/home/me/.condarc": "channel_alias: https://mirror.example/conda/\n"})
    assert url(settings, "conda-forge") == "https://mirror.example/conda/conda-forge"
    assert url(settings, "https://a.example/b") == "https://a.example/b"


def test_the_alias_of_the_environment_wins() -> None:
    texts = {"/home/me/.condarc": "channel_alias: https://mirror.example\n"}
    settings = read(texts, {**HOME, "CONDA_CHANNEL_ALIAS": "https://other.example"})
    assert url(settings, "a") == "https://other.example/a"


def test_a_custom_channel_names_the_folder_that_it_is_in() -> None:
    text = "custom_channels:\n  conda-forge: https://a.example/repo\n"
    text += "  conda-forge/label/dev: https://b.example/\n"
    settings = read({"/home/me/.condarc": text})
    assert url(settings, "conda-forge") == "https://a.example/repo/conda-forge"
    assert url(settings, "conda-forge/label/x") == "https://a.example/repo/conda-forge/label/x"
    assert url(settings, "conda-forge/label/dev") == "https://b.example/conda-forge/label/dev"
    assert url(settings, "conda-forge2") == "https://conda.anaconda.org/conda-forge2"


def test_a_mirror_is_a_whole_address_and_the_first_counts() -> None:
    text = "mirrored_channels:\n  conda-forge: [https://a.example/cf/, https://b.example/cf]\n"
    text += "custom_channels: {conda-forge: https://c.example}\n"
    assert url(read({"/home/me/.condarc": text}), "conda-forge") == "https://a.example/cf"


def test_an_address_may_have_a_mirror() -> None:
    text = "mirrored_channels:\n  https://far.example/w: [https://near.example/w]\n"
    assert url(read({"/home/me/.condarc": text}), "https://far.example/w") == (
        "https://near.example/w"
    )


def test_defaults_is_elsewhere_unless_a_custom_channel_says_where() -> None:
    assert url(read({}), "defaults") == "https://repo.anaconda.com/pkgs/main"
    settings = read({"/home/me/.condarc": "custom_channels: {defaults: https://a.example}\n"})
    assert url(settings, "defaults") == "https://a.example/defaults"


def test_later_files_win_key_by_key() -> None:
    texts = {
        "/etc/conda/.condarc": "channel_alias: https://1.example\nremote_max_retries: 1\n",
        "/home/me/.config/conda/.condarc": "channel_alias: https://2.example\n",
        "/home/me/.conda/.condarc": "channel_alias: https://3.example\n",
        "/home/me/.condarc": "channel_alias: https://4.example\n",
        "/home/me/.mambarc": "channel_alias: https://5.example\n",
        "/run/condarc": "channel_alias: https://6.example\n",
        "/run/mambarc": "channel_alias: https://7.example\n",
    }
    environ = {**HOME, "CONDARC": "/run/condarc", "MAMBARC": "/run/mambarc"}
    for number in range(7, 0, -1):
        settings = read(texts, environ)
        assert url(settings, "a") == f"https://{number}.example/a"
        assert settings.retries == 1
        del texts[list(texts)[number - 1]]


def test_the_folder_of_settings_follows_xdg() -> None:
    texts = {"/cfg/conda/.condarc": "channel_alias: https://a.example\n"}
    settings = read(texts, {**HOME, "XDG_CONFIG_HOME": "/cfg"})
    assert url(settings, "b") == "https://a.example/b"


def test_limits_are_taken_over() -> None:
    text = "remote_read_timeout_secs: 7\nremote_max_retries: 5\nremote_backoff_factor: 4\n"
    access = read({"/home/me/.condarc": text}).access("/cache", offline=False, refresh=True)
    assert (access.timeout, access.retries, access.pause) == (7, 5, 2.0)
    assert (access.cache, access.offline, access.refresh) == ("/cache", False, True)


def test_no_retries_are_no_retries() -> None:
    assert read({"/home/me/.condarc": "remote_max_retries: 0\n"}).retries == 0


def test_a_limit_may_be_a_fraction_of_a_second() -> None:
    """As conda allows; what is asked of the client is whole seconds, and never none."""
    assert read({"/home/me/.condarc": "remote_read_timeout_secs: 9.15\n"}).timeout in (9, 10)
    assert read({"/home/me/.condarc": "remote_read_timeout_secs: 0.5\n"}).timeout == 1


def test_other_keys_and_empty_files_say_nothing() -> None:
    texts = {"/home/me/.condarc": "", "/home/me/.mambarc": "channels: [x]\nssl_verify: false\n"}
    assert read(texts) == Settings()


def test_an_empty_key_says_nothing() -> None:
    assert read({"/home/me/.condarc": "custom_channels:\nchannel_alias:\n"}) == Settings()


def test_what_is_not_yaml_is_refused_with_its_file() -> None:
    with pytest.raises(InputError, match=r"/home/me/\.condarc is not YAML: "):
        read({"/home/me/.condarc": "channel_alias: [\n"})


@pytest.mark.parametrize(
    "line",
    [
        "channel_alias: [a]",
        "custom_channels: [a]",
        "mirrored_channels: a",
        "remote_read_timeout_secs: soon",
        "remote_max_retries: 1.5",
        "remote_max_retries: true",
        "remote_backoff_factor: x",
        "custom_channels: {a: [b]}",
        "mirrored_channels: {a: {b: c}}",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_key(line: str) -> None:
    key = line.partition(":")[0]
    with pytest.raises(InputError, match=rf"/home/me/\.condarc: {key} is not what conda takes"):
        read({"/home/me/.condarc": f"{line}\n"})


def test_a_mirror_without_an_address_is_none() -> None:
    settings = read({"/home/me/.condarc": "mirrored_channels: {conda-forge: []}\n"})
    assert url(settings, "conda-forge") == "https://conda.anaconda.org/conda-forge"


def test_the_cache_is_rattlers_own() -> None:
    assert channels.cache_folder(HOME) == "/home/me/.cache/rattler/cache"
    assert channels.cache_folder({**HOME, "XDG_CACHE_HOME": "/c"}) == "/c/rattler/cache"
    assert channels.cache_folder({**HOME, "RATTLER_CACHE_DIR": "/r"}) == "/r"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("conda-forge", "https://conda.anaconda.org/conda-forge"),
        ("nvidia/label/cuda-12.8.0", "https://conda.anaconda.org/nvidia/label/cuda-12.8.0"),
        ("defaults", "https://repo.anaconda.com/pkgs/main"),
        ("https://a.example/b/", "https://a.example/b"),
    ],
)
def test_the_address_that_the_world_knows(name: str, address: str) -> None:
    assert channels.known_address(name) == address
