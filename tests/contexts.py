"""Build contexts made at random, by number, and what Docker and the builtin engine make of them.

    python -m tests.contexts 400            compare so many, and print differences and figures
    python -m tests.contexts 400 --golden   keep what Docker makes, for machines without Docker

Docker's classic builder is asked, through the docker command, so that Docker reads `.dockerignore`
itself.  What only BuildKit carries out (``--chmod``, platform arguments, several names in one
`ARG`, here-documents) or does otherwise (exceptions like ``!**/*.rb`` in a folder that is left out;
several sources into ``.``) is left out here and has tests of its own.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tarfile import DIRTYPE
from typing import Any, NamedTuple

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.progress import ignore_progress
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import ENGINE_LABEL, BuildRequest
from handson.engine.oci import ImageLayout

KEPT = range(100)
GOLDEN = Path(__file__).with_name("golden_images.json")
BUILD_ARGS = {"GIVEN": "here"}
SETTINGS = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels",
    "StopSignal", "Healthcheck", "OnBuild", "Shell")  # fmt: skip

FILES = (
    "a.txt", "b.rb", "c d.txt", "Gemfile", "Gemfile.lock", ".env", "start", "empty", "x+y(1).txt",
    "app/main.rb", "app/a.txt", "app/views/page.erb", "app/views/deep/x.txt", "lib/a.txt",
    "lib/main.rb", "lib-2/a.txt", "log/dev.log", "log/keep", "docs/README.md", "docs/ja/読む.md",
    ".git/config", "tmp/cache/x",
)  # fmt: skip
LINKS = {
    "current": "app", "latest": "lib/a.txt", "app/link": "main.rb", "app/up": "..",
    "lib/back": "../app/views", "chain": "current/views", "gone": "nothing", "ring": "ring",
    "out": "/etc/hostname", "above": "../neighbour", "lib/far": "../../neighbour", "dot": ".",
}  # fmt: skip
FOLDERS = ("spare", "tmp/none", "app/views/none")
FILE_MODES = (0o644, 0o755, 0o600, 0o640, 0o444)
FOLDER_MODES = (0o755, 0o755, 0o755, 0o700, 0o750, 0o1777)

# Of each kind what people write, and behind the bar what is rare, odd or wrong.
BAR = "|"
CHOICES: dict[str, tuple[str, ...]] = {
    "ignored": (
        "log", "*.md", "**/*.md", "!docs/README.md", "app/*", "!app/main.rb", "/lib", "lib/", "tmp",
        "!lib/a.txt", "**/views", "?.txt", "# a comment", "", "  log  ", ".env*", "**/deep/**",
        "!app/views/deep/x.txt", "Dockerfile", ".dockerignore", "!log/keep", "*/*.rb", "**/a.txt",
        "!a.txt", "c d.txt", "lib*", "app/**", "docs/ja", "**/.*", "cur*", BAR, "./docs",
        "docs/../lib", "*", "!app", "**", "a.*", "[ab].txt", "[^a]*", "[!a]*", "  # none", "!",
        "\\a.txt", "app/**/x.txt", "*/*", "ap[p", "..", ".", "!tmp/cache", "!docs/ja/*", "../log",
        "x+y(1).txt", "! log", "*.TXT", "app/link", "[a-c]*", "**/*e*", "***", "a**", "!log/",
        "/**/deep", "app/views/", "a?txt", "[a-", "!!log", "lib**", "**lib", "**/", "app/",
        "app//*",
    ),
    "source": (
        "a.txt", "b.rb", "Gemfile", "Gemfile*", "app", "app/", "./app", ".", "*", "*.txt", "app/*",
        "*/a.txt", "lib*/a.txt", "docs", "start", "lib", "lib-2", "current", "latest", "app/link",
        "chain", "log", "spare", "tmp", "$FILE", "${FILE:-app}", "l*", "docs/ja/読む.md",
        BAR, "app/.", "/", "./", "*/*.rb", "l[io]*", "current/", "current/views", "current/main.rb",
        "app/up", "lib/back", "lib/back/page.erb", "chain/deep", "gone", "ring", "out", "above",
        "lib/far", "dot/a.txt", "app/up/a.txt", "nothing", "nothing*", "../neighbour", "a.txt/",
        "app/../a.txt", "app//main.rb", "?.txt", "[^a].rb", "[a-b].*", "[!a].rb", '"a.txt"',
        "'app'", ".env", "a\\.txt", ".git", "x+y(1).txt", "app/views/*", "**/a.txt", "empty",
        "cur*", "lat*", "cha*", "./*.txt", "app/../*.txt", "/app", "/*.rb", "../context/a.txt",
        "a.tx[t]", "[]a].txt",
    ),
    "destination": (
        "/", "./", "/x/", "/x/y/", "x/", "/app", "/app/", "/app/sub/", "/srv", "$DIR/", "../up/",
        BAR, "/x", "/x/y", "x", "/a/../b", "/x/.", "x/.", "..", "/x//y/", "/a.txt", "/app/main.rb",
        "$DIR", "/app/link/z", "/current/", "/x/a.txt/b", '"/q r"', "./x", "/app/views", "/.", "//",
        "/current", "/link", "/latest", "/app/up/", "../../..", "/end", "/x/*",
    ),
    "WORKDIR": (
        "/app", "/app/", "sub", "/srv", "/x/y", "$DIR", BAR, "../up", "/", "${DIR:-/d}/e", "/a/./b",
        ".", '"/app"', "/app/main.rb", "/a.txt", "/x y", "//z", "/current", "/app/up/x", "../../..",
    ),
    "value": (
        "1", "", "two", '"two words"', "'two words'", "two\\ words", "$A", "${A}x", "${A:-other}",
        "${A:+other}", '"$A and $B"', "'$A'", "a=b", "\"it's\"", "$A$B", "読む", '"店\u3000一"',
        "$GIVEN", BAR, "\\$A", '"a\\"b"', "$NONE", "a$", "c:\\dir", '"c:\\dir"', "a#b", "${B:-}",
        "a/b:c", '"${B:-x y}"', "$PATH", "/x:$PATH", "$HOME", "${A-d}", "$$", "'a'\"b\"c", "'a\\b'",
        "$Aだ", "${Ax}", "{}", '""', "${A", "$A①", "'", '"a\\\\b"', "a\\\\b", "$1", "${A:?x}",
        "'$A'$A",
    ),
    "name": (
        "A", "B", "FILE", "DIR", "A_1", BAR, "PATH", "a.b", "LANG", "あ", '"Q"', "A-B",
    ),
    "command": (
        '["x"]', '["x", "$A", "y z"]', "exec x  y", "x $A && y", '[ "x" , "y" ]', BAR, "[]",
        '["x"] y', "[x]", '["\\u8aad"]', "x 'y z' # no comment", "", '["x", 1]', "[ -f x ] && y",
        "--x y", '["a\\\\b"]', '["\\ud800"]', '["\\u0000"]', "['x']", '["x",]', "x\u3000y",
    ),
    "EXPOSE": (
        "80", "3000/tcp", "53/udp", "8000-8002", "7-7", "80 81", "9/sctp", "1-3/udp", "${PORT:-81}",
        BAR, "0", "65536", "80/TCP", "080", "$PORT", "80-70", "http", "8080:80", "127.0.0.1:1:1",
        "-1", "３０００",
    ),
    "VOLUME": (
        "/data", '["/data", "/log"]', "/a /b", "$DIR", BAR, "data", '["$DIR"]', "[]", '["/a b"]',
        '"/v"', '[""]', "/a/../b",
    ),
    "USER": (
        "1000", "1000:1000", "app", BAR, "$A", '"5"', "0", "a b", "${B:-9}",
    ),
    "HEALTHCHECK": (
        "NONE", "CMD x", 'CMD ["x", "y"]', "--interval=5s CMD x",
        "--timeout=300ms --retries=3 CMD x y", BAR, "none", "CMD  x  y ",
        "--interval=1m30s --retries=2 CMD x", "--timeout=1.5s CMD x", "CMD", "--interval=0s CMD x",
        "CMD []", "x", "--retries=0 CMD x", "--interval=1us CMD x", "cmd x", "--retries=x CMD x",
        "--bad=1 CMD x", "NONE x", "--interval=5 CMD x", "--retries=3 NONE",
        "--start-period=1h CMD x $A", "\tCMD\tx", "--interval=2h45m CMD x", "--interval=99h CMD x",
        "--retries=007 CMD x", "--interval=9999999h CMD x", "--timeout=1.0000000019s CMD x",
    ),
    "STOPSIGNAL": (
        "SIGTERM", "9", "KILL", "SIGWINCH", BAR, "SIGNOTHING", "0", "65", "sigterm", "-1",
        "SIGRTMIN+3", '"SIGINT"', "$A", "64",
    ),
    "owner": (
        "5", "5:6", "0:0", "1000:1000", BAR, "root", "5:root", "$ID", ":5", "5:", '"5:6"', "05",
        "５",
    ),
    "odd": (
        'COPY ["a.txt", "/j/"]', 'COPY ["c d.txt", "/j k"]', 'ADD ["app", "lib", "/j/"]', "# note",
        "copy a.txt /lower", "Env MIXED=1", "COPY a.txt \\\n  # why\n\n  /more/",
        "COPY app lib /both/", "ENV A=1 \\\n    B=2 \\ \n C=3", "  COPY a.txt /indented",
        "CMD x \\\n y", "ENV A=1 A=2 B=$A", "LABEL a='b c' \"d e\"=f g.h=\"i\\nj\"",
        "COPY */a.txt /last/", "COPY lib-2/a.txt lib/a.txt /l/", "VOLUME /v\nCOPY a.txt /v/",
        "EXPOSE 80 80/tcp 81", "COPY a.txt b.rb $DIR/", "HEALTHCHECK --interval=5s \\\n  CMD x",
        "COPY app /m\nCOPY lib /m", "COPY . /all\nCOPY lib /all/app", BAR, "COPPY a b",
        "COPY a.txt", "COPY", "COPY --bad a.txt /x", "COPY --chown a.txt /x", "MAINTAINER x",
        "ENV OLD two words", "ENV A", "ENV =1", "ENV $NONE=1", "LABEL x", "LABEL =y",
        "LABEL '$A'=1 $A=2", 'SHELL ["/x"]', "ONBUILD COPY a.txt /o", "COPY a.txt\u3000/wide",
        "ENV A=1\u3000B=2", "WORKDIR /a\u3000b", "WORKDIR", "USER", "EXPOSE", "VOLUME",
        'COPY ["$FILE", "$DIR/"]', 'COPY ["a.txt"]', "ENV A=1 \\",
        "COPY --chown=5 --chown=6 a.txt /x", "ARG", "ARG =1", "ARG 1A=1", "ENV A='x", "USER 'a",
        "ENV 'A B'=1", "COPY app lib /both", "FROM scratch AS again",
        "COPY --from=base /a.txt /b.txt", "ADD https://example.com/a /x", "COPY a.txt /.wh.a",
        "COPY a.txt <<x /y", "COPY <<EOF /z\nx\nEOF", "COPY a.txt /x\r", 'ENV A="1\n', "ARG A=9",
        "ENV a=1 a", "COPY app/link /k\nCOPY app/link /k", "COPY app /x/a.txt",
        "COPY a.txt /x/a.txt/", "ARG A\nENV Q=[$A]", "ENV Q=1\nARG Q=2\nENV R=$Q",
        "ARG Q=1\nARG Q=2\nENV R=$Q", "ARG Q=1\nARG Q\nENV R=$Q", "WORKDIR /x/y\nCOPY a.txt /x/y",
        "LABEL $A=1", "CMD\tx\ty", "COPY a.txt /end", "COPY\ta.txt\t/tab",
        "COPY a.txt\x0b/vertical", "ENV A=1\x1cB=2", "EXPOSE 80\xa081", "FROM scratch AS base",
        "USER a\u3000b", "COPY --chown=1:2 app /own\nCOPY lib /own", "ENV  ", "\\",
    ),
    "end": (
        "", BAR, "FROM base", "FROM base AS top", "FROM base AS 1x", "FROM base AS base",
        'FROM "base"', "FROM base as $X", "FROM --platform=linux/amd64 base",
    ),
}  # fmt: skip
KINDS = {"COPY": 14, "WORKDIR": 4, "ENV": 4, "ARG": 2, "LABEL": 1, "CMD": 2, "EXPOSE": 2,
    "VOLUME": 1, "USER": 1, "HEALTHCHECK": 1, "STOPSIGNAL": 1, "odd": 3}  # fmt: skip
ODDS = 0.06


def write_context(number: int, room: Path) -> Path:
    """Make the build context of a number in an empty folder, with a file beside it."""
    random, folder = Random(number), room / "context"
    (room / "neighbour").write_text("not of the context")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("" if name == "empty" else f"{name}\n", encoding="utf-8")
        (folder / name).chmod(random.choice(FILE_MODES))
    if random.random() < ODDS / 2:
        (folder / random.choice(FILES)).chmod(random.choice((0o4755, 0o2755, 0o6711)))
    for name in random.sample(FOLDERS, 2):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            path.chmod(random.choice(FOLDER_MODES))
    for name, target in random.sample(sorted(LINKS.items()), 8):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    if random.random() < 0.5:
        lines = [_pick(random, "ignored") for _ in range(random.randint(1, 4))]
        mark, end = random.choice(("", "", "\ufeff")), random.choice(("\n", "\n", "\r\n"))
        (folder / ".dockerignore").write_bytes(f"{mark}{end.join(lines)}{end}".encode())
    lines = "\n".join(_draw_lines(random)).split("\n")
    mark, end = random.choice(("", "", "", "\ufeff")), random.choice(("\n", "\n", "\n", "\r\n"))
    (folder / "Dockerfile").write_bytes(f"{mark}{end.join(lines)}{end}".encode())
    return folder


def _draw_lines(random: Random) -> Iterator[str]:
    before = random.choice(("", "", "# shop", "# escape=\\", "ARG BASE=scratch", "ARG A=0\nARG B"))
    yield before
    yield f"FROM {'${BASE}' if 'BASE' in before else 'scratch'} AS base"
    yield random.choice(
        ("", "ARG FILE=a.txt\nARG DIR=/srv", "ENV A=one DIR=/d PORT=82", "ARG FILE")
    )
    for _ in range(random.randint(1, 4)):
        yield _draw_step(random)
    yield _pick(random, "end", odds=0.3)
    for _ in range(random.randint(0, 2)):
        yield _draw_step(random)
    yield "COPY . /end/"


def _draw_step(random: Random) -> str:
    def pick(kind: str) -> str:
        return _pick(random, kind)

    kind = random.choices([*KINDS], [*KINDS.values()])[0]
    match kind:
        case "COPY":
            flag = random.choice(("", "", "", f"--chown={pick('owner')} "))
            sources = " ".join(pick("source") for _ in range(random.choice((1, 1, 1, 2, 3))))
            keyword = random.choice(("COPY", "COPY", "COPY", "ADD"))
            return f"{keyword} {flag}{sources} {pick('destination')}"
        case "ENV" | "LABEL":
            pairs = [f"{pick('name')}={pick('value')}" for _ in range(random.choice((1, 1, 2, 3)))]
            return f"{kind} {' '.join(pairs)}"
        case "ARG":
            return f"ARG {random.choice((pick('name'), 'GIVEN'))}{random.choice(('', '=1', '=$A'))}"
        case "CMD":
            return f"{random.choice(('CMD', 'ENTRYPOINT'))} {pick('command')}"
        case "odd":
            return pick("odd")
    return f"{kind} {pick(kind)}"


def _pick(random: Random, kind: str, *, odds: float = ODDS) -> str:
    bar = CHOICES[kind].index(BAR)
    common, odd = CHOICES[kind][:bar], CHOICES[kind][bar + 1 :]
    return random.choice(odd if random.random() < odds else common)


def describe_image(config: dict[str, Any], layers: Iterable[bytes]) -> dict[str, Any]:
    """Return an image's settings, and each path of its tree: kind, mode, owner and content."""
    tree: dict[str, list[Any]] = {}
    for data in layers:
        plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            for it in tar:
                path = it.name.strip("/")
                if it.islnk():
                    tree[path] = tree[it.linkname.strip("/")]
                    continue
                held = tar.extractfile(it) if it.isreg() else None
                inside = held.read().decode() if held else it.linkname
                # A folder that is there already keeps nothing of its earlier entry, either.
                mode = "" if it.issym() else f"{it.mode & 0o7777:o}"  # a Mac has it in links too
                tree[path] = [it.type.decode(), mode, it.uid, it.gid, inside]
    found = {name: config[name] for name in SETTINGS if config.get(name)}
    if "WorkingDir" in found:  # BuildKit cleans an absolute path, the classic builder does not
        found["WorkingDir"] = "/" + os.path.normpath(found["WorkingDir"]).strip("/")
    labels = {
        name: it for name, it in (found.pop("Labels", None) or {}).items() if name != ENGINE_LABEL
    }
    return {**found, **({"Labels": labels} if labels else {}), "tree": dict(sorted(tree.items()))}


