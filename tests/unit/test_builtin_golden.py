"""The builtin engine beside what Docker made of the same build contexts (`tests.contexts`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import contexts

IMAGES: dict[str, str] = json.loads(contexts.GOLDEN.read_text("utf-8"))
SELDOM = tuple(IMAGES)[1::2]
"""Every other one is asked for less often."""


@pytest.mark.parametrize(
    "number", [pytest.param(it, marks=[pytest.mark.full] * (it in SELDOM)) for it in IMAGES]
)
def test_an_image_is_the_one_that_docker_made_and_refused_where_docker_refused(
    number: str, tmp_path: Path
) -> None:
    context = contexts.write_context(int(number), tmp_path)
    image = contexts.build_with_builtin(context)
    assert contexts.digest(image) == IMAGES[number], image
