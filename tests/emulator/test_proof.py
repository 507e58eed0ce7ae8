"""From a learner's chain to a proof, and back in grading and audit, over real signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handson.aws import emulator
from handson.cli import main
from handson.grading import tokens
from tests.grading import making
from tests.grading.making import Book

from .signing_aws import SigningAws, serving

ACCOUNT = emulator.ACCOUNT
AWS = {"kind": "aws", "account": ACCOUNT, "region": "us-east-1", "endpoint": None}
LEARNER = "山田 花子"


@pytest.fixture
def aws() -> Iterator[SigningAws]:
    with serving(SigningAws()) as served:
        yield served


@pytest.fixture(autouse=True)
def settings(aws: SigningAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSON_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HANDSON_LEARNER", LEARNER)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A learner's notebooks from real AWS, an hour ago, and the journal in the home folder."""
    started = datetime.now(UTC) - timedelta(hours=12)
    book = making.hand_in(LEARNER, seed=7, target=AWS, started=started)
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "journal.jsonl").write_bytes(book.journal())
    book.write(tmp_path / "inbox" / LEARNER)
    return book


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def hand_in_proof(tmp_path: Path) -> str:
    """Put a proof beside the notebooks; return what the learner was shown."""
    result = run("proof")
    assert result.exit_code == 0
    for name in (tokens.FILE, "journal.jsonl"):
        data = (tmp_path / "home" / name).read_bytes()
        (tmp_path / "inbox" / LEARNER / name).write_bytes(data)
    return result.stdout


def codes(tmp_path: Path, *options: str | Path) -> list[str]:
    result = run("grade", tmp_path / "inbox", "--json", *options)
    (learner,) = json.loads(result.stdout)["learners"]
    assert learner["points"] == 80
    return [f["code"] for f in learner["findings"] if f["code"].startswith("proof-")]


def test_a_proof_goes_from_the_learner_to_grading_which_needs_no_network(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes(tmp_path) == ["proof-absent"]
    shown = hand_in_proof(tmp_path)
    token = (tmp_path / "home" / tokens.FILE).read_text().strip()
    assert (token.count("."), token in shown) == (2, False)
    assert book.records[-1]["digest"] in shown
    keys = tmp_path / "keys.json"
    assert codes(tmp_path) == ["proof-unchecked"]
    assert run("audit", tmp_path / "inbox", "--keys", keys).exit_code == 0
    monkeypatch.setenv("HANDSON_ENDPOINT_URL", "http://127.0.0.1:9")
    assert codes(tmp_path, "--keys", keys) == ["proof-good"]


def test_what_cannot_be_signed_or_looked_up_is_told_in_two_lines(
    tmp_path: Path,
    aws: SigningAws,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    making.hand_in("s01", seed=1).write(tmp_path / "emulators" / "s01")
    nothing_to_look_up = run("audit", tmp_path / "emulators")
    without_evidence = run("proof")
    request.getfixturevalue("book")
    aws.switched_on = False
    not_allowed = run("proof", "--lang", "en")
    monkeypatch.delenv("HANDSON_ENDPOINT_URL")
    embedded = run("proof")
    for result in (nothing_to_look_up, without_evidence, not_allowed, embedded):
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)
    assert "administrator" in not_allowed.stderr
    assert "組み込み AWS" in embedded.stderr
    assert not (tmp_path / "home" / tokens.FILE).exists()


def answered(book: Book, aws: SigningAws) -> None:
    """Have CloudTrail know every request of the learner's evidence."""
    for record in book.records:
        when = datetime.fromisoformat(record["observed_at"]) - timedelta(seconds=20)
        aws.history.update({each["request_id"]: when for each in record["requests"]})


def audited(tmp_path: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("audit", tmp_path / "inbox", "--json", *options).stdout)
    return found


def test_an_audit_finds_what_aws_knows_and_prints_a_line_a_record(
    book: Book, tmp_path: Path, aws: SigningAws
) -> None:
    answered(book, aws)
    found = audited(tmp_path)
    assert (found["schema"], found["summary"]) == ("handson.audit/1", {"found": 5})
    made_up = book.records[0]["requests"][0]["request_id"]
    del aws.history[made_up]
    assert audited(tmp_path)["records"][0]["missing"] == [made_up]
    result = run("audit", tmp_path / "inbox", "--lang", "en")
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0].split()[0], lines[1].split()[0]) == (1, "⚠", "✔")
    assert lines[-1].startswith("✘ and ⚠ mean")


def test_a_role_leads_to_another_account(book: Book, tmp_path: Path, aws: SigningAws) -> None:
    target = {**AWS, "account": "112233445566"}
    other = making.hand_in("", seed=8, target=target, started=datetime.now(UTC) - timedelta(days=2))
    other.write(tmp_path / "inbox" / "s02")
    answered(book, aws)
    answered(other, aws)
    assert audited(tmp_path)["summary"] == {"found": 5, "unseen": 5}
    assert audited(tmp_path, "--role", "auditor")["summary"] == {"found": 10}
    assert aws.roles == ["arn:aws:iam::112233445566:role/auditor"]