def build_with_builtin(context: Path) -> dict[str, Any] | str:
    """Return the builtin engine's image, or the problem that its refusal names."""
    request = BuildRequest(context, context.parent / "images", build_args=BUILD_ARGS)
    try:
        image = BuiltinEngine().build(request, say=ignore_progress)
    except InvalidInput as refused:
        return refused.problem
    assert image.layout
    layout = ImageLayout(image.layout)
    manifest = json.loads(layout.read(layout.manifest().digest))
    layers = [layout.read(it["digest"]) for it in manifest["layers"]]
    return describe_image(json.loads(layout.read(image.id))["config"], layers)


def build_with_docker(context: Path, name: str) -> dict[str, Any] | str:
    """Return the image of Docker's classic builder, or the last line of its refusal."""
    own = {**os.environ, "DOCKER_BUILDKIT": "0"}
    given = [f"--build-arg={name}={value}" for name, value in BUILD_ARGS.items()]
    command = ["docker", "build", "--quiet", "--no-cache", "--tag", name, *given, str(context)]
    done = subprocess.run(command, env=own, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr or done.stdout).strip().splitlines()[-1]
    saved = subprocess.run(["docker", "save", name], check=True, capture_output=True).stdout
    subprocess.run(["docker", "rmi", "--force", name], check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]  # type: ignore[arg-type]
        config = json.load(tar.extractfile(manifest["Config"]))["config"]  # type: ignore[arg-type]
        layers = [tar.extractfile(it).read() for it in manifest["Layers"]]  # type: ignore[union-attr]
    return describe_image(config, layers)


