"""What the survey's parts say of a tree, each by what it needs of the others."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.scan import landmarks, products, sites
from envbuild.scan.model import Order, Product, Start
from envbuild.scan.sites import Found
from envbuild.scan.starting import launches, orders, pythons
from envbuild.scan.starting.launches import Launch
from envbuild.scan.starting.pythons import Python
from envbuild.scan.tree import Tree

NOTHING = Start()
"""Nothing is known of how Python is started."""


def start(executable: str = "", **variables: str) -> Start:
    """How Python is started, with environment variables."""
    return Start(executable=executable, variables=tuple(variables.items()))


def pythons_of(tree: Tree, begin: Start = NOTHING) -> tuple[Python, ...]:
    return pythons.find(tree, landmarks.find(tree), begin)


def products_of(tree: Tree) -> tuple[Product, ...]:
    return products.find(tree, landmarks.find(tree))


def launches_of(tree: Tree, begin: Start = NOTHING) -> tuple[Launch, ...]:
    marks = landmarks.find(tree)
    found = products.find(tree, marks)
    every = pythons.find(tree, marks, begin)
    return launches.find(tree, marks, every, products=found, start=begin)


def sites_of(tree: Tree, begin: Start = NOTHING) -> Found:
    marks = landmarks.find(tree)
    found = products.find(tree, marks)
    return sites.find(tree, marks, launches_of(tree, begin), products=found, start=begin)


def orders_of(tree: Tree, begin: Start = NOTHING) -> tuple[Order, ...]:
    found, every = products_of(tree), sites_of(tree, begin).sites
    return orders.find(tree, every, launches_of(tree, begin), products=found, start=begin)


def by_launcher(every: tuple[Order, ...]) -> Mapping[str, Order]:
    """Orders by their launchers, each of which there is once."""
    found = {one.launcher: one for one in every}
    assert len(found) == len(every), [(one.launcher, one.path) for one in every]
    return found
