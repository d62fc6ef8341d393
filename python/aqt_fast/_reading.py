"""Calls of native code that reads Qiskit's circuits.

Qiskit 2.4 ends the process when it is asked for an element of a ``ParameterVector`` without a
value, unless one of its own functions is under way: it believes that the thread is without the
interpreter. So the native code is called from within such a function, which calls back. Qiskit 2.5
and newer tell the kind of a parameter first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from qiskit.dagcircuit import DAGCircuit

P = ParamSpec("P")
T = TypeVar("T")


def read_by(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a native function that reads circuits or DAGs.

    Raises:
        Exception: whatever the function raises.
    """
    dag = _calls_back()
    if dag is None:
        return function(*args, **kwargs)
    values: list[T] = []
    errors: list[BaseException] = []

    def key(_: Any) -> str:
        if not values and not errors:
            try:
                values.append(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised below, without Qiskit's frames
                errors.append(error)
        return ""

    for _ in dag.topological_op_nodes(key):
        pass
    if errors:
        raise errors[0]
    return values[0]


@cache
def _calls_back() -> DAGCircuit | None:
    """Return a DAG whose nodes Qiskit sorts by a key that Python tells; None if none is needed."""
    import qiskit
    from qiskit.converters import circuit_to_dag

    if not qiskit.__version__.startswith("2.4."):
        return None
    circuit = qiskit.QuantumCircuit(1)
    circuit.barrier()
    return circuit_to_dag(circuit)
