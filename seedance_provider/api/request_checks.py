"""
What can't be right about a request: every rule of the API that can be checked before a credit is spent.

The API refuses some mistakes for free; others it ignores, or accepts and lets fail after minutes. Here all of them are
found, together, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from seedance_provider.api.coercion import MOST_ITEMS
from seedance_provider.api.media_file import MediaFile, absolute_path, total_seconds
from seedance_provider.api.media_probe import UNREADABLE
from seedance_provider.api.models import (
    BITRATE_MODES,
    LARGEST_SEED,
    MODELS,
    PICTURE_ENDINGS,
    QUICKSTART_SIZES,
    SUFFIXES,
    MediaLimit,
    Model,
    Size,
)
from seedance_provider.api.text_checks import leftover, probable_leftover, storage_problem, texts_in

if TYPE_CHECKING:
    from seedance_provider.api.video_request import VideoRequest

__all__ = ["doubts", "is_http_url", "problems", "shown"]

#: Fields that have a parameter, which is checked or sets the price; so they may not come as extra inputs.
_HAVE_A_PARAMETER: Mapping[str, str] = {
    "prompt": "prompt",
    "duration": "duration",
    "resolution": "resolution",
    "outputResolution": "resolution",
    "aspectRatio": "aspect_ratio",
    "ratio": "aspect_ratio",
    "urls": "first_frame, last_frame or reference_images",
    "imageUrls": "first_frame, last_frame or reference_images",
    "videoUrls": "reference_videos",
    "audioUrls": "reference_audios",
    "mode": "first_frame or reference_images, which set it",
    "callBackUrl": "callback_url",
}
#: Fields that may come either way: they have a parameter of the same name, or are known to an older generation only.
_EITHER_WAY = ("generate_audio", "bitrate_mode", "seed", "output_format", "upscaleResolution")

#: A second @ before it says that it is no tag.
_TAG = re.compile(r"(?<![\w@])@(image|video|audio)(\d{1,9})(?!\w)", re.IGNORECASE)
_KINDS = {"reference_images": "image", "reference_videos": "video", "reference_audios": "audio"}
_A = {"image": "an image", "video": "a video", "audio": "a sound"}
#: Lengths that containers name are not exact: a video of 15 s that the API has made itself may be 15.1 s long.
_TOLERANCE_SECONDS = 0.2
_TEXTS = ("model", "resolution", "aspect_ratio")
#: Fields of which each, if it is a text, is one that somebody has to have meant.
_MEANT = ("prompt", *_TEXTS, "first_frame", "last_frame", "bitrate_mode", "output_format", "callback_url")
_LONGEST_SHOWN = 80
#: Endings of media and documents that the API does not take. A link may end in anything else.
_WRONG_ENDINGS = (
    *(".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".jp2", ".jxl", ".svg", ".pdf"),
    *(".avi", ".mkv", ".wmv", ".flv", ".mpg", ".mpeg", ".m3u8"),
    *(".wma", ".aif", ".aiff", ".amr", ".mid"),
)
#: A shop's server may convert a picture: photo.heic?format=jpg
_CONVERTED = re.compile(r"=(?:auto|jpe?g|png|webp)\b", re.IGNORECASE)
#: Phones make 200 million.
_MOST_PIXELS = 200_000_000


def problems(request: VideoRequest) -> Iterator[str]:
    """
    Find everything that can't be right, each with the value and what is needed instead.

    :param request: as it was asked for, with spellings read.
    """
    malformed = [
        *_text_problems(request),
        *_leftover_problems(request),
        *_media_problems(request),
        *_option_problems(request),
    ]
    yield from malformed
    if "model" not in _texts(request):
        return
    yield from _extra_problems(request)
    model = request.known_model
    if model is None:
        if request.allow_unknown_model is not True:
            yield _unknown_model(request.model)
        return
    yield from _duration_problems(request, model)
    yield from _size_problems(request, model)
    if not malformed:
        yield from _prompt_problems(request, model)
        yield from _reference_problems(request, model)


def doubts(request: VideoRequest) -> Iterator[str]:
    """
    Find what may be a mistake, but may be meant.

    :param request: one that has no problems.
    """
    for label, text in _meant_texts(request):
        if part := probable_leftover(text):
            yield f"{label} has {part!r}, which may be the leftover of a template or an f-string."
    for file in dict.fromkeys(request.files):
        endings = PICTURE_ENDINGS.get(file.format or "")
        if endings and not file.name.lower().endswith(endings):
            yield (
                f"The file {shown(file.source)} is a {file.format} picture, and the API goes by the ending, "
                f"which should be {' or '.join(endings)}."
            )


def is_http_url(value: Any) -> bool:
    """Whether a value is an http(s) URL with a host, without spaces around it."""
    if not isinstance(value, str) or value != value.strip() or storage_problem(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _unknown_model(name: str) -> str:
    near = _nearest(name, MODELS, count=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? All" if near else "all"
    return (
        f"model is {shown(name)}, which is not known; {hint} that are known: {', '.join(MODELS)} "
        "(allow_unknown_model=True sends it unchecked)"
    )


def _text_problems(request: VideoRequest) -> Iterator[str]:
    texts = _texts(request)
    for name in _TEXTS:
        if name not in texts:
            yield _not_a_text(name, getattr(request, name))
    if request.prompt is None:
        if not (request.frames or request.has_references):
            yield "prompt is None, and without frames or references a text is needed"
    elif not isinstance(request.prompt, str) or not request.prompt.strip():
        yield _not_a_text("prompt", request.prompt)


def _not_a_text(name: str, value: Any) -> str:
    problem = f"{name} is {shown(value)}, and a text is needed"
    if not isinstance(value, list | tuple | Mapping):
        return problem
    kind = "dict" if isinstance(value, Mapping) else "list"
    return (
        f"{problem}, no {kind}: pass one text of it, or its JSON (tojson); if render_template_as_native_obj=True made "
        "it of a text, write {{ '%r' | format(...) }}"
    )


def _not_a_list(name: str, value: Any) -> str:
    problem = f"{name} is {shown(value)}, and a list of public http(s) URLs or files is needed"
    if isinstance(value, set | frozenset):
        return f"{problem}: a set has no order, and prompts name references by position"
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return f"{problem}: put it into a list"
    return problem + _text_of_one(value)


def _text_of_one(value: Any) -> str:
    """Say how to pass a list or a mapping instead of its text."""
    if not (isinstance(value, str) and value.lstrip().startswith(("[", "{"))):
        return ""
    return ", not the text of one: pass task.output, or set render_template_as_native_obj=True on the DAG"


def _leftover_problems(request: VideoRequest) -> Iterator[str]:
    """Each cause is named once: a mistake in a template is often made in several fields."""
    named = set()
    for label, text in _meant_texts(request):
        # Where a text is one of many, a short one may be a choice that only the API knows.
        found = leftover(text, may_be_a_choice=label.startswith("extra_inputs"))
        if problem := storage_problem(text):
            yield f"{label} is {shown(text)}, and {problem}"
        elif found:
            shows, cause = found
            yield f"{label} is {shown(text)}, which {shows}" + (f" ({cause})" if cause not in named else "")
            named.add(cause)


def _meant_texts(request: VideoRequest) -> Iterator[tuple[str, str]]:
    """All texts that are sent, each with what to call it."""
    given: list[tuple[str, Any]] = [(name, getattr(request, name)) for name in _MEANT]
    for name in _KINDS:
        media = getattr(request, name)
        given += (
            [(f"{name} {position}", item) for position, item in enumerate(media, 1)] if isinstance(media, tuple) else []
        )
    yield from ((label, value) for label, value in given if isinstance(value, str))
    if isinstance(request.extra_inputs, Mapping) and all(isinstance(key, str) for key in request.extra_inputs):
        for key, value in request.extra_inputs.items():
            yield "a name in extra_inputs", key
            for text in texts_in(value):
                yield f"extra_inputs[{shown(key)}]", text


def _texts(request: VideoRequest) -> set[str]:
    """Name the fields of :data:`_TEXTS` that are texts, or are left out where they may be."""
    values = {name: getattr(request, name) for name in _TEXTS}
    return {name for name, value in values.items() if isinstance(value, str) or (value is None and name != "model")}


def _prompt_problems(request: VideoRequest, model: Model) -> Iterator[str]:
    prompt = request.prompt or ""
    if len(prompt) > model.prompt_limit:
        yield f"prompt has {len(prompt):,} characters ({prompt[:40]!r}...), and {model.prompt_limit:,} are allowed"
    passed = {
        "image": request.frames or request.reference_images,
        "video": request.reference_videos,
        "audio": request.reference_audios,
    }
    for name, number in dict.fromkeys(_TAG.findall(prompt)):
        kind, position = name.lower(), int(number)
        # Without any media it may be an account's name, unless it looks exactly like a tag that the model knows.
        is_exact = name == kind and 1 <= position <= _limits(model)[f"reference_{kind}s"].count
        if not 1 <= position <= len(passed[kind]) and (is_exact or any(passed.values())):
            yield (
                f"prompt names @{name}{number}, and the number of {kind}s that were passed is {len(passed[kind])} "
                f"(write @@{name}{number} if it is no reference)"
            )


def _duration_problems(request: VideoRequest, model: Model) -> Iterator[str]:
    if model.durations is None:
        if request.duration is not None:
            yield (
                f"duration is {shown(request.duration)}, and {model.name} takes none: the length is that of the "
                "reference video"
            )
        return
    shortest, longest = model.durations
    if not _is_integer(request.duration) or not shortest <= request.duration <= longest:  # type: ignore[operator]
        yield (
            f"duration is {shown(request.duration)}, and {model.name} takes whole seconds from {shortest} to {longest}"
        )


def _size_problems(request: VideoRequest, model: Model) -> Iterator[str]:
    if not {"resolution", "aspect_ratio"} <= _texts(request):
        return
    if model.works_on_a_video:
        yield from _size_problems_of_a_copy(request, model)
        return
    sizes = [*model.output_resolutions, *(pixels for pixels in QUICKSTART_SIZES if _offers(model, pixels))]
    if request.resolution is not None and request.resolution not in sizes:
        yield f"resolution is {shown(request.resolution)}, and {model.name} takes {', '.join(sizes)}"
        return
    if request.aspect_ratio is None:
        return
    if request.aspect_ratio not in model.aspect_ratios:
        yield (
            f"aspect_ratio is {shown(request.aspect_ratio)}, and {model.name} takes {', '.join(model.aspect_ratios)}"
        )
    elif request.aspect_ratio != request.effective_aspect_ratio:
        yield (
            f"aspect_ratio is {request.aspect_ratio!r} but resolution is {request.resolution!r}, "
            "and they have to agree: leave one out"
        )
    elif model.pixel_size(Size(request.aspect_ratio, request.output_resolution)) is None:
        yield (f"aspect_ratio is {request.aspect_ratio!r}, and {request.output_resolution} is documented for 16:9 only")


def _size_problems_of_a_copy(request: VideoRequest, model: Model) -> Iterator[str]:
    """The API refuses, after minutes, any shape but that of the reference video."""
    if request.resolution not in model.output_resolutions:
        resolutions = ", ".join(model.output_resolutions)
        yield f"resolution is {shown(request.resolution)}, and {model.name} takes {resolutions}"
    if request.aspect_ratio is not None:
        yield (
            f"aspect_ratio is {shown(request.aspect_ratio)}, and {model.name} takes none: the shape is that of the "
            "reference video"
        )


def _offers(model: Model, pixels: str) -> bool:
    """The quickstart's sizes are documented for some models; others take those that equal one of their own."""
    delivered = model.pixel_size(QUICKSTART_SIZES[pixels])
    return "quickstart" in model.wire_formats or (delivered is not None and pixels == f"{delivered[0]}x{delivered[1]}")


