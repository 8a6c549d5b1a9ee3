"""The DAG in the README is one that Airflow takes."""

from __future__ import annotations

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_dag_in_the_readme_chains_an_upload_after_a_video():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102
    dag = names["create"].dag
    assert set(dag.task_ids) == {"create", "upload"}
    assert dag.get_task("upload").upstream_task_ids == {"create"}


def test_the_dag_in_the_readme_needs_no_logical_date():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert "{{ ds" not in block


def test_every_link_leads_somewhere():
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"
