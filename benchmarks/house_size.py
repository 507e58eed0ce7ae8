"""How large the library is: lines of code, files, sentences; in all and by wing.

    python benchmarks/house_size.py [FOLDER]

A line of code is one that is neither blank, nor only a comment, nor part of a docstring.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """Return the number of lines of code in a module."""
    texts = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - texts)


def main(folder: Path) -> None:
    """Print a row a wing, and the sums."""
    code: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.py")):
        wing = path.relative_to(folder).parts[0].removesuffix(".py")
        code[wing] += code_lines(path.read_text(encoding="utf-8"))
        files[wing] += 1
    print(f"{'wing':<12}{'code':>8}{'files':>8}")
    for wing in sorted(code):
        print(f"{wing:<12}{code[wing]:>8,}{files[wing]:>8}")
    print(f"{'all':<12}{code.total():>8,}{files.total():>8}")
    for kind in ("toml", "json"):
        paths = [*folder.rglob(f"*.{kind}")]
        lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
        print(f"{kind}: {lines:,} lines in {len(paths)} files")
    entries = [p for p in folder.iterdir() if p.name != "__pycache__"]
    print(f"entries at the top: {len(entries)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent.parent / "handson")
