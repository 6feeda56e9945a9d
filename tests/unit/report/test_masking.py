"""What a text for strangers no longer says."""

from __future__ import annotations

import pytest

from envbuild.report.masking import Known, Masks

KNOWN = Known(
    users=("jdoe",),
    homes=("/srv/people/jdoe",),
    hosts=("rig7", "rig7.lab.local"),
    variables={"HF_TOKEN": "plainlooking", "PATH": "/usr/bin", "MY_SECRET": "abc"},
)


def masked(text: str) -> str:
    return Masks(KNOWN).text(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/srv/people/jdoe/env/lib", "~/env/lib"),
        ("/srv/people/jdoe2/env", "/srv/people/jdoe2/env"),
        ("/home/alice/x and /home/alice/y", "/home/user-1/x and /home/user-1/y"),
        ("/home/ubuntu/x", "/home/ubuntu/x"),
        ("owner JDOE wrote", "owner user-1 wrote"),
        ("jdoes", "jdoes"),
        ("on rig7.lab.local and rig7", "on host-1 and host-2"),
        ("https://mirror.corp/simple/", "https://host-1/simple/"),
        ("https://me:pw@mirror.corp:8443/simple/", "https://***@host-1:8443/simple/"),
        ("https://pypi.nvidia.com/x", "https://pypi.nvidia.com/x"),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80/"),
        ("http://10.1.2.3/x", "http://host-1/x"),
        ("nvidia-cublas-cu12==12.8.4.1", "nvidia-cublas-cu12==12.8.4.1"),
        ("curand 10.3.9.90", "curand 10.3.9.90"),
        ("connected to 10.1.2.3", "connected to address-1"),
        ("10.1.2.3:5000 and 127.0.0.1:80", "address-1:5000 and 127.0.0.1:80"),
        ("mail a.b@corp.example now", "mail mail@hidden now"),
        ("git@github.com:x/y", "git@github.com:x/y"),
        ("login plainlooking done", "login *** done"),
        ("abc", "abc"),
        ("ghp_0123456789abcdef", "***"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
        ("00:1b:44:11:3a:b7", "device-1"),
        ('{"auth": "dXNlcjpwYXNz"}', '{"auth": "***"}'),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "***"),
    ],
)
def test_what_is_hidden_and_what_stays(text: str, wanted: str) -> None:
    assert masked(text) == wanted


def test_a_private_key_is_hidden_to_its_end_and_where_it_is_cut_off() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"
    assert masked(f"a\n{key}\nb") == "a\n-----RSA PRIVATE KEY hidden-----\nb"
    assert masked(f"a\n{key[:40]}") == "a\n-----RSA PRIVATE KEY hidden-----"


def test_a_name_has_one_stand_in_in_all_texts() -> None:
    masks = Masks(KNOWN)
    assert masks.text("https://one.corp/") == "https://host-1/"
    assert masks.text("https://two.corp/ https://one.corp/") == "https://host-2/ https://host-1/"


def test_what_is_hidden_is_counted() -> None:
    masks = Masks(KNOWN)
    masks.text("/srv/people/jdoe https://u:p@x.corp/ nothing")
    assert masks.hidden == 3
    masks.text("nothing to hide")
    assert masks.hidden == 3


def test_names_of_everybody_are_no_names() -> None:
    assert Masks(Known(users=("root", "ab"), hosts=("localhost",))).text("root ab localhost") == (
        "root ab localhost"
    )
