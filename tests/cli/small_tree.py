"""A kernel tree of three files, for commands that are run end to end without waiting for a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\nNAME = Test\n",
    "include/linux/thing.h": "struct thing { int state; int seen; };\nint thing_leaf(struct thing *t);\n",
    "net/core/thing.c": "#include <linux/thing.h>\n"
    "/**\n * thing_leaf - where it ends\n * @t: a *thing*\n */\n"
    "int thing_leaf(struct thing *t)\n{\n\treturn t->state;\n}\n"
    "static int thing_middle(struct thing *t)\n{\n\tt->seen = 1;\n\treturn thing_leaf(t);\n}\n"
    "int thing_top(struct thing *t)\n{\n\tif (!t)\n\t\treturn -1;\n\tif (t->state)\n\t\treturn thing_middle(t);\n"
    "\treturn 0;\n}\n",
}


class SmallTree:
    """The tree in a folder, and a home of its own for what kread keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in SOURCES.items():
            file = folder / "linux" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def kread(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command on this tree."""
        command = [sys.executable, "-c", "from kread.cli.main import main; main()", *arguments]
        asked = ["--release", str(self.folder / "linux"), "--scope", "net/core"]
        home = {**os.environ, "KREAD_HOME": str(self.folder / "home"), **environment}
        return subprocess.run(
            [*command, *asked], cwd=self.folder, env=home, capture_output=True, timeout=120, check=False
        )
