"""What AWS answers, and what the learner then reads: each case is an entry of scenarios.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.leaks import leaked
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.learner import Reading, describe
from tests.simulated_aws.proxy import SECRET, SIGNATURE, Rule

pytestmark = pytest.mark.emulator

MARKS = "✔✘⚠ⓘ◆"
SECRETS = {"secret access key": SECRET, "signature": SIGNATURE, "signed URL": "X-Amz-Signature"}
KEYS = {"name", "situation", "made", "bare_cluster", "others", "trust", "environ", "do", "answer"}
KEYS |= {"blocked", "fails", "says", "never", "ja", "left", "requests", "unasked", "full", "red"}


def read_cases(name: str) -> list[Any]:
    """Return the cases of a file as parameters, those with Japanese sentences a second time."""
    path, cases = Path(__file__).with_name(name), []
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
        marks = [pytest.mark.full] if case.get("full") else []
        marks += [pytest.mark.xfail(reason=case["red"], strict=True)] if "red" in case else []
        cases.append(pytest.param(case, "en", id=case["name"], marks=marks))
        if "ja" in case:
            cases.append(pytest.param(case, "ja", id=f"{case['name']}-ja", marks=marks))
    return cases


@pytest.mark.parametrize(("case", "lang"), read_cases("scenarios.toml"))
def test_a_learner_reads_what_is_right(
    simulated: Simulated, case: dict[str, Any], lang: str
) -> None:
    assert set(case) <= KEYS
    environ = {"HANDSON_LANG": lang} | case.get("environ", {})
    given = {"trust": case.get("trust", "all"), "shares": "blocked" not in case, **environ}
    made = case.get("made", ())
    learner = simulated.finished(*made, **given) if made else simulated.learner(**given)
    simulated.fill(**case.get("others", {"repositories": 0, "images": 0}))
    if case.get("bare_cluster"):
        simulated.make_bare_cluster()
    simulated.proxy.seen.clear()
    simulated.proxy.rules = [Rule.of(answer) for answer in case.get("answer", ())]
    simulated.proxy.blocked = case.get("blocked", "^never$")
    read = [learner.take(step) for step in case["do"] or ["start"]]
    refused = simulated.proxy.refused_tls if case.get("trust") != "none" else []
    wrong = [
        *list_wrong_texts(read, case, lang),
        *(f"TLS of {host}" for host in refused),
        *list_wrong_requests(simulated, case),
    ]
    left = simulated.left(environ.get("HANDSON_REGION", "us-east-1"))
    assert (wrong, left) == ([], case.get("left", left)), describe(read)


def list_wrong_texts(read: list[Reading], case: dict[str, Any], lang: str) -> Iterator[str]:
    """Yield what is wrong with what is read, in the case's view and in everybody's."""
    text = describe(read)
    if (failed := [one.step for one in read if one.failed]) != case.get("fails", []):
        yield f"fails: {failed}"
    for said in case.get("ja" if lang == "ja" else "says", ()):
        if not re.search(said, text, re.IGNORECASE | re.DOTALL):
            yield f"does not say {said}"
    for never in case.get("never", ()):
        if found := re.search(never, text, re.IGNORECASE):
            yield f"says {found[0]}"
    yield from (f"traceback: {one.step}" for one in read if one.is_traceback)
    yield from (f"shows the {name}" for name in leaked(text, SECRETS))
    yield from (card for one in read for card in one.cards if card[0] not in MARKS)


def list_wrong_requests(simulated: Simulated, case: dict[str, Any]) -> Iterator[str]:
    """Yield what was asked too often, or should not have been asked."""
    asked = [f"{request.service}:{request.operation}" for request in simulated.proxy.seen]
    if len(asked) > case.get("requests", len(asked)):
        yield f"{len(asked)} requests"
    unasked = case.get("unasked", "^never$")
    yield from sorted({one for one in asked if re.fullmatch(unasked, one)})
