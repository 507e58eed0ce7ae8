"""Submissions made from the committed notebooks; `seed` decides ids, times and answers."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from handson.course import evidence, syllabus
from handson.course.evidence import Observation
from handson.drawing import Diagram
from handson.grading.findings import Claim
from handson.grading.notebooks import Notebook, read_notebook
from tests.unit import drawn_by_learners

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "ja"
RECORDS = Path(__file__).with_name("records.jsonl")
"""Evidence of a run of the notebooks; nulls and all, as it was sealed before it had an exercise."""
STARTED = datetime(2026, 5, 11, 1, 0, tzinfo=UTC)
TEMPLATE = "(この行を、あなたの答えに書き換えてください)"
ESSAY = (
    "倉庫の鍵を一つだけ預けておけば、店長が替わっても荷物を探さずに済むからです。\n"
    "前の職場では、だれがどの箱を出したのか分からなくなり、古い商品を送ってしまいました。\n"
    "同じ過ちを繰り返さないように、出入りを記録する場所へまとめて置きます。"
)
HERE = {"kind": "emulator", "account": "123456789012", "region": "us-east-1"}
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

_ID = re.compile(r"\b(vpc|subnet|rtb|igw|vpce)-[0-9a-f]{8,17}\b")
_SYLLABLES = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロ"
_EVIDENCE = re.compile(r"""workshop\.evidence\(["']([\w-]+)["']\)""")

Observed = dict[str, Any]
Cell = dict[str, Any]


@cache
def committed() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    }


@cache
def recorded() -> dict[str, dict[str, Any]]:
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    return {record["check"]: record for record in map(json.loads, lines)}


def sealed(seen: str = "cluster", **changes: Any) -> dict[str, Any]:
    """Return s01's small record, which saw nothing but its target, sealed with the changes."""
    record = {**recorded()[seen], "target": HERE, "observed": {"target": HERE}, "requests": []}
    return resealed({**record, "learner": "s01", "previous": None}, **changes)


def claim(check: str = "network", **changes: Any) -> Claim:
    """Return an intact claim of s01's, in a notebook, about the embedded AWS."""
    given = {
        **{"digest": f"sha256:{check}", "learner": "s01", "previous": None, "requests": (), **HERE},
        **{"observed_at": "2026-05-11T01:00:00+00:00", "intact": True, "source": "notebook"},
        "where": f"{check}.ipynb",
        "observed": msgspec.json.encode(recorded()[check]["observed"]),
    }
    return Claim(check=check, **{**given, **changes})


def read_cells(*cells: dict[str, Any], where: str = "01-network.ipynb") -> Notebook:
    """Return a notebook as grading reads it; a cell is code unless it says otherwise."""
    written = [{"cell_type": "code", **each} for each in cells]
    return read_notebook(json.dumps({"cells": written}).encode(), where=where)


@dataclass
class Book:
    notebooks: dict[str, dict[str, Any]]
    records: list[dict[str, Any]] = field(default_factory=list)

    def cells(self) -> Iterator[Cell]:
        for notebook in self.notebooks.values():
            yield from notebook["cells"]

    def cell(self, cell_id: str) -> Cell:
        return next(cell for cell in self.cells() if cell.get("id") == cell_id)

    def answer(self, grade_id: str, text: str) -> None:
        given = "".join(Book(committed()).cell(grade_id)["source"])
        self.cell(grade_id)["source"] = given.replace(TEMPLATE, text)

    def journal(self) -> bytes:
        return b"".join(msgspec.json.encode(record) + b"\n" for record in self.records)

    def files(self) -> dict[str, bytes]:
        return {f"{name}.ipynb": packed(book) for name, book in self.notebooks.items()}

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (folder / name).write_bytes(data)
        return folder


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def packed(notebook: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(notebook), indent=1)


def hand_in(
    learner: str,
    *,
    seed: int,
    observe: Callable[[str, Observed], object] | None = None,
    started: datetime = STARTED,
    target: dict[str, Any] | None = None,
) -> Book:
    chance = random.Random(seed)
    book = Book({name: {**notebook, "cells": [dict(cell) for cell in notebook["cells"]]}
                 for name, notebook in committed().items()})  # fmt: skip
    known: dict[str, str] = {}
    previous, moment = None, started + timedelta(minutes=chance.randrange(600))

    def rename(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"{found[1]}-{chance.getrandbits(68):017x}")

    for cell in book.cells():
        found = _EVIDENCE.search("".join(cell["source"]))
        if found is None or cell["cell_type"] != "code":
            continue
        given = recorded()[found[1]]
        moment += timedelta(seconds=chance.randrange(120, 900))
        observed = json.loads(_ID.sub(rename, json.dumps(given["observed"])))
        if target is not None:
            observed["target"] = dict(target)
        for thing, key in list_moments(observed):
            thing[key] = (moment - timedelta(minutes=5)).isoformat()
        if given["check"] == syllabus.DRAWING.id:
            observed["drawing"] = json.loads(good_drawing()[0])
        if observe is not None:
            observe(given["check"], observed)
        requests = [{**each, "request_id": str(UUID(int=chance.getrandbits(128)))}
                    for each in given["requests"]]  # fmt: skip
        seen = Observation(given["check"], observed["target"], observed, requests)
        record = evidence.seal(seen, learner=learner, previous=previous, observed_at=moment)
        previous = record["digest"]
        book.records.append(record)
        sealed_in = {evidence.METADATA_KEY: record}
        cell["outputs"] = [{**output, "metadata": sealed_in} for output in cell["outputs"]]
    for question in syllabus.QUESTIONS:
        book.answer(question.grade_id, essay(chance))
    drawn = f"with Diagram({essay(chance)[:12]!r}):\n{indent(drawn_by_learners.GOOD, '    ')}"
    picture = {"output_type": "display_data", "metadata": {}, "data": dict(good_drawing()[1])}
    book.cell("architecture-diagram").update(source=drawn, outputs=[picture])
    return book


def list_moments(observed: Observed) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where an observed state says when its image was pushed and recorded."""
    yield from ((image, "pushed_at") for image in observed.get("images") or ())
    if observed.get("recorded_uri"):
        yield observed["recorded_uri"], "recorded_at"


@cache
def good_drawing() -> tuple[str, dict[str, str]]:
    """Return the JSON of a good drawing, and what its cell shows."""
    drawn = drawn_by_learners.draw(drawn_by_learners.GOOD)
    assert Diagram.latest is not None
    return json.dumps(drawn.to_json()), Diagram.latest._repr_mimebundle_()


def no_cluster(check: str, observed: Observed) -> None:
    observed["clusters"] = []


def resealed(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a record with changes, under a digest that fits them: what a forger can do."""
    changed = {**record, **changes}
    return {**changed, "digest": evidence.digest_of(changed)}


def essay(chance: random.Random) -> str:
    return "\n".join("".join(chance.choices(_SYLLABLES, k=30)) + "。" for _ in range(4))
