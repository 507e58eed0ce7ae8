"""Rules of Japanese prose: each returns what is wrong with a notebook, nothing when all is well."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .book import LINK, NOTEBOOKS, Book

GLOSSARY = NOTEBOOKS / "GLOSSARY.md"
CODE_SPAN = re.compile(r"`[^`\n]+`")
AFTER_A_SENTENCE = re.compile(r"。(?!$|[)」*]+$)")
WIDE = re.compile("[\uff01-\uff5e]")
JAPANESE = "[\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff]"
UNSPACED = re.compile(f"{JAPANESE}[A-Za-z0-9`]|[A-Za-z0-9`]{JAPANESE}")
FLAT_BOLD = re.compile(r"\*\*[^*\n]*[)」。:]\*\*(?=\w)|(?<=\w)\*\*[(「][^*\n]*\*\*")


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


def shared_lines(book: Book) -> list[str]:
    """Outside tables and alternative texts, a line ends where its sentence ends."""
    return [
        f"{cell_id}: {line}"
        for cell_id, line in book.lines()
        if not line.startswith("|") and AFTER_A_SENTENCE.search(LINK.sub("", line))
    ]


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
    return [f"{cell_id}: {line}" for cell_id, line in book.lines() if FLAT_BOLD.search(line)]
