"""The angles of a circuit's gates for many sets of its parameters at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.circuit.exceptions import CircuitError


class AngleExpressions:
    """Expressions of parameters that give the angles of a template.

    An affine expression, such as 2a − b/2 + π, is evaluated for all sets at once from its
    coefficients, which are its derivatives. Any other one is bound by Qiskit set by set.

    Args:
        expressions: one for each angle.
        parameters: the circuit's parameters, in the order of the columns of :meth:`values`.
    """

    def __init__(
        self, expressions: Sequence[ParameterExpression], parameters: Sequence[Parameter]
    ) -> None:
        """Find the coefficients."""
        self._columns = {parameter: column for column, parameter in enumerate(parameters)}
        self._constants = np.zeros(len(expressions))
        self._terms: list[tuple[int, int, float]] = []
        """Angle, column and coefficient of each term of the affine expressions."""
        self._others: list[tuple[int, ParameterExpression]] = []
        for angle, expression in enumerate(expressions):
            coefficients = self._coefficients(expression)
            if coefficients is None:
                self._others.append((angle, expression))
                continue
            self._terms += [(angle, column, factor) for column, factor in coefficients.items()]
            zeros = dict.fromkeys(expression.parameters, 0.0)
            self._constants[angle] = _value(expression, zeros)

    def values(self, sets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the expressions.

        Args:
            sets: the parameters, shape (number of sets, number of parameters).

        Returns:
            The angles in radians, shape (number of sets, number of angles); NaN where an expression
            has no real value.
        """
        angles = np.tile(self._constants, (len(sets), 1))
        first: set[int] = set()
        for angle, column, factor in self._terms:
            term = sets[:, column] if factor == 1 else sets[:, column] * factor
            if angle in first or self._constants[angle] != 0:
                angles[:, angle] += term
            else:
                angles[:, angle] = term
            first.add(angle)
        for angle, expression in self._others:
            names = list(expression.parameters)
            columns = [self._columns[name] for name in names]
            angles[:, angle] = [
                _value(expression, dict(zip(names, row, strict=True)))
                for row in sets[:, columns].tolist()
            ]
        return angles

    def _coefficients(self, expression: ParameterExpression) -> dict[int, float] | None:
        """Return the coefficient for each column; None unless the expression is affine."""
        coefficients = {}
        for parameter in expression.parameters:
            try:
                factor = expression.gradient(parameter)
            except RuntimeError:  # a sign has no derivative in Qiskit
                return None
            if isinstance(factor, ParameterExpression):
                if factor.parameters:
                    return None
                factor = factor.numeric()
            factor = complex(factor)
            if factor.imag:
                return None
            coefficients[self._columns[parameter]] = factor.real
        return coefficients


def _value(expression: ParameterExpression, values: dict[Parameter, Any]) -> float:
    """Return the value of an expression; NaN if it has no real one."""
    try:
        bound = complex(expression.bind(values).numeric())
    except (CircuitError, ArithmeticError, RuntimeError, TypeError, ValueError):
        return np.nan
    return np.nan if bound.imag else bound.real
