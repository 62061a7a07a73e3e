"""
A member of a pool for benches: one small process that misbehaves on command. Run by `python bench_member.py ADDRESS PORT`.

`GET /behave?KIND` takes what it is from then on: ok, errors, grey-errors, grey-slow, pause (300 ms of silence, once). Kill and hang are
signals from outside, as in life.
"""

import asyncio
import sys
import time

BUCKETS = (0.005, 0.05, 0.1, 0.5, 1.0, 2.5)
WORK_SECONDS = 0.004
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 0.3


class Member:
    """
    Behaviour and measurements.
    """

    def __init__(self) -> None:
        self.kind = "ok"
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def note(self, seconds):
        """One request took so long."""
        place = sum(seconds > limit for limit in BUCKETS)
        self.counts[place] += 1
        self.seconds += seconds

    def metrics(self):
        """As the web blueprint's application exports it."""
        name, below, lines = "http_request_duration_seconds", 0, []
        for limit, count in zip((*BUCKETS, "+Inf"), self.counts, strict=True):
            below += count
            lines.append(f'{name}_bucket{{le="{limit}"}} {below}')
        lines += [f"{name}_sum {self.seconds:.6f}", f"{name}_count {below}"]
        return "\n".join([f"# TYPE {name} histogram", *lines, ""])

    async def answer(self, path):
        """Status and body."""
        if path.startswith("/behave?"):
            self.kind = path.partition("?")[2]
            if self.kind == "pause":
                self.kind = "ok"
                asyncio.get_running_loop().call_later(0.01, time.sleep, PAUSE_SECONDS)
            return 200, ""
        if path == "/metrics":
            return 200, self.metrics()
        if path == "/healthz":
            return (500 if self.kind == "errors" else 200), ""
        begun = time.perf_counter()
        await asyncio.sleep(SLOW_SECONDS if self.kind == "grey-slow" else WORK_SECONDS)
        self.note(time.perf_counter() - begun)
        return (500 if self.kind in {"errors", "grey-errors"} else 200), "page"

    async def serve(self, reader, writer):
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                status, body = await self.answer(head.split(b" ", 2)[1].decode())
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    """Serve for ever."""
    server = await asyncio.start_server(
        Member().serve, sys.argv[1], int(sys.argv[2]), reuse_address=True
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
