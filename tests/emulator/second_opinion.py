"""A second opinion: the tests of modules marked `second_opinion` run on moto's server, too.

moto is stricter than the embedded AWS in places, and lacks others.  What it cannot do stands here
with the reason; such a test is expected to fail on moto, so that a line which no longer holds is
found.  Where a test is repeated for every call of a plan, moto is asked about some of them.
"""

from __future__ import annotations

from typing import Any

import pytest

EMULATORS = ("ministack", "moto")
CANNOT: dict[str, str] = {}
"""By the test's name: what moto lacks."""


def ask_both(metafunc: pytest.Metafunc) -> None:
    """Run a test on the embedded AWS and on moto, as far as moto can do what it needs."""
    metafunc.parametrize("emulator", [_param(metafunc, name) for name in EMULATORS], indirect=True)


def _param(metafunc: pytest.Metafunc, name: str) -> Any:
    reason = CANNOT.get(metafunc.function.__name__) if name == "moto" else None
    marks = [pytest.mark.xfail(reason=f"moto: {reason}", strict=True)] if reason else []
    return pytest.param(name, marks=marks, id=name)
