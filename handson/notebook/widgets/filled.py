"""A form with controls: rules answer while it is filled in, and a button makes what it says."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, Text

from handson.aws import settings
from handson.core import messages
from handson.core.cards import Card, Commands, Note, Part, Shown, Table
from handson.core.errors import HandsonError, InvalidInput
from handson.core.text import find_nearest, quote
from handson.notebook.scoring import SkippedCall
from handson.notebook.widgets import forms
from handson.notebook.widgets.bars import Bars
from handson.notebook.widgets.forms import FORMS, Field, Form
from handson.notebook.widgets.live import FIELDS, Live, answer, html, refusal
from handson.notebook.workshop import Workshop


class Filled(Live):
    """A form of the console, filled in with the workshop's settings where they are not asked for.

    Args:
        workshop: Whose verbs the button takes.
        kind: The form.
    """

    def __init__(self, workshop: Workshop, kind: Form) -> None:
        self._workshop = workshop
        self._form = kind
        self.values = kind.beginning
        self._made: list[Card] = []
        self._inputs: dict[str, Any] = {}
        self._at_work = threading.Lock()
        super().__init__()

    def card(self) -> Card:
        """Return the static card: the settings, what the rules say, what would be made."""
        headers = [messages.text(f"notebook.widgets.column-{name}") for name in _COLUMNS]
        parts: list[Part] = [
            *self._about(),
            Note(messages.text("notebook.widgets.static")),
            Table(headers, forms.shown(self._form, self.values)),
            *self.answer(),
            *self.preview(),
            self._cell(),
        ]
        return Card(messages.text(f"notebook.widgets.form-{self._form.id}"), parts)

    def below(self) -> Sequence[Card]:
        """Return what was made, or that nothing was."""
        return self._made or [Card(messages.text("notebook.widgets.nothing-yet"))]

    def answer(self) -> Sequence[Part]:
        """Return what the rules say to the settings: taken, taken but other, or refused and why.

        While settings are asked for, it says which of them are still to be filled in.
        """
        unfilled = self._form.unfilled(self.values)
        if unfilled:
            labels = messages.text("notebook.widgets.and").join(map(self._form.label, unfilled))
            return [Note(messages.text("notebook.widgets.unfilled", what=labels), "advice")]
        refused = self._refused()
        if refused is not None:
            problem, remedy = refused.lines()
            return [Note(problem), Note(remedy), *self._named(remedy)]
        others = self._form.differing(self.values)
        if not others:
            taken = "taken" if self._form.blank else "accepted"
            return [Note(messages.text(f"notebook.widgets.{taken}"), "ok")]
        said = [
            messages.text(
                "notebook.widgets.differs-one",
                label=self._form.label(field),
                usual=forms.words(field.usual),
            )
            for field in others
        ]
        what = messages.text("notebook.widgets.and").join(said)
        return [Note(messages.text("notebook.widgets.differs", what=what), "warn")]

    def _named(self, remedy: str) -> list[Note]:
        """Say what the form calls the arguments of the cell that a remedy names."""
        named = [
            messages.text(
                "notebook.widgets.argument", name=field.name, label=self._form.label(field)
            )
            for field in self._form.fields
            if re.search(rf"\b{field.name}=", remedy)
        ]
        return [Note(said) for said in named]

    def preview(self) -> Sequence[Part]:
        """Return what the settings would make."""
        if self._form.unfilled(self.values):
            return []
        if self._refused() is not None:
            return [Note(messages.text("notebook.widgets.will-make-nothing"))]
        return [
            Note(messages.text("notebook.widgets.will-make") + ":"),
            *self._form.preview(self.values),
        ]

    def fill_in(self, **values: Any) -> None:
        """Put values into the settings, as somebody who types them."""
        for name, value in values.items():
            self._inputs[name].value = value

    def make(self) -> None:
        """Make what the form says, with the workshop's verbs; what went wrong is told below.

        While that goes on, another click does nothing: JupyterLab may handle it at the same time.
        """
        if not self._at_work.acquire(blocking=False):
            return
        try:
            self._make()
        finally:
            self._at_work.release()

    def _make(self) -> None:
        self._button.disabled = True
        self._bars.clear()
        self._say("working", state="info")
        self._tell([])
        there = self._workshop.beside(self._bars, show=self._add)
        try:
            for result in self._form.make(there, dict(self.values)):
                self._add(result)
            self._say("made", state="ok")
        except HandsonError as error:
            self._say("not-made", state="bad")
            self._tell([*self._made, refusal(messages.text("notebook.widgets.not-made"), error)])
        except BaseException:
            self._say("broken-off", state="warn")
            self._tell(
                [*self._made, Card(messages.text("notebook.widgets.broken-off"), state="warn")]
            )
            raise
        finally:
            self._button.disabled = self._state() in ("advice", "bad")

    def make_controls(self) -> Sequence[Any]:
        self._inputs = {field.name: self._input(field) for field in self._form.fields}
        self._answer, self._preview, self._code = HTML(), HTML(), HTML()
        self._said, progress = HTML(), HTML()
        self._bars = Bars(progress)
        self._button = Button(
            description=messages.text(f"notebook.widgets.button-{self._form.id}"),
            button_style="primary",
        )
        self._button.on_click(lambda _: self.make())
        back = "clear" if self._form.blank else "reset"
        reset = Button(description=messages.text(f"notebook.widgets.button-{back}"))
        reset.on_click(lambda _: self.fill_in(**self._form.beginning))
        for each in self._inputs.values():
            each.observe(self._changed, names="value")
        self._changed()
        fields = Box(list(self._inputs.values()))
        fields.add_class(FIELDS)
        return [
            HTML(html(self._about())),
            fields,
            self._answer,
            HBox([self._button, reset]),
            self._said,
            progress,
            self._preview,
            self._code,
        ]

    def _about(self) -> list[Note]:
        target = self._form.target
        intro = messages.text(f"notebook.widgets.intro-{self._form.id}")
        place = messages.text(f"notebook.widgets.place-{target.kind}", region=target.region)
        return [Note(intro), Note(place)]

    def _input(self, field: Field) -> Any:
        label, value = self._form.label(field), self.values[field.name]
        if field.choices:
            choices = [(str(choice), choice) for choice in field.choices]
            options = choices if value is not None else [("-", None), *choices]
            return Dropdown(options=options, value=value, description=label)
        if isinstance(field.usual, bool):
            return Checkbox(value=value, description=label, indent=False)
        return Text(value=value, description=label)

    def _changed(self, _change: object = None) -> None:
        self.values = {name: each.value for name, each in self._inputs.items()}
        state = self._state()
        self._answer.value = answer(self.answer(), state=state)
        self._preview.value = html(self.preview())
        self._code.value = html([self._cell()])
        self._button.disabled = state in ("advice", "bad")

    def _state(self) -> str:
        """Return how the settings stand: a key of `COLOURS`."""
        if self._form.unfilled(self.values):
            return "advice"
        if self._refused() is not None:
            return "bad"
        return "warn" if self._form.differing(self.values) else "ok"

    def _cell(self) -> Commands:
        lines = self._form.cell(self.values)
        return Commands(messages.text("notebook.widgets.cell"), lines, unfolded=True)

    def _refused(self) -> HandsonError | None:
        try:
            self._form.check(self.values)
        except HandsonError as error:
            return error
        return None

    def _add(self, result: Shown) -> None:
        self._tell([*self._made, result.card()])

    def _say(self, what: str, *, state: str) -> None:
        self._said.value = answer([Note(messages.text(f"notebook.widgets.{what}"))], state=state)

    def _tell(self, cards: list[Card]) -> None:
        self._made = cards
        self.update()


_COLUMNS = ("setting", "value", "argument")


def form(workshop: Workshop | SkippedCall, name: str) -> Filled | SkippedCall:
    """Return a form of the console: in JupyterLab it can be filled in, elsewhere it is a card.

    Nothing is made before its button is pressed, and while nbgrader executes there is no form.  In
    nbgrader's student version the settings that the notebook asks for are empty.

    Args:
        workshop: What `handson.start()` returned.
        name: One of network, cluster, repository, image.

    Raises:
        InvalidInput: There is no such form.
        HandsonError: AWS did not answer when it was asked for its zones.
    """
    if isinstance(workshop, SkippedCall):
        return SkippedCall()
    if name not in FORMS:
        near = find_nearest(str(name), FORMS) or next(iter(FORMS))
        values = {"form": quote(name), "choices": ", ".join(FORMS), "near": near}
        raise InvalidInput(*messages.advice("notebook.widgets.no-form", **values))
    return Filled(workshop, FORMS[name](workshop, blank=settings.is_assignment()))
