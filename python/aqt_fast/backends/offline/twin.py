"""An offline simulator with the noise of a device at one time."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

from aqt_fast._texts import one_line
from aqt_fast.api_client import Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.admission import Besides
from aqt_fast.backends.calibration import Calibration
from aqt_fast.backends.offline.backend import OfflineSimulatorResource
from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.devices import Characterisation
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from qiskit_aer.noise import NoiseModel

    from aqt_fast.backends.offline.simulation import AerExecution

_PREFIX = "noise_twin_"


class NoiseTwin(OfflineSimulatorResource):
    """A simulator with the noise that follows from a device's characterisation.

    :meth:`aqt_fast.AQTProvider.get_noise_twin` makes it, and describes the noise. Its name is that
    of the device with ``noise_twin_`` before it. It has the device's qubits and target, and its
    limit of operations; like other offline simulators it has none of circuits and shots.

    The figures never change. Results name device and time in their ``header``, and saved jobs keep
    all figures.
    """

    def __init__(self, noise: DeviceNoise, *, provider: Any = None) -> None:
        """Usually made by :meth:`aqt_fast.AQTProvider.get_noise_twin`.

        Args:
            noise: the noise.
            provider: the provider that makes the backend.
        """
        self._noise = noise
        resource = Resource(
            workspace_id="default",
            resource_id=_PREFIX + noise.device.resource_id,
            resource_name=f"Noise twin of {one_line(noise.device.resource_id)}, "
            f"{_age(noise.device)}",
            resource_type="offline_simulator",
            available_qubits=noise.device.num_qubits,
        )
        super().__init__(
            resource,
            provider=provider,
            calibration=_calibration(noise),
            characterisation=noise.device,
        )

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {_age(self._noise.device)}>"

    @property
    def noise(self) -> DeviceNoise:
        """The noise of each gate, and of the measurement."""
        return self._noise

    @property
    def characterisation(self) -> Characterisation:
        """The figures that it imitates."""
        return self._noise.device

    def execution(
        self,
        snapshot: Snapshot,
        options: AQTOptions,
        executor: Executor | None = None,
        *,
        besides: Besides | None = None,
    ) -> AerExecution:
        """Make a simulation that tells whose noise it has, also after it was saved."""
        execution = super().execution(snapshot, options, executor, besides=besides)
        execution.twin = self._noise.to_dict()
        return execution

    def _noise_model(self) -> NoiseModel:
        from aqt_fast.backends.offline.device_noise_model import DeviceNoiseModel

        return DeviceNoiseModel(self._noise)


def _age(device: Characterisation) -> str:
    """Tell the time of a device's figures to people, as exactly as they need it."""
    time, word = device.updated_at, "characterised"
    if time is None:
        time, word = device.fetched_at, "fetched"
    return "undated" if time is None else f"{word} {time:%Y-%m-%d %H:%M %Z}".rstrip()


def _calibration(noise: DeviceNoise) -> Calibration:
    """Return what the target is told: the errors of the noise, and the times of the device."""
    device = noise.device
    durations = {
        "rz": 0.0,
        "r": device.r_duration,
        "rxx": device.rxx_duration,
        "measure": device.readout_duration,
    }
    return Calibration(
        r_errors={qubit: gate.average_error for qubit, gate in noise.r.items()},
        rxx_errors={
            (a, b): noise.rxx[min(a, b), max(a, b)].average_error
            for a, b in permutations(range(device.num_qubits), 2)
        },
        readout_error=noise.readout_error,
        durations={name: time for name, time in durations.items() if time is not None},
        t1=None if device.t1 is None else device.t1.value,
        t2=None if device.t2 is None else device.t2.value,
    )
