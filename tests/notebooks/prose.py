"""Rules of Japanese prose: each returns what is wrong with a notebook, nothing when all is well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from .book import FENCE, LINK, NOTEBOOKS, Book

GLOSSARY = NOTEBOOKS / "GLOSSARY.md"
CODE_SPAN = re.compile(r"`[^`\n]+`")
GAP = re.compile(r"。 (?!\|)")
ENDS = re.compile(r"[|#]|<!--")  # lines after which the next one stands by itself
BEGINS = re.compile(r"[|#>]|<!--| *(?:[-*]|\d+\.) ")  # and those that always do
WIDE = re.compile("[\uff01-\uff5e]")
JAPANESE = "[\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff]"
UNSPACED = re.compile(f"{JAPANESE}[A-Za-z0-9`]|[A-Za-z0-9`]{JAPANESE}")
BOLD = re.compile(r"\*\*[^*\n]+\*\*")
FLAT_START, FLAT_END = re.compile(r"\w\*\*[(「]"), re.compile(r"[)」。:]\*\*\w")


@dataclass(frozen=True)
class Glossary:
    """The words we use, and those we do not."""

    words: tuple[str, ...]
    refused: tuple[str, ...]


def read_glossary(text: str) -> Glossary:
    """Return the glossary of a table with the columns Japanese, English, not written."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    refused = [word.strip() for row in rows for word in row[2].split(",")]
    return Glossary(
        words=tuple(row[0].strip() for row in rows),
        refused=tuple(word for word in refused if word != "-"),
    )


def unused_words(glossary: Glossary, text: str) -> list[str]:
    """Return the words of a glossary that a text does not use."""
    return [word for word in glossary.words if word not in text]


def pictures_without_words(book: Book) -> list[str]:
    """Pictures have Japanese alternative text; raw HTML pictures are not used."""
    silent = [
        f"{cell_id}: {link['target']}"
        for cell_id, source in book.prose()
        for link in LINK.finditer(source)
        if link["image"] and not re.search(JAPANESE, link["text"])
    ]
    return silent + [f"{cell_id}: <img" for cell_id, source in book.prose() if "<img" in source]


def torn_paragraphs(book: Book) -> list[str]:
    """A paragraph is one line: a line break or space between sentences is shown as a gap."""
    gaps = [f"{cell_id}: {line}" for cell_id, line in book.lines() if GAP.search(line)]
    return gaps + [
        f"{cell.id}: {after}"
        for cell in book.cells("markdown")
        for before, after in pairwise(FENCE.sub("", cell.source).splitlines())
        if _goes_on(before, after)
    ]


def _goes_on(before: str, after: str) -> bool:
    if before.startswith(">") and after.startswith(">"):
        before, after = before[1:].strip(), after[1:].strip()
    elif before.startswith(">"):
        return False
    return bool(before and after) and not (ENDS.match(before) or BEGINS.match(after))


def refused_words(book: Book) -> list[str]:
    """The glossary's words are used, not their variants."""
    glossary = read_glossary(GLOSSARY.read_text(encoding="utf-8"))
    words = sorted({*glossary.words, *glossary.refused}, key=len, reverse=True)
    any_word = re.compile("|".join(map(re.escape, words)))
    return [
        f"{cell_id}: {word}"
        for cell_id, source in book.prose()
        for word in any_word.findall(CODE_SPAN.sub("", source))
        if word in glossary.refused
    ]


def wide_letters(book: Book) -> list[str]:
    """Latin letters, digits and their signs are half-width."""
    return [f"{cell_id}: {line}" for cell_id, line in book.lines() if WIDE.search(line)]


def unspaced_words(book: Book) -> list[str]:
    """A space stands between Japanese and Latin words, digits or code."""
    return [
        f"{cell_id}: {line}"
        for cell_id, line in book.lines()
        if UNSPACED.search(CODE_SPAN.sub("`", LINK.sub(r"\g<text>", line)))
    ]


def flat_bold(book: Book) -> list[str]:
    """Bold that Markdown would show as asterisks, for want of a space beside its punctuation."""
    return [
        f"{cell_id}: {line}"
        for cell_id, line in book.lines()
        for bold in BOLD.finditer(line)
        if FLAT_START.match(line, max(bold.start() - 1, 0)) or FLAT_END.match(line, bold.end() - 3)
    ]