def _media_problems(request: VideoRequest) -> Iterator[str]:
    for name in ("first_frame", "last_frame"):
        url = getattr(request, name)
        if url is not None:
            yield from _media_item_problems(
                name, url, "image", "a public http(s) URL or a file is needed (or None for no frame)"
            )
    if request.last_frame is not None and request.first_frame is None:
        yield "last_frame is set but first_frame is not, and a last frame needs a first one"
    for name, kind in _KINDS.items():
        urls = getattr(request, name)
        if not isinstance(urls, tuple):
            yield _not_a_list(name, urls)
            continue
        if len(urls) > MOST_ITEMS:
            yield f"{name} has more than {MOST_ITEMS:,} items"
            continue
        for position, url in enumerate(urls, 1):
            yield from _media_item_problems(f"{name} {position}", url, kind, "a public http(s) URL or a file is needed")
    if request.callback_url is not None and not is_http_url(request.callback_url):
        yield f"callback_url is {shown(request.callback_url)}, and an http(s) URL is needed (or None for no callback)"


def _media_item_problems(name: str, media: Any, kind: str, needed: str) -> Iterator[str]:
    if isinstance(media, MediaFile):
        yield from _file_problems(name, media, kind)
    elif is_http_url(media):
        yield from _url_problems(name, media, kind)
    elif path := absolute_path(media):
        yield (
            f"{name} is {shown(media)}, and {needed}: a path must be absolute, here {shown(path)}, and a URL begins "
            "with https://"
        )
    else:
        yield f"{name} is {shown(media)}, and {needed}"


