"""What AQT's portal publishes of a device, in SI units, with uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqt_fast._files import write_file
from aqt_fast.devices.figures import Figures
from aqt_fast.devices.measured import Measured
from aqt_fast.devices.published import read_published
from aqt_fast.devices.report import as_html, as_text
from aqt_fast.devices.saved import from_json, to_json
from aqt_fast.exceptions import InvalidCharacterisationError
from aqt_fast.visualization.plots import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Characterisation", "Measured"]


@dataclass(frozen=True)
class Characterisation(Figures):
    """Figures of a device, as far as they are known.

    Fidelities are average gate fidelities, as randomised benchmarking measures them, and
    probabilities from 0 to 1. Times are in seconds. The text form and notebooks show a table.

    Raises:
        InvalidCharacterisationError: a value is impossible; names the field.
    """

    @classmethod
    def from_published(
        cls,
        published: Mapping[str, Any],
        *,
        resource_id: str,
        workspace_id: str,
        num_qubits: int,
        fetched_at: datetime | None = None,
    ) -> Characterisation:
        """Read what the portal publishes. What is missing or malformed stays unknown.

        A value may come with its uncertainty or as a number. The fidelities of two-qubit gates are
        a list with one entry for each pair, only a mean, or both. :attr:`problems` names what is
        malformed.

        Args:
            published: ``characterisation`` of a resource: per cent, seconds and microseconds.
            resource_id: the device's identifier.
            workspace_id: the workspace through which it was asked.
            num_qubits: number of its qubits.
            fetched_at: when the portal was asked.
        """
        return cls(
            resource_id,
            workspace_id,
            num_qubits,
            fetched_at=fetched_at,
            **read_published(published, num_qubits),
        )

    def __hash__(self) -> int:
        qubits, pairs = (frozenset(each.items()) for each in (self.r_fidelity, self.rxx_fidelity))
        place = (self.resource_id, self.workspace_id, self.num_qubits)
        return hash((*place, qubits, pairs, self.updated_at, self.fetched_at))

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's types, in SI units; times in ISO 8601."""
        return to_json(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Characterisation:
        """Make a characterisation of what :meth:`to_dict` has returned.

        Only ``format``, ``resource_id``, ``workspace_id`` and ``num_qubits`` must be there.

        Raises:
            InvalidCharacterisationError: a field is missing, damaged or unknown; names it.
        """
        return cls(**from_json(content))

    def save(self, path: str | Path) -> None:
        """Write everything to a file, in JSON, readable by its owner only.

        Raises:
            OSError: the file cannot be written; an existing file stays as it was.
        """
        import orjson

        try:
            write_file(Path(path), orjson.dumps(self.to_dict(), option=orjson.OPT_INDENT_2))
        except OSError as error:  # which names a temporary file beside it
            raise OSError(error.errno, error.strerror, str(path)) from error

    @classmethod
    def load(cls, path: str | Path) -> Characterisation:
        """Read a file that :meth:`save` has written.

        Raises:
            InvalidCharacterisationError: it is damaged, or holds something else.
            OSError: it cannot be read.
        """
        import orjson

        file = Path(path)
        try:
            return cls.from_dict(orjson.loads(file.read_bytes()))
        except orjson.JSONDecodeError as error:
            raise InvalidCharacterisationError("content", f"is no JSON: {error}", file) from error
        except InvalidCharacterisationError as error:
            raise InvalidCharacterisationError(error.field, error.reason, file) from None

    def plot(self) -> Figure:
        """Draw the figures: a matrix of the pairs, bars for the qubits with their uncertainties.

        Returns:
            A figure of matplotlib's. It belongs to no window; notebooks show it, and its method
            ``savefig`` writes it to a file.

        Raises:
            MissingExtraError: matplotlib is not installed (extra ``plot``).
        """
        require_matplotlib("the picture of a device")
        from aqt_fast.devices.picture import draw

        return draw(self)
