"""What is imported at its first use, so that `handson.start` loads no more than it needs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

_MANY = 50_000
"""How many new objects the garbage collector waits for; a notebook makes as many."""


class Late:
    """Stands for a module ("name:") or an object in it ("name:object") until it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(resolve_name(self._name), name)


def load_late(package: str, names: str) -> dict[str, Late]:
    """Return modules of a package by name, for a module's `globals`: each is imported when used.

    Import them under `TYPE_CHECKING` as well, for type checkers and the rules of imports.
    """
    return {name: Late(f"{package}.{name}:") for name in names.split()}


@contextmanager
def load_to_stay() -> Iterator[None]:
    """Keep the garbage collector from looking through what is imported in the block.

    Modules stay loaded, so it finds nothing there, and looking again and again takes a tenth of a
    start.  It looks more rarely from then on.  In IPython all this holds for the block alone: by
    then, there are a learner's own objects as well.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if "IPython" not in sys.modules:
            gc.freeze()
            if 0 < gc.get_threshold()[0] < _MANY:  # what the program has chosen stays
                gc.set_threshold(_MANY)
        if collects:
            gc.enable()