def _file_problems(name: str, file: MediaFile, kind: str) -> Iterator[str]:
    source = shown(file.source)
    if not file.name.lower().endswith(SUFFIXES[kind]):
        yield f"{name} is the file {source}, and {', '.join(SUFFIXES[kind])} are accepted"
    elif problem := storage_problem(file.source):
        yield f"{name} is the file {source}, and {problem}"
    elif file.size <= 0:
        yield f"{name} is the file {source}, which is empty"
    elif kind == "image" and file.format is not None and file.format not in PICTURE_ENDINGS:
        accepted = ", ".join(PICTURE_ENDINGS)
        yield f"{name} is the file {source}, whose content is {file.format}, and {accepted} are accepted"
    elif file.kind == UNREADABLE:
        yield f"{name} is the file {source}, whose content can't be read as {_A[kind]} ({', '.join(SUFFIXES[kind])})"
    elif file.kind not in (None, kind):
        yield f"{name} is the file {source}, whose content is {_A[str(file.kind)]}, and {_A[kind]} is needed"
    elif file.pixels is not None and file.pixels > _MOST_PIXELS:
        yield (
            f"{name} is the file {source}, which has {file.pixels:,} pixels, and at most {_MOST_PIXELS:,} are accepted"
        )


def _url_problems(name: str, url: str, kind: str) -> Iterator[str]:
    # Many links have no ending at all, but one of another kind is a mistake that would fail after minutes.
    parts = urlsplit(url)
    path = unquote(parts.path).lower()
    others = [other for other, suffixes in SUFFIXES.items() if other != kind and path.endswith(suffixes)]
    if others:
        yield f"{name} is {shown(url)}, which is of kind {others[0]}, and {', '.join(SUFFIXES[kind])} are accepted"
    elif path.endswith(_WRONG_ENDINGS) and not _CONVERTED.search(parts.query):
        ending = path[path.rindex(".") :]
        yield f"{name} is {shown(url)}, which ends in {ending}, and {', '.join(SUFFIXES[kind])} are accepted"


