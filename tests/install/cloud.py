"""A job on a local server, by a program that dies, and its restoring by another.

``cloud.py serve`` runs the server and both of them, which are ``submit`` and ``restore ID``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from aqt_fast import AQTJob, AQTProvider, execute
from qiskit import QuantumCircuit


def submit() -> None:
    """Send 60 circuits, and end at once and without any cleaning up when they are accepted."""
    flip = QuantumCircuit(2)
    flip.x(0)
    flip.measure_all()
    backend = AQTProvider(load_dotenv=False).get_backend("ibex")
    backend.set_options(with_progress_bar=False, query_period_seconds=0.1)
    job = execute([flip] * 60, backend, shots=100, label="installed")
    for number in range(2):
        job.api_job_id(number)
    print(job.job_id(), flush=True)
    os._exit(3)


def restore(job_id: str) -> None:
    """Get all counts of the job."""
    job = AQTJob.restore(job_id)
    result = job.result(timeout=120)
    assert all(result.get_counts(index) == {"01": 100} for index in range(60))
    assert job.progress().finished_count == 60


def serve() -> None:
    """Run both programs, one after the other, against a server that holds its jobs meanwhile."""
    from aqt_fast.testing import ArnicaServer

    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, __file__, *arguments]
        return subprocess.run(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, text=True, timeout=240, check=False
        )

    with ArnicaServer(simulate=False) as server, tempfile.TemporaryDirectory() as store:
        environment = os.environ | {
            "AQT_PORTAL_URL": server.url,
            "AQT_TOKEN": server.token,
            "AQT_STORE_PATH": store,
        }
        server.hold()
        dead = program("submit")
        assert dead.returncode == 3, "the job was not accepted"
        job_id = dead.stdout.strip()
        assert [path for path in Path(store).iterdir() if path.is_dir()], "there is no journal"
        server.release()
        for _ in ("from the portal", "from the store"):
            assert program("restore", job_id).returncode == 0, "the job was not restored"


if __name__ == "__main__":
    {"serve": serve, "submit": submit, "restore": restore}[sys.argv[1]](*sys.argv[2:])
