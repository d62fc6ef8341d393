"""What anyone tries first: a bell pair, with nothing but the package's own dependencies."""

import aqt_fast
from aqt_fast import AQTProvider, execute
from qiskit import QuantumCircuit

bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
bell.measure_all()

provider = AQTProvider("", load_dotenv=False)
for name in ("offline_simulator_no_noise", "offline_simulator_noise"):
    backend = provider.get_backend(name)
    backend.set_options(with_progress_bar=False)
    compiled = aqt_fast.compile(bell, backend)
    for job in (execute(bell, backend, shots=200), backend.run(compiled, shots=200)):
        counts = job.result().get_counts()
        assert sum(counts.values()) == 200, counts
        assert counts.get("00", 0) > 50, counts
        assert counts.get("11", 0) > 50, counts
