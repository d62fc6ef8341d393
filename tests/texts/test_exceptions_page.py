"""The page of errors has all of them, and no others."""

import importlib
import re
from pathlib import Path

import aqt_fast
import pytest
import qiskit.exceptions
import qiskit.providers
import qiskit.transpiler.exceptions
from aqt_fast import exceptions
from aqt_fast.v2 import exceptions as v2_exceptions

PAGE = (Path(__file__).parents[2] / "docs" / "exceptions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE)
INTERNAL = {"CodeError", "OtherNoiseError", "PortalError", "ReadOnlyError", "Retry"}
"""Those that no call of a user's raises."""


@pytest.fixture(scope="module")
def classes():
    """All exceptions and warnings of the package with a public name, by that name."""
    found = {}
    for path in Path(aqt_fast.__file__).parent.rglob("*.py"):
        if path.name == "__main__.py":
            continue  # it is a command
        parts = path.relative_to(Path(aqt_fast.__file__).parents[1]).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        module = importlib.import_module(name)  # noqa: TID251 - every module
        for attribute, value in vars(module).items():
            own = isinstance(value, type) and value.__module__ == name
            if own and issubclass(value, Exception) and not attribute.startswith("_"):
                found.setdefault(attribute, []).append(value)
    return found


def test_every_class_has_its_row(classes):
    """Errors, warnings, those of the 2.x face, and the parts of errors."""
    public = {*exceptions.__all__, *v2_exceptions.__all__, *classes} - INTERNAL
    assert public - set(ROWS) == set()


def test_rows_of_the_2x_face():
    """Its names are on the page below its heading, even if other errors have the same."""
    section = PAGE.partition("## The 2.x face")[2]
    assert set(v2_exceptions.__all__) <= set(re.findall(r"`(\w+)`", section))


def test_the_page_names_nothing_else(classes):
    """A class that was renamed leaves no trace."""
    named = set(re.findall(r"`(\w+(?:Error|Warning))`", PAGE))
    others = (qiskit.exceptions, qiskit.providers, qiskit.transpiler.exceptions)
    known = {*classes, *__builtins__, *(name for module in others for name in vars(module))}
    assert named - known == set()


def test_bases(classes):
    """What stands in brackets is a base class of the error."""
    for name, base in re.findall(r"^\| `(\w+)` \(`(\w+)`\)", PAGE, re.MULTILINE):
        bases = {base.__name__ for kind in classes[name] for base in kind.__mro__}
        assert base in bases, name


@pytest.mark.parametrize("kind", [exceptions.CircuitProblem, exceptions.PartFailure])
def test_fields(kind):
    """The parts of errors name fields that exist."""
    (row,) = re.findall(rf"^\| `{kind.__name__}` \|.*$", PAGE, re.MULTILINE)
    fields = set(re.findall(r"`([a-z_]+)`", row))
    assert fields <= set(kind.__dataclass_fields__)


PLACE = Path("jobs")
EXAMPLES = {
    "JobFailedError": ("x", "out of ions"),
    "JobNotFoundError": ("x", PLACE),
    "DamagedJobError": (PLACE, "it is empty"),
    "UnsavableJobError": ("x", "its noise model"),
}
"""Arguments of errors that take others than a message."""


@pytest.mark.parametrize(
    ("face", "above"),
    [
        (face, above)
        for face, cell in re.findall(
            r"^\| `(\w+)`[^|]*\|[^|]*\| ([^|]*) \|$",
            PAGE.partition("## The 2.x face")[2],
            re.MULTILINE,
        )
        for above in re.findall(r"`(\w+Error)`", cell)
        if above != "APIError"
    ],
)
def test_the_2x_face_of_an_error(face, above):
    """An error of the third column is raised as that of the first."""
    error = getattr(exceptions, above)(*EXAMPLES.get(above, ("message",)))
    with pytest.raises(getattr(v2_exceptions, face)) as raised, v2_exceptions.raised_as_v2():
        raise error
    assert isinstance(raised.value, type(error))
