"""Build the browser edition: a folder that any static host serves (`make site`).

    python tools/build_site.py [FOLDER]

JupyterLite shows the notebooks, and Pyodide runs their Python in the tab.  All packages are pinned
with hashes: `site/tab.lock` (what the notebooks import), `site/builder.lock` (what builds, Node.js
too) and `site/package-lock.json` (Python and Graphviz for browsers).  The page asks no other host.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "tools" / "site"

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
TAB = ("--python-version=314", "--implementation=cp", "--abi=cp314", "--abi=none",
       "--platform=pyemscripten_2026_0_wasm32", "--platform=any")  # fmt: skip
CORE = ("pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "python_stdlib.zip")
EXTENSION = Path("extensions/@jupyterlite/pyodide-kernel-extension")
STAND_INS = ("ipykernel-6", "piplite-", "pyodide_kernel-", "widgetsnbextension-4")
"""The kernel's own wheels, which JupyterLite carries."""
FIRST = "micropip/__init__.py"
"""The first module that the kernel imports."""
FOLDER_LAST = "import sys\nif '' in sys.path: sys.path.append(sys.path.pop(sys.path.index('')))\n"
"""Pyodide looks for each module in the notebook's folder first, which takes 10 ms: a message to the
page, which asks the browser's storage."""
EXPECTED = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
"""The names that the kernel asks for; all are in the one wheel that is loaded."""
ICONS = (
    r"aws/(?:compute|general|network|security)|generic/[^/]+|onprem/(?:client|compute|container)"
)
SERVICES = "cloudtrail|ec2|ecr|ecr-public|ecs|service-quotas|sts"
EMULATED = "apigateway|cloudtrail|ec2|ecr|ecs|iam|organizations|secretsmanager|sts|_"
LEXERS = (
    "__|_mapping|_css|_lilypond|_scheme|css|data|html|javascript|jvm|lilypond|lisp|markup|perl"
    "|python|ruby|shell"
)
UNUSED = re.compile(
    rf"botocore/data/(?!(?:{SERVICES})/)[^/]+/|botocore/data/ec2/(?!2016-11)"
    rf"|resources/(?!(?:{ICONS})/)"
    rf"|ministack/services/(?!{EMULATED})|pygments/lexers/(?!{LEXERS})"
    r"|botocore/cacert\.pem|botocore/data/.*/examples-1\.json|wcwidth/table_grapheme_overrides/_known"
    r"|(?:.*/)?tests?/|.*\.(?:pyi|exe|tar\.gz)$|.*\.dist-info/RECORD$|[^/]+\.data/"
    r"|handson/(?:notebooks|diagrams)/|rich/(?!__init__|_extension|filesize|cells|_unicode_data)"
)
"""What is left out of the wheels: other services, icons and languages, tests, and programs."""
LANGUAGES = ("ja", "en")
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
HEAD = '<head><link rel="icon" href="favicon.ico"><script src="../../notebook.js"></script>'
TO_LIST = """<meta http-equiv="refresh" content="0; url=../">
<script id="jupyter-config-data" type="application/json">{}</script>"""
"""The page of an edition's folder, in which JupyterLite looks for settings."""
SITE_PACKAGES = "/lib/python3.14/site-packages"
MESSAGES = ROOT / "handson" / "core" / "messages" / "notebook.toml"
CONFIGURATION = ROOT / "handson" / "notebook" / "jupyter"


