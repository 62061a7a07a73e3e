"""
The package depot's door: files below the depot's directory, on the host's address of the external network, for instances alone.
"""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from fournines_sandbox import depot
from fournines_sandbox.site import Site


class Handler(SimpleHTTPRequestHandler):
    """
    GET and HEAD of files; nothing is listed.
    """

    protocol_version = "HTTP/1.1"

    def list_directory(self, path: object) -> None:
        self.send_error(404)


def main() -> None:
    """
    Serve until killed. The depot may still be downloaded when we start, and be another one when the recipes have changed.
    """
    site = Site.from_environment()
    directory = depot.served(site)
    address = (str(site.external_network[1]), site.depot_port)
    server = ThreadingHTTPServer(address, partial(Handler, directory=str(directory)))
    server.daemon_threads = True
    print(f"serving {directory} on {address[0]}:{address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
