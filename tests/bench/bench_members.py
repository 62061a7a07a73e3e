"""
Many idle members in one process: `python bench_members.py PORT ADDRESS...`, each with the pages of `bench_member.py`.
"""

import asyncio
import sys

from bench_member import Member


async def main():
    """Listen on all of them."""
    port = int(sys.argv[1])
    servers = [
        await asyncio.start_server(Member().serve, address, port, reuse_address=True)
        for address in sys.argv[2:]
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
