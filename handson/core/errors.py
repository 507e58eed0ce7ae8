"""Everything that can go wrong, as one tree.

    HandsonError            a problem, a remedy, and AWS's error code where AWS has one
    ├── InvalidInput        an argument or a file is wrong; nothing was created
    ├── NotReady            something must be there first: an engine, a folder, an earlier notebook
    ├── NotAllowed          credentials are missing, expired, of another account, or too weak
    ├── AWSError            AWS (or the embedded AWS) refused a call or did not answer
    │   └── AWSUnclear      the call broke off: it may or may not have taken effect
    ├── EngineError         the container engine or the image registry refused or broke off
    └── WaitTimeout         a resource did not reach the wanted state in time

Every leaf asks something different of the reader: mend the input, do the missing step, sort out
the account, read AWS's answer, look at the engine, try again later.  Callers pass the two
sentences already in the learner's language: ``raise NotReady(*messages.advice("engine.stopped"))``.
"""

from __future__ import annotations

from collections.abc import Sequence


class HandsonError(Exception):
    """A problem and its remedy, shown in a notebook as those two lines and not as a traceback.

    Args:
        problem: What was seen and what was wanted, in one sentence.
        remedy: What to do about it, in one sentence.
        code: AWS's own error code (``"InvalidVpc.Range"``) when AWS has one for this refusal.
    """

    def __init__(self, problem: str, remedy: str, *, code: str | None = None) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy
        self.code = code

    def lines(self) -> tuple[str, str]:
        """Return the two lines a person reads: the problem (with AWS's code) and the remedy."""
        code = f" [{self.code}]" if self.code else ""
        return f"✗ {self.problem}{code}", f"→ {self.remedy}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _render_traceback_(self) -> list[str]:
        """Answer IPython, which shows these lines in the place of a traceback."""
        return list(self.lines())


class InvalidInput(HandsonError):
    """An argument or a file is wrong; it was refused before anything was called."""


class NotReady(HandsonError):
    """Something has to be there first: an engine, a folder, a library, an earlier notebook."""


class NotAllowed(HandsonError):
    """Credentials are missing, expired or of another account, or a permission is lacking.

    Args:
        actions: The IAM actions that are lacking ("ec2:CreateVpc"), where it is that.
    """

    def __init__(
        self,
        problem: str,
        remedy: str,
        *,
        code: str | None = None,
        actions: Sequence[str] = (),
    ) -> None:
        super().__init__(problem, remedy, code=code)
        self.actions = tuple(actions)


class AWSError(HandsonError):
    """AWS refused a call, or did not answer; `code` carries AWS's error code.

    Args:
        repeatable: The same call can be made again without harm: it was throttled, never reached
            AWS, only reads, or deletes.
        reason: AWS's own words, for callers that have to tell apart what one code stands for.
    """

    def __init__(
        self,
        problem: str,
        remedy: str,
        *,
        code: str | None = None,
        repeatable: bool = False,
        reason: str = "",
    ) -> None:
        super().__init__(problem, remedy, code=code)
        self.repeatable = repeatable
        self.reason = reason


class EngineError(HandsonError):
    """The container engine or the image registry refused, or broke off."""


class WaitTimeout(HandsonError):
    """A resource did not reach the wanted state in time."""


class AWSUnclear(AWSError):
    """A call broke off, and may or may not have taken effect: look before calling again."""
