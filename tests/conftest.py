"""What every test gets: a clean environment, a closed network, and `require`.

    require    require("engine", available, "no engine answers at DOCKER_HOST") skips the test and
               says what it lacks, or fails it where HANDSON_REQUIRE names "engine" (CI does)
    FULL       whether HANDSON_FULL asks for the tests marked `full` too, and for other examples
               of Hypothesis each time (`make test-full`)

In a module: ``from tests.conftest import require``; it is also a fixture of that name.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from handson.core import messages
from tests import tally

# jsonschema compiles dozens of grammars where it finds this, for addresses that no test asks it of.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# A shell's `&` ignores SIGINT, and the processes that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FULL = bool(os.environ.get("HANDSON_FULL"))
"""Whether the tests that are marked `full` are run, too."""

REQUIRED = frozenset(filter(None, os.environ.get("HANDSON_REQUIRE", "").split(",")))
TESTS = Path(__file__).parent
FIRST = ("hub", "site", "browser", "notebooks", "engine", "emulator", "simulated_aws")
"""The folders whose tests take longest and wait most; in a parallel run they are begun first."""
# Whatever would lead a test to the developer's own account, registry login, settings or notebook.
OWN_PREFIXES = (
    *("AWS_", "HANDSON_", "DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "BOTO_CONFIG"),
    "JPY_SESSION_NAME",
)

settings.register_profile("full", deadline=None, print_blob=True)
settings.load_profile("full" if FULL else "ci")  # "ci" is Hypothesis's own: the same each time


def require(name: str, available: bool, reason: str) -> None:
    """Skip the running test unless `available`; fail it where HANDSON_REQUIRE lists `name`."""
    if available:
        return
    if name in REQUIRED:
        pytest.fail(f"HANDSON_REQUIRE names {name}, but {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one process more than there are cores: the browser's tests wait more than they work."""
    return min(os.cpu_count() or 1, 4) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and leave out the tests marked `full` without HANDSON_FULL."""
    items.sort(key=_place)
    if FULL:
        return
    seldom = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=seldom)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_collection_finish() -> None:
    """Let Python look seldom for garbage, and not among what was imported: that takes a while."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Count a test that tries an entry of a catalogue."""
    what = tally.ENTRIES.get(getattr(item, "originalname", ""))
    skipped = call.excinfo and call.excinfo.errisinstance(pytest.skip.Exception)
    if what and call.when == "call" and not skipped and isinstance(item, pytest.Function):
        where = tally.EMULATORS[item.callspec.id.partition("-")[0]]
        tally.count(what, call.excinfo is None, where=where)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was counted to the process that started this one, where there is one."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = [(*key, n) for key, n in tally.COUNTS.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a process of a parallel run has counted."""
    for what, where, passed, number in getattr(node, "workeroutput", {}).get("counts", ()):
        tally.COUNTS[what, where, passed] += number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted, where one process runs the tests or the others are done."""
    for line in tally.describe_counts():
        terminalreporter.write_line(line)


@pytest.fixture(name="require", scope="session")
def require_fixture() -> Callable[[str, bool, str], None]:
    return require


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave nothing of the developer's in reach, in this process and in those it starts.

    HOME is an empty folder; DOCKER_HOST stays, because it says where the engine is.
    """
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
            patch.delenv(name)
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(home / "no-config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        yield


@pytest.fixture(autouse=True)
def japanese() -> Iterator[None]:
    """Start every test in the default language, whatever the one before it spoke."""
    messages.use("ja")
    yield
    messages.use("ja")


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """Refuse connections that leave this machine, so that no test can reach real AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _only_known(socket.getaddrinfo))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of this checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the embedded AWS of this process (`tests.emulator.hooks.Inside`); there is one."""
    from handson.aws.emulator.in_process import open_in_process
    from tests.emulator.hooks import Inside

    door = open_in_process(tmp_path_factory.mktemp("in-process"), region="us-east-1")
    return Inside.of(door, region="us-east-1")


def _place(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


def _only_here(original: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise OSError(f"tests may not leave this machine: {address}")
        return original(self, *arguments)

    return guarded


def _only_known(original: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        if host and not _is_here(host):
            raise socket.gaierror(socket.EAI_NONAME, f"tests may not leave this machine: {host}")
        return original(host, *arguments, **options)

    return guarded


def _is_here(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        address = ip_address(name.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
