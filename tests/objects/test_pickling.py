"""What a pickle holds, and what it needs where it is unpickled."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from aqt_fast import AQTOptions, AQTProvider
from aqt_fast.api_client import Credentials, PortalClient, Workspace, Workspaces
from aqt_fast.aqt_options import AQTDirectAccessOptions
from aqt_fast.exceptions import AQTCredentialsError
from aqt_fast.login.tokens import Origin, TokenStore
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of, machine_of
from markers import marker
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.providers import QiskitBackendNotFoundError
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error

SECRET = "token-that-nobody-may-see"  # noqa: S105


@pytest.fixture
def secretive():
    """A server whose token is easy to find in other data."""
    with ArnicaServer(simulate=False, token=SECRET) as server:
        yield server


@pytest.fixture
def here(secretive, monkeypatch):
    """The environment where things are unpickled: it names the portal and its token."""
    monkeypatch.setenv("AQT_PORTAL_URL", secretive.url)
    monkeypatch.setenv("AQT_TOKEN", SECRET)


def facts(backend):
    """What a copy of a backend must have, too."""
    return (
        type(backend),
        backend.name,
        backend.description,
        backend.backend_version,
        backend.resource_id,
        backend.num_qubits,
        sorted(backend.target.operation_names),
        backend.limits,
        dict(backend.options),
    )


def superposition():
    """Outcomes that depend on the seed."""
    circuit = QuantumCircuit(2)
    circuit.r(1.0, 0.3, 0)
    circuit.rxx(1.2, 0, 1)
    circuit.measure_all()
    return circuit


class TestBackends:
    """Backends of every kind."""

    @pytest.mark.usefixtures("here")
    def test_cloud(self, secretive, through):
        """The token of the place where it is unpickled."""
        with connect(secretive) as provider:
            device = device_of(provider, "ibex", shots=7)
            other = through(device)
        assert facts(other) == facts(device)
        assert other.run(marker("10")).result().get_counts() == {"10": 7}
        assert [item.name for item in other.provider.backends("ibex")] == ["ibex"]
        other.provider.close()

    @pytest.mark.usefixtures("here")
    def test_machine(self, secretive, monkeypatch, through):
        """Direct access, with its own number of shots at most."""
        with connect(secretive) as provider:
            machine = provider.get_direct_access_backend(secretive.direct_url, max_shots=7)
            machine.set_options(shots=7, with_progress_bar=False)
            other = through(machine)
        monkeypatch.setenv("AQT_DIRECT_URL", secretive.direct_url)
        assert facts(other) == facts(machine)
        assert other.run(marker("10")).result().get_counts() == {"10": 7}
        other.provider.close()

    def test_offline(self, provider, through):
        """Options of the simulator and its noise model; the outcomes are the same."""
        noise = NoiseModel(basis_gates=["rz", "r", "rxx"])
        noise.add_all_qubit_quantum_error(amplitude_damping_error(0.2), ["r"])
        noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]))
        for name in ("offline_simulator_no_noise", "offline_simulator_noise"):
            backend = provider.get_backend(name, available_qubits=5)
            backend.set_options(with_progress_bar=False, memory=True, seed_simulator=3)
            changed = copy.copy(backend)
            changed.simulator.set_options(
                noise_model=noise, method="density_matrix", seed_simulator=8, precision="single"
            )
            for one in (backend, changed):
                other = through(one)
                assert facts(other) == facts(one)
                assert other.with_noise_model is one.with_noise_model
                assert other.simulator.options.noise_model == one.simulator.options.noise_model
                assert other.simulator.options.method == one.simulator.options.method
                memory = other.run([superposition()] * 2).result().get_memory(1)
                assert memory == one.run([superposition()] * 2).result().get_memory(1)

    def test_a_target_that_was_changed(self, backend, through):
        """What the user has added to the target stays there."""
        backend.target.dt = 1e-6
        assert through(backend).target.dt == 1e-6

    @pytest.mark.usefixtures("here")
    def test_together(self, secretive, dumps):
        """Backends of one provider keep one provider."""
        with connect(secretive) as provider:
            pickled = dumps(list(provider.backends()))
        backends = pickle.loads(pickled)  # noqa: S301
        assert len(backends) > 4
        if dumps(0)[:1] == b"\x80":  # older protocols nest pickles
            assert len({id(backend.provider) for backend in backends}) == 1
        backends[0].provider.close()

    @pytest.mark.usefixtures("here")
    def test_tables(self, secretive, through):
        """Tables of backends, workspaces and jobs."""
        with connect(secretive) as provider:
            device_of(provider).run(marker("1")).result()
            backends, jobs = provider.backends(), provider.jobs()
            assert str(through(backends)) == str(backends)
            assert str(through(jobs)) == str(jobs)
            restored = through(jobs)[0].restore()
            assert restored.result().get_counts() == {"1": 100}
            resources = tuple(backend.resource_id for backend in backends)
        workspaces = Workspaces([Workspace("default", resources)])
        assert list(through(workspaces)) == list(workspaces)
        restored.backend().provider.close()


class TestTokens:
    """A pickle has no token, and uses the one that it finds."""

    @pytest.mark.usefixtures("here")
    def test_nothing_secret(self, secretive, dumps, tmp_path):
        """Neither token nor secret of a login, wherever they came from."""
        dotenv = tmp_path / "settings.env"
        dotenv.write_text(f"AQT_TOKEN={SECRET}\nAQT_CLIENT_SECRET={SECRET}\n")
        TokenStore().save(SECRET, SECRET, Origin(secretive.url))
        for token in (SECRET, None):
            with AQTProvider(token, dotenv_path=dotenv) as provider:
                device, machine = device_of(provider), machine_of(provider, secretive)
                device.run(marker("1")).result()
                machine.run(marker("1")).result()
                for thing in (
                    provider, device, machine, AQTSampler(device), AQTEstimator(machine),
                    provider.backends(), provider.jobs(),
                ):  # fmt: skip
                    assert SECRET.encode() not in dumps(thing)

    def test_credentials(self, dumps):
        """What holds nothing but a token refuses, and says so."""
        with_token = Credentials(SECRET)
        for thing in (with_token, PortalClient(with_token)):
            with pytest.raises(TypeError, match="an access token is neither copied nor pickled"):
                dumps(thing)

    @pytest.mark.parametrize("source", ["environment", "login", "dotenv"])
    def test_sources(self, secretive, monkeypatch, tmp_path, source):
        """The environment, the last login, a file."""
        with connect(secretive) as provider:
            pickled = pickle.dumps(device_of(provider))
        if source == "dotenv":
            (tmp_path / ".env").write_text(f"AQT_TOKEN={SECRET}\nAQT_PORTAL_URL={secretive.url}/\n")
            monkeypatch.chdir(tmp_path)
        else:
            monkeypatch.setenv("AQT_PORTAL_URL", f"{secretive.url}/api/v1")
        if source == "environment":
            monkeypatch.setenv("AQT_TOKEN", SECRET)
        if source == "login":
            TokenStore().save(SECRET, None, Origin(secretive.url))
        device = pickle.loads(pickled)  # noqa: S301
        if source == "dotenv":  # the provider was told not to search for a file
            with pytest.raises(AQTCredentialsError):
                device.run(marker("1"))
            with AQTProvider(SECRET, portal_url=secretive.url) as provider:
                device = pickle.loads(pickle.dumps(device_of(provider)))  # noqa: S301
        assert device.run(marker("1")).result().get_counts() == {"1": 100}
        device.provider.close()

    def test_none(self, secretive, monkeypatch):
        """Unpickling works; the first use names the mend, which then works."""
        with connect(secretive) as provider:
            device = device_of(provider)
            other = pickle.loads(pickle.dumps(device))  # noqa: S301
        assert repr(other.provider) == "<AQTProvider(without access token)>"
        monkeypatch.setenv("AQT_PORTAL_URL", secretive.url)
        for once_more in (other, pickle.loads(pickle.dumps(other))):  # noqa: S301
            with pytest.raises(AQTCredentialsError, match=r"no access token.*set AQT_TOKEN"):
                once_more.run(marker("1"))
            with pytest.raises(QiskitBackendNotFoundError, match="set AQT_TOKEN"):
                once_more.provider.get_backend("ibex")
        assert secretive.jobs == []
        monkeypatch.setenv("AQT_TOKEN", SECRET)
        assert other.run(marker("1")).result().get_counts() == {"1": 100}
        other.provider.close()

    def test_nothing_at_all(self, secretive):
        """A process without any token has none for AQT's own portal, either."""
        with connect(secretive) as provider:
            device = pickle.loads(pickle.dumps(device_of(provider)))  # noqa: S301
        mend = f"set AQT_TOKEN \\(and AQT_PORTAL_URL={secretive.url}\\)"
        with pytest.raises(
            AQTCredentialsError,
            match=rf"^there is no access token in this process for {secretive.url}; {mend}",
        ):
            device.run(marker("1"))

    @pytest.mark.parametrize("named", [True, False])
    def test_another_portal(self, secretive, server, monkeypatch, named):
        """A token goes to its own portal only."""
        with connect(secretive) as provider:
            device = pickle.loads(pickle.dumps(device_of(provider)))  # noqa: S301
        if named:
            monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", SECRET)
        TokenStore().save(SECRET, None)
        with pytest.raises(AQTCredentialsError) as error:
            device.run(marker("1"))
        assert secretive.url in str(error.value)
        assert (server.url if named else "https://arnica.aqt.eu") in str(error.value)
        assert device.provider.access_token == ""
        assert secretive.jobs == server.jobs == []

    def test_a_login_that_others_can_read(self, secretive, monkeypatch):
        """It is refused at the first use, not while it is unpickled."""
        with connect(secretive) as provider:
            pickled = pickle.dumps(device_of(provider))
        monkeypatch.setenv("AQT_PORTAL_URL", secretive.url)
        TokenStore().save(SECRET, None, Origin(secretive.url))
        (Path.home() / ".aqt" / "access_token").chmod(0o644)
        device = pickle.loads(pickled)  # noqa: S301
        with pytest.raises(AQTCredentialsError, match="chmod 600"):
            device.run(marker("1"))

    def test_no_token_on_purpose(self, provider, monkeypatch):
        """A provider without a token does not find one."""
        monkeypatch.setenv("AQT_TOKEN", SECRET)
        other = pickle.loads(pickle.dumps(provider))  # noqa: S301
        assert other.access_token == ""
        assert len(other.backends()) == 2

    def test_machine(self, secretive, monkeypatch):
        """A machine gets a token only where ``AQT_DIRECT_URL`` names it."""
        with connect(secretive) as provider:
            machine = machine_of(provider, secretive, shots=3)
            others = [pickle.loads(pickle.dumps(machine)) for _ in range(2)]  # noqa: S301
        monkeypatch.setenv("AQT_PORTAL_URL", secretive.url)
        monkeypatch.setenv("AQT_TOKEN", SECRET)
        with pytest.raises(AQTCredentialsError, match="only if AQT_DIRECT_URL names it"):
            others[0].run(marker("1")).result()
        monkeypatch.setenv("AQT_DIRECT_URL", f"{secretive.direct_url}/")
        assert others[1].run(marker("1")).result().get_counts() == {"1": 3}
        for other in others:
            other.provider.close()