def _reference_problems(request: VideoRequest, model: Model) -> Iterator[str]:
    if request.frames and request.has_references:
        yield (
            "first_frame comes together with references, and the API takes either: pass the image in reference_images, "
            "and say in the prompt what it is for"
        )
    if request.reference_audios and not (request.reference_images or request.reference_videos):
        yield "reference_audios come alone, and the API needs a reference image or video with them"
    if model.works_on_a_video and not request.reference_videos:
        yield f"reference_videos is empty, and {model.name} needs the video to work on"
    if model.works_on_a_video and request.frames:
        yield f"first_frame is set, and {model.name} takes no frames: it works on the reference video"
    for name, limit in _limits(model).items():
        if len(getattr(request, name)) > limit.count:
            yield f"{name} has {len(getattr(request, name))} items, and {model.name} takes at most {limit.count}"
    yield from _length_problems(request, model)


def _limits(model: Model) -> dict[str, MediaLimit]:
    return {"reference_images": model.images, "reference_videos": model.videos, "reference_audios": model.audios}


def _length_problems(request: VideoRequest, model: Model) -> Iterator[str]:
    if request.reference_video_seconds is not None and not request.reference_videos:
        yield f"reference_video_seconds is {request.reference_video_seconds:g}, and there is no reference video"
        return
    for name, limit in _limits(model).items():
        media = getattr(request, name)
        yield from _total_length_problems(request, name, model.name, limit)
        for position, item in enumerate(media, 1):
            yield from _single_length_problems(f"{name} {position}", item, model.name, limit)


def _total_length_problems(request: VideoRequest, name: str, model: str, limit: MediaLimit) -> Iterator[str]:
    media = getattr(request, name)
    measured = total_seconds(media)
    said = request.reference_video_seconds if name == "reference_videos" else None
    seconds = said if said is not None else measured
    if seconds is None or limit.seconds is None:
        return
    shortest = limit.seconds_each[0] * len(media) if limit.seconds_each else 0
    if not shortest - _TOLERANCE_SECONDS <= seconds <= limit.seconds + _TOLERANCE_SECONDS:
        are = f"{name} are {seconds:g} s long" if said in (None, measured) else f"reference_video_seconds is {said:g}"
        yield f"{are}, and {model} takes {shortest:g} to {limit.seconds:g} s in total"