def find_differences(builtin: dict[str, Any] | str, docker: dict[str, Any] | str) -> list[str]:
    """Return where an image that the builtin engine makes is not Docker's; it may refuse."""
    if isinstance(builtin, str):
        return []
    if isinstance(docker, str):
        return [f"docker refuses: {docker}"]
    ours, theirs = {**builtin, **builtin["tree"]}, {**docker, **docker["tree"]}
    keys = sorted({*ours, *theirs} - {"tree"})
    return [
        f"{key}: {ours.get(key)}, docker {theirs.get(key)}"
        for key in keys
        if ours.get(key) != theirs.get(key) and not _is_above(ours.get(key), theirs.get(key))
    ]


def _is_above(ours: Any, theirs: Any) -> bool:
    """Tell whether this is a folder above a destination: Docker's builders differ there."""
    entries = [it for it in (ours, theirs) if it]
    if not all(isinstance(it, list) and it[0] == DIRTYPE.decode() for it in entries):
        return False
    return len(entries) == 1 or theirs[1:4] == ["755", 0, 0]


class Result(NamedTuple):
    """What both engines make of a context: an image's description, or a refusal."""

    builtin: dict[str, Any] | str
    docker: dict[str, Any] | str
    differences: list[str]
    text: str  # its Dockerfile and its .dockerignore


