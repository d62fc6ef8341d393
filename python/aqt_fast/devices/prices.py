"""What jobs cost, by lists of prices with a date and a source."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from aqt_fast.aqt_options import checked_integer
from aqt_fast.exceptions import InvalidOptionError

_HIGHEST_PRICE = 1e9
"""In any currency: the price of any job is then finite."""

_MOST_DAYS = 36_500


class StalePriceWarning(UserWarning):
    """A list of prices is so old that they have probably changed."""


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """Prices of one device or several, from one source.

    Raises:
        InvalidOptionError: a price is out of range, a text is empty, ``as_of`` is no date, or
            ``max_age_days`` is no whole number of 1 or more.
    """

    per_shot: float
    """Price of a shot, 0 or more."""
    per_circuit: float = 0.0
    """Price of a circuit with up to 2000 shots, 0 or more. One with more runs several times, and
    each time counts."""
    per_api_job: float = 0.0
    """Price of an API job, 0 or more."""
    currency: str
    """What the prices are in, such as ``EUR``. It is shown, and never converted."""
    source: str
    """Where the prices are from."""
    as_of: date
    """When the source said so."""
    resources: tuple[str, ...] = ()
    """Identifiers of the resources that have these prices; none stands for all devices."""
    max_age_days: int | None = None
    """Age from which an estimate warns, 1 day or more; None for never."""

    def __post_init__(self) -> None:
        """Check all fields."""
        for name in ("per_shot", "per_circuit", "per_api_job"):
            self._set(name, _price(name, getattr(self, name)))
        for name in ("currency", "source"):
            _check_text(name, getattr(self, name))
        self._set("as_of", _date(self.as_of))
        self._set("resources", _names(self.resources))
        if self.max_age_days is not None:
            days = checked_integer("max_age_days", self.max_age_days, 1, _MOST_DAYS)
            self._set("max_age_days", days)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def amazon_braket(cls) -> PriceList:
        """Return what Amazon Braket charges for jobs on IBEX-Q1.

        They are the prices of another seller of the same device, so no estimate takes them by
        itself. A task at Amazon Braket is one circuit with up to 2000 shots.

        Source: https://aws.amazon.com/braket/pricing, read on 3 October 2026 by the authors of
        https://github.com/darkforest-labs/qml-hardware-survey (``src/qmlsurvey/catalog.py``).
        """
        return cls(
            per_shot=0.0235,
            per_circuit=0.30,
            currency="USD",
            source="Amazon Braket, https://aws.amazon.com/braket/pricing",
            as_of=date(2026, 10, 3),
            max_age_days=180,
        )

    def cost(self, *, shots: int, circuits: int, api_jobs: int) -> Cost:
        """Return what a job costs.

        Args:
            shots: those of all circuits together.
            circuits: how often a circuit runs with up to 2000 shots.
            api_jobs: number of API jobs.

        Raises:
            InvalidOptionError: one is no whole number of 0 or more.
        """
        for name, number in (("shots", shots), ("circuits", circuits), ("api_jobs", api_jobs)):
            checked_integer(name, number, 0, sys.maxsize)
        total = amount(
            (self.per_shot, shots), (self.per_circuit, circuits), (self.per_api_job, api_jobs)
        )
        return Cost(total, self.currency, self)

    def age_days(self, today: date | None = None) -> int:
        """Return how old the list is, in days.

        Args:
            today: the date that counts as today, None for the computer's.
        """
        return ((today or date.today()) - self.as_of).days  # noqa: DTZ011 - a day more or less

    def warning(self, today: date | None = None) -> str | None:
        """Return what to warn of if the list is older than :attr:`max_age_days`, None otherwise.

        Args:
            today: as for :meth:`age_days`.
        """
        age = self.age_days(today)
        if self.max_age_days is None or age <= self.max_age_days:
            return None
        return f"the prices are {age} days old and may have changed: {self.origin}"

    @property
    def origin(self) -> str:
        """Source and date."""
        return f"{self.source}, {self.as_of.isoformat()}"

    def to_dict(self) -> dict[str, Any]:
        """Return all fields in JSON's types."""
        return {
            "per_shot": self.per_shot,
            "per_circuit": self.per_circuit,
            "per_api_job": self.per_api_job,
            "currency": self.currency,
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "resources": list(self.resources),
            "max_age_days": self.max_age_days,
        }


@dataclass(frozen=True)
class Cost:
    """What a job costs by a list of prices."""

    amount: float
    """The amount, 0 or more."""
    currency: str
    """Its currency."""
    price_list: PriceList
    """The prices."""

    def __str__(self) -> str:
        cents = not self.amount or self.amount >= 0.01
        return f"{self.amount:{',.2f' if cents else '.2g'}} {self.currency}"

    def to_dict(self) -> dict[str, Any]:
        """Return amount, currency and prices in JSON's types."""
        return {
            "amount": self.amount,
            "currency": self.currency,
            "price_list": self.price_list.to_dict(),
        }


def amount(*items: tuple[float, int]) -> float:
    """Add up prices, each times a number, as decimals: three times 0.1 is not more than 0.3."""
    return float(sum((Decimal(repr(price)) * number for price, number in items), Decimal(0)))


def price_lists(given: PriceList | Iterable[PriceList] | None) -> tuple[PriceList, ...]:
    """Return one list, several or none as a tuple.

    Raises:
        InvalidOptionError: something else was given.
    """
    if given is None:
        return ()
    if isinstance(given, PriceList):
        return (given,)
    found: tuple[Any, ...] = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(item, PriceList) for item in found):
        raise InvalidOptionError("price_list", given, "a PriceList, or several")
    return found


def _price(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= _HIGHEST_PRICE:
        raise InvalidOptionError(name, value, f"a number from 0 to {_HIGHEST_PRICE:,.0f}")
    return number


def _names(value: Any) -> tuple[str, ...]:
    single = isinstance(value, str) or not isinstance(value, Iterable)
    names = (value,) if single else tuple(value)
    for name in names:
        _check_text("resources", name)
    return names


def _check_text(name: str, value: Any) -> None:
    if not (isinstance(value, str) and value.strip() and value.isprintable()):
        raise InvalidOptionError(name, value, "text of printable characters")


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if not isinstance(value, date):
        raise InvalidOptionError("as_of", value, "a datetime.date")
    return value
