"""Circuits from files in OpenQASM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.exceptions import MissingOptionalLibraryError

from aqt_fast.exceptions import InvalidCircuitError, InvalidInputError

_VERSION_3 = re.compile(r"\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*OPENQASM\s+3\b", re.DOTALL)
"""A file that begins with its version, after comments."""


def load_circuit(path: Path) -> QuantumCircuit:
    """Read a circuit in OpenQASM 2, or in 3 if the file begins by saying so.

    The circuit has the name of the file.

    Raises:
        InvalidInputError: the file cannot be read as that; or it is OpenQASM 3, and
            ``qiskit-qasm3-import`` is not installed.
        OSError: the file cannot be opened.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not OpenQASM: {error}") from error
    circuit = _version_3(path, text) if _VERSION_3.match(text) else _version_2(path)
    circuit.name = path.stem
    return circuit


def of_files(error: InvalidCircuitError, files: Sequence[Path]) -> InvalidCircuitError:
    """Name the files of circuits that cannot run, in place of their indices."""
    return type(error)(
        [
            replace(problem, circuit=None, circuit_name=str(files[problem.circuit or 0]))
            for problem in error.problems
        ]
    )


def _version_2(path: Path) -> QuantumCircuit:
    try:
        # From the file: its includes are sought beside it.
        circuit: QuantumCircuit = qasm2.load(
            path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS
        )
    except qasm2.QASM2ParseError as error:
        raise InvalidInputError(f"{path} is not OpenQASM 2: {error}") from error
    return circuit


def _version_3(path: Path, text: str) -> QuantumCircuit:
    try:
        circuit: QuantumCircuit = qasm3.loads(text)
    except MissingOptionalLibraryError:
        raise InvalidInputError(
            f"{path} is OpenQASM 3, which needs the package qiskit-qasm3-import"
        ) from None
    except Exception as error:  # of several libraries
        reason = str(error) or type(error).__name__
        raise InvalidInputError(f"{path} cannot be read as OpenQASM 3: {reason}") from error
    return circuit
