"""JupyterLab for `handson lab`, with a short program in the server's place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handson import notebook
from handson.aws.settings import Settings, read_settings
from handson.core.errors import NotReady
from handson.notebook import lab

ADDRESS = "http://127.0.0.1:8889/lab/tree/ja/00-prepare.ipynb?token=abc"
ANSWERS = f"""
import os, pathlib, time
pathlib.Path(os.environ["HANDSON_HOME"], "config").write_text(os.environ["JUPYTER_CONFIG_PATH"])
print("[I ServerApp] {ADDRESS}", flush=True)
time.sleep(60)
"""
BREAKS = "print('old news\\n' * 50); raise SystemExit('no such option')"


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    given = {**os.environ, "JUPYTER_CONFIG_PATH": "theirs"}
    return read_settings(given, cwd=tmp_path, home=str(tmp_path / "home"), lang="ja")


def run(program: str, chosen: Settings, **given: Any) -> None:
    lab.run_lab([sys.executable, "-c", program], chosen, port=8888, **given)


def test_the_address_is_the_last_line_and_ctrl_c_ends_the_server(
    chosen: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    servers = []

    def press_ctrl_c(server: subprocess.Popen[bytes]) -> None:
        servers.append(server)
        raise KeyboardInterrupt

    run(ANSWERS, chosen, wait=press_ctrl_c)
    out, around = capfd.readouterr()
    assert out == f"{ADDRESS}\n"
    assert ("ポート 8888" in around, "ServerApp" in around) == (True, False)
    assert servers[0].returncode is not None
    kept = {path.name: path.stat().st_mode & 0o777 for path in chosen.home.glob("*lab*")}
    assert kept == {"jupyterlab.log": 0o600}


def test_another_lab_of_the_home_folder_writes_into_its_own_log(chosen: Settings) -> None:
    log, theirs = chosen.home / "jupyterlab.log", ADDRESS.replace("8889", "8888")
    with open(log, "w", encoding="utf-8") as other:
        run(ANSWERS, chosen, wait=lambda server: other.write(f"{theirs}\n"))
    assert log.read_text("utf-8") == f"[I ServerApp] {ADDRESS}\n"


def test_a_log_that_cannot_be_written_is_told_before_the_server_starts(chosen: Settings) -> None:
    (chosen.home / "jupyterlab.log").mkdir()
    with pytest.raises(NotReady) as error:
        run(ANSWERS, chosen)
    assert "jupyterlab.log" in error.value.problem


def test_jupyterlab_speaks_the_language_of_the_edition_unless_configured_otherwise(
    chosen: Settings,
) -> None:
    run(ANSWERS, chosen, wait=lambda server: None)
    ours = str(lab.CONFIGURATION)
    paths = (chosen.home / "config").read_text().split(os.pathsep)
    assert paths == [os.path.join(ours, "ja"), ours, "theirs"]


def test_a_server_that_ends_early_is_told_with_the_end_of_its_log(
    chosen: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotReady) as error:
        run(BREAKS, chosen)
    shown = capfd.readouterr().err.splitlines()[1:]
    assert (len(shown), shown[-1]) == (12, "no such option")
    assert ("終了コード 1" in error.value.problem, "JUPYTER_CONFIG_DIR" in error.value.remedy) == (
        True,
        True,
    )


def test_the_log_is_shown_where_it_is_asked_for(
    chosen: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotReady):
        run(BREAKS, chosen, show_log=True)
    assert "old news" in capfd.readouterr().out


def test_a_server_takes_our_style_sheet_behind_the_learners_own() -> None:
    contents = SimpleNamespace(register_pre_save_hook=lambda hook: None)
    web_app = SimpleNamespace(settings={"static_custom_path": ["/home/you/custom"]})
    server = SimpleNamespace(contents_manager=contents, web_app=web_app)
    notebook._load_jupyter_server_extension(server)
    own, ours, *_ = web_app.settings["static_custom_path"]
    assert (own, (Path(ours) / "custom.css").is_file()) == ("/home/you/custom", True)
