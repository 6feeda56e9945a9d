import pytest

from envbuild.knowledge import facts, layers


@pytest.mark.parametrize(
    ("package", "piece"),
    [
        ("torch", 1),
        ("NVIDIA_cublas.cu12", 1),
        ("cuda-toolkit", 1),
        ("isaacsim-core", 1),
        ("numpy", 2),
        ("opencv-python-headless", 2),
        ("isaaclab", 2),
        ("six", layers.REST),
        ("torchrl", layers.REST),
        ("nvidiaish", layers.REST),
    ],
)
def test_which_piece_a_package_belongs_to(package, piece):
    assert layers.piece(package) == piece


def test_every_pattern_is_a_name_or_the_beginning_of_some():
    patterns = [one for row in facts.layers() for one in row.packages]
    assert len(patterns) == len(set(patterns))
    assert all(one.removesuffix("*").replace("-", "a").isalnum() for one in patterns)


def test_the_pieces_are_one_and_two_and_each_row_says_why():
    assert {row.piece for row in facts.layers()} == {1, layers.REST - 1}
    assert all(len(row.reason) > 10 for row in facts.layers())
