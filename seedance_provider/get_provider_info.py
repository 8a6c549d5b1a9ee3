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
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": list(names)}


_CONNECTION_TYPE: dict[str, Any] = {
    "connection-type": "seedance",
    "hook-class-name": "seedance_provider.hooks.seedance.SeedanceHook",
    "hook-name": _INTEGRATION,
    "ui-field-behaviour": {
        # A zero port breaks the form's Test button, and the address is one field.
        "hidden-fields": ["login", "port", "schema", "extra"],
        "relabeling": {"host": "Base URL", "password": "API key"},
        "placeholders": {"host": "https://kinovi.ai/api/v1"},
    },
    "conn-fields": {
        "wire_format": {
            "label": "Wire format",
            "description": "Leave it at auto unless the vendor's support says otherwise.",
            "schema": {"type": ["string", "null"], "enum": ["auto", "quickstart", "docs", "models"], "default": "auto"},
        },
        "max_credits": {
            "label": "Most credits for one video",
            "description": "A video that would cost more is refused before it is submitted. Empty for no limit.",
            "schema": {"type": ["number", "null"], "minimum": 0, "default": None},
        },
        "looks_per_second": {
            "label": "Most looks per second",
            "description": "At how many unfinished videos one triggerer looks in a second. Empty for 10.",
            "schema": {"type": ["number", "null"], "minimum": 0, "default": None},
        },
        "typical_seconds": {
            "label": "Typical seconds of a video",
            "description": "The fastest and the slowest, such as 60-300. Empty for what the vendor says.",
            "schema": {"type": ["string", "null"], "default": None},
        },
    },
}
