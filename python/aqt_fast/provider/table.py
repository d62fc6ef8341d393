"""A table for reading, and a sequence for working with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class Table(Sequence[T]):
    """Items that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS: ClassVar[tuple[str, ...]]
    """Names of the columns."""

    def __init__(self, items: Sequence[T]) -> None:
        """The table keeps the order of ``items``."""
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._part(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __str__(self) -> str:
        return self._tabulated("rounded_outline")

    def _repr_html_(self) -> str:
        return self._tabulated("html")

    @abstractmethod
    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per item, with the columns of ``HEADERS``."""

    def _part(self, items: Sequence[T]) -> Self:
        """Make a table of some of the items."""
        return type(self)(items)

    def _tabulated(self, style: str) -> str:
        rows = self.rows()
        # Text that looks like a number must not be formatted as one.
        texts = [
            index
            for index in range(len(self.HEADERS))
            if any(isinstance(row[index], str) for row in rows)
        ]
        from tabulate import tabulate  # 5 ms that most programs save

        return tabulate(rows, self.HEADERS, tablefmt=style, disable_numparse=texts or not rows)
