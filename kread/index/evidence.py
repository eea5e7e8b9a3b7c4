"""Evidence as it lies in the graph: the lines that justify an edge, as bytes.

It stands alone, so that a query reads an edge without importing what linked it.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable

from kread.facts import Evidence


def pack_evidence(evidence: Iterable[Evidence]) -> bytes:
    """The lines as bytes."""
    return marshal.dumps([(row.role, row.file, row.line, row.text, row.function) for row in evidence])


def unpack_evidence(data: bytes) -> tuple[Evidence, ...]:
    """The lines that `pack_evidence` wrote."""
    return tuple(Evidence(*row) for row in marshal.loads(data))
