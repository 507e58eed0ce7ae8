"""A class of sixty, and where each of them belongs.

    roster.csv      sixty learners, s01 to s60
    inbox/          what came in: folders as Moodle exports them, zips, folders named by hand

The placement of every learner (what becomes of each check, and which findings ask for a human eye)
is written here by hand, beside how the submission is made, and never computed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import random
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from handson.course import evidence
from handson.course.evidence import Observation

from . import making
from .making import Book

CHECKS = ("network", "cluster", "repository", "image", "image-uri")
ALL, NONE = "ppppp", "-----"
STATUSES = {"p": "passed", "f": "failed", "?": "unproven", "-": "missing"}
POINTS = dict(zip(CHECKS, (30, 15, 10, 15, 10), strict=True))
SINCE, UNTIL = "2026-05-10T00:00+00:00", "2026-05-20T00:00+00:00"
OWN_ACCOUNT = "112233445566"
AWS = {"kind": "aws", "account": OWN_ACCOUNT, "region": "us-east-1", "endpoint": None}

Files = dict[str, bytes]
Save = Callable[["Learner", Path], object]


@dataclass(frozen=True)
class Learner:
    """One of the class: how the submission is made, and where it has to be placed.

    `checks` has a letter a check: p passed, f failed, ? unproven, - missing.  `review` are the
    codes that ask for a human eye, `notes` further codes that are told among others.
    """

    number: int
    kind: str
    make: Callable[[Learner], Book | Files]
    checks: str = ALL
    review: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    answered: int = 4
    save: Save | None = None

    @property
    def id(self) -> str:
        return f"s{self.number:02}"

    @property
    def name(self) -> str:
        return f"{_FAMILIES[self.number % len(_FAMILIES)]} {_GIVEN[self.number // 8 % 8]}"

    @property
    def statuses(self) -> list[str]:
        return [STATUSES[letter] for letter in self.checks]

    @property
    def points(self) -> int:
        return sum(
            POINTS[check] for check, mark in zip(CHECKS, self.checks, strict=True) if mark == "p"
        )

    @property
    def folder(self) -> str:
        """The folder's name as Moodle gives it."""
        return f"{self.id} {self.name}_{4000 + self.number}_assignsubmission_file_"


_FAMILIES = ("山田", "佐藤", "鈴木", "高橋", "田中", "伊藤", "Nguyễn", "O'Brien")
_GIVEN = ("花子", "太郎", "Ana", "健", "Владимир", "美咲", "翔", "مريم")


@dataclass
class _Class:
    learners: list[Learner] = field(default_factory=list)

    def add(self, kind: str, make: Callable[[Learner], Book | Files], **placed: Any) -> None:
        codes = {name: frozenset(placed.pop(name, "").split()) for name in ("review", "notes")}
        self.learners.append(Learner(len(self.learners) + 1, kind, make, **codes, **placed))


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


def everybody() -> list[Learner]:
    """Return the class: 22 honest, 10 weak, 10 careless, 10 copying and 8 hostile learners."""
    room = _Class()
    _add_honest(room)
    _add_weak(room)
    _add_careless(room)
    _add_copying(room)
    _add_hostile(room)
    return room.learners


# Saving: how a submission reaches the inbox.


def files_of(learner: Learner) -> Files:
    made = learner.make(learner)
    return made.files() if isinstance(made, Book) else made


def in_folder(learner: Learner, inbox: Path) -> Path:
    return _written(inbox / learner.folder, files_of(learner))


def in_zip(learner: Learner, inbox: Path) -> None:
    data = zipped({f"notebooks/ja/{name}": data for name, data in files_of(learner).items()})
    (inbox / f"{learner.id}.zip").write_bytes(data)


