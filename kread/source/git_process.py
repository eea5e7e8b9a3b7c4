"""Runs git for a repository of ours: no prompt, no hook, no surprise from the user's settings, no endless wait.

Theory of operation: GitPython starts the processes; nothing else of kread imports it, and it is imported only when
git is needed. The environment is made here in one place: the user's and the machine's git settings are not read,
except those that say how to reach a network (`http.*`, `url.*`, `ssh.*`, `core.sshCommand`), because without them a
machine behind a proxy reaches nothing; what a git that runs us left in the environment points to our repository
instead of its own. Each process is a group of its own, so that its helpers end with it. One that reports progress is
watched: when it says nothing for too long it is ended, because a connection that died silently would else hold us for
ever.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kread.errors import SourceError
from kread.source.home import storage_error
from kread.source.progress import Progress

if TYPE_CHECKING:
    from git import Git

#: A server that has not answered by then is not there. The stable tree answers within two seconds.
ANSWER_SECONDS = 20

#: The longest silence within a transfer: a busy server may take a minute to gather what it sends.
SILENCE_SECONDS = 120

#: What is made of the repository itself (writing files, listing them) takes seconds.
LOCAL_SECONDS = 600

#: Slower than this many bytes a second for so many seconds is no connection (git's http.lowSpeedLimit, lowSpeedTime).
_LOW_SPEED_LIMIT, _LOW_SPEED_SECONDS = 1000, 30

_NETWORK_SETTING = re.compile(r"(http|url|ssh)\.|core\.sshcommand$", re.IGNORECASE)

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.negotiationAlgorithm": "noop",
    "protocol.version": "2",
    "http.lowSpeedLimit": str(_LOW_SPEED_LIMIT),
    "http.lowSpeedTime": str(_LOW_SPEED_SECONDS),
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "init.defaultBranch": "kread",
}

_PROGRESS = re.compile(rb"(?:remote: )?([A-Z][a-z]+ [a-z]+):\s+\d+% \((\d+)/(\d+)\)(?:, ([\d.]+ [KMGi]*(?:B|bytes)))?")

#: How git says that the disk is full: by the system's words or its own.
_FULL_DISK = ("No space left on device", "Disk quota exceeded", "Out of diskspace")

#: How much of what git says is kept for an error's text.
_SAID_BYTES = 20_000


class GitFailed(Exception):
    """A git process ended with an error; the text is its last complaint."""


class Repository:
    """The git repository in `folder`, empty after `__init__`."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise SourceError(
                "no-git",
                "there is no git here",
                hint="install it (`apt install git`), or take Debian's package: `kread clone --from debian`",
            )
        # GitPython runs git on import and fails where it does not like what it finds: it is told not to.
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        from git import Git

        self._program = program
        self._folder = folder
        self._git: Git = Git(str(folder))
        self._git.update_environment(**_environment(program, folder))
        self.run("init", "--quiet", "--template=")

    def run(self, *arguments: str, seconds: float = LOCAL_SECONDS) -> bytes:
        """What `git arguments` prints; GitFailed where it fails or takes longer than `seconds`."""
        process = self._start(arguments, None)
        try:
            out, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise GitFailed(f"no answer within {seconds:.0f} s") from error
        finally:
            _end(process)
        self._check(process, said)
        return out

    def watch(self, *arguments: str, phase: str, progress: Progress, stdin: BinaryIO | None = None) -> str:
        """Run `git arguments`, which must take --progress, and report it as `phase`; what it said besides."""
        progress.phase(phase)
        process = self._start(arguments, stdin)
        said = b""
        try:
            assert process.stderr is not None
            pending = b""
            with selectors.DefaultSelector() as selector:
                selector.register(process.stderr, selectors.EVENT_READ)
                while True:
                    if not selector.select(SILENCE_SECONDS):
                        raise GitFailed(f"nothing came for {SILENCE_SECONDS} s")
                    chunk = os.read(process.stderr.fileno(), 65536)
                    if not chunk:
                        break
                    *lines, pending = re.split(rb"[\r\n]", pending + chunk)
                    for line in lines:
                        if match := _PROGRESS.match(line):
                            size = f", {match[4].decode()}" if match[4] else ""
                            progress.advance(int(match[2]), int(match[3]), f"objects{size}")
                        else:
                            said = (said + line + b"\n")[-_SAID_BYTES:]
            process.wait(LOCAL_SECONDS)
            said += pending
        except subprocess.TimeoutExpired as error:
            raise GitFailed("it does not end") from error
        finally:
            _end(process)
        self._check(process, said)
        return said.decode("utf-8", "replace")

    def _start(self, arguments: tuple[str, ...], stdin: BinaryIO | None) -> subprocess.Popen[bytes]:
        from git.exc import GitError

        try:
            started: Any = self._git.execute(
                [self._program, *arguments],
                as_process=True,
                istream=stdin,
                start_new_session=True,
            )
        except (GitError, OSError) as error:
            raise GitFailed(str(error)) from error
        process: subprocess.Popen[bytes] = started.proc
        started.proc = None  # from here on it is ours to end, with its whole group
        return process

    def _check(self, process: subprocess.Popen[bytes], said: bytes) -> None:
        if process.returncode == 0:
            return
        text = said.decode("utf-8", "replace")
        if any(sign in text for sign in _FULL_DISK):
            raise storage_error(OSError(28, "No space left on device"), self._folder)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal:", "error:", "ERR"))]
        # The first complaint is the cause, what follows is its consequence ("index-pack failed").
        cause = fatal[0] if fatal else (lines or [f"git ended with status {process.returncode}"])[-1]
        raise GitFailed(shown(cause.removeprefix("fatal: "))[:400])


def shown(text: str) -> str:
    """A text from anywhere, fit for a terminal; URLs in it lose the user and the password that they may hold."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"://[^/@\s]*@", "://", printable)


def _environment(program: str, folder: Path) -> dict[str, str]:
    settings = [*_network_settings(program), *_SETTINGS.items()]
    environment = {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_DIR": str(folder / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": str(folder / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(folder / ".git" / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_SSH_COMMAND": os.environ.get(
            "GIT_SSH_COMMAND", f"ssh -o BatchMode=yes -o ConnectTimeout={ANSWER_SECONDS}"
        ),
        "GIT_ALLOW_PROTOCOL": "https:http:git:ssh:file",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    for number, (name, value) in enumerate(settings):
        # By the environment and not by options, because options show in the list of processes.
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def _network_settings(program: str) -> list[tuple[str, str]]:
    """The user's and the machine's git settings that say how to reach a network."""
    found = []
    for scope in ("--system", "--global"):
        done = subprocess.run(
            [program, "config", scope, "--includes", "--list", "-z"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
            name, line, value = entry.partition("\n")
            if line and _NETWORK_SETTING.match(name):
                found.append((name, value))
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its helpers, if they have not ended yet, and close its pipes."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
