"""Every way to sign in works, or ends in two lines: each case is an entry of credentials.toml."""

from __future__ import annotations

import getpass
from typing import Any, NoReturn

import pytest
from botocore.credentials import AssumeRoleProvider, SSOProvider
from botocore.tokens import SSOTokenProvider

from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.learner import describe
from tests.simulated_aws.proxy import SECRET, Rule
from tests.simulated_aws.test_scenarios import list_wrong_texts, read_cases

pytestmark = pytest.mark.emulator

KEYS = {"name", "config", "environ", "files", "answer", "fails", "says", "never", "ja", "full"}
NO_KEY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture(autouse=True)
def own_home(simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody at the terminal, and a HOME that botocore has not read when it was imported."""

    def nobody_types(prompt: str = "") -> NoReturn:
        raise EOFError(prompt)

    cache = str(simulated.folder / ".aws/sso/cache")
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", cache)
    given: Any = AssumeRoleProvider.__init__.__defaults__
    typed = tuple(nobody_types if one is getpass.getpass else one for one in given)
    monkeypatch.setattr(AssumeRoleProvider.__init__, "__defaults__", typed)


@pytest.mark.parametrize(("case", "lang"), read_cases("credentials.toml"))
def test_a_profile_signs_in_or_says_why_not(
    simulated: Simulated, case: dict[str, Any], lang: str
) -> None:
    assert set(case) <= KEYS | {"red"}

    def fill_in(text: str) -> str:
        known = {"folder": simulated.folder, "proxy": simulated.proxy.address, "secret": SECRET}
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    for name, content in {"config": case["config"], **case.get("files", {})}.items():
        path = simulated.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fill_in(content), encoding="utf-8")
    simulated.proxy.rules = [Rule.of(answer) for answer in case.get("answer", ())]
    environ = {name: fill_in(value) for name, value in case["environ"].items()}
    config = {"AWS_CONFIG_FILE": str(simulated.folder / "config"), "HANDSON_LANG": lang}
    read = [simulated.learner(**NO_KEY | config | environ).take("start")]
    assert list(list_wrong_texts(read, case, lang)) == [], describe(read)
    assert simulated.proxy.refused_tls == []
