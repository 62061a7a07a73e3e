"""
Users for benches: `python bench_traffic.py RATE SECONDS URL...` sends RATE requests a second to each URL, on schedule, and forgets the answers.
"""

import asyncio
import sys
import urllib.parse

TIMEOUT_SECONDS = 3.0


async def one(host, port):
    """One request, as a new visitor."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        pass


async def main():
    """On schedule, whatever became of the earlier ones."""
    rate, seconds = float(sys.argv[1]), float(sys.argv[2])
    targets = [urllib.parse.urlsplit(url) for url in sys.argv[3:]]
    loop = asyncio.get_running_loop()
    begun, sent, running = loop.time(), 0, set()
    while (due := sent / rate) < seconds:
        await asyncio.sleep(max(0.0, begun + due - loop.time()))
        for target in targets:
            task = asyncio.create_task(one(target.hostname, target.port))
            running.add(task)
            task.add_done_callback(running.discard)
        sent += 1


if __name__ == "__main__":
    asyncio.run(main())
