"""What a page with an open notebook shows: faults, letters, pictures, photographs of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from tests.browser.lab import WIDTH, Opened

NARROW = 800
LOOKS = (("dark", WIDTH), ("light", NARROW))
"""Both themes and both widths; what axe looks for depends on one or the other, not on both."""
ALL_LOOKS = tuple(product(("dark", "light"), (WIDTH, NARROW)))
SERIOUS = ("serious", "critical")
OURS = [[".jp-OutputArea-output"]]


@dataclass(frozen=True)
class Image:
    """An image of a notebook: how wide it is (pixels), as a file and in the page, and its room."""

    source: str
    natural: float
    width: float
    room: float


class Log:
    """What a page's console tells as an error, and scripts that broke off."""

    def __init__(self, page: Any) -> None:
        self._said: list[str] = []
        page.on("pageerror", lambda error: self._said.append(str(error)))
        page.on("console", self._hear)

    def take(self) -> list[str]:
        """Return what was said since this was asked last."""
        said, self._said = self._said, []
        return said

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self._said.append(f"{message.text} ({message.location.get('url', '')})")


class Requests:
    """Where a page asked for something beyond this machine."""

    def __init__(self, page: Any) -> None:
        self._outside: list[str] = []
        page.on("request", lambda request: self._look_at(request.url))

    def take(self) -> list[str]:
        """Return what was asked for since this was asked last."""
        outside, self._outside = self._outside, []
        return outside

    def _look_at(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:")):
            self._outside.append(url)


def faults(page: Any) -> list[str]:
    """Return what axe finds wrong, seriously or worse, in the outputs of the open notebook."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(_BODY_WITH_HEIGHT)
    options = {"resultTypes": ["violations"]}
    found = Axe().run(page, context={"include": OURS}, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {said(node)}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def said(node: dict[str, Any]) -> str:
    """Return axe's words on a node."""
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])


def letters_without_font(page: Any, text: str | None = None) -> str:
    """Return the letters, of a text or of the whole notebook, that no font has.

    A letter that no font has is drawn as every other such letter is: as the sign for nothing, or
    not at all.
    """
    found: str = page.evaluate(_MISSING, text)
    return found


def images(page: Any) -> list[Image]:
    """Return the images of the open notebook."""
    return [Image(**each) for each in page.evaluate(_IMAGES)]


class Camera:
    """Takes pictures of what a page shows, where a folder is given to keep them in."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def is_there(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    def take_notebook(self, opened: Opened, *, theme: str, width: int) -> None:
        """Take the whole window, and each form, question, picture and error by itself."""
        if self._folder is None:
            return
        folder = self._folder / opened.lab.edition
        folder.mkdir(parents=True, exist_ok=True)
        opened.page.screenshot(path=folder / f"{opened.name}-{theme}-{width}.png")
        for name, place in self._parts(opened.page):
            self.take(opened, place, f"{opened.name}-{name}", theme=theme, width=width)

    def take(self, opened: Opened, place: Any, name: str, *, theme: str, width: int) -> None:
        """Take one place of the page."""
        if self._folder is None:
            return
        path = self._folder / opened.lab.edition / "parts" / f"{name}-{theme}-{width}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        place.screenshot(path=path)

    @staticmethod
    def _parts(page: Any) -> Iterator[tuple[str, Any]]:
        names = page.evaluate(_NAME_PARTS)
        yield from ((name, page.locator(f'[data-part="{name}"]')) for name in names)


# JupyterLab's body has no height of its own, and axe takes what lies below a body's end for hidden.
_BODY_WITH_HEIGHT = "() => { document.body.style.height = '100vh' }"
_MISSING = r"""given => {
  const notebook = document.querySelector('.jp-Notebook');
  const text = given ?? notebook.innerText;
  const family = getComputedStyle(notebook.querySelector('.jp-RenderedHTMLCommon')).fontFamily;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  canvas.width = canvas.height = 32;
  const drawn = letter => {
    context.clearRect(0, 0, 32, 32);
    context.font = `20px ${family}`;
    context.fillText(letter, 4, 24);
    return context.getImageData(0, 0, 32, 32).data.filter((_, place) => place % 4 === 3).join();
  };
  const nothing = [drawn('\u{10FFFD}'), drawn(' ')];
  const letters = new Set([...text].filter(letter => !/[\p{Cc}\p{Cf}\p{M}\p{Z}]/u.test(letter)));
  return [...letters].filter(letter => nothing.includes(drawn(letter))).join('');
}"""
_IMAGES = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell img')].map(image => ({
  source: image.src.slice(0, 80),
  natural: image.naturalWidth,
  width: image.getBoundingClientRect().width,
  room: image.closest('.jp-OutputArea-output, .jp-RenderedMarkdown').clientWidth,
}))"""
_NAME_PARTS = """() => {
  const names = [];
  for (const cell of jupyterapp.shell.currentWidget.content.widgets) {
    const parts = cell.node.querySelectorAll('.handson-live, '
      + '.jp-RenderedHTML img[src^="data:image/svg+xml"], '
      + '[data-mime-type="application/vnd.jupyter.stderr"]');
    parts.forEach((part, place) => {
      part.dataset.part = parts.length > 1 ? `${cell.model.id}-${place + 1}` : cell.model.id;
      names.push(part.dataset.part);
    });
  }
  return names;
}"""
