"""How Sphinx builds the book: ``make docs``. It needs no network, and a warning is an error."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything imports Airflow: the book is no place for the settings of a person's own.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")

import seedance_provider

project = "airflow-provider-seedance"
copyright = "the airflow-provider-seedance authors"  # noqa: A001 - Sphinx's name
version = release = seedance_provider.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "tools.book"]
exclude_patterns = ["examples"]
root_doc = "index"

# Headings have the anchors that a code host gives them, so that a link to one works in both places.
myst_heading_anchors = 4
myst_heading_slug_func = "tools.markdown_links.slug"
book_pages = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "security-policy.md",
    "benchmarks/RESULTS.md": "benchmarks.md",
}

# Types stand beside the parameters: in the signature of an operator nobody could read them.
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
# As they are written, not what they are at the moment.
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries_show_parents = "hide"

# Whatever of this package is named has to exist. What Python, Airflow and OpenLineage have can't be looked up without a
# network; of these, annotations give some names without their module.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(airflow|aiohttp|asyncio|collections|datetime|enum|openlineage|os|pathlib|typing)\..*"),
    ("py:class", r"Namespace|Path|timedelta"),
    ("py:class", r"Context|ObjectStoragePath|OperatorLineage|PokeReturnValue|RetryPolicy|TaskDecorator|TriggerEvent"),
    ("py:exc", r"AirflowNotFoundException"),
    # Internal, in a signature that a subclass may override.
    ("py:class", r"ReferenceFiles"),
]

html_theme = "furo"
html_title = f"Seedance for Apache Airflow {release}"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sphinx = False
