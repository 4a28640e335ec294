"""The real binary as a process, for the tests that are written in Python."""

import json
import os
import re
import subprocess
import threading
from pathlib import Path

BINARY = os.environ.get("EVENKEEL_BIN", "")
# Far more than a start takes; reached only when something is broken.
PATIENCE = 30


class Process:
    """A process of the binary, and what it says on standard error."""

    def __init__(self, *arguments: str, variables: dict[str, str] | None = None):
        self.said: list[str] = []
        self.changed = threading.Condition()
        self.ended = False
        self.child = subprocess.Popen(
            [BINARY, *arguments],
            env=os.environ | (variables or {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.child.stderr:
            with self.changed:
                self.said.append(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, pattern: str) -> str:
        """The first group of `pattern` in a line that was or will be said."""
        found = None

        def seen() -> bool:
            nonlocal found
            found = next(filter(None, (re.search(pattern, line) for line in self.said)), None)
            return found is not None or self.ended

        with self.changed:
            self.changed.wait_for(seen, PATIENCE)
            assert found, f"{self.child.args} never said {pattern!r}, but:\n{''.join(self.said)}"
        return found.group(1)

    def stop(self) -> None:
        """Ends this process, and no other."""
        # SIGINT ends the gateway at once, and the mock vendor too.
        self.child.send_signal(2)
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.reader.join(PATIENCE)


def create_key(file: Path, environment: str, variables: dict[str, str] | None = None) -> str:
    """A new key of the environment, made as an operator makes one."""
    arguments = ["keys", "create", "-c", str(file), "--name", environment, "--environment", environment]
    made = subprocess.run(
        [BINARY, *arguments, "--format", "json"],
        env=os.environ | (variables or {}),
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(made.stdout)["key"]
