"""The guides say what the data says."""

from __future__ import annotations

from pathlib import Path

from seedance_provider.api.models import MODELS, PRICES_TAKEN_ON
from seedance_provider.api.pricing import DOLLARS_PER_CREDIT

DOCS = Path(__file__).parents[2] / "docs"
MODELS_GUIDE = (DOCS / "models.md").read_text()


def table(*rows):
    head, *body = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def media(limit):
    lengths = f", {limit.seconds} s in total" if limit.seconds else ""
    each = f", {limit.seconds_each[0]} to {limit.seconds_each[1]} s each" if limit.seconds_each else ""
    return f"{limit.count}{each}{lengths}"


def limits(model):
    shortest, longest = model.durations or (None, None)
    return (
        f"`{model.name}`",
        f"{shortest} to {longest} s" if model.durations else "that of its source",
        f"{model.prompt_limit:,}",
        media(model.images),
        media(model.videos),
        media(model.audios),
        ", ".join(model.output_formats),
        f"{model.typical_seconds[0] // 60} to {model.typical_seconds[1] // 60} min",
    )


def prices(model):
    def price(resolution):
        if resolution not in model.prices:
            return "-"
        found = model.prices[resolution]
        return f"{found.plain:g} ({found.with_video:g})"

    # Those that work on a video always have one.
    return (f"`{model.name}`", *map(price, ("480p", "720p", "1080p", "4k")))


def test_the_limits_of_the_models():
    head = ("model", "length", "prompt", "images", "videos", "sounds", "files", "usually takes")
    assert table(head, *map(limits, MODELS.values())) in MODELS_GUIDE


def test_the_prices():
    head = ("model (with a reference video)", "480p", "720p", "1080p", "4k")
    assert table(head, *map(prices, MODELS.values())) in MODELS_GUIDE
    assert f"on {PRICES_TAKEN_ON:%Y-%m-%d}" in MODELS_GUIDE
    assert f"A credit is ${DOLLARS_PER_CREDIT}" in MODELS_GUIDE
