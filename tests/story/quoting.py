"""
A Keystone that does its worst: it quotes whatever it was sent in its answer.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def keystone():
    """
    On a free port of this machine; `answer_with(status)` sets the status of its next answers.
    """

    class Handler(BaseHTTPRequestHandler):
        status = 401

        def do_POST(self):
            """Quote it."""
            length = int(self.headers.get("Content-Length", "0"))
            quoted = f"{self.rfile.read(length).decode()} {self.headers}"
            self._answer(self.status, {"error": {"message": quoted, "code": 1}})

        def do_GET(self):
            """Which versions there are; or quote."""
            if self.path.rstrip("/") != "/v3":
                self._answer(self.status, {"error": {"message": str(self.headers)}})
                return
            here = f"http://127.0.0.1:{server.server_port}/v3/"
            links = [{"rel": "self", "href": here}]
            version = {"id": "v3.14", "status": "stable", "links": links}
            self._answer(200, {"version": version})

        def _answer(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.answer_with = lambda status: setattr(Handler, "status", status)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
