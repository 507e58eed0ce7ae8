"""Check that this machine has what the workshop needs: the report of `handson doctor`."""

from __future__ import annotations

import importlib
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from handson import engine
from handson.aws import Aws
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.cards import Card, Displayable, Note, Table
from handson.core.errors import HandsonError
from handson.core.folders import SESSION
from handson.core.host import IN_TAB
from handson.course.owners import describe_owners, explain_neighbours
from handson.engine.model import format_size
from handson.resources import network
from handson.resources.snapshot import find_neighbours

SCHEMA = "handson.doctor/1"
LAB_PORT = 8888
"""The port of JupyterLab by default."""

_HOST = "127.0.0.1"
_WANTED_BYTES = 2_000_000_000


class MachineFinding(Struct, frozen=True):
    """One thing that was checked on this machine.

    `state` is "ok", "advice" (the workshop works without it) or "bad".
    """

    id: str
    state: str
    seen: str
    remedy: str = ""

    @property
    def label(self) -> str:
        """The name of what was checked, in the current language."""
        return messages.label("notebook.doctor.finding", self.id)


class MachineReport(Displayable, Struct, frozen=True):
    """All findings on this machine."""

    findings: tuple[MachineFinding, ...]

    @property
    def ready(self) -> bool:
        """Whether the workshop can be run on this machine: no finding is "bad"."""
        return all(finding.state != "bad" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``handson.doctor/1``."""
        findings = msgspec.to_builtins(self.findings)
        return {"schema": SCHEMA, "ready": self.ready, "findings": findings}

    def card(self) -> Card:
        """Return a card with a row for each finding and a note for each remedy."""
        rows = [(found.state, found.label, found.seen) for found in self.findings]
        advised = [found for found in self.findings if found.remedy]
        notes = [Note(f"{found.label}: {found.remedy}", found.state) for found in advised]
        table = Table.labelled("notebook.doctor.column", ("", "what", "seen"), rows)
        title = "notebook.doctor.ready" if self.ready else "notebook.doctor.not-ready"
        state = "ok" if self.ready else "bad"
        return Card(messages.text(title), (table, *notes), state=state)


def examine_machine(settings: Settings, *, connect: Callable[[], Aws]) -> MachineReport:
    """Check this machine and return the report; nothing is created.

    Args:
        settings: The settings of the workshop.
        connect: Connects to the target; its errors become findings.
    """
    findings = (
        MachineFinding("python", "ok", platform.python_version()),
        *_check_target(settings, connect),
        *(_describe_tab() if IN_TAB else _check_computer(settings)),
    )
    return MachineReport(findings)


def _advise(id: str, seen: str, remedy: str = "") -> MachineFinding:
    """Return a finding that is "advice" with a remedy, and "ok" without one."""
    return MachineFinding(id, "advice" if remedy else "ok", seen, remedy)


def _report_errors(id: str, check: Callable[[], MachineFinding]) -> MachineFinding:
    """Return the finding of a check, which is "bad" where the check raises an error."""
    try:
        return check()
    except HandsonError as error:
        return MachineFinding(id, "bad", error.problem, error.remedy)


def _check_target(settings: Settings, connect: Callable[[], Aws]) -> Iterator[MachineFinding]:
    """Check that the target answers and, on real AWS, the caller and its permissions."""
    try:
        aws = connect()
    except HandsonError as error:
        yield MachineFinding("target", "bad", error.problem, error.remedy)
        return
    yield _advise("target", f"{aws.endpoint or 'AWS'} ({aws.account}) · {settings.region}")
    if aws.kind == "aws":
        user = aws.caller.rpartition(":")[2]  # without the account, which the target's row shows
        remedy = messages.text("notebook.workshop.root") if aws.is_root else ""
        yield _advise("caller", user, remedy)
        yield _report_errors("permissions", lambda: _check_permissions(aws, settings))
    if aws.owners.own:
        others, unseen = find_neighbours(aws, home=settings.home, exercise=settings.exercise)
        seen, remedy = describe_owners(*others) or "-", ""
        if others:
            remedy = explain_neighbours(others, region=aws.region)[1]
        elif unseen:
            seen, remedy = unseen[0].problem, unseen[0].remedy
        yield _advise("learners", seen, remedy)


def _describe_tab() -> Iterator[MachineFinding]:
    """Say what a browser's tab cannot do, which nobody can mend in it."""
    engine = messages.text("notebook.doctor.engine-builtin")
    yield _advise("engine", "builtin", engine)
    yield _advise("tab", sys.platform, messages.text("notebook.doctor.tab-remedy"))


def _check_computer(settings: Settings) -> Iterator[MachineFinding]:
    yield _report_errors("engine", lambda: _check_engine(settings))
    yield _check_drawing()
    yield _check_ports(settings)
    yield _check_disk(settings)


def _check_permissions(aws: Aws, settings: Settings) -> MachineFinding:
    """Ask AWS with dry runs, which exist only for EC2 calls that need no earlier resource."""
    network.plan_work(aws, settings.exercise.network)
    return _advise("permissions", messages.text("notebook.doctor.permissions-asked"))


def _check_engine(settings: Settings) -> MachineFinding:
    real_aws, host = settings.target == "aws", settings.docker_host
    chosen = engine.choose_engine(settings.engine, real_aws=real_aws, docker_host=host)
    info = chosen.describe()
    seen = f"{info.product or info.name} {info.version} · {info.platform}"
    advice = [chosen.setback.problem, chosen.setback.remedy] if chosen.setback else []
    if chosen.name == "builtin":
        advice.append(messages.text("notebook.doctor.engine-builtin"))
    free = info.free_bytes
    if free is not None:
        seen += " · " + messages.text("notebook.doctor.free", size=format_size(free))
        advice += [messages.text("notebook.doctor.engine-full")] if free < _WANTED_BYTES else []
    return _advise("engine", seen, " ".join(advice))


def _check_drawing() -> MachineFinding:
    with suppress(ImportError):  # also raised where the wheel's shared libraries are missing
        importlib.import_module("pygraphviz")
        return _advise("drawing", "pygraphviz")
    return _advise("drawing", "-", messages.text("notebook.doctor.drawing-remedy"))


def _check_ports(settings: Settings) -> MachineFinding:
    """Check that programs may listen, and that JupyterLab's port is free.

    An open notebook does not need that port any more.
    """
    try:
        socket.create_server((_HOST, 0)).close()
    except OSError as error:
        seen = f"{_HOST}: {error.strerror or error}"
        return MachineFinding("ports", "bad", seen, messages.text("notebook.doctor.ports-remedy"))
    if settings.environ.get(SESSION):
        return _advise("ports", messages.text("notebook.doctor.lab-open"))
    with suppress(OSError), socket.create_server((_HOST, LAB_PORT)):
        return _advise("ports", f"{_HOST}:{LAB_PORT}")
    taken = messages.text("notebook.doctor.port-taken", port=LAB_PORT)
    return _advise("ports", taken, messages.text("notebook.doctor.port-next"))


def _check_disk(settings: Settings) -> MachineFinding:
    free = shutil.disk_usage(settings.home).free
    full = free < _WANTED_BYTES
    remedy = messages.text("notebook.doctor.disk-remedy") if full else ""
    return _advise("disk", format_size(free), remedy)
