"""The provider's part of the ``airflow`` command."""

from __future__ import annotations

import argparse

import pytest

from seedance_provider.cli.definition import get_seedance_cli_commands


@pytest.fixture
def pool_parser():
    """A parser as Airflow would build it."""
    (group,) = get_seedance_cli_commands()
    (pool,) = group.subcommands
    parser = argparse.ArgumentParser()
    for argument in pool.args:
        argument.add_to_parser(parser)
    return parser


def test_the_pool_is_that_of_the_documentation_unless_told_otherwise(pool_parser):
    arguments = pool_parser.parse_args(["--slots", "10"])
    assert (arguments.slots, arguments.name, arguments.conn_id) == (10, "seedance", "seedance_default")


@pytest.mark.parametrize("slots", [["--slots", "0"], ["--slots", "-1"], ["--slots", "many"], []])
def test_a_pool_without_slots_is_refused(pool_parser, slots):
    with pytest.raises(SystemExit):
        pool_parser.parse_args(slots)
