"""
A sender for benches, in a process of its own: `python bench_poster.py FILE PORT AT_ONCE` sends the posts of a JSON file to the door.

FILE holds [[headers, body as latin-1, pause in seconds before it], ...]. Prints one JSON list of [sent at, seconds, status], wall clock.
"""

import asyncio
import json
import sys
import time
from pathlib import Path


async def send(streams, port, headers, body):
    """One post over a kept connection; a new one where the last was closed."""
    if streams is None:
        streams = await asyncio.open_connection("127.0.0.1", port)
    reader, writer = streams
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /alerts HTTP/1.1\r\nHost: door\r\nContent-Length: {len(body)}\r\n"
    writer.write((head + lines + "\r\n").encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(
        line.lower().split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line
    )
    await reader.readexactly(int(fields.get("content-length", "0")))
    if fields.get("connection") == "close":
        writer.close()
        streams = None
    return streams, int(answer.split(" ", 2)[1])


async def work(queue, port, told):
    """One of several senders."""
    streams = None
    while queue:
        headers, body, pause = queue.pop()
        await asyncio.sleep(pause)
        sent, begun = time.time(), time.perf_counter()
        status = 0
        try:
            streams, status = await send(streams, port, headers, body)
        except (OSError, asyncio.IncompleteReadError):
            # The door closes on what is too big before it was sent: the sender meets a broken connection.
            streams = None
        told.append([sent, time.perf_counter() - begun, status])


async def main(posts, port, at_once):
    """All posts, by so many senders at once."""
    queue = [(h, body.encode("latin-1"), pause) for h, body, pause in posts][::-1]
    told = []
    await asyncio.gather(*(work(queue, port, told) for _ in range(at_once)))
    return told


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    sent = asyncio.run(main(found, int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(json.dumps(sent))