def compare(number: int) -> Result:
    """Build the context of a number with both engines."""
    with tempfile.TemporaryDirectory() as room:
        context = write_context(number, Path(room))
        builtin = build_with_builtin(context)
        docker = build_with_docker(context, f"handson-context-{number}")
        files = [it for it in (context / "Dockerfile", context / ".dockerignore") if it.is_file()]
        text = "\n".join(it.read_text("utf-8") for it in files)
    return Result(builtin, docker, find_differences(builtin, docker), text)


def digest(image: dict[str, Any] | str) -> str:
    """Return a short digest of an image's settings, files and links; empty for a refusal."""
    if isinstance(image, str):
        return ""
    tree = {path: it for path, it in image["tree"].items() if it[0] != DIRTYPE.decode()}
    text = json.dumps({**image, "tree": tree}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def main() -> None:
    """Compare the contexts of the first numbers, and print what differs, then the figures."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("contexts", type=int)
    parser.add_argument("--golden", action="store_true", help="keep what Docker makes of the first")
    given = parser.parse_args()
    messages.use("en")
    found = Counter[str]()
    golden = dict[str, str]()
    with ThreadPoolExecutor(2) as pool:
        for number, result in enumerate(pool.map(compare, range(given.contexts))):
            is_built, is_built_by_docker = (isinstance(it, dict) for it in result[:2])
            found["accepted"] += is_built
            found["built by Docker"] += is_built_by_docker
            found["refused and built by Docker"] += is_built_by_docker and not is_built
            found["different"] += bool(result.differences)
            if number in KEPT and (is_built or not is_built_by_docker):
                golden[str(number)] = digest(result.docker)
            for line in result.differences:
                print(f"{number}: {line}\n{result.text}", flush=True)
    if given.golden:
        GOLDEN.write_text(json.dumps(golden) + "\n", encoding="utf-8")
    print(f"{given.contexts} contexts: {', '.join(f'{it} {name}' for name, it in found.items())}")


if __name__ == "__main__":
    main()
