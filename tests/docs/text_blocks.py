"""What is printed, and settings of Airflow."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from airflow.configuration import conf

from tests.docs.documents import REPOSITORY

if TYPE_CHECKING:
    from tests.docs.documents import Block

#: What a block begins with, and the file that prints it. Every ``name=`` of the block has to be in that file.
PRINTED_BY = {"chaos: videos=": "tools/chaos/__main__.py"}

#: Blocks that another test compares with what is printed: their page, and that test.
COMPARED_ELSEWHERE = {"docs/quickstart.md": "tests/slow/test_quickstart.py"}


def check(block: Block) -> None:
    """Look for who prints a block."""
    if block.page in COMPARED_ELSEWHERE:
        return
    sources = [path for start, path in PRINTED_BY.items() if block.text.startswith(start)]
    assert sources, f"{block}: PRINTED_BY does not know who prints this"
    source = (REPOSITORY / sources[0]).read_text()
    for name in re.findall(r"(\w+)=", block.text):
        assert f'"{name}"' in source, f"{block}: {sources[0]} prints no {name}"


def check_settings(block: Block) -> None:
    """Airflow has to know all options of a piece of airflow.cfg."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(block.text)
    for section in parser.sections():
        for option in parser[section]:
            assert option in conf.configuration_description[section]["options"], f"{block}: [{section}] {option}"
