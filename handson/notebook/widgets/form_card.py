"""A form with controls: rules answer while it is filled in, and a button makes what it says."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, Text

from handson.aws import settings
from handson.core import messages
from handson.core.cards import Card, CardPart, CommandBlock, Displayable, Note, Table
from handson.core.errors import HandsonError, InvalidInput
from handson.core.text import find_nearest, quote
from handson.notebook.scoring import SkippedCall
from handson.notebook.widgets.base import (
    FIELDS,
    LiveCard,
    ProgressBars,
    describe_error,
    render_answer,
    render_parts,
)
from handson.notebook.widgets.forms import CHOICES, FORMS, ConsoleForm, show_value
from handson.notebook.workshop import Workshop


class FormCard(LiveCard):
    """A form of the console that a learner fills in, and whose button makes what it says.

    Args:
        workshop: The workshop whose verbs the button calls.
        form: The form.
    """

    def __init__(self, workshop: Workshop, form: ConsoleForm) -> None:
        self._workshop = workshop
        self._form = form
        self.values = form.beginning
        self._made: list[Card] = []
        self._inputs: dict[str, Any] = {}
        self._at_work = threading.Lock()
        super().__init__()

    def card(self) -> Card:
        """Return the static card: the settings, the rules' answer, what would be made."""
        headers = [
            messages.text("notebook.widgets.column-setting"),
            messages.text("notebook.widgets.column-value"),
            messages.text("notebook.widgets.column-argument"),
        ]
        state, answer = self._judge()
        parts: list[CardPart] = [
            *self._introduction(),
            Note(messages.text("notebook.widgets.static")),
            Table(headers, self._form.rows(self.values)),
            *answer,
            *self._preview(state),
            self._cell(),
        ]
        return Card(messages.label("notebook.widgets.form", self._form.id), parts)

    def below(self) -> Sequence[Card]:
        """Return the cards of what was made, or one that says that nothing was."""
        return self._made or [Card(messages.text("notebook.widgets.nothing-yet"))]

    def fill_in(self, **values: Any) -> None:
        """Put values into the settings, as a learner who types them."""
        for name, value in values.items():
            self._inputs[name].value = value

    def make(self) -> None:
        """Make what the form says, with the workshop's verbs, and show errors below.

        Meanwhile another click does nothing: JupyterLab may handle it at the same time.
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
        self._say(messages.text("notebook.widgets.working"), state="info")
        self._show([])
        workshop = self._workshop.with_own_progress(self._bars, show=self._add)
        try:
            for result in self._form.make(workshop, dict(self.values)):
                self._add(result)
            self._say(messages.text("notebook.widgets.made"), state="ok")
        except HandsonError as error:
            failed = messages.text("notebook.widgets.not-made")
            self._say(failed, state="bad")
            self._show([*self._made, describe_error(failed, error)])
        except BaseException:
            interrupted = messages.text("notebook.widgets.broken-off")
            self._say(interrupted, state="warn")
            self._show([*self._made, Card(interrupted, state="warn")])
            raise
        finally:
            self._button.disabled = self._judge()[0] in _NOT_READY

    def make_controls(self) -> Sequence[Any]:
        self._inputs = {name: self._input(name) for name in self.values}
        self._answer, self._planned, self._code = HTML(), HTML(), HTML()
        self._status, progress = HTML(), HTML()
        self._bars = ProgressBars(progress)
        label = messages.label("notebook.widgets.button", self._form.id)
        self._button = Button(description=label, button_style="primary")
        self._button.on_click(lambda _: self.make())
        back = "notebook.widgets.clear" if self._form.asked else "notebook.widgets.reset"
        reset = Button(description=messages.text(back))
        reset.on_click(lambda _: self.fill_in(**self._form.beginning))
        for each in self._inputs.values():
            each.observe(self._changed, names="value")
        self._changed()
        fields = Box(list(self._inputs.values()))
        fields.add_class(FIELDS)
        return [
            HTML(render_parts(self._introduction())),
            fields,
            self._answer,
            HBox([self._button, reset]),
            self._status,
            progress,
            self._planned,
            self._code,
        ]

    def _input(self, setting: str) -> Any:
        label, value = self._form.label(setting), self.values[setting]
        if setting in CHOICES:
            choices = [(str(choice), choice) for choice in CHOICES[setting]]
            options = choices if value is not None else [("-", None), *choices]
            return Dropdown(options=options, value=value, description=label)
        if isinstance(value, bool):
            return Checkbox(value=value, description=label, indent=False)
        return Text(value=value, description=label)

    def _changed(self, _change: object = None) -> None:
        self.values = {name: each.value for name, each in self._inputs.items()}
        state, answer = self._judge()
        self._answer.value = render_answer(answer, state=state)
        self._planned.value = render_parts(self._preview(state))
        self._code.value = render_parts([self._cell()])
        self._button.disabled = state in _NOT_READY

    def _judge(self) -> tuple[str, Sequence[CardPart]]:
        """Return the state of the settings, a key of `COLOURS`, and the sentences that explain it.

        "advice" while settings are still to be filled in, "bad" where AWS would refuse them, "warn"
        where they are not the workshop's.
        """
        and_ = messages.text("notebook.widgets.and")
        unfilled = self._form.unfilled(self.values)
        if unfilled:
            sentence = messages.text("notebook.widgets.unfilled", what=and_.join(unfilled))
            return "advice", [Note(sentence, "advice")]
        try:
            self._form.check(self.values)
        except HandsonError as error:
            problem, remedy = error.lines()
            return "bad", [Note(problem), Note(remedy), *self._explain_arguments(remedy)]
        if self._form.asked:
            return "ok", [Note(messages.text("notebook.widgets.taken"), "ok")]
        usual = [
            f"{self._form.label(name)}: {show_value(self._form.usual[name])}"
            for name in self._form.differing(self.values)
        ]
        if not usual:
            return "ok", [Note(messages.text("notebook.widgets.accepted"), "ok")]
        sentence = messages.text("notebook.widgets.differs", what=and_.join(usual))
        return "warn", [Note(sentence, "warn")]

    def _explain_arguments(self, remedy: str) -> list[Note]:
        """Say what the form calls the arguments of a cell that a remedy names."""
        return [
            Note(
                messages.text("notebook.widgets.argument", name=name, label=self._form.label(name))
            )
            for name in self.values
            if re.search(rf"\b{name}=", remedy)
        ]

    def _preview(self, state: str) -> Sequence[CardPart]:
        if state == "advice":
            return []
        if state == "bad":
            return [Note(messages.text("notebook.widgets.will-make-nothing"))]
        heading = Note(messages.text("notebook.widgets.will-make") + ":")
        return [heading, *self._form.preview(self.values)]

    def _introduction(self) -> list[Note]:
        target = self._form.target
        intro = messages.label("notebook.widgets.intro", self._form.id)
        place = messages.label("notebook.widgets.place", target.kind, region=target.region)
        return [Note(intro), Note(place)]

    def _cell(self) -> CommandBlock:
        lines = self._form.cell(self.values)
        return CommandBlock(messages.text("notebook.widgets.cell"), lines, unfolded=True)

    def _say(self, sentence: str, *, state: str) -> None:
        self._status.value = render_answer([Note(sentence)], state=state)

    def _add(self, result: Displayable) -> None:
        self._show([*self._made, result.card()])

    def _show(self, cards: list[Card]) -> None:
        self._made = cards
        self.update()


_NOT_READY = ("advice", "bad")
"""The states of the settings in which the button does nothing."""


def form(workshop: Workshop | SkippedCall, name: str) -> FormCard | SkippedCall:
    """Return a form of the console: controls in JupyterLab, a static card elsewhere.

    Nothing is made before its button is pressed.  While nbgrader executes, there is no form.  In
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
    return FormCard(workshop, FORMS[name](workshop, blank=settings.is_assignment()))
