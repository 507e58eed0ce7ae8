"""The regions that a home folder used.

They are named by its settings, by the evidence in its journal, by the recorded image URI, and by a
list that is kept as soon as something is about to be made: an image pushed to the wrong region may
have no evidence.  Regions that nothing names are not asked; on real AWS the receipt says how to
look there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handson.aws import settings
from handson.core.files import write_whole
from handson.course.checks.repository import parse_image_uri
from handson.course.evidence import Journal
from handson.course.state import Target
from handson.resources import image_uri

_FILE = "regions.json"


def remember_region(home: Path, target: Target) -> None:
    """Keep in the home folder that something may have been made in the target's region.

    Raises:
        NotReady: The home folder cannot be written.
    """
    known = _remembered(home)
    place = {"kind": target.kind, "account": target.account, "region": target.region}
    if place not in known:
        text = json.dumps([*known, place], indent=2) + "\n"
        write_whole(home / _FILE, text)


def regions_used(home: Path, target: Target) -> tuple[str, ...]:
    """Return the regions of the target's account that the home folder used, its own first.

    Raises:
        NotReady: The journal cannot be read.
    """
    places = [*_remembered(home), *(record.get("target") for record in Journal(home).records())]
    named = {place["region"] for place in places if _is_ours(place, target)}
    others = (named | _of_uri(home, target)) & set(settings.regions()) - {target.region}
    return (target.region, *sorted(others))


def _is_ours(place: Any, target: Target) -> bool:
    return (
        isinstance(place, dict)
        and (place.get("kind"), place.get("account")) == (target.kind, target.account)
        and isinstance(place.get("region"), str)
    )


def _of_uri(home: Path, target: Target) -> set[str]:
    recorded = image_uri.read_image_uri(home)
    uri = parse_image_uri(recorded.uri) if recorded else None
    return {uri.region} if uri and uri.account == target.account else set()


def _remembered(home: Path) -> list[Any]:
    try:
        places = json.loads((home / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return places if isinstance(places, list) else []
