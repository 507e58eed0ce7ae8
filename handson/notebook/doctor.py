"""Is this machine ready: what a workshop needs, looked at one by one."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handson import engine
from handson.aws import Aws
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.cards import Card, Note, Shown, Table
from handson.core.errors import HandsonError
from handson.course.exercise import NetworkForm
from handson.resources import network

SCHEMA = "handson.doctor/1"
LAB_PORT = 8888
"""Where JupyterLab listens unless told otherwise."""

_HOST = "127.0.0.1"
_IN_LAB = "JPY_SESSION_NAME"
"""The Jupyter server sets it for the kernel of a notebook that is open in a browser."""
_WANTED_BYTES = 2_000_000_000
_OLDEST = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `state` is "ok", "advice" (it goes without) or "bad"."""

    id: str
    state: str
    seen: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the finding as a dict."""
        return {"id": self.id, "state": self.state, "seen": self.seen, "remedy": self.remedy}


@dataclass(frozen=True, repr=False)
class Diagnosis(Shown):
    """All findings; ready when none is "bad"."""

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Tell whether the workshop can be run on this machine."""
        return all(finding.state != "bad" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the diagnosis as ``handson.doctor/1``."""
        return {
            "schema": SCHEMA,
            "ready": self.ready,
            "findings": [finding.to_json() for finding in self.findings],
        }

    def card(self) -> Card:
        """Return the card: a line a finding, and what to do about what is missing."""
        headers = (
            "",
            messages.text("notebook.doctor.column-what"),
            messages.text("notebook.doctor.column-seen"),
        )
        rows = [
            (finding.state, messages.text(f"notebook.doctor.{finding.id}"), finding.seen)
            for finding in self.findings
        ]
        notes = [
            Note(
                f"{messages.text(f'notebook.doctor.{finding.id}')}: {finding.remedy}", finding.state
            )
            for finding in self.findings
            if finding.remedy
        ]
        verdict = "notebook.doctor.ready" if self.ready else "notebook.doctor.not-ready"
        state = "ok" if self.ready else "bad"
        return Card(messages.text(verdict), (Table(headers, rows), *notes), state=state)


def examine(settings: Settings, *, connect: Callable[[], Aws]) -> Diagnosis:
    """Look at this machine and return what was found; nothing is created.

    Args:
        settings: Where and who.
        connect: Reaches the target.
    """
    return Diagnosis(
        (
            _python(),
            *_target(settings, connect),
            _engine(settings),
            _drawing(),
            _ports(settings),
            _disk(settings),
        )
    )


def _python() -> Finding:
    seen = platform.python_version()
    if sys.version_info >= _OLDEST:
        return Finding("python", "ok", seen)
    return Finding("python", "bad", seen, messages.text("notebook.doctor.python-remedy"))


def _target(settings: Settings, connect: Callable[[], Aws]) -> tuple[Finding, ...]:
    """Look whether the target answers and, on real AWS, as whom and with which permissions."""
    try:
        aws = connect()
    except HandsonError as error:
        return (Finding("target", "bad", error.problem, error.remedy),)
    seen = f"{aws.endpoint or 'AWS'} ({aws.account}) · {settings.region}"
    target = Finding("target", "ok", seen)
    return (target, _caller(aws), _permissions(aws)) if aws.kind == "aws" else (target,)


def _caller(aws: Aws) -> Finding:
    seen = aws.caller.rpartition(":")[2]  # the user or role; the account stands with the target
    if aws.is_root:
        return Finding("caller", "advice", seen, messages.text("notebook.workshop.root"))
    return Finding("caller", "ok", seen)


def _permissions(aws: Aws) -> Finding:
    """Ask AWS with dry runs; they reach as far as EC2 calls that need nothing made before."""
    try:
        network.require_permissions(aws, NetworkForm())
    except HandsonError as error:
        return Finding("permissions", "bad", error.problem, error.remedy)
    return Finding("permissions", "ok", messages.text("notebook.doctor.permissions-asked"))


def _engine(settings: Settings) -> Finding:
    try:
        chosen = engine.choose(
            settings.engine,
            real_aws=settings.target == "aws",
            docker_host=settings.docker_host,
        )
        info = chosen.describe()
    except HandsonError as error:
        return Finding("engine", "bad", error.problem, error.remedy)
    parts = [f"{info.product or info.name} {info.version}", info.platform]
    if chosen.name == "builtin":
        return Finding(
            "engine", "advice", " · ".join(parts), messages.text("notebook.doctor.engine-builtin")
        )
    free = info.free_bytes
    if free is None:
        return Finding("engine", "ok", " · ".join(parts))
    seen = " · ".join((*parts, messages.text("notebook.doctor.free", size=engine.human_size(free))))
    if free >= _WANTED_BYTES:
        return Finding("engine", "ok", seen)
    return Finding("engine", "advice", seen, messages.text("notebook.doctor.engine-full"))


def _drawing() -> Finding:
    if _imports("pygraphviz"):
        return Finding("drawing", "ok", "pygraphviz")
    if shutil.which("dot"):
        return Finding("drawing", "ok", "dot")
    return Finding("drawing", "advice", "-", messages.text("notebook.doctor.drawing-remedy"))


def _imports(module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        return False
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _ports(settings: Settings) -> Finding:
    """Look whether a server can listen on this machine, and whether JupyterLab's port is free.

    Asked from a notebook in JupyterLab, the port has done its work already.
    """
    try:
        with socket.create_server((_HOST, 0)):
            pass
    except OSError as error:
        seen = f"{_HOST}: {error.strerror or error}"
        return Finding("ports", "bad", seen, messages.text("notebook.doctor.ports-remedy"))
    if settings.environ.get(_IN_LAB):
        return Finding("ports", "ok", messages.text("notebook.doctor.lab-open"))
    try:
        with socket.create_server((_HOST, LAB_PORT)):
            return Finding("ports", "ok", f"{_HOST}:{LAB_PORT}")
    except OSError:
        taken = messages.text("notebook.doctor.port-taken", port=LAB_PORT)
        return Finding("ports", "advice", taken, messages.text("notebook.doctor.port-next"))


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    seen = engine.human_size(free)
    if free >= _WANTED_BYTES:
        return Finding("disk", "ok", seen)
    return Finding("disk", "advice", seen, messages.text("notebook.doctor.disk-remedy"))
