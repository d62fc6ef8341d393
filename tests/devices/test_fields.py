"""The page on devices says of every field of AQT's models where it is used, or why not."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from aqt_connector.models import resources as models
from aqt_connector.models.arnica.response_bodies import resources, workspaces
from aqt_fast import Characterisation
from aqt_fast.api_client import Resource

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (\S.*) \|$", re.MULTILINE)
MODELS = (
    workspaces.Workspace,
    resources.WorkspaceResource,
    resources.ResourceDetails,
    models.Characterisation,
    resources.CharacterisationResponse,
    models.GateFidelity,
    models.TwoQubitGateFidelity,
    models.PositiveFloatValueWithUncertainty,
)
"""The models; each has the fields of those before it that it is derived from."""


def rows() -> list[tuple[str, str, str]]:
    """Model, field and what is said of it."""
    return ROW.findall(PAGE.read_text().partition("## Fields of AQT's models")[2])


def test_every_field():
    """Each once, and none that AQT does not have."""
    expected = []
    for model in MODELS:
        inherited = {
            name for base in model.__mro__[1:] for name in getattr(base, "model_fields", ())
        }
        expected += [(model.__name__, name) for name in model.model_fields if name not in inherited]
    assert sorted((model, field) for model, field, _ in rows()) == sorted(expected)


def test_every_model():
    """No model of a field is left out."""
    known = {model.__name__ for model in MODELS}
    for model in MODELS:
        for field in model.model_fields.values():
            for name in re.findall(r"\w+", str(field.annotation)):
                found = getattr(models, name, None) or getattr(resources, name, None)
                if isinstance(found, type) and hasattr(found, "model_fields"):
                    assert name in known


@pytest.mark.parametrize(
    ("owner", "prefix"), [(Characterisation, "characterisation"), (Resource, "resource")]
)
def test_names(owner, prefix):
    """What a field is said to become is there."""
    text = " ".join(place for *_, place in rows())
    named = set(re.findall(rf"`{prefix}\.(\w+)`", text))
    assert named
    assert named <= {field.name for field in dataclasses.fields(owner)}
