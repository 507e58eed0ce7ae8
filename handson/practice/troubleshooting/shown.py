"""What the verbs answer: something broke, a hint, mended or not yet."""

from __future__ import annotations

from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import Card, Note, Part, Rows, Shown, warning
from handson.course.checks import Diagnosis, Verification

STEPS = (1, 2, 3)
"""Of the hints: where to look, what is wrong in general words, the diagnosis with its remedy."""


@dataclass(frozen=True, repr=False)
class Broken(Shown):
    """Something is broken, and what it is like; not what it is.

    Attributes:
        seed: What chose it: the same number breaks the same thing for everybody.
        symptom: What somebody reports who suffers from it.
        fresh: It was broken just now, and not by an earlier call.
        asked: The seed that was given, or None.
        earlier: The seed of the one before it, when that was found mended just now.
    """

    seed: int
    symptom: str
    fresh: bool
    asked: int | None = None
    earlier: int | None = None

    def card(self) -> Card:
        """Return the card: the seed, the symptom, and how to go on."""
        notes = []
        if self.earlier is not None:
            notes.append(Note(_said("earlier", seed=self.earlier), "ok"))
        if not self.fresh:
            other = self.asked not in (None, self.seed)
            key = "still-other" if other else "still"
            notes.append(Note(_said(key, seed=self.seed, asked=self.asked)))
        rows = [
            (_said("row-seed"), str(self.seed)),
            (_said("row-symptom"), self.symptom),
        ]
        title = _said("broken" if self.fresh else "still-broken")
        return Card(title, (*notes, Rows(rows), Note(_said("go-on"))), state="warn")


@dataclass(frozen=True, repr=False)
class Hints(Shown):
    """The hints up to a step.

    Attributes:
        seed: What chose the breakage.
        words: Where to look, and from the second step on what is wrong.
        diagnosis: The checks' own, from the third step on.
    """

    seed: int
    words: tuple[str, ...]
    diagnosis: Diagnosis | None = None

    @property
    def step(self) -> int:
        """The last step that is shown."""
        return len(self.words) + (self.diagnosis is not None)

    def card(self) -> Card:
        """Return the card: the hints, one below the other."""
        rows = [(_said(f"step-{number}"), words) for number, words in enumerate(self.words, 1)]
        parts: list[Part] = []
        if self.diagnosis is not None:
            rows.append((_said("step-3"), self.diagnosis.message))
            parts = [Note(f"→ {self.diagnosis.remedy}"), Note(_said("then"))]
        title = _said("hint", step=self.step, steps=len(STEPS), seed=self.seed)
        return Card(title, (Rows(rows), *parts), state="info")


@dataclass(frozen=True, repr=False)
class Mended(Shown):
    """Whether the checks pass again, and how many hints it took.

    Attributes:
        seed: What chose the breakage.
        hints: How many steps of hints were shown.
        verification: The checks, as they are now; the card gives no diagnosis away.
        what: What was wrong, in general words; empty while it still is.
        left: What was broken and still stands where the checks do not look, and what to do.
    """

    seed: int
    hints: int
    verification: Verification
    what: str = ""
    left: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        """All checks pass, and nothing that was broken is left."""
        return self.verification.passed and not self.left

    def card(self) -> Card:
        """Return the card: mended or not yet, and the hints so far."""
        found = self.verification.checks
        counted = {"passed": sum(check.passed for check in found), "count": len(found)}
        rows = [
            (_said("row-seed"), str(self.seed)),
            (_said("row-hints"), _said("hints-used", count=self.hints, steps=len(STEPS))),
            (_said("row-checks"), _said("checks-passed", **counted)),
        ]
        if self.passed:
            rows.append((_said("row-what"), self.what))
            return Card(_said("mended"), (Rows(rows), Note(_said("again"))), state="ok")
        parts = [part for said in self.left for part in warning(*said)]
        if not parts:
            parts = [Note(_said("try-on" if self.hints < len(STEPS) else "try-on-all"))]
        return Card(_said("not-mended"), (Rows(rows), *parts), state="bad")


def _said(key: str, **values: object) -> str:
    return messages.text(f"practice.troubleshooting.{key}", **values)
