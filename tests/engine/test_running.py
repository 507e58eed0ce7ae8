"""Images that are run for a moment, with a real engine: the shop, and what does not start."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from handson.aws import emulator, settings
from handson.core.errors import EngineError
from handson.core.progress import ProgressLine, ignore_progress
from handson.engine.containers import RUN_LABEL
from handson.notebook.workshop import Workshop

pytestmark = pytest.mark.engine

NAME = "handson-test-run"
SERVER = """\
require "socket"
{before}
server = TCPServer.new("{host}", 3000)
$stdout.sync = true
puts "Listening on http://{host}:3000"
loop do
  client = server.accept
  path = client.gets.to_s.split[1]
  client.gets until $_.strip.empty?
  client.write "HTTP/1.1 {status}\\r\\nContent-Type: text/html\\r\\n\\r\\n"
  client.write "<p>#{{ENV["SHOP_IMAGE"]}}</p><p>#{{ENV["SECRET_KEY_BASE"].size}}</p>"
  client.close
end
"""


class Told:
    """Progress that may do something when it is told."""

    def __init__(self, when_told: Callable[[str], None] = ignore_progress) -> None:
        self._when_told = when_told

    def line(self, label: str) -> ProgressLine:
        return self

    def __call__(self, sentence: str) -> None:
        self._when_told(sentence)

    def done(self, sentence: str) -> None: ...


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("running") / "home"
    yield folder
    emulator.stop_emulator(folder)


def open_workshop(home: Path, told: Told | None = None, **given: str) -> Workshop:
    environ = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "docker", **os.environ}
    chosen = settings.read_settings(environ, cwd=home.parent, **given)
    return Workshop(chosen, progress=told or Told(), show=print)


@pytest.fixture(scope="module")
def workshop(home: Path, client: docker.APIClient) -> Iterator[Workshop]:
    """One workshop for all: the base's layers are pushed once."""
    yield open_workshop(home)
    for image in client.images():
        for tag in image["RepoTags"] or ():
            if tag.startswith(f"{NAME}:"):
                client.remove_image(tag, noprune=True)


@pytest.fixture
def held(workshop: Workshop, client: docker.APIClient, home: Path) -> Iterator[Workshop]:
    """A workshop with a repository; afterwards the engine holds what it held before, no more."""
    workshop.ensure_repository("rails-app")
    yield workshop
    assert left(client, home) == []


def left(client: docker.APIClient, home: Path) -> list[str]:
    own = client.containers(all=True, filters={"label": f"{RUN_LABEL}={home}"})
    names = [tag for image in client.images() for tag in image["RepoTags"] or ()]
    ours = [name for name in names if name.startswith("123456789012.dkr.ecr.")]
    return [*(str(it["Names"]) for it in own), *ours]


def push(held: Workshop, base: str, folder: Path, **changes: str) -> str:
    """Push a small server to rails-app, spoiled by `changes`, and return its digest."""
    folder.mkdir(exist_ok=True)
    values = {"host": "0.0.0.0", "status": "200 OK", "before": "", **changes}
    (folder / "server.rb").write_text(SERVER.format(**values))
    dockerfile = 'FROM {}\nCOPY server.rb /srv/\nEXPOSE 3000\nCMD ["ruby", "/srv/server.rb"]\n'
    (folder / "Dockerfile").write_text(dockerfile.format(base))
    built = held.build_image(folder, name=NAME)
    return held.push_image(built, repository="rails-app").digest


def runnable(held: Workshop) -> tuple[bool, list[str]]:
    result = next(check for check in held.verify().checks if check.id == "image")
    codes = [it.code for it in result.diagnoses if "image.runnable" in it.facts]
    passed = [fact.id for fact in result.facts if fact.passed]
    return "image.runnable" in passed, codes


def test_the_shop_is_pulled_back_seen_and_removed(
    held: Workshop, client: docker.APIClient, base: str, root: Path, home: Path
) -> None:
    shop = root / "notebooks" / "docker-rails-workshop"
    built = held.build_image(shop, name=NAME, build_args={"BASE_IMAGE": base})
    pushed = held.push_image(built, repository="rails-app")
    assert runnable(held) == (False, ["image-unseen"])
    shown = held.run_image("rails-app")
    html = shown._repr_mimebundle_()["text/html"]
    assert "│ まちかど商店" in repr(shown)
    assert "rails-app:latest" in repr(shown)
    assert 'src="data:image/svg+xml;base64,' in html
    assert "<script" not in html
    assert shown.recorded is not None
    assert (shown.recorded.status, shown.recorded.digest) == (200, pushed.digest)
    assert (runnable(held), left(client, home)) == ((True, []), [])


def test_the_secret_is_new_each_time_and_never_shown(
    held: Workshop, base: str, tmp_path: Path, home: Path
) -> None:
    push(held, base, tmp_path / "app")
    shown = held.run_image("rails-app")
    assert shown.page is not None
    assert shown.page.lines == ("rails-app:latest", "128")
    kept = (home / "image-run.json").read_text(encoding="utf-8")
    assert "SECRET" not in kept + repr(shown)


def test_another_push_has_to_be_seen_again(held: Workshop, base: str, tmp_path: Path) -> None:
    push(held, base, tmp_path / "app")
    held.run_image("rails-app")
    push(held, base, tmp_path / "app", status="302 Found")
    assert runnable(held) == (False, ["image-unseen"])


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ('abort "almost there"', "(?s)終了コード 1.*│ almost there"),
        ('abort "Missing `secret_key_base` for production"', "秘密の値"),
        ('TCPServer.new("0.0.0.0", 3000)', "すでに使われて"),
    ],
    ids=["exits", "no secret", "port in use"],
)
def test_an_image_that_does_not_start_says_why_and_what_to_do(
    held: Workshop, base: str, tmp_path: Path, before: str, said: str
) -> None:
    push(held, base, tmp_path / "app", before=before)
    with pytest.raises(EngineError, match=said):
        held.run_image("rails-app")
    assert runnable(held) == (False, ["image-silent"])


def test_an_interrupt_leaves_nothing_running(
    held: Workshop, client: docker.APIClient, base: str, tmp_path: Path, home: Path
) -> None:
    push(held, base, tmp_path / "app", before="sleep 30")

    def interrupt(sentence: str) -> None:
        if "起動しています" in sentence:
            threading.Timer(1.0, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        open_workshop(home, Told(interrupt)).run_image("rails-app")
    assert left(client, home) == []


def test_what_a_killed_kernel_left_is_removed_by_the_next_run(
    held: Workshop, client: docker.APIClient, base: str, tmp_path: Path, home: Path
) -> None:
    push(held, base, tmp_path / "app")
    orphan = client.create_container(
        f"{NAME}:latest", command=["sleep", "60"], labels={RUN_LABEL: str(home)}
    )
    client.start(orphan)
    held.run_image("rails-app")
    assert left(client, home) == []


def test_the_image_packed_by_builtin_is_not_run(held: Workshop, tmp_path: Path, home: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    packing = open_workshop(home, engine="builtin")
    packing.push_image(packing.build_image(tmp_path), repository="rails-app")
    shown = held.run_image("rails-app")
    assert "土台になる Ruby が入っていない" in repr(shown)
    assert (shown.recorded, runnable(held)) == (None, (False, ["image-builtin"]))
