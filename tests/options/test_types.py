"""The types of the options of ``run``: complete, and each field is documented with its default."""

import ast
import inspect

import aqt_fast.aqt_options
import pytest
from aqt_fast import AQTOptions, RunOptions
from aqt_fast.aqt_options import WAITING_OPTIONS


def documented_fields():
    """Names and docstrings of the fields of all options' types."""
    fields = {}
    module = ast.parse(inspect.getsource(aqt_fast.aqt_options))
    for kind in module.body:
        if isinstance(kind, ast.ClassDef) and any(word.arg == "total" for word in kind.keywords):
            for field, text in zip(kind.body, kind.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign):
                    fields[field.target.id] = inspect.cleandoc(text.value.value)
    return fields


def test_complete():
    """There is a field for each option, and none besides."""
    assert RunOptions.__optional_keys__ == set(AQTOptions())
    assert not RunOptions.__required_keys__
    assert RunOptions.__optional_keys__ > WAITING_OPTIONS


@pytest.mark.parametrize(("name", "default"), AQTOptions().items())
def test_documented(name, default):
    """The docstring of each field ends with the default; that of the class lists the option."""
    told = "none" if default == () else f"{default:g}" if type(default) is float else default
    assert " ".join(documented_fields()[name].split()).endswith(f"Default: {told}.")
    assert f"    {name}: " in AQTOptions.__doc__
