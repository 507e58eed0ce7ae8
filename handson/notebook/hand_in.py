"""What is handed in: one zip of the saved notebooks and the journal, and what it still lacks.

Grading itself reads the files, so that a learner sees what an instructor will see.  The journal
goes with the notebooks, because it keeps records that a notebook has lost.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from handson import grading
from handson.core import messages
from handson.core.cards import Card, Displayable, Note, Table, list_fields
from handson.core.files import SHARED, shorten_path, write_whole
from handson.core.host import IN_TAB
from handson.course import syllabus
from handson.course.course import Course
from handson.course.evidence import HAND_IN, Record, as_lines
from handson.grading import CheckMark, Learner, Result, claims, findings, tokens
from handson.grading.export_names import make_zip_name
from handson.notebook.evidence_cards import name_learner

_OK = "ok"


class Item(NamedTuple):
    """Something that is asked for: its state, its name, and the notebook or file to look at."""

    state: str
    label: str
    place: str = ""


class HandInFile(Displayable, Struct, frozen=True):
    """The zip to hand in, and what grading read in it.

    Attributes:
        path: The zip.
        learner: The learner's name.
        result: What grading read.
        records: The records of the journal.
    """

    path: Path
    learner: str
    result: Result
    records: Sequence[Record]

    @property
    def items(self) -> list[Item]:
        """What is asked for; what is not as it should be comes first."""
        return sorted(self._list_items(), key=lambda item: item.state == _OK)

    @property
    def gaps(self) -> list[Item]:
        """What is missing, has not passed, or is not saved."""
        return [item for item in self.items if item.state != _OK]

    def card(self) -> Card:
        """Return a card with each item, and with what to do where one is not as it should be."""
        rows, remedies = [], {}
        for state, label, place in self.items:
            said = messages.label("notebook.hand-in.state", state)
            rows.append((_OK if state == _OK else "warn", label, said, place))
            if state != _OK:
                remedies[state] = Note(f"→ {messages.label('notebook.hand-in.remedy', state)}")
        values = {"hand-in": shorten_path(self.path), "learner": name_learner(self.learner)}
        about = list_fields("notebook.workshop.row", values)
        title = messages.text("notebook.hand-in.complete")
        if remedies:
            title = messages.text("notebook.hand-in.incomplete", count=len(self.gaps))
        table = Table.labelled("notebook.hand-in.column", ("", "item", "", "place"), rows)
        save = (Note(messages.text("notebook.hand-in.in-tab")),) if IN_TAB else ()
        state = "warn" if remedies else "ok"
        return Card(title, (about, *save, table, *remedies.values()), state=state)

    def _list_items(self) -> Iterator[Item]:
        if not self.learner:
            yield Item("no-name", messages.text("notebook.workshop.row.learner"))
        for finding in self.result.to_review():
            if finding.code == "notebook-missing":
                for name in finding.values["notebooks"].split(", "):
                    is_running = name == syllabus.DIAGRAM.notebook  # saving it brings it back
                    yield Item("unsaved" if is_running else "no-notebook", name, name)
            elif finding.code.startswith("file-"):
                yield Item("unreadable", str(finding.where), str(finding.where))
        drawing = self.result.diagram.check
        for mark in (*self.result.checks, *([drawing] if drawing else ())):
            notebook = syllabus.find_check(mark.id).notebook
            yield Item(self._judge(mark), findings.check_label(mark.id), notebook)
        for number, answer in enumerate(self.result.answers, start=1):
            state = _OK if answer.status == "answered" else "unanswered"
            label = messages.text("notebook.hand-in.question", number=number)
            yield Item(state, label, syllabus.DIAGRAM.notebook)

    def _judge(self, mark: CheckMark) -> str:
        proof = mark.proof
        if proof is None:
            return "missing"
        digests = [each["digest"] for each in self.records if each["check"] == mark.id]
        if proof.digest in digests[:-1]:
            return "unsaved"  # what counts is the notebook's record, an older one
        if mark.status != "passed":
            return "failed"
        if self.learner and not Learner(self.learner).is_named(proof.learner):
            return "other-name"
        return _OK if proof.source == claims.NOTEBOOK else "unsaved"


def write_hand_in(
    folder: Path,
    records: Sequence[Record],
    *,
    learner: str,
    home: Path,
    beside: Path,
    course: Course = Course(),
) -> HandInFile:
    """Write the zip into a folder, and the journal, which nbgrader reads beside the notebooks.

    The zip holds the notebooks as they are saved, the journal and, if the home folder has one, the
    signed proof.  The notebooks are the folder's; if it has none, those of the folder `beside`.

    Raises:
        NotReady: The folder or the disk does not take a file; the zip is as it was before.
    """
    path, buffer = folder / make_zip_name(learner), io.BytesIO()
    write_whole(folder / HAND_IN, as_lines(records), mode=SHARED)
    notebooks = sorted(folder.glob("*.ipynb")) or sorted(beside.glob("*.ipynb"))
    own = [*(book for book in notebooks if not book.name.startswith(".")), folder / HAND_IN]
    # Not packed: grading would take a large file that packs well for a bomb.
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        for file in (*own, home / tokens.FILE):
            with suppress(OSError):  # grading names what it cannot read
                archive.write(file, file.name)
    write_whole(path, buffer.getvalue(), mode=SHARED)
    result = grading.grade_files(path, (), course)
    return HandInFile(path, learner, result, records)