def _single_length_problems(name: str, item: Any, model: str, limit: MediaLimit) -> Iterator[str]:
    if limit.seconds_each is None or not isinstance(item, MediaFile) or item.seconds is None:
        return
    shortest, longest = limit.seconds_each
    if not shortest - _TOLERANCE_SECONDS <= item.seconds <= longest + _TOLERANCE_SECONDS:
        yield f"{name} is {item.seconds:g} s long, and {model} takes {shortest:g} to {longest:g} s each"


def _option_problems(request: VideoRequest) -> Iterator[str]:
    for name in _CHOICES:
        if getattr(request, name) is not None:
            yield from _choice_problems(request, name, name, getattr(request, name))
    allowed: Any = request.allow_unknown_model
    if not isinstance(allowed, bool):
        yield f"allow_unknown_model is {shown(allowed)}, and True or False is needed"
    seconds = request.reference_video_seconds
    if seconds is not None and (
        isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e6
    ):
        yield f"reference_video_seconds is {shown(seconds)}, and a number above 0 is needed"
    # Without a known model, whose own rule is stricter, a length has at least to be one.
    duration = request.duration
    if request.known_model is None and (not _is_integer(duration) or not 0 < duration < 1_000_000):  # type: ignore[operator]
        yield f"duration is {shown(duration)}, and a whole number of seconds is needed"


def _choice_problems(request: VideoRequest, name: str, label: str, value: Any) -> Iterator[str]:
    """
    Check a choice that changes neither the price nor what other fields may be.

    :param request: whose model decides.
    :param name: the API's name.
    :param label: what to call it.
    :param value: what was chosen.
    """
    if needed := _CHOICES[name](value, request.known_model):
        yield f"{label} is {shown(value)}, and {needed}"


def _sound(value: Any, _: Model | None) -> str | None:
    return None if isinstance(value, bool) else "True or False is needed"


def _seed(value: Any, _: Model | None) -> str | None:
    is_seed = _is_integer(value) and -1 <= value <= LARGEST_SEED
    return None if is_seed else f"a whole number from 0 to {LARGEST_SEED:,} is needed, or -1"


def _bitrate_mode(value: Any, _: Model | None) -> str | None:
    return (
        None
        if isinstance(value, str) and value in BITRATE_MODES
        else f"{', '.join(BITRATE_MODES)} is accepted (or None)"
    )


def _output_format(value: Any, model: Model | None) -> str | None:
    if not isinstance(value, str):
        return "a text is needed"
    if model is None or value in model.output_formats:
        return None
    return f"{model.name} makes {', '.join(model.output_formats)}"


_CHOICES: Mapping[str, Callable[[Any, Model | None], str | None]] = {
    "generate_audio": _sound,
    "seed": _seed,
    "bitrate_mode": _bitrate_mode,
    "output_format": _output_format,
}


def _extra_problems(request: VideoRequest) -> Iterator[str]:
    extra: Any = request.extra_inputs
    if isinstance(extra, str) and extra.startswith("can't be written"):
        yield f"extra_inputs {extra}"
    elif not isinstance(extra, Mapping) or not all(isinstance(key, str) for key in extra):
        yield f"extra_inputs is {shown(extra)}, and a mapping of field names to values is needed{_text_of_one(extra)}"
    else:
        for name, value in extra.items():
            yield from _extra_field_problems(request, name, value)


def _extra_field_problems(request: VideoRequest, name: str, value: Any) -> Iterator[str]:
    if name in _CHOICES:
        yield from _choice_problems(request, name, f"extra_inputs[{name!r}]", value)
    if name in _EITHER_WAY:
        return
    if name in _HAVE_A_PARAMETER:
        yield f"extra_inputs has {name!r}, which has a parameter of its own: use {_HAVE_A_PARAMETER[name]}"
        return
    # The API would ignore the field, use its default, and charge for that.
    known = {_plain(field): field for field in (*_HAVE_A_PARAMETER, *_EITHER_WAY)}
    near = _nearest(_plain(name), known, count=1, cutoff=0.85)
    if near:
        field = known[near[0]]
        use = _HAVE_A_PARAMETER.get(field, f"{field!r}")
        yield f"extra_inputs has {shown(name)}, which the API would ignore; if {field!r} is meant, use {use}"


def _nearest(name: str, known: Iterable[str], count: int, cutoff: float) -> list[str]:
    # Imported only for a mistake: a DAG file that is right should not pay for it at each parse.
    from difflib import get_close_matches

    return get_close_matches(name, known, n=count, cutoff=cutoff)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """
    Show a value of any type and size in an error, safe for every log.

    :param value: of a parameter.
    """
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
