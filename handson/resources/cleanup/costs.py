"""What the workshop's resources cost while they stood.

Only the images in ECR cost anything.  A repository stores a layer once, however many of its images
have it, so the layers are added up, each from the first push that brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from handson.course.state import Resource, State
from handson.resources.registry import StoredBlob

GIGABYTE = 2**30
MONTH_HOURS = 730
"""AWS's average month, by which GB-months are counted."""


class Price(State, frozen=True, kw_only=True):
    """A price of AWS's, where it holds, when it was looked up and where."""

    item: str
    usd: float
    per: str
    region: str
    as_of: str
    source: str


_LOOKED_UP = {"region": "us-east-1", "as_of": "2026-03"}
ECR_STORAGE = Price(
    item="Amazon ECR private storage",
    usd=0.10,
    per="GB-month",
    source="https://aws.amazon.com/ecr/pricing/",
    **_LOOKED_UP,
)
PRICES = (
    ECR_STORAGE,
    Price(
        item="Amazon VPC, subnets, route tables, internet gateway, S3 gateway endpoint",
        usd=0.0,
        per="hour",
        source="https://aws.amazon.com/vpc/pricing/",
        **_LOOKED_UP,
    ),
    Price(
        item="Amazon ECS cluster without tasks",
        usd=0.0,
        per="hour",
        source="https://aws.amazon.com/ecs/pricing/",
        **_LOOKED_UP,
    ),
)
"""Data transfer and the request prices of services that the workshop does not use are left out."""


class Stored(State, frozen=True, kw_only=True):
    """What one repository stored, and what that costs at `ECR_STORAGE`."""

    region: str
    repository: str
    size_bytes: int
    since: str
    until: str
    gigabyte_months: float
    usd: float


class Cost(State, frozen=True, kw_only=True):
    """What was stored and what it costs; on an emulator, what it would have cost on AWS."""

    charged: bool
    usd: float
    storage: tuple[Stored, ...]
    prices: tuple[Price, ...] = PRICES


def stored(repository: Resource, blobs: Sequence[StoredBlob], *, until: datetime) -> Stored | None:
    """Return what a repository stored up to now, or None where it holds nothing."""
    if not blobs:
        return None
    months = sum(_gigabyte_months(blob, until=until) for blob in blobs)
    return Stored(
        region=repository.region,
        repository=repository.name,
        size_bytes=sum(blob.size_bytes for blob in blobs),
        since=_written(min(blob.since for blob in blobs)),
        until=_written(until),
        gigabyte_months=round(months, 9),
        usd=round(months * ECR_STORAGE.usd, 9),
    )


def cost(storage: Iterable[Stored], *, charged: bool) -> Cost:
    """Return the cost of all that was stored."""
    all_of_it = tuple(storage)
    usd = round(sum(item.usd for item in all_of_it), 9)
    return Cost(charged=charged, usd=usd, storage=all_of_it)


def _gigabyte_months(blob: StoredBlob, *, until: datetime) -> float:
    seconds = max(0.0, (until - blob.since).total_seconds())  # a clock may have been set back
    return blob.size_bytes / GIGABYTE * seconds / (MONTH_HOURS * 3600)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