def in_windows_zip(learner: Learner, inbox: Path) -> None:
    """A zip as Windows writes it: names in Shift_JIS, which it does not say."""
    names = {
        f"提出/{name}".encode("cp932").decode("cp437"): d for name, d in files_of(learner).items()
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            info = zipfile.ZipInfo(name)
            info.flag_bits &= ~0x800
            archive.writestr(info, data)
    (inbox / f"{learner.id}_{learner.name}.zip").write_bytes(
        target.getvalue().replace(b"\x00\x08\x00\x00", b"\x00\x00\x00\x00")
    )


def twice(learner: Learner, inbox: Path) -> None:
    """Two submissions: an earlier one without a cluster, and the one that counts."""
    earlier = making.hand_in(learner.name, seed=900 + learner.number, observe=no_cluster)
    old = earlier.write(inbox / f"{learner.id}@{learner.name}")
    for path in old.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    in_folder(learner, inbox)


def flat(learner: Learner, inbox: Path) -> None:
    """Files that have the learner's id before their names, in the inbox itself."""
    for name, data in files_of(learner).items():
        (inbox / f"{learner.id}_{name}").write_bytes(data)


def in_old_folder(learner: Learner, inbox: Path) -> None:
    in_folder(learner, inbox).rename(inbox / f"{learner.id} {learner.name}")


def _written(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(files: Files) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


# Honest.


def honest(learner: Learner) -> Book:
    return making.hand_in(learner.name, seed=learner.number)


def run_again(learner: Learner) -> Book:
    """The evidence cell of the network was run again at the end."""
    book = honest(learner)
    cell, output = next(book.outputs())
    old = output["metadata"]["handson"]
    seen = Observation(old["check"], old["target"], old["observed"], old["requests"])
    later = making.STARTED + timedelta(days=1)
    newest = dict(book.records[-1])
    record = making.resealed(
        evidence.seal(seen, learner=learner.name, previous=newest["digest"], observed_at=later)
    )
    cell["outputs"] = [{**output, "metadata": {"handson": record}}]
    book.records.append(record)
    return book


def with_journal(make: Callable[[Learner], Book]) -> Callable[[Learner], Files]:
    def made(learner: Learner) -> Files:
        book = make(learner)
        return {**book.files(), ".handson/journal.jsonl": book.journal()}

    return made


def named_by_id(learner: Learner) -> Book:
    return making.hand_in(learner.id, seed=learner.number)


def in_vs_code(learner: Learner) -> Files:
    """Sources as one text, metadata of VS Code's own, another indentation."""
    book = honest(learner)
    for cell in book.cells():
        cell["source"] = "".join(cell["source"])
        cell["metadata"] = {**cell["metadata"], "vscode": {"languageId": "python"}}
    return {f"{name}.ipynb": json.dumps(nb).encode() for name, nb in book.notebooks.items()}


def with_own_cells(learner: Learner) -> Book:
    book = honest(learner)
    for number, notebook in enumerate(book.notebooks.values()):
        own = {"cell_type": "markdown", "id": f"own-{number}", "metadata": {}, "source": "メモ"}
        notebook["cells"].insert(3, own)
    return book


def on_aws(learner: Learner) -> Book:
    return making.hand_in(learner.name, seed=learner.number, target=AWS, observe=_in_own_account)


def _in_own_account(check: str, observed: dict[str, Any]) -> None:
    _everywhere(observed, "123456789012", OWN_ACCOUNT)


def quoting(learner: Learner) -> Book:
    """The answer to the first question quotes the course at length."""
    book = honest(learner)
    lesson = "".join(making.committed_cell("network-why")["source"])
    book.answer("why-network", f"{lesson}\n{learner.name} です。")
    return book


def _add_honest(room: _Class) -> None:
    for _ in range(11):
        room.add("honest", honest)
    room.add("honest", run_again, notes="chain-gap")
    room.add("honest", with_journal(run_again))
    room.add("honest", honest, save=in_zip)
    room.add("honest", honest, save=in_windows_zip)
    room.add("honest", honest, save=twice, notes="earlier-left")
    room.add("honest", honest, save=flat)
    room.add("honest", named_by_id, save=in_old_folder)
    room.add("honest", in_vs_code)
    room.add("honest", on_aws)
    room.add("honest", quoting)
    room.add("honest", quoting)


# Weak.


def seen(change: Callable[[str, dict[str, Any]], object]) -> Callable[[Learner], Book]:
    def made(learner: Learner) -> Book:
        return making.hand_in(learner.name, seed=learner.number, observe=change)

    return made


def no_cluster(check: str, observed: dict[str, Any]) -> None:
    observed["clusters"] = []


def no_way_out(check: str, observed: dict[str, Any]) -> None:
    for vpc in observed["vpcs"]:
        for table in vpc["route_tables"]:
            table["routes"] = [r for r in table["routes"] if r["target"] == "local"]


def other_block(check: str, observed: dict[str, Any]) -> None:
    for vpc in observed["vpcs"]:
        vpc["cidr"], vpc["cidrs"] = "10.1.0.0/16", ["10.1.0.0/16"]


def with_instances(check: str, observed: dict[str, Any]) -> None:
    for cluster in observed["clusters"]:
        cluster["container_instances"] = 2


def public(check: str, observed: dict[str, Any]) -> None:
    for repository in observed["repositories"]:
        repository["uri"] = "public.ecr.aws/a1b2c3d4/rails-app"


def for_arm(check: str, observed: dict[str, Any]) -> None:
    for image in observed["images"]:
        image["platforms"] = [{"os": "linux", "architecture": "arm64"}]


def no_image(check: str, observed: dict[str, Any]) -> None:
    observed["images"], observed["recorded_uri"] = [], None


def without_answers(learner: Learner) -> Book:
    book = honest(learner)
    for grade_id in ("why-network", "why-zones", "why-cluster", "why-registry"):
        book.cell(grade_id)["source"] = making.committed_cell(grade_id)["source"]
    return book


def without_diagram(learner: Learner) -> Book:
    book = honest(learner)
    book.cell("architecture-diagram").update(making.committed_cell("architecture-diagram"))
    return book


def only_the_network(learner: Learner) -> Files:
    return {"01-network.ipynb": honest(learner).files()["01-network.ipynb"]}


def _add_weak(room: _Class) -> None:
    room.add("weak", seen(no_way_out), checks="fpppp")
    room.add("weak", seen(other_block), checks="fpppp")
    room.add("weak", seen(no_cluster), checks="pfppp")
    room.add("weak", seen(with_instances), checks="pfppp")
    room.add("weak", seen(public), checks="ppfpp")
    room.add("weak", seen(for_arm), checks="pppfp")
    room.add("weak", seen(no_image), checks="pppff")
    room.add("weak", without_answers, answered=0)
    room.add("weak", without_diagram)
    room.add(
        "weak", only_the_network, checks="p----", answered=0,
        review="notebook-missing", notes="notebook-missing",
    )  # fmt: skip


# Careless.


def without_outputs(learner: Learner) -> Book:
    book = honest(learner)
    for cell in book.cells():
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return book


def elsewhere(learner: Learner) -> Book:
    """Everything was made in Tokyo."""

    def moved(check: str, observed: dict[str, Any]) -> None:
        _everywhere(observed, "us-east-1", "ap-northeast-1")

    return making.hand_in(learner.name, seed=learner.number, observe=moved)


def shuffled(learner: Learner) -> Book:
    book = honest(learner)
    cells = book.notebooks["01-network"]["cells"]
    place = next(n for n, cell in enumerate(cells) if cell["id"] == "network-evidence-record")
    cells.insert(2, cells.pop(place))
    return book


def repeated(learner: Learner) -> Book:
    book = honest(learner)
    cells = book.notebooks["05-architecture"]["cells"]
    place = next(n for n, cell in enumerate(cells) if cell["id"] == "why-zones")
    cells.insert(place + 1, dict(cells[place]))
    return book


def stripped(learner: Learner) -> Book:
    """An editor dropped the outputs' metadata; the cards are still there."""
    book = honest(learner)
    for _, output in list(book.outputs()):
        output["metadata"] = {}
    return book


def in_colab(learner: Learner) -> Files:
    """Cell ids and nbgrader's metadata are gone, Colab's own are there."""
    book = honest(learner)
    for number, cell in enumerate(book.cells()):
        del cell["id"]
        cell["metadata"] = {"id": f"x7Yz{number:08}"}
    for notebook in book.notebooks.values():
        notebook.update(nbformat_minor=0, metadata={"colab": {"provenance": []}})
    return book.files()


def nameless(learner: Learner) -> Book:
    return making.hand_in("", seed=learner.number)


def at(days: int) -> Callable[[Learner], Book]:
    def made(learner: Learner) -> Book:
        started = making.STARTED + timedelta(days=days)
        return making.hand_in(learner.name, seed=learner.number, started=started)

    return made


def _add_careless(room: _Class) -> None:
    room.add("careless", without_outputs, checks=NONE, review="outputs-missing")
    room.add("careless", with_journal(without_outputs), notes="metadata-restored")
    room.add("careless", elsewhere, review="region-other")
    room.add("careless", shuffled, review="cells-moved")
    room.add("careless", repeated, review="cells-twice")
    room.add("careless", stripped, checks=NONE, review="metadata-stripped")
    room.add("careless", in_colab, notes="cells-unknown grade-id-lost")
    room.add("careless", nameless, notes="learner-unnamed")
    room.add("careless", at(-300), review="too-early")
    room.add("careless", at(30), review="too-late")


# Copying. Seeds above 500 make those who are copied from.


def copied_from(make: Callable[[Learner], Book]) -> Callable[[Learner], Book]:
    """The learner's neighbour, who is the learner before, handed this in first."""

    def made(learner: Learner) -> Book:
        return make(_before(learner))

    return made


def forged(learner: Learner) -> Book:
    """The neighbour's evidence, sealed anew under the learner's own name."""
    book = honest(learner)
    theirs = list(honest(_before(learner)).outputs())
    book.records.clear()
    for (cell, output), (_, other) in zip(list(book.outputs()), theirs, strict=True):
        old = other["metadata"]["handson"]
        seen_then = Observation(old["check"], old["target"], old["observed"], old["requests"])
        when = making.STARTED + timedelta(days=2, minutes=len(book.records))
        record = making.seal(book, seen_then, learner=learner.name, observed_at=when)
        cell["outputs"] = [{**output, "metadata": {"handson": record}}]
    return book


def with_their_answers(learner: Learner) -> Book:
    """The neighbour's answers, with a word changed here and there."""
    book = honest(learner)
    theirs = honest(_before(learner))
    for grade_id in ("why-network", "why-cluster"):
        text = "".join(theirs.cell(grade_id)["source"])
        book.cell(grade_id)["source"] = text.replace("困ります", "大変です").replace("実は", "")
    return book


ESSAY = (
    "倉庫の鍵を一つだけ預けておけば、店長が替わっても荷物を探さずに済むからです。\n"
    "前の職場では、だれがどの箱を出したのか分からなくなり、古い商品を送ってしまいました。\n"
    "同じ過ちを繰り返さないように、出入りを記録する場所へまとめて置きます。"
)


def in_a_ring(learner: Learner) -> Book:
    """Three share one answer and write the rest themselves."""
    book = honest(learner)
    book.answer("why-registry", f"{ESSAY}\n{'はい。' * (learner.number % 3)}")
    return book


def handed_out(learner: Learner) -> Book:
    """Nothing was run: the outputs are the committed ones, which have cards and no records."""
    return Book(dict(making.committed()))


def _before(learner: Learner) -> Learner:
    return Learner(learner.number - 1, learner.kind, honest)


def _add_copying(room: _Class) -> None:
    shared = "same-request same-resource"
    room.add("copying", honest, review=f"same-record {shared} answers-alike")
    room.add(
        "copying", copied_from(honest),
        review=f"same-record {shared} answers-alike learner-other",
    )  # fmt: skip
    room.add("copying", honest, review=shared)
    room.add("copying", forged, review=shared)
    room.add("copying", honest, review="answers-alike")
    room.add("copying", with_their_answers, review="answers-alike")
    room.add("copying", in_a_ring, review="answers-alike")
    room.add("copying", in_a_ring, review="answers-alike")
    room.add("copying", in_a_ring, review="answers-alike")
    room.add("copying", handed_out, checks=NONE, review="metadata-stripped", answered=0)


# Hostile.


def edited(learner: Learner) -> Book:
    """No cluster was there, and one was written into the record by hand."""
    book = making.hand_in(learner.name, seed=learner.number, observe=no_cluster)
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        if record["check"] == "cluster":
            observed = making.recorded()["cluster"]["observed"]
            output["metadata"]["handson"] = {**record, "observed": observed, "passed": True}
    return book


def replaced(learner: Learner) -> Files:
    """The edited record was sealed anew, and the journal shows the true one."""
    book = making.hand_in(learner.name, seed=learner.number, observe=no_cluster)
    journal = book.journal()
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        if record["check"] == "cluster":
            observed = making.recorded()["cluster"]["observed"]
            output["metadata"]["handson"] = making.resealed(record, observed=observed)
    return {**book.files(), "journal.jsonl": journal}


def as_if_on_aws(learner: Learner) -> Book:
    """The target of a sealed record was changed to real AWS, what it observed was not."""
    book = honest(learner)
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        output["metadata"]["handson"] = making.resealed(record, target=AWS)
    return book


class _Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch pickle-was-loaded",)


def pickled(learner: Learner) -> Files:
    return {name: pickle.dumps(_Bomb()) for name in honest(learner).files()}


def deep(learner: Learner) -> Files:
    files = honest(learner).files()
    files["02-cluster.ipynb"] = b'{"cells":' + b"[" * 200_000
    files["00-prepare.ipynb"] = files["00-prepare.ipynb"][:9_000]
    return files


def half_a_character(learner: Learner) -> Files:
    """An answer ends with half a pair of surrogates, and a cell is a number."""
    book = honest(learner)
    book.notebooks["05-architecture"]["cells"].append(7)
    book.answer("why-zones", making.essay(random.Random(77)) + "HALF")
    files = {n: json.dumps(nb).encode() for n, nb in book.notebooks.items()}
    return {f"{n}.ipynb": d.replace(b"HALF", b"\\ud83d") for n, d in files.items()}


def save_bomb(learner: Learner, inbox: Path) -> None:
    """A zip whose network notebook is two gigabytes of zeros, and a zip within a zip within it."""
    files = files_of(learner)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            if name != "01-network.ipynb":
                archive.writestr(name, data)
        archive.writestr("01-network.ipynb", b" " * 7_000_000)
        archive.writestr("more.zip", zipped({"more.zip": zipped({"more.zip": zipped(files)})}))
    (inbox / f"{learner.id}.zip").write_bytes(target.getvalue())


def save_ways_out(learner: Learner, inbox: Path) -> None:
    """A folder with a link to a neighbour's work, a sparse giant, a pipe, a name that leads out."""
    folder = in_folder(learner, inbox)
    (folder / "02-cluster.ipynb").unlink()
    neighbour = sorted(inbox.glob("s01*"))[0] / "02-cluster.ipynb"
    (folder / "02-cluster.ipynb").symlink_to(neighbour)
    with (folder / "03-image (1).ipynb").open("wb") as giant:
        giant.truncate(2_000_000_000)
    os.mkfifo(folder / "04-evidence (1).ipynb")
    (folder / "way.zip").write_bytes(zipped({"../../s01/01-network.ipynb": b"{}"}))
    assert stat.S_ISFIFO((folder / "04-evidence (1).ipynb").stat().st_mode)


def _add_hostile(room: _Class) -> None:
    room.add("hostile", edited, checks="p?ppp", review="digest-broken")
    room.add("hostile", replaced, review="chain-forked not-in-journal")
    room.add("hostile", as_if_on_aws, checks="?????", review="target-contradiction")
    room.add("hostile", pickled, checks=NONE, answered=0, review="nothing-readable file-not-json")
    room.add(
        "hostile", deep, checks="p-ppp", review="file-deep file-not-json notebook-missing",
        notes="notebook-missing",
    )  # fmt: skip
    room.add("hostile", half_a_character, review="cells-broken")
    room.add(
        "hostile", honest, checks="-pppp", save=save_bomb,
        review="file-bomb file-nested notebook-missing",
    )  # fmt: skip
    room.add(
        "hostile", honest, checks="p-ppp", save=save_ways_out,
        review="file-link file-too-large file-device file-outside notebook-missing",
    )  # fmt: skip


def _everywhere(observed: dict[str, Any], old: str, new: str) -> None:
    changed = json.loads(json.dumps(observed).replace(old, new))
    observed.clear()
    observed.update(changed)
