"""Goal: thousands of malformed requests neither break the local server nor hang it.

It is a part of ``make faults``. No answer may have a status of 500 or more, and the server must
serve afterwards. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import httpx
from aqt_fast.testing import ArnicaServer
from mutated_requests import LIMITS, run

NUMBER = 10_000


def main() -> None:
    """Send the requests, and print what came back."""
    for simulate in (True, False):
        with ArnicaServer(simulate=simulate, limits=LIMITS) as server:
            found = run(server, NUMBER, seed=1)
            headers = {"authorization": f"Bearer {server.token}"}
            url = f"{server.url}/api/v1/workspaces"
            httpx.get(url, headers=headers, trust_env=False).raise_for_status()
        answers = ", ".join(f"{found[status]} × {status}" for status in sorted(found) if status)
        name = "Aer" if simulate else "native"
        print(f"{name}: {NUMBER} malformed requests: {answers}, {found[0]} × no answer")


if __name__ == "__main__":
    main()
