"""What the product reads of AWS's refusals was seen in a recording, or is listed as never seen.

A recording with `source: aws` in this folder makes the list shorter: the test names what to strike.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from botocore import exceptions

from handson.aws import refusals
from handson.parity.recording import Exchange, read_recording

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "handson"
READERS = ("aws/*.py", "resources/*.py", "course/rules.py", "audit.py")
ENDINGS = "Exception|NotFound|Exceeded|Violation|NotAttached|Disabled|UnauthorizedOperation"
CODE = re.compile(rf"(?:[A-Z]\w*\.?\w*(?:{ENDINGS})|Invalid[A-Z]\w+(?:\.[A-Z]\w+)?)(?:: [a-z ]+)?")
NOT_OF_AWS = {*dir(exceptions), "InvalidInput"}  # of botocore, of ours


def relied_on() -> Iterator[str]:
    """Yield the error codes in the product's code; some as "code: words of the message"."""
    yield from refusals.DENIED
    yield from refusals.read_names("answer")
    kept = tomllib.loads((LIBRARY / "resources" / "codes.toml").read_text("utf-8"))
    yield from (code for codes in kept.values() for code in codes if CODE.fullmatch(code))
    for path in (path for pattern in READERS for path in LIBRARY.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and CODE.fullmatch(text):
                yield text


def recorded() -> list[Exchange]:
    """Return what AWS itself has answered; what a simulation says proves nothing."""
    recordings = map(read_recording, HERE.glob("*.jsonl.gz"))
    return [it for made in recordings if made.source == "aws" for it in made.exchanges]


def is_seen(code: str, exchanges: list[Exchange]) -> bool:
    name, _, words = code.partition(": ")
    return any(
        it.outcome.partition(" ")[2] == name and words in it.body.casefold() for it in exchanges
    )


def test_recordings_are_small() -> None:
    assert [it.name for it in HERE.glob("*.jsonl.gz") if it.stat().st_size > 400_000] == []


def test_each_code_that_is_relied_on_was_seen_or_is_listed_as_never_seen() -> None:
    listed = tomllib.loads((HERE / "never_seen.toml").read_text("utf-8"))["never_seen"]
    never, exchanges = {code for group in listed for code in group["codes"]}, recorded()
    unseen = {it for it in {*relied_on()} - NOT_OF_AWS if not is_seen(it, exchanges)}
    assert {"to add": unseen - never, "to strike": never - unseen} == {
        "to add": set(),
        "to strike": set(),
    }
    assert [group for group in listed if not group["source"]] == []


def test_a_recording_of_aws_shortens_the_list_and_words_count_with_their_code() -> None:
    body = '{"__type": "ClientException", "message": "The Service Linked Role is not ready"}'
    seen = [Exchange("cluster", "ecs", "CreateCluster", {}, 400, {}, body, 1, 1)]
    asked = ("ClientException: service linked role", "ClientException: not active", "Blocked")
    assert [is_seen(code, seen) for code in asked] == [True, False, False]
