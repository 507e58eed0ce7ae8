"""The tree of errors.

    HandsonError            a problem, a remedy, and AWS's error code where AWS has one
    ├── InvalidInput        an argument or a file is wrong; nothing was created
    ├── NotReady            a prerequisite is missing: an engine, a folder, an earlier notebook
    ├── NotAllowed          credentials are missing, expired, of another account, or too weak
    ├── AWSError            AWS (or the embedded AWS) refused a call or did not answer
    │   └── AWSUnclear      the connection broke during a call: it may have taken effect
    ├── EngineError         the container engine or the image registry refused or failed
    └── WaitTimeout         a resource did not reach the wanted state in time

Each leaf asks the reader for another action: correct the input, do the missing step, check the
account, read AWS's answer, check the engine, try again later.  Callers name the two sentences by
their key: ``raise NotReady.from_key("engine.docker-stopped")``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Self

from handson.core import messages


@dataclass(eq=False, repr=False)
class HandsonError(Exception):
    """A problem and its remedy; a notebook shows these two lines instead of a traceback.

    Attributes:
        problem: What was found and what was expected, in one sentence.
        remedy: What to do about it, in one sentence.
        code: AWS's error code (``"InvalidVpc.Range"``), if AWS has one for this refusal.
        key: The key of the two sentences, where they have one.
    """

    problem: str
    remedy: str
    _: KW_ONLY
    code: str | None = None
    key: str = ""

    @classmethod
    def from_key(cls, key: str, /, *, aws_code: str | None = None, **values: object) -> Self:
        """Return an error with the two sentences of `key`, in the current language.

        Args:
            key: The key of a problem and a remedy in the messages, ``"engine.docker-stopped"``.
            aws_code: AWS's error code, if AWS has one for this refusal.
            values: The placeholders of the two sentences.

        Raises:
            KeyError: There is no such pair.
        """
        return cls(*messages.advice(key, **values), code=aws_code, key=key)

    @classmethod
    @contextmanager
    def replace_os_errors(cls, key: str, /, **values: object) -> Iterator[None]:
        """Raise an error with the sentences of `key` in place of an OSError in the block.

        Args:
            key: As in `from_key`.
            values: The placeholders of the two sentences, besides `reason`, the system's own words.
        """
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise cls(*messages.advice(key, **values, reason=reason), key=key) from error

    def lines(self) -> tuple[str, str]:
        """Return the two lines to read: the problem (with AWS's code) and the remedy."""
        code = f" [{self.code}]" if self.code else ""
        return f"✗ {self.problem}{code}", f"→ {self.remedy}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows instead of a traceback."""
        return list(self.lines())


class InvalidInput(HandsonError):
    """An argument or a file is wrong; it was refused before any call."""


class NotReady(HandsonError):
    """A prerequisite is missing: an engine, a folder, a library, an earlier notebook."""


@dataclass(eq=False, repr=False, kw_only=True)
class NotAllowed(HandsonError):
    """Credentials are missing, expired or of another account, or a permission is missing.

    Attributes:
        actions: The IAM actions that are not allowed ("ec2:CreateVpc"), if they are the reason.
        reason: AWS's own message on them, which names the kind of policy that refused.
    """

    actions: tuple[str, ...] = ()
    reason: str = ""


@dataclass(eq=False, repr=False, kw_only=True)
class AWSError(HandsonError):
    """AWS refused a call, or did not answer; `code` is AWS's error code.

    Attributes:
        repeatable: Whether the call can be repeated without harm: it was throttled, never reached
            AWS, only reads, or deletes.
        reason: AWS's own message, because one code may stand for several reasons.
    """

    repeatable: bool = False
    reason: str = ""


class EngineError(HandsonError):
    """The container engine or the image registry refused a request, or failed."""


class WaitTimeout(HandsonError):
    """A resource did not reach the wanted state in time."""


class AWSUnclear(AWSError):
    """The connection broke during a call, which may have taken effect: look before a retry."""
