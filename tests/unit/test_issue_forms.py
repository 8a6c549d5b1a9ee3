"""
The forms for issues are such as GitHub takes: a form that it can't read is not shown, and nobody is told why.

What it asks for is in its documentation of form schemas; this is the part of it that can be checked without GitHub.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
GITHUB = REPOSITORY / ".github"
FORMS = {path.name: path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"}

TOP = {"name", "description", "body", "title", "labels", "assignees", "projects", "type"}
REQUIRED_TOP = {"name", "description", "body"}
#: By type of an element: the attributes that it needs, and the others that it may have.
ATTRIBUTES = {
    "markdown": ({"value"}, set()),
    "input": ({"label"}, {"description", "placeholder", "value"}),
    "textarea": ({"label"}, {"description", "placeholder", "value", "render"}),
    "dropdown": ({"label", "options"}, {"description", "multiple", "default"}),
    "checkboxes": ({"label", "options"}, {"description"}),
}
#: The pages that a form names.
PAGES = re.compile(r"`(docs/[\w-]+\.md|SECURITY\.md)`")


def load(name):
    return yaml.safe_load(FORMS[name].read_text())


def asked(form):
    return [element for element in form["body"] if element["type"] != "markdown"]


def test_there_is_a_form_of_each_kind():
    assert set(FORMS) == {"api_answer.yml", "bug.yml", "feature.yml"}


@pytest.mark.parametrize("name", FORMS)
class TestForm:
    def test_has_the_keys_that_github_knows(self, name):
        form = load(name)
        assert set(form) >= REQUIRED_TOP
        assert set(form) <= TOP
        assert all(isinstance(form[key], str) and len(form[key]) > 3 for key in ("name", "description", "title"))
        assert all(isinstance(label, str) for label in form["labels"])

    def test_asks_something(self, name):
        assert asked(load(name))

    def test_has_elements_that_github_knows(self, name):
        for element in load(name)["body"]:
            assert set(element) <= {"type", "id", "attributes", "validations"}
            needed, possible = ATTRIBUTES[element["type"]]
            assert needed <= set(element["attributes"])
            assert set(element["attributes"]) <= needed | possible
            assert set(element.get("validations", {})) <= {"required"}
            assert isinstance(element.get("validations", {}).get("required", True), bool)

    def test_has_texts_where_texts_are_due(self, name):
        # An unquoted "no" is a boolean in YAML, which GitHub refuses.
        for element in load(name)["body"]:
            for key in ("label", "description", "placeholder", "value", "render"):
                assert isinstance(element["attributes"].get(key, ""), str)

    def test_has_ids_of_its_own(self, name):
        ids = [element["id"] for element in asked(load(name))]
        labels = [element["attributes"]["label"] for element in asked(load(name))]
        assert len(set(ids)) == len(ids)
        assert len(set(labels)) == len(labels)
        assert all(re.fullmatch(r"[\w-]+", id_) for id_ in ids)

    def test_has_options_that_differ(self, name):
        for element in asked(load(name)):
            options = element["attributes"].get("options", [])
            if element["type"] == "dropdown":
                assert all(isinstance(option, str) for option in options)
                assert "None" not in options  # GitHub's own, for what is not required
                assert len(options) == len(set(options)) > 1
            for option in options if element["type"] == "checkboxes" else []:
                assert set(option) <= {"label", "required"}
                assert option["label"]

    def test_warns_of_keys(self, name):
        if name != "feature.yml":
            text = FORMS[name].read_text()
            assert "Never paste an API key" in text
            assert "no API key" in text

    def test_sends_people_to_pages_that_are_there(self, name):
        for page in PAGES.findall(FORMS[name].read_text()):
            assert (REPOSITORY / page).is_file()


def test_the_bug_report_asks_what_whoever_is_on_call_needs():
    required = {element["id"] for element in asked(load("bug.yml")) if element.get("validations", {}).get("required")}
    assert {"money", "happened", "versions", "deployment", "log", "code"} <= required


def test_the_choice_of_forms_is_one_that_github_takes():
    config = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "config.yml").read_text())
    assert set(config) == {"blank_issues_enabled", "contact_links"}
    for link in config["contact_links"]:
        assert set(link) == {"name", "url", "about"}
        assert link["url"].startswith("https://")


def test_nobody_owns_the_code_alone():
    places = (REPOSITORY, REPOSITORY / "docs", GITHUB)
    assert not any((place / "CODEOWNERS").exists() for place in places)
