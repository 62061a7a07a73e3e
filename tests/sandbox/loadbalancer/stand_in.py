"""
A stand-in for an instance: a plugged port with an HTTP server behind it.

Run by the sandbox's interpreter: NAME PORT_ID NETWORK_ID MAC ADDRESS/LENGTH GATEWAY.
Load balancer tests need members that answer within milliseconds and misbehave on
command; real instances, which boot and have an operating system, are tested elsewhere.
`PUT /behave` takes what answers from then on: {"healthz": 503, "code": 500, "delay": 1}.
"""

import ctypes
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fournines_sandbox.network.plug import plug
from fournines_sandbox.site import Site

NAME = sys.argv[1]
BEHAVIOUR = {"healthz": 200, "code": 200, "delay": 0}


class Handler(BaseHTTPRequestHandler):
    """
    Answers with its own name.
    """

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        """Answer as told."""
        healthz = self.path == "/healthz"
        if not healthz:
            time.sleep(BEHAVIOUR["delay"])
        self._answer(BEHAVIOUR["healthz" if healthz else "code"], NAME)

    def do_PUT(self):
        """Take new orders."""
        length = int(self.headers["Content-Length"])
        BEHAVIOUR.update(json.loads(self.rfile.read(length)))
        self._answer(200, "")

    def _answer(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Say nothing."""


def main():
    """
    Plug the port, enter its namespace, serve.
    """
    port_id, network_id, mac, address, gateway = sys.argv[2:]
    site = Site.from_environment()
    netns = site.netns("vm", port_id)
    plug(
        site,
        port_id=port_id,
        network_id=network_id,
        netns=netns,
        mac=mac,
        addresses=[address],
        gateway=gateway,
    )
    with Path(f"/run/netns/{netns}").open("rb") as file:
        if ctypes.CDLL(None).setns(file.fileno(), 0x40000000) != 0:
            raise OSError("cannot enter the namespace")
    ThreadingHTTPServer.handle_error = lambda *_: None  # clients come and go
    server = ThreadingHTTPServer(("0.0.0.0", 80), Handler)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