def main(out: Path) -> None:
    """Build the site in a temporary folder, and put it in the place of an older one."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tools = install_builder(work)
        modules = install_modules(tools / "npm", work)
        site = work / "site"
        for lang in LANGUAGES:
            contents = lay_out_contents(work / f"contents-{lang}", lang)
            run(tools / "jupyter", "lite", "build", "--contents", contents,
                "--output-dir", work / f"lite-{lang}", "--apps", "notebooks", "--no-sourcemaps",
                "--no-unused-shared-packages", "--no-libarchive", cwd=work)  # fmt: skip
            shutil.move(work / f"lite-{lang}", site / lang)
            configure_page(site / lang, lang)
        wheels = download_wheels(work)
        wheels += [*(site / LANGUAGES[0] / EXTENSION / "static" / "pypi").glob("*.whl")]
        folder = unpack_wheels(wheels, work, modules)
        run(tools / "python", ROOT / "tools" / "icons.py", "--within", folder / "resources")
        compile_modules(tools / "node", folder, modules)
        place_runtime(site, folder, modules)
        make_start_page(site, modules)
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(site, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.0f} MB")


def install_builder(work: Path) -> Path:
    """Return the folder of the commands of an environment with JupyterLite and Node.js."""
    run(sys.executable, "-m", "venv", "--without-pip", work / "builder")
    tools = work / "builder" / "bin"
    run(*PIP, "--python", tools / "python", "install", "--no-compile", "--require-hashes",
        "--no-deps", "-r", HERE / "builder.lock")  # fmt: skip
    return tools


def install_modules(npm: Path, work: Path) -> Path:
    """Return the folder of the packages from npm."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, work)
    run(npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", cwd=work)
    return work / "node_modules"


def lay_out_contents(folder: Path, lang: str) -> Path:
    """Return a folder with the learner's edition in a language."""
    run(sys.executable, "-m", "handson", "workspace", folder, "--lang", lang, cwd=ROOT)
    shutil.rmtree(folder / ".handson")
    for picture in folder.rglob("*.svg"):  # JupyterLite shows a picture in ASCII alone
        text = picture.read_text(encoding="utf-8")
        picture.write_bytes(text.encode("ascii", "xmlcharrefreplace"))
    return folder


def download_wheels(work: Path) -> list[Path]:
    """Return the wheels of what the notebooks import, and the one of this checkout."""
    folder = work / "wheels"
    run(*PIP, "download", "--no-deps", "--require-hashes", "--only-binary=:all:", *TAB,
        "-d", folder, "-r", HERE / "tab.lock")  # fmt: skip
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    return sorted(folder.glob("*.whl"))


def unpack_wheels(wheels: list[Path], work: Path, modules: Path) -> Path:
    """Return a folder with everything that Python in the tab imports."""
    folder = work / "packages"
    for wheel in wheels:
        if wheel.parent.name == "pypi" and not wheel.name.startswith(STAND_INS):
            continue
        with zipfile.ZipFile(wheel) as source:
            source.extractall(
                folder, [name for name in source.namelist() if not UNUSED.match(name)]
            )
    (folder / FIRST).write_text(FOLDER_LAST + (folder / FIRST).read_text(encoding="utf-8"))
    shutil.copy(modules / "@viz-js/viz/dist/viz-global.js", folder / "handson" / "drawing")
    profile = folder / "handson" / "notebook" / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    extensions = {"InteractiveShellApp": {"extensions": ["handson.notebook"]}}
    (profile / "ipython_config.json").write_text(json.dumps(extensions))
    return folder


def compile_modules(node: Path, folder: Path, modules: Path) -> None:
    """Compile the modules with the tab's own Python, which then has no source to read."""
    run(node, HERE / "compile.mjs", modules / "pyodide" / "pyodide.mjs", folder)


def place_runtime(site: Path, folder: Path, modules: Path) -> None:
    """Put Python and one archive of all packages into the site, with a lock of nothing else."""
    place = site / "static" / "pyodide"
    place.mkdir(parents=True)
    for name in CORE:
        shutil.copy(modules / "pyodide" / name, place)
    entries = {"handson": pack(place, "handson", folder)}
    empty = folder / "empty"
    empty.mkdir()
    entries |= {name: pack(place, name, empty) for name in EXPECTED}
    lock = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text())
    (place / "pyodide-lock.json").write_text(
        json.dumps({"info": lock["info"], "packages": entries})
    )


def pack(place: Path, name: str, folder: Path) -> dict[str, object]:
    """Write an archive of a folder, and return its entry in Pyodide's lock."""
    file = place / f"{name}.tar"  # smaller than a zip of so many small files, and no slower
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder, ".")
    return {
        "name": name, "version": "1", "file_name": file.name, "install_dir": "site",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "package_type": "package",
        "imports": [], "depends": [], "unvendored_tests": False,
    }  # fmt: skip


def configure_page(edition: Path, lang: str) -> None:
    """Give an edition its language, the site's Python, and the workshop's settings of Jupyter."""
    settings: dict[str, object] = {}
    for folder in (CONFIGURATION, CONFIGURATION / lang):
        settings |= json.loads(
            (folder / "labconfig" / "default_setting_overrides.json").read_text()
        )
    path = edition / "jupyter-lite.json"
    config = json.loads(path.read_text())
    data = config["jupyter-config-data"]
    data |= {"appName": "handson", "settingsOverrides": settings, "collaborative": False}
    data.setdefault("litePluginSettings", {})[KERNEL] = {
        "pyodideUrl": "../../static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            "packages": ["handson", *EXPECTED],
            "env": {
                "HOME": "/home/pyodide",
                "HANDSON_HOME": "/drive/handson-home",
                "HANDSON_ENGINE": "builtin",
                "HANDSON_LANG": lang,
                "IPYTHONDIR": f"{SITE_PACKAGES}/handson/notebook/ipython",
            },
        },
    }
    path.write_text(json.dumps(config, indent=1))
    page = edition / "notebooks" / "index.html"
    page.write_text(page.read_text().replace("<head>", HEAD, 1))
    (edition / "index.html").write_text(TO_LIST)
    (edition / "tree").mkdir()
    shutil.copy(HERE / "tree.html", edition / "tree" / "index.html")
    # A browser asks for a picture of a Markdown cell before JupyterLab has found its address.
    shutil.copytree(edition / "files" / lang / "images", page.with_name("images"))


def make_start_page(site: Path, modules: Path) -> None:
    """Place the page that lists the notebooks, with what it needs to pack a learner's work."""
    shutil.copy(modules / "fflate" / "esm" / "browser.js", site / "fflate.js")
    for name in ("index.html", "start.js", "notebook.js"):
        shutil.copy(HERE / name, site)
    named = tomllib.loads(MESSAGES.read_text(encoding="utf-8"))["overview"]["notebook"]
    listed = [{"name": name, **label} for name, label in sorted(named.items())]
    texts = tomllib.loads((HERE / "texts.toml").read_text(encoding="utf-8"))
    (site / "page.json").write_text(json.dumps({"notebooks": listed, "texts": texts}))


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command; one that fails ends the build, after its own words."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)
        name = Path(command[0]).name
        raise SystemExit(f"✗ {name} ended with {done.returncode}; see the lines above.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "site")
