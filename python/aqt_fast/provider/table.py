"""A table for reading, and a sequence for working with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from aqt_fast.provider.fitting import Paint, fitted
from aqt_fast.visualization import html

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class Table(Sequence[T]):
    """Items that print as a table (``str``, notebooks) and act as a sequence.

    The text fits the terminal: see :meth:`fitted`. :meth:`rows` and notebooks have everything.
    """

    HEADERS: ClassVar[tuple[str, ...]]
    """Names of the columns."""
    EXPENDABLE: ClassVar[tuple[str, ...]] = ()
    """Columns that a narrow terminal does not show, the first of them first."""
    STATES: ClassVar[str | None] = None
    """The column whose texts are states, which notebooks show with their colours."""
    SHORTENED: ClassVar[str | None] = None
    """The column whose texts a narrow terminal shortens in the end."""

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
        return self.fitted("rounded_outline")

    def _repr_html_(self) -> str:
        return html.block(html.table(self.HEADERS, self.rows(), states=self.STATES))

    def fitted(self, style: str = "simple", paint: Paint | None = None) -> str:
        """Format the table for the terminal's width.

        Args:
            style: a format of the package ``tabulate``, one for plain text.
            paint: for names of columns, what colours a cell by escapes of the terminal.
        """
        return fitted(
            self.rows(),
            self.HEADERS,
            drop=self.EXPENDABLE,
            shorten=self.SHORTENED,
            short_rows=self._short_rows(),
            style=style,
            paint=paint,
        )

    @abstractmethod
    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per item, with the columns of ``HEADERS``."""

    def _short_rows(self) -> list[tuple[Any, ...]]:
        """Return rows for a narrow terminal."""
        return self.rows()

    def _part(self, items: Sequence[T]) -> Self:
        """Make a table of some of the items."""
        return type(self)(items)
