"""A registry of one image, on a host's own loopback, where engines ask without TLS: a program for the host.

    registry.py FOLDER PORT

FOLDER is an OCI image layout; every name and tag is its image. What clients ask, and how:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


class Registry(BaseHTTPRequestHandler):
    folder = Path()

    def do_GET(self) -> None:
        *_, kind, reference = self.path.split("/")
        if kind == "v2":
            self._answer("application/json", b"{}")
            return
        if ":" not in reference:
            (listed,) = json.loads((self.folder / "index.json").read_text())["manifests"]
            reference = listed["digest"]
        file = self.folder / "blobs" / reference.replace(":", "/")
        if not file.exists():
            self.send_error(404)
            return
        content = file.read_bytes()
        what = json.loads(content)["mediaType"] if kind == "manifests" else "application/octet-stream"
        self._answer(what, content, reference)

    do_HEAD = do_GET

    def _answer(self, what: str, content: bytes, digest: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", what)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@contextmanager
def served(archive: Path, port: int) -> Iterator[None]:
    """A registry of the image in an archive is on this computer's loopback inside the block."""
    with tempfile.TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", port), Registry) as server:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        Registry.folder = Path(folder)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    Registry.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Registry).serve_forever()
