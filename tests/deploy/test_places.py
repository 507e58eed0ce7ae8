"""What the files for Binder, dev containers and The Littlest JupyterHub name exists and opens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from handson.notebook.lab import CONFIGURATION

FAKE_PIP = '#!/bin/sh\necho "$@" >>pip.log\n'


@pytest.fixture
def environ(tmp_path: Path, root: Path) -> dict[str, str]:
    """Return an environment whose `pip` only notes what it is asked, beside the real `handson`."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pip").write_text(FAKE_PIP)
    (tools / "pip").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "REPO_DIR": str(root), "PYTHONPATH": str(root)}


@pytest.fixture
def container(root: Path) -> dict[str, Any]:
    text = (root / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    return dict(json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE)))


def test_binder_builds_with_a_python_that_the_project_takes(root: Path) -> None:
    python = (root / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert python in SpecifierSet(project["requires-python"])


def test_binders_build_lays_out_the_page_that_its_link_opens(
    root: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    subprocess.run([root / ".binder" / "postBuild"], cwd=tmp_path, env=environ, check=True)
    lock, own = (tmp_path / "pip.log").read_text().splitlines()
    assert lock.endswith("--no-deps --require-hashes -r requirements.lock")
    assert own.endswith("--no-deps --no-build-isolation .")
    pages = re.findall(r"urlpath=lab/tree/(\S+\.ipynb)", (root / "docs/hosting.md").read_text())
    assert pages
    assert [page for page in pages if not (tmp_path / page).is_file()] == []


def test_binders_server_starts_with_the_settings_of_handson_lab(
    root: Path, environ: dict[str, str]
) -> None:
    command = [root / ".binder" / "start", "printenv", "JUPYTER_CONFIG_PATH"]
    started = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    folders = [Path(name) for name in started.stdout.strip().split(os.pathsep)]
    assert folders == [CONFIGURATION / "ja", CONFIGURATION]
    assert all(folder.is_dir() for folder in folders)


def test_the_littlest_jupyterhubs_server_finds_the_notebooks_laid_out(
    root: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    hub = SimpleNamespace(Spawner=SimpleNamespace())
    exec((root / "deploy" / "tljh.py").read_text(), {"get_config": lambda: hub})
    server = tmp_path / "tools" / "jupyterhub-singleuser"
    server.write_text('#!/bin/sh\necho "$HOME" "$@"\n')
    server.chmod(0o755)
    learner = {**environ, **hub.Spawner.environment, "HOME": str(tmp_path)}
    command = [*hub.Spawner.cmd, *hub.Spawner.args]
    started = subprocess.run(command, env=learner, capture_output=True, text=True, check=True)
    assert started.stdout.splitlines()[-1] == " ".join([str(tmp_path), *hub.Spawner.args])
    assert (tmp_path / hub.Spawner.default_url.removeprefix("/lab/tree/")).is_file()


def test_a_dev_container_forwards_the_port_on_which_its_jupyterlab_is_opened(
    container: dict[str, Any],
) -> None:
    [command] = container["postAttachCommand"].values()
    [port] = container["forwardPorts"]
    assert command.endswith(f"--port {port}")
    assert list(container["portsAttributes"]) == [str(port)]
