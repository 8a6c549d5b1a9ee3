"""Links and headings as a code host reads them, and as Sphinx does."""

from __future__ import annotations

import pytest
from myst_parser.parsers.docutils_ import Parser

from tools.markdown_links import Link, anchors, links, replace_links, slug

PAGE = """\
# A [guide](guide.md#start) to `code`

See ![a picture](images/a.png) and [the other [one]](https://example.org/a?b=c#d).

```python
"[not](a-link)"  # nor a heading
# not a heading
```

## "It is unknown": a *name*, under_scored & 5 s?
### Added
### Added
"""


def test_links_and_pictures_are_found_and_code_is_not():
    assert list(links(PAGE)) == [
        Link("guide", "guide.md#start"),
        Link("a picture", "images/a.png", is_image=True),
        Link("the other [one]", "https://example.org/a?b=c#d"),
    ]


def test_headings_have_the_anchors_of_a_code_host_and_of_sphinx():
    from docutils.core import publish_doctree

    assert anchors(PAGE) == {"a-guide-to-code", "it-is-unknown-a-name-under_scored--5-s", "added", "added-1"}
    settings = {"myst_heading_anchors": 4, "myst_heading_slug_func": slug, "report_level": 5}
    tree = publish_doctree(PAGE, parser=Parser(), settings_overrides=settings)
    assert set(tree.myst_slugs) == anchors(PAGE)


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_links_are_replaced_outside_of_code(fence):
    page = f"[a](b.md)\n\n{fence}text\n[a](b.md)\n{fence}\n\n[a](c.md)\n"
    replaced = replace_links(page, lambda link: "X" if link.target == "b.md" else None)
    assert replaced == f"X\n\n{fence}text\n[a](b.md)\n{fence}\n\n[a](c.md)\n"
