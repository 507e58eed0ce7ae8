"""A form with controls: rules answer while it is filled in, and a button makes what it says."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, Text

from handson.core import messages
from handson.core.cards import Card, CardPart, CommandBlock, Displayable, Note, Table
from handson.core.errors import HandsonError
from handson.core.text import write_literal
from handson.course import syllabus
from handson.course.activity import log_outcome
from handson.notebook.widgets import base
from handson.notebook.workshop import Workshop
from handson.resources import plan

Values = Mapping[str, Any]
"""The values that a form is filled in with, by setting."""

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "availability_zones": (1, 2, 3),
    "public_subnets": (0, 1, 2, 3),
    "private_subnets": (0, 1, 2, 3, 4, 5, 6),
    "tenancy": ("default", "dedicated"),
}
"""The settings that the console offers as a list; the others are text or a switch."""


class FormCard(base.LiveCard):
    """A form of the console that a learner fills in, and whose button makes what it says.

    A setting is called by the argument of the verb that takes it.

    Attributes:
        entry: Its name, the verb that takes its settings, and the settings that the learner
            decides, as the syllabus has them; the usual values of those settings stay secret.
        look: Returns what exists, as the form opens and after its button.
        usual: The exercise's value of each setting.
        beginning: The values to begin with: nothing for what is asked, else the usual ones.
        values: The values as they are now.
        aws: The connection of the last look.
        found: What the last look found.

    Args:
        workshop: The workshop whose verbs the button calls.
    """

    entry: ClassVar[syllabus.Form]
    look: ClassVar[Any]

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self.aws = workshop.aws
        self.found: Any = None
        self.target = self.aws.target
        self.exercise = workshop.settings.exercise
        self.usual = self.list_settings()
        # Nothing chosen, an empty text, or a switch that is off.
        empty = {n: None if n in CHOICES else type(self.usual[n])() for n in self.entry.settings}
        self.beginning = {**self.usual, **empty}
        self.values = dict(self.beginning)
        self._made: list[Card] = []
        self._at_work = threading.Lock()
        self._look()
        super().__init__()

    def list_settings(self) -> dict[str, Any]:
        """Return the settings with the exercise's values, in the order of the form."""
        raise NotImplementedError

    def preview(self, values: Values) -> list[CardPart]:
        """Return what would be made.

        Raises:
            InvalidInput: The verb would refuse the values, before any call.
        """
        raise NotImplementedError

    def find_existing(self, values: Values) -> bool:
        """Return whether the last look found a resource of that name.

        Raises:
            HandsonError: The verb would refuse the values because of what exists.
        """
        for each in self.found:
            if each.name == values["name"]:
                plan.refuse_foreign(self.aws, each)
                return True
        return False

    def make_arguments(self, values: Values) -> dict[str, Any]:
        """Return the arguments of the verb."""
        return dict(values)

    def call_verb(self, workshop: Workshop, values: Values) -> Iterator[Displayable]:
        """Make it with the workshop's verb, and yield each result as it is made."""
        yield getattr(workshop, self.entry.verb)(**self.make_arguments(values))

    def cell(self, values: Values) -> list[str]:
        """Return the lines of a cell that does the same.

        A setting outside the notebooks' own cells is left out while it has its usual value.
        """
        written = {
            name: value
            for name, value in self.make_arguments(values).items()
            if name in self.entry.settings or value != self.usual[name]
        }
        return format_cell_call(f"workshop.{self.entry.verb}", **written)

    def label(self, setting: str) -> str:
        """Return the name that the console gives to a setting."""
        return messages.label("notebook.widgets.setting", f"{self.entry.name}.{setting}")

    def static_card(self) -> Card:
        """Return the static card: the settings, the rules' answer, what would be made."""
        rows = [
            (self.label(name), show_value(value), write_argument(name, value))
            for name, value in self.values.items()
            if value or self.usual[name] != ""
        ]
        _, answer, preview = self._judged
        table = Table.labelled("notebook.widgets.column", ("setting", "value", "argument"), rows)
        parts: list[CardPart] = [*self._introduce(), table, *answer, *preview, self._cell()]
        return Card(messages.label("notebook.widgets.form", self.entry.name), parts)

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
        if self._at_work.acquire(blocking=False):
            try:
                self._make()
                self._look()
            finally:
                self._at_work.release()

    def make_controls(self) -> Sequence[Any]:
        self._inputs = {name: self._make_input(name) for name in self.values}
        self._answer, self._planned, self._code = HTML(), HTML(), HTML()
        self._status, progress = HTML(), HTML()
        self._bars = base.ProgressBars(progress)
        label = messages.label("notebook.widgets.button", self.entry.name)
        self._button = Button(description=label, button_style="primary")
        self._button.on_click(lambda _: self.make())
        reset = Button(description=messages.text("notebook.widgets.clear"))
        reset.on_click(lambda _: self.fill_in(**self.beginning))
        self._answer_values()
        fields = Box(list(self._inputs.values()))
        fields.add_class("handson-fields")
        introduction = HTML(base.render_parts(self._introduce()))
        buttons = HBox([self._button, reset])
        results = (self._status, progress, self._planned, self._code)
        return [introduction, fields, self._answer, buttons, *results]

    def _make_input(self, setting: str) -> Any:
        value, made = self.values[setting], {"description": self.label(setting)}
        if setting in CHOICES:
            options = [(str(choice), choice) for choice in CHOICES[setting]]
            blank = [("-", None)] if value is None else []
            field = Dropdown(options=blank + options, value=value, **made)
        elif isinstance(value, bool):
            field = Checkbox(value=value, indent=False, **made)
        else:
            field = Text(value=value, **made)
        field.observe(self._answer_values, names="value")
        return field

    def _answer_values(self, change: object = None) -> None:
        """Take the values of the fields, and show what the rules say of them."""
        if change and not self._at_work.locked():
            self._status.value = ""
            self._bars.clear()
        self.values = {name: each.value for name, each in self._inputs.items()}
        self._judged = state, answer, preview = self._judge()
        base.show_answer(self._answer, *answer, state=state)
        self._planned.value = base.render_parts(preview)
        self._code.value = base.render_parts([self._cell()])
        self._button.disabled = state in ("advice", "bad")
        self.update_static()

    def _judge(self) -> tuple[str, Sequence[CardPart], Sequence[CardPart]]:
        """Return the state of the settings, the sentences that explain it, and what they make.

        The state is a key of `COLOURS`: "advice" while settings are still to be filled in, "bad"
        where AWS would refuse them, "warn" where what exists is in the way.  That look is of some
        time ago, so the button stays.
        """
        empty = [name for name in self.entry.settings if self.values[name] in (None, "")]
        if empty:
            what = messages.text("notebook.widgets.and").join(map(self.label, empty))
            sentence = messages.text("notebook.widgets.unfilled", what=what)
            return "advice", [Note(sentence, "advice")], []
        try:
            made = self.preview(self.values)
        except HandsonError as error:
            nothing = messages.text("notebook.widgets.will-make-nothing")
            return "bad", self._explain(error), [Note(nothing)]
        taken = Note(messages.text("notebook.widgets.taken"), "ok")
        answer = [taken, *self._foresee()]
        state = "warn" if any(note.state == "warn" for note in answer) else "ok"
        heading = Note(messages.text("notebook.widgets.will-make") + ":")
        return state, answer, [heading, *made]

    def _look(self) -> None:
        self._unseen: HandsonError | None = None
        try:
            self.aws = self._workshop.aws.without_recording()
            self.found = type(self).look(self.aws)
        except HandsonError as error:
            self._unseen = error

    def _foresee(self) -> list[Note]:
        """Return what the last look says about the values, unless the button has just said it."""
        if self._status.value:
            return []
        sentence = messages.text("notebook.widgets.unseen")
        try:
            if self._unseen:
                raise self._unseen
            sentence = messages.text("notebook.widgets.would-stop")
            exists = self.find_existing(self.values)
        except HandsonError as error:
            return [Note(sentence, "warn"), *self._explain(error)]
        return [Note(messages.text("notebook.widgets.exists"), "info")] if exists else []

    def _explain(self, error: HandsonError) -> list[Note]:
        """Return the error, and the form's names for the arguments that its remedy names."""
        named = [name for name in self.values if re.search(rf"\b{name}=", error.remedy)]
        pairs = [{"name": name, "label": self.label(name)} for name in named]
        about = [messages.text("notebook.widgets.argument", **pair) for pair in pairs]
        return [Note(line) for line in (*error.lines(), *about)]

    def _introduce(self) -> list[Note]:
        kind, region = self.target.kind, self.target.region
        place = messages.label("notebook.widgets.place", kind, region=region)
        return [Note(messages.label("notebook.widgets.intro", self.entry.name)), Note(place)]

    def _cell(self) -> CommandBlock:
        title = messages.text("notebook.widgets.cell")
        return CommandBlock(title, self.cell(self.values), unfolded=True)

    def _make(self) -> None:
        self._button.disabled = True
        self._bars.clear()
        self._show_status(messages.text("notebook.widgets.working"), state="info")
        self._show([])
        workshop = self._workshop.with_own_progress(self._bars, show=self._add)
        try:
            for result in self.call_verb(workshop, dict(self.values)):
                self._add(result)
            self._show_status(messages.text("notebook.widgets.made"), state="ok")
            log_outcome(self, None)
        except HandsonError as error:
            failed = messages.text("notebook.widgets.not-made")
            self._show_status(failed, *self._explain(error), state="bad")
            self._show([*self._made, base.describe_error(failed, error)])
            log_outcome(self, error)
        except BaseException:
            interrupted = messages.text("notebook.widgets.broken-off")
            self._show_status(interrupted, state="warn")
            self._show([*self._made, Card(interrupted, state="warn")])
            raise
        finally:
            self._answer_values()

    def _show_status(self, sentence: str, *more: Note, state: str) -> None:
        base.show_answer(self._status, Note(sentence), *more, state=state)

    def _add(self, result: Displayable) -> None:
        self._show([*self._made, result.card()])

    def _show(self, cards: list[Card]) -> None:
        self._made = cards
        self.update()


def format_cell_call(function: str, *values: str, **arguments: Any) -> list[str]:
    """Return a call as the lines of a cell: values as they stand, then arguments by name."""
    given = [*values, *(write_argument(name, value) for name, value in arguments.items())]
    return [f"{function}(", *(f"    {each}," for each in given), ")"]


def write_argument(name: str, value: Any) -> str:
    """Return a setting as a cell's argument."""
    return f"{name}={'…' if value is None else write_literal(value)}"


def show_value(value: Any) -> str:
    """Return a setting's value as the console shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return messages.text("notebook.widgets.on" if value else "notebook.widgets.off")
    return str(value)
