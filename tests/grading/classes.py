"""A class of thirty, and where each of them belongs.

    roster.csv      thirty learners, s01 to s30
    inbox/          what came in: folders as Moodle exports them, zips, files named by hand

The placement of every learner (what becomes of each check, and which findings ask for a human eye)
is written here by hand, beside how the submission is made, and never computed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from handson.course.evidence import Observation

from . import making
from .making import Book

POINTS = (30, 15, 10, 15, 10)
STATUSES = {"p": "passed", "f": "failed", "?": "unproven", "-": "missing"}
AWS = {"kind": "aws", "account": "112233445566", "region": "us-east-1", "endpoint": None}
ESSAY = (
    "倉庫の鍵を一つだけ預けておけば、店長が替わっても荷物を探さずに済むからです。\n"
    "前の職場では、だれがどの箱を出したのか分からなくなり、古い商品を送ってしまいました。\n"
    "同じ過ちを繰り返さないように、出入りを記録する場所へまとめて置きます。"
)
_FAMILIES = ("山田", "佐藤", "鈴木", "高橋", "田中", "伊藤", "Nguyễn", "O'Brien")
_GIVEN = ("花子", "太郎", "Ana", "健", "Владимир", "美咲", "翔", "مريم")

Files = dict[str, bytes]


@dataclass(frozen=True)
class Learner:
    """One of the class: how the submission is made and saved, and where it has to be placed.

    `checks` has a letter a check: p passed, f failed, ? unproven, - missing.  `review` are the
    codes that ask for a human eye, `notes` further codes that are told among others.
    """

    number: int
    make: Callable[[Learner], Book | Files]
    checks: str = "ppppp"
    review: str = ""
    notes: str = ""
    answered: int = 4
    save: Callable[[Learner, Path], object] | None = None

    @property
    def id(self) -> str:
        return f"s{self.number:02}"

    @property
    def name(self) -> str:
        return f"{_FAMILIES[self.number % len(_FAMILIES)]} {_GIVEN[self.number // 8 % 8]}"

    @property
    def points(self) -> int:
        given = zip(POINTS, self.checks, strict=True)
        return sum(points for points, letter in given if letter == "p")

    @property
    def files(self) -> Files:
        made = self.make(self)
        return made.files() if isinstance(made, Book) else made


def write(folder: Path) -> list[Learner]:
    """Write the roster and everybody's submission; return the class."""
    learners = everybody()
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    with (folder / "roster.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["学籍番号", "氏名", "グループ"])
        rows.writerows([learner.id, learner.name, "AB"[learner.number % 2]] for learner in learners)
    for learner in learners:
        (learner.save or in_folder)(learner, inbox)
    return learners


# Saving: how a submission reaches the inbox.


def in_folder(learner: Learner, inbox: Path) -> Path:
    """Save a folder as Moodle exports it."""
    number = 4000 + learner.number
    folder = inbox / f"{learner.id} {learner.name}_{number}_assignsubmission_file_"
    for name, data in learner.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def in_windows_zip(learner: Learner, inbox: Path) -> None:
    """Save a zip as Windows writes it: names in Shift_JIS, which it does not say."""
    names = {f"XXXX/{name}": data for name, data in learner.files.items()}
    data = zipped(names).replace(b"XXXX/", "提出/".encode("cp932"))
    (inbox / f"{learner.id}_{learner.name}.zip").write_bytes(data)


def twice(learner: Learner, inbox: Path) -> None:
    """Save an earlier submission without a cluster, and the one that counts."""
    earlier = making.hand_in(learner.name, seed=900 + learner.number, observe=no_cluster)
    for path in earlier.write(inbox / f"{learner.id}@{learner.name}").iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    in_folder(learner, inbox)


def flat(learner: Learner, inbox: Path) -> None:
    """Save files that have the learner's id before their names, in the inbox itself."""
    for name, data in learner.files.items():
        (inbox / f"{learner.id}_{name}").write_bytes(data)


def zipped(files: Files) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


# Honest, weak and careless learners.


def honest(learner: Learner) -> Book:
    return making.hand_in(learner.name, seed=learner.number)


def without_outputs(learner: Learner) -> Files:
    """The outputs were cleared before saving, and the journal was handed in."""
    book = honest(learner)
    for cell in book.cells():
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return {**book.files(), ".handson/journal.jsonl": book.journal()}


def on_aws(learner: Learner) -> Book:
    def in_own_account(check: str, observed: dict[str, Any]) -> None:
        observed.update(json.loads(json.dumps(observed).replace("123456789012", AWS["account"])))

    return making.hand_in(learner.name, seed=learner.number, target=AWS, observe=in_own_account)


def no_cluster(check: str, observed: dict[str, Any]) -> None:
    observed["clusters"] = []


def without_cluster(learner: Learner) -> Book:
    return making.hand_in(learner.name, seed=learner.number, observe=no_cluster)


def only_the_network(learner: Learner) -> Files:
    return {"01-network.ipynb": honest(learner).files()["01-network.ipynb"]}


def in_colab(learner: Learner) -> Files:
    """Cell ids and nbgrader's metadata are gone, Colab's own are there."""
    book = honest(learner)
    for number, cell in enumerate(book.cells()):
        del cell["id"]
        cell["metadata"] = {"id": f"x7Yz{number:08}"}
    return book.files()


# Copying and hostile learners.


def copied(learner: Learner) -> Book:
    """The learner before handed this in first."""
    return honest(Learner(learner.number - 1, honest))


def forged(learner: Learner) -> Book:
    """The evidence of the learner before, sealed anew under the learner's own name."""
    book = honest(learner)
    book.records.clear()
    for (cell, output), (_, other) in zip(book.outputs(), copied(learner).outputs(), strict=True):
        old = other["metadata"]["handson"]
        seen = Observation(old["check"], old["target"], old["observed"], old["requests"])
        when = making.STARTED + timedelta(days=2, minutes=len(book.records))
        record = making.seal(book, seen, learner=learner.name, observed_at=when)
        cell["outputs"] = [{**output, "metadata": {"handson": record}}]
    return book


def in_a_ring(learner: Learner) -> Book:
    """Three share one answer and write the rest themselves."""
    book = honest(learner)
    book.answer("why-registry", f"{ESSAY}\n{'はい。' * (learner.number % 3)}")
    return book


def replaced(learner: Learner) -> Files:
    """A cluster was written into a record that was sealed anew; the journal shows the true one."""
    book = without_cluster(learner)
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        if record["check"] == "cluster":
            observed = making.recorded()["cluster"]["observed"]
            output["metadata"]["handson"] = making.resealed(record, observed=observed)
    return {**book.files(), "journal.jsonl": book.journal()}


class _Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch pickle-was-loaded",)


def pickled(learner: Learner) -> Files:
    return {name: pickle.dumps(_Bomb()) for name in honest(learner).files()}


def damaged(learner: Learner) -> Files:
    files = honest(learner).files()
    files["02-cluster.ipynb"] = b'{"cells":' + b"[" * 200_000
    files["00-prepare.ipynb"] = files["00-prepare.ipynb"][:9_000]
    return files


def save_bomb(learner: Learner, inbox: Path) -> None:
    """Save a zip whose network notebook is too much when unpacked, and zips in zips in it."""
    nested = zipped({"more.zip": zipped({"more.zip": zipped({})})})
    files = {**learner.files, "01-network.ipynb": b" " * 7_000_000, "more.zip": nested}
    (inbox / f"{learner.id}.zip").write_bytes(zipped(files))


def save_ways_out(learner: Learner, inbox: Path) -> None:
    """Save a link to a neighbour's work, a sparse giant, a pipe and a name that leads out."""
    folder = in_folder(learner, inbox)
    (folder / "02-cluster.ipynb").unlink()
    neighbour = next(inbox.glob("s01*")) / "02-cluster.ipynb"
    (folder / "02-cluster.ipynb").symlink_to(neighbour)
    with (folder / "03-image (1).ipynb").open("wb") as giant:
        giant.truncate(2_000_000_000)
    os.mkfifo(folder / "04-evidence (1).ipynb")
    (folder / "way.zip").write_bytes(zipped({"../../s01/01-network.ipynb": b"{}"}))


def everybody() -> list[Learner]:
    """Return the class."""
    shared, gone = "same-request same-resource", "notebook-missing"
    refused = "file-link file-too-large file-device file-outside"
    placed: list[tuple[Callable[[Learner], Book | Files], dict[str, Any]]] = [
        *[(honest, {})] * 10,
        (without_outputs, {"notes": "metadata-restored"}),
        (honest, {"save": in_windows_zip}),
        (honest, {"save": twice, "notes": "earlier-left"}),
        (honest, {"save": flat}),
        (on_aws, {}),
        (without_cluster, {"checks": "pfppp"}),
        (only_the_network, {"checks": "p----", "review": gone, "notes": gone, "answered": 0}),
        (in_colab, {"notes": "cells-unknown grade-id-lost"}),
        (honest, {"review": f"same-record {shared} answers-alike"}),
        (copied, {"review": f"same-record {shared} answers-alike learner-other"}),
        (honest, {"review": shared}),
        (forged, {"review": shared}),
        *[(in_a_ring, {"review": "answers-alike"})] * 3,
        (replaced, {"review": "chain-forked not-in-journal"}),
        (pickled, {"checks": "-----", "review": "nothing-readable file-not-json", "answered": 0}),
        (damaged, {"checks": "p-ppp", "review": f"file-deep file-not-json {gone}", "notes": gone}),
        (honest, {"checks": "-pppp", "review": f"file-bomb file-nested {gone}", "save": save_bomb}),
        (honest, {"checks": "p-ppp", "review": f"{refused} {gone}", "save": save_ways_out}),
    ]
    return [Learner(number, make, **of) for number, (make, of) in enumerate(placed, 1)]
