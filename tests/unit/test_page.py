"""A web page kept for a notebook: well-formed, self-contained, harmless, readable."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

from handson.engine.model import HttpAnswer
from handson.resources.image_run import MOST_BYTES, Page, read_page

CSS = '@import "other.css"; body { background: url(https://example.com/x.png) } a { color: red }'
SITE = {
    "/shop.css": HttpAnswer(200, "text/css", CSS.encode()),
    "/tea.svg": HttpAnswer(200, "image/svg+xml", b"<svg/>"),
    "/large.png": HttpAnswer(200, "image/png", b"x" * (MOST_BYTES + 1)),
    "/page.html": HttpAnswer(200, "text/html", b"<b>"),
}
HTML = """<!DOCTYPE html><html><head><title>Shop &amp; more</title>
<meta name="csrf-token" content="s3cret"><link rel="stylesheet" href="/shop.css">
<script>alert(1)</script><style>p > b { color: blue }</style></head>
<body onload="alert(2)"><h1 class="a&quot;b" onclick="alert(3)">Tea<br>now</h1>
<ul><li>one<li>two <b>bold</b></ul><p>a &lt; b</p>
<a href="javascript:alert(4)">go</a><img src="/tea.svg" alt="cup">
<form action="/cart"><input type="hidden" name="token" value="s3cret"><input type="submit"></form>
<iframe src="https://example.com"><p>inner</p></iframe></body></html>"""


def read(html: str) -> Page:
    return read_page(html, fetch=SITE.get)


def test_a_page_is_read_as_lines() -> None:
    found = read(HTML)
    assert found.title == "Shop & more"
    assert found.lines == ("Tea", "now", "one", "two bold", "a < b", "go")


def test_the_picture_is_well_formed_whatever_the_page_is() -> None:
    odd = ["<p>a<b>b", "</div></p>x", "<p\0 a=\1>\2x", "<x-y>z</x-y>", "<![CDATA[x", "<br/>"]
    for html in (HTML, *odd):
        assert ElementTree.fromstring(read(html).svg).tag.endswith("svg")


def test_nothing_runs_fetches_or_leads_away_and_style_and_pictures_are_inside() -> None:
    svg = read(HTML).svg
    signs = ["alert", "s3cret", "example.com", "javascript", "iframe", "@import", "<script", "href"]
    assert [sign for sign in signs if sign in svg] == []
    assert "a { color: red }" in svg
    assert base64.b64encode(b"<svg/>").decode() in svg


def test_a_picture_too_large_of_no_kind_or_from_elsewhere_is_left_out() -> None:
    ours = ("/large.png", "/page.html", "/missing.png")
    for source in (*ours, "//other.example/tea.svg", "https://x.example/a"):
        assert 'src="data:,"' in read(f'<img src="{source}">').svg


def test_the_card_shows_it_as_an_image_with_words_and_escapes_them() -> None:
    html = read('<title>"><script></title><p>"><script>alert(1)</script>').html()
    assert re.fullmatch(r'<img alt="[^"<>]*" src="data:image/svg\+xml;base64,[^"]*" [^<]*>', html)


def test_a_long_page_is_cut() -> None:
    lines = read("".join(f"<p>{'x' * 200}{number}</p>" for number in range(99))).lines
    assert (len(lines), len(lines[0]), lines[-1]) == (61, 121, "…")
