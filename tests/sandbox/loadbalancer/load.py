"""
Requests from several clients for a while: URL SECONDS; prints how many failed, as JSON.

Every request has a connection of its own: a client that keeps connections must be ready
to repeat a request anyway.
"""

import json
import sys
import threading
import time
import urllib.request

URL, SECONDS = sys.argv[1], float(sys.argv[2])
CLIENTS = 4
PAUSE_SECONDS = 0.02

done: list[str] = []
failed: list[str] = []


def client() -> None:
    """
    Ask until the time is over.
    """
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(URL, timeout=5) as answer:
                done.append(answer.read().decode())
        except OSError as error:
            failed.append(str(error))
        time.sleep(PAUSE_SECONDS)


threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.stdout.write(json.dumps({"done": len(done), "failed": failed}))
