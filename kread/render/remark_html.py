"""The reader's own remarks as HTML: what people write in Markdown by hand, and everything else as they wrote it.

Theory of operation: a remark is cut at blank lines into paragraphs, lists and fenced code; within a line, code spans,
bold, emphasis and links are marked up. It is not a Markdown parser: what it does not know stays visible as text, and
nothing of a remark reaches the page unescaped. Only links to the web become links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

_FENCE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(?P<code>.*?)\n?^\1[ \t]*$", re.M | re.S)
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+")
_INLINE = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|(?<![\w*])\*(?P<emphasis>[^*\s][^*\n]*)\*(?![\w*])"
    r"|\[(?P<title>[^\]\n]+)\]\((?P<to>https?://[^\s)]+)\)"
    r"|(?P<url>https?://[^\s<>\"')]+[^\s<>\"').,;:!?])"
)


def remark_html(remark: str) -> str:
    """The remark as HTML blocks."""
    return "".join(_blocks(remark.replace("\r\n", "\n")))


def _blocks(remark: str) -> Iterator[str]:
    end = 0
    for fence in _FENCE.finditer(remark):
        yield from _paragraphs(remark[end : fence.start()])
        yield f"<pre>{escape(fence['code'])}</pre>"
        end = fence.end()
    yield from _paragraphs(remark[end:])


def _paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if not part.strip():
            continue
        items = list(_items(part))
        if items:
            yield "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"
        else:
            yield f"<p>{_inline(part.strip())}</p>"


def _items(part: str) -> Iterator[str]:
    """The items of a list; none where the paragraph is no list from its first line on."""
    found: list[str] = []
    for line in part.split("\n"):
        if _ITEM.match(line):
            found.append(_ITEM.sub("", line))
        elif found:
            found[-1] += "\n" + line.strip()
        else:
            return
    yield from found


def _inline(text: str) -> str:
    out, end = [], 0
    for match in _INLINE.finditer(text):
        out.append(_broken(text[end : match.start()]))
        end = match.end()
        if match["code"]:
            out.append(f"<code>{escape(match['code'].strip())}</code>")
        elif match["bold"]:
            out.append(f"<strong>{escape(match['bold'])}</strong>")
        elif match["emphasis"]:
            out.append(f"<em>{escape(match['emphasis'])}</em>")
        else:
            to = match["to"] or match["url"]
            out.append(f'<a href="{escape(to)}" rel="noreferrer">{escape(match["title"] or to)}</a>')
    return "".join([*out, _broken(text[end:])])


def _broken(text: str) -> str:
    """Text whose lines stay lines: whoever presses Enter means it."""
    return escape(text).replace("\n", "<br>\n")
