"""What a page with an open notebook shows: faults, letters, pictures, photographs of it."""

from __future__ import annotations

import os
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
HERE = ("http://127.0.0.1:", "data:", "blob:", "about:", "file:")
SCREENSHOTS = os.environ.get("HANDSON_SCREENSHOTS", "")
OURS = [[".jp-OutputArea-output"]]


@dataclass(frozen=True)
class Image:
    """An image of a notebook: how wide it is (pixels), as a file and in the page, and its room."""

    source: str
    natural: float
    width: float
    room: float


class Log:
    """What a page's console tells as an error, scripts that broke off, and what was asked of
    other machines."""

    def __init__(self, page: Any) -> None:
        self._said: list[str] = []
        page.on("pageerror", lambda error: self._said.append(str(error)))
        page.on("console", self._hear)
        page.on("request", self._look_at)

    def take(self) -> list[str]:
        """Return what was said since this was asked last."""
        said, self._said = self._said, []
        return said

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self._said.append(f"{message.text} ({message.location.get('url', '')})")

    def _look_at(self, request: Any) -> None:
        if not request.url.startswith(HERE):
            self._said.append(f"asked for {request.url}")


def look(opened: Opened, *looks: tuple[str, int]) -> list[str]:
    """Show a notebook in some ways and return what axe finds; take pictures where they are kept."""
    found = []
    for theme, width in ALL_LOOKS if SCREENSHOTS else looks:
        opened.show(theme, width)
        if SCREENSHOTS:
            take_pictures(opened, Path(SCREENSHOTS).absolute() / opened.lab.edition, theme, width)
        found += faults(opened.page) if (theme, width) in LOOKS else []
    return found


def faults(page: Any) -> list[str]:
    """Return what axe finds wrong, seriously or worse, in the outputs of the open notebook."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(_BODY_WITH_HEIGHT)
    options = {"resultTypes": ["violations"]}
    found = Axe().run(page, context={"include": OURS}, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


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


def is_trusted(page: Any) -> bool:
    """Tell whether JupyterLab trusts the open notebook, and so shows all that it holds."""
    return bool(page.evaluate(_TRUSTED))


def find_fixed_drawings(page: Any) -> list[str]:
    """Click each drawing twice, and return the words of those that do not grow and shrink."""
    found: list[str] = page.evaluate(_CLICK_DRAWINGS)
    return found


def take_pictures(opened: Opened, folder: Path, theme: str, width: int) -> None:
    """Take the whole window, and each form, question, picture and error by itself."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    end = f"{theme}-{width}.png"
    opened.page.screenshot(path=folder / f"{opened.name}-{end}")
    for name in opened.page.evaluate(_NAME_PARTS):
        part = opened.page.locator(f'[data-part="{name}"]')
        part.screenshot(path=folder / "parts" / f"{opened.name}-{name}-{end}")


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
_TRUSTED = """() => [...jupyterapp.shell.currentWidget.content.model.cells].every(
  cell => cell.type !== 'code' || cell.trusted)"""
_CLICK_DRAWINGS = """() => {
  const drawings = document.querySelectorAll('.jp-Notebook summary img[src^="data:image/svg+xml"]');
  const clicked = image => (image.click(), image.getBoundingClientRect().width);
  return [...drawings].filter(image => {
    const before = image.getBoundingClientRect().width;
    const [large, small] = [clicked(image), clicked(image)];
    return large < before * 1.4 || small !== before;
  }).map(image => image.alt);
}"""
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
