"""A second opinion: the tests of modules marked `second_opinion` run on moto's server, too.

moto is stricter than the embedded AWS in places, and lacks others.  What it cannot do stands here
with the reason; such a test is expected to fail on moto, so that a line which no longer holds is
found.  Where a test is repeated for every call of a plan, moto is asked about some of them.

moto is asked by `make test-full` alone; by `make test`, about the wrong states into which MiniStack
cannot be brought (`judging.each`).
"""

from __future__ import annotations

from typing import Any

import pytest

EMULATORS = ("ministack", "moto")
NO_REGISTRY = "it serves no registry (/v2/), so no image's configuration can be read"
CANNOT: dict[str, str] = {
    "test_a_cluster_in_which_a_service_runs_is_left_with_a_reason": (
        "it deletes a cluster in which a service is"
    ),
    "test_a_pushed_image_is_described": NO_REGISTRY,
    "test_a_subnet_in_a_block_added_later_is_not_in_the_way": (
        "it refuses, as AWS does, a subnet in a block that was never added"
    ),
    "test_an_index_with_an_attestation_is_one_image": NO_REGISTRY,
    "test_more_private_subnets_are_added_as_if_made_at_once": (
        "it makes no route in a route table that is added to an endpoint later"
    ),
}
"""By the test's name: what moto lacks."""

SOME_CALLS = (1, 5, 11)
"""The calls, by number, at which moto is stopped or loses its reply."""


def ask_both(metafunc: pytest.Metafunc) -> None:
    """Run a test on the embedded AWS and on moto, as far as moto can do what it needs."""
    metafunc.parametrize("emulator", [_param(metafunc, name) for name in EMULATORS], indirect=True)


def is_too_much(item: Any) -> bool:
    """Tell a test that moto is not asked, because it is asked about calls like it."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("emulator") == "moto" and params.get("k", 1) not in SOME_CALLS


def _param(metafunc: pytest.Metafunc, name: str) -> Any:
    if name != "moto":
        return pytest.param(name, id=name)
    reason = CANNOT.get(metafunc.function.__name__)
    marks = [pytest.mark.xfail(reason=f"moto: {reason}", strict=True)] if reason else []
    return pytest.param(name, marks=[pytest.mark.full, *marks], id=name)
