"""What Airflow learns about this provider without importing any of it."""

from __future__ import annotations

from typing import Any

__all__ = ["get_provider_info"]

_INTEGRATION = "Seedance"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata; ``package-name`` must equal the name of the distribution."""
    return {
        "package-name": "airflow-provider-seedance",
        "name": _INTEGRATION,
        "description": "Turns prompts and images into videos with the Seedance 2.0 API.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://kinovi.ai/docs",
                "tags": ["service"],
            }
        ],
        "operators": [_modules("seedance_provider.operators.seedance")],
        "sensors": [_modules("seedance_provider.sensors.seedance")],
        "hooks": [_modules("seedance_provider.hooks.seedance")],
        "triggers": [_modules("seedance_provider.triggers.seedance")],
        "transfers": [
            {
                "source-integration-name": _INTEGRATION,
                "target-integration-name": "Object storage",
                "python-module": "seedance_provider.transfers.video_to_object_storage",
            },
            {
                "source-integration-name": "Object storage",
                "target-integration-name": _INTEGRATION,
                "python-module": "seedance_provider.transfers.upload_reference",
            },
        ],
        "task-decorators": [
            {
                "name": "seedance_video",
                "class-name": "seedance_provider.decorators.seedance.seedance_video_task",
            }
        ],
        "cli": ["seedance_provider.cli.definition.get_seedance_cli_commands"],
        "extra-links": [
            "seedance_provider.links.seedance.VideoLink",
            "seedance_provider.links.seedance.VideoTaskLink",
            "seedance_provider.links.seedance.StoredVideoLink",
        ],
        "connection-types": [_CONNECTION_TYPE],
        "config": {"seedance": {"description": "The provider of Seedance.", "options": _OPTIONS}},
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": list(names)}


_OPTIONS: dict[str, Any] = {
    "video_operators": {
        "description": "Names of operator classes of your own that derive from those of this provider, separated by "
        "commas. Their tasks have cards on the Videos page, too.",
        "version_added": "0.1.0",
        "type": "string",
        "example": "BrandVideoOperator,TrailerOperator",
        "default": "",
    }
}

_CONNECTION_TYPE: dict[str, Any] = {
    "connection-type": "seedance",
    "hook-class-name": "seedance_provider.hooks.seedance.SeedanceHook",
    "hook-name": _INTEGRATION,
    "ui-field-behaviour": {
        "hidden-fields": ["login", "schema", "extra"],
        "relabeling": {"host": "Base URL", "password": "API key", "port": "Port"},
        "placeholders": {
            "host": "Leave empty for https://kinovi.ai/api/v1",
            "password": "From API Keys in your kinovi.ai account",
            # They refuse to test a connection whose port is empty (apache/airflow#73298). The hook ignores a zero.
            "port": "Leave empty; 0 lets Airflow 3.3.1 and 3.3.2 test it",
        },
    },
    # No minimum above zero: Airflow 3.2 puts it into a field that is emptied.
    "conn-fields": {
        "max_credits": {
            "label": "Credit limit per video",
            "description": "A video that would cost more is refused before anything is spent. Empty: no limit.",
            "schema": {"type": ["number", "null"], "minimum": 0, "default": None},
        },
        "typical_seconds": {
            "label": "Time to make a video",
            "description": "In seconds, from the fastest to the slowest, such as 60-300. It decides when a "
            "video is polled. Empty: what the vendor says.",
            "schema": {"type": ["string", "null"], "default": None},
        },
        "max_polls_per_second": {
            "label": "Status checks per second",
            "description": "At most this many by one triggerer, for all unfinished videos together. Empty: 10.",
            "schema": {"type": ["number", "null"], "minimum": 0, "default": None},
        },
        "wire_format": {
            "label": "Wire format",
            "description": "How requests are written. auto tries the newest way, and older ones if that is refused. If "
            "the log of a task names the format that was accepted, choose it to save the refused calls.",
            "schema": {"type": ["string", "null"], "enum": ["auto", "quickstart", "docs", "models"], "default": "auto"},
        },
    },
}