class TestValues:
    """Options, primitives, results."""

    @pytest.mark.parametrize("kind", [AQTOptions, AQTDirectAccessOptions])
    def test_options(self, kind, through):
        """Equal, of the same type, and validated."""
        options = kind(shots=7, label="label")
        other = through(options)
        assert type(other) is kind
        assert dict(other) == dict(options)
        with pytest.raises(ValueError, match="shots"):
            other.shots = 0

    def test_options_of_an_older_version(self):
        """Options that it did not have get their defaults."""
        older = AQTOptions()
        del vars(older)["journal"]
        assert pickle.loads(pickle.dumps(older)).journal is True  # noqa: S301

    def test_sampler(self, backend, through):
        """The same samples."""
        sampler = AQTSampler(backend, options={"seed_simulator": 4, "default_shots": 50})
        circuit = QuantumCircuit(1)
        circuit.rx(Parameter("a"), 0)
        circuit.measure_all()
        pub = (circuit, [[0.5], [1.0]])
        one, other = sampler.run([pub]), through(sampler).run([pub])
        assert (one.result()[0].data.meas.array == other.result()[0].data.meas.array).all()
        assert one.result()[0].data.meas.num_shots == 50

    def test_estimator(self, backend, through):
        """The same expectation values."""
        estimator = AQTEstimator(backend, options={"seed_simulator": 4, "default_precision": 0.1})
        circuit = QuantumCircuit(1)
        circuit.rx(1.0, 0)
        pub = (circuit, SparsePauliOp(["Z", "X"], [1, 0.5]))
        one, other = estimator.run([pub]), through(estimator).run([pub])
        assert one.result()[0].data.evs == other.result()[0].data.evs

    def test_results(self, backend, through):
        """Results, their parts, and the progress of their job."""
        job = backend.run([superposition()] * 3, memory=True)
        result = job.result()
        assert through(result).to_dict() == result.to_dict()
        assert through(job.progress()) == job.progress()
        parts = list(job.as_completed())
        assert [part.circuits for part in through(parts)] == [part.circuits for part in parts]


def test_attributes_of_a_subclass():
    """What a user's class adds is pickled, too."""
    other = pickle.loads(pickle.dumps(LabProvider("blue")))  # noqa: S301
    assert (other.lab, len(other.backends())) == ("blue", 2)


class LabProvider(AQTProvider):
    """A provider with something of the user's."""

    def __init__(self, lab):
        """In a lab."""
        super().__init__("", load_dotenv=False)
        self.lab = lab
