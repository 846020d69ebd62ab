"""A real Chromium without a window, spoken to in its DevTools protocol over a pair of pipes.

https://chromedevtools.github.io/devtools-protocol/; messages are JSON, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS = 60.0
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
]


class Page:
    """One page of the browser; `said` are the console's and the log's messages, `requests` what it asked for."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._buffer = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._events.append(answer)

    def open(self, path: Path) -> None:
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())

    @property
    def said(self) -> list[str]:
        self.call("Runtime.evaluate", expression="0")  # what was said before has arrived when this has
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self._events if event.get("method") in kinds]

    @property
    def requests(self) -> list[str]:
        sent = [event for event in self._events if event.get("method") == "Network.requestWillBeSent"]
        return [str(event["params"]["request"]["url"]) for event in sent]

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def size(self, width: int, height: int, mobile: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def dark(self, dark: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, top: tuple[int, int] | None = None) -> bytes:
        """The whole page, or its top: width and height in pixels."""
        clip = {"clip": {"x": 0, "y": 0, "width": top[0], "height": top[1], "scale": 1}} if top else {}
        png = base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, **clip)["data"])
        path.write_bytes(png)
        return png

    def pdf(self, path: Path) -> bytes:
        made = base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
        path.write_bytes(made)
        return made

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            left = end - time.monotonic()
            assert left > 0, f"the browser said nothing for {SECONDS} s"
            if select.select([self._reading], [], [], left)[0]:
                data = os.read(self._reading, 1 << 20)
                assert data, "the browser has ended"
                self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Start it, and end it with all its processes."""
    assert PATH, "chromium is missing: sh setup/system.sh --test"
    their_reading, writing = os.pipe()
    reading, their_writing = os.pipe()
    # The protocol wants its pipes as the descriptors 3 and 4, which a shell can give them.
    shell = f'exec "$@" 3<&{their_reading} 4>&{their_writing}'
    with subprocess.Popen(
        ["bash", "-c", shell, "bash", PATH, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(their_reading, their_writing),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        os.close(their_reading)
        os.close(their_writing)
        try:
            yield Page(reading, writing)
        finally:
            os.killpg(process.pid, 9)
            os.close(writing)
            os.close(reading)
