"""From a learner's chain to a proof, and back in grading and audit, over real signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handson import audit
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
    for name, value in (
        ("ENDPOINT_URL", aws.url),
        ("HOME", str(tmp_path / "home")),
        ("LEARNER", LEARNER),
    ):
        monkeypatch.setenv(f"HANDSON_{name}", value)
    monkeypatch.setattr(audit, "PAUSE", 0.0)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A learner's notebooks from real AWS, an hour ago, and the journal in the home folder."""
    started = datetime.now(UTC) - timedelta(hours=12)
    book = making.hand_in(LEARNER, seed=7, target=AWS, started=started)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "journal.jsonl").write_bytes(book.journal())
    book.write(tmp_path / "inbox" / LEARNER)
    return book


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def hand_in_proof(tmp_path: Path) -> None:
    assert run("proof").exit_code == 0
    for name in (tokens.FILE, "journal.jsonl"):
        data = (tmp_path / "home" / name).read_bytes()
        (tmp_path / "inbox" / LEARNER / name).write_bytes(data)


def codes(tmp_path: Path, *options: str | Path) -> list[str]:
    result = run("grade", tmp_path / "inbox", "--json", *options)
    (learner,) = json.loads(result.stdout)["learners"]
    assert learner["points"] == 80
    return [f["code"] for f in learner["findings"] if f["code"].startswith("proof-")]


def test_a_proof_goes_from_the_learner_to_grading(book: Book, tmp_path: Path) -> None:
    assert codes(tmp_path) == ["proof-absent"]
    hand_in_proof(tmp_path)
    keys = tmp_path / "keys.json"
    assert codes(tmp_path) == ["proof-unchecked"]
    assert run("audit", tmp_path / "inbox", "--keys", keys).exit_code == 0
    assert codes(tmp_path, "--keys", keys) == ["proof-good"]


def test_grading_needs_no_network_once_the_keys_are_there(
    book: Book, tmp_path: Path, aws: SigningAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in_proof(tmp_path)
    keys = tmp_path / "keys.json"
    run("audit", tmp_path / "inbox", "--keys", keys)
    monkeypatch.setenv("HANDSON_ENDPOINT_URL", "http://127.0.0.1:9")
    assert codes(tmp_path, "--keys", keys) == ["proof-good"]


def test_the_proof_is_shown_without_its_token(book: Book, tmp_path: Path) -> None:
    result = run("proof", "--lang", "en")
    token = (tmp_path / "home" / tokens.FILE).read_text().strip()
    assert token.count(".") == 2
    assert token not in result.stdout
    assert book.records[-1]["digest"] in result.stdout


def test_without_evidence_there_is_nothing_to_sign(tmp_path: Path) -> None:
    result = run("proof")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)
    assert not (tmp_path / "home" / tokens.FILE).exists()


def test_an_account_that_signs_nothing_is_told_whom_to_ask(book: Book, aws: SigningAws) -> None:
    aws.switched_on = False
    result = run("proof", "--lang", "en")
    assert (result.exit_code, "administrator" in result.stderr) == (2, True)


def test_the_embedded_aws_signs_nothing(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDSON_ENDPOINT_URL")
    result = run("proof")
    assert (result.exit_code, "組み込み AWS" in result.stderr) == (2, True)


# The audit.


def answered(book: Book, aws: SigningAws) -> None:
    """Have CloudTrail know every request of the learner's evidence."""
    for record in book.records:
        when = datetime.fromisoformat(record["observed_at"]) - timedelta(seconds=20)
        aws.history.update({each["request_id"]: when for each in record["requests"]})


def audited(tmp_path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    result = run("audit", tmp_path / "inbox", "--json", *options)
    return result.exit_code, json.loads(result.stdout)


def test_requests_that_aws_answered_are_found(book: Book, tmp_path: Path, aws: SigningAws) -> None:
    answered(book, aws)
    code, found = audited(tmp_path)
    assert (code, found["schema"], found["summary"]) == (0, "handson.audit/1", {"found": 5})


def test_a_request_that_aws_does_not_know_is_named(
    book: Book, tmp_path: Path, aws: SigningAws
) -> None:
    answered(book, aws)
    made_up = book.records[1]["requests"][0]["request_id"]
    del aws.history[made_up]
    code, found = audited(tmp_path)
    (partly,) = [each for each in found["records"] if each["status"] == "partly"]
    assert (code, partly["missing"]) == (1, [made_up])


def test_a_request_at_another_time_does_not_count(
    book: Book, tmp_path: Path, aws: SigningAws
) -> None:
    answered(book, aws)
    for request in book.records[0]["requests"]:
        aws.history[request["request_id"]] -= timedelta(days=2)
    statuses = [each["status"] for each in audited(tmp_path)[1]["records"]]
    assert statuses == ["missing", "found", "found", "found", "found"]


def test_a_role_leads_to_another_account(book: Book, tmp_path: Path, aws: SigningAws) -> None:
    target = {**AWS, "account": "112233445566"}
    other = making.hand_in("", seed=8, target=target, started=datetime.now(UTC) - timedelta(days=2))
    other.write(tmp_path / "inbox" / "s02")
    answered(book, aws)
    answered(other, aws)
    assert audited(tmp_path)[1]["summary"] == {"found": 5, "unseen": 5}
    assert audited(tmp_path, "--role", "auditor")[1]["summary"] == {"found": 10}
    assert aws.roles == ["arn:aws:iam::112233445566:role/auditor"]


def test_people_read_a_line_a_record(book: Book, tmp_path: Path) -> None:
    lines = run("audit", tmp_path / "inbox", "--lang", "en").stdout.splitlines()
    assert lines[0].startswith(f"✘ {LEARNER}  network  0/")
    assert lines[-1].startswith("✘ and ⚠ mean")


def test_nothing_from_real_aws_is_nothing_to_look_up(tmp_path: Path) -> None:
    making.hand_in("s01", seed=1).write(tmp_path / "inbox" / "s01")
    result = run("audit", tmp_path / "inbox")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)
