"""Every notebook of the Japanese edition in a real JupyterLab, with its interface in Japanese.

They are worked through as a learner does it, one after another in one home folder.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.lab import Lab
from tests.browser.looking import Camera, Log, Requests
from tests.browser.visiting import EVIDENCE, expected, visit

EDITION = "ja"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_notebook_is_worked_through(
    lab: Lab, page: Any, log: Log, requests: Requests, camera: Camera, name: str
) -> None:
    seen = visit(lab, page, name, log=log, requests=requests, camera=camera)
    assert seen == expected(EDITION, name)
