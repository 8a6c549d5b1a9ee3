"""What the tests of the release checklist use."""

from __future__ import annotations

import pytest

from tests.support.release_project import Project


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path / "project")
