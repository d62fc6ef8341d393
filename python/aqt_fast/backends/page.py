"""What notebooks show of a backend: status, limits, options, characterisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.backends.knowledge import Knowledge
from aqt_fast.devices.report import figures_as_html
from aqt_fast.visualization import html
from aqt_fast.visualization.quantities import plural

if TYPE_CHECKING:
    from aqt_fast.aqt_options import AQTOptions
    from aqt_fast.wire.circuits import Limits


def as_html(
    known: Knowledge,
    *,
    kind: str,
    limits: Limits,
    api_limits: Limits | None,
    options: AQTOptions,
    defaults: AQTOptions,
) -> str:
    """Write the page of a backend. Nobody is asked for anything.

    Args:
        known: what the backend knows.
        kind: the name of its class.
        limits: those of a job.
        api_limits: those of an API job, None where there are none.
        options: its options.
        defaults: what they are if nobody changes them.
    """
    resource = known.resource
    rows = [
        ("workspace", resource.workspace_id),
        ("description", resource.resource_name),
        ("type", f"{resource.resource_type}, {plural(resource.available_qubits, 'qubit')}"),
        ("gates", ", ".join(sorted(known.target.operation_names))),
        ("a job", f"{limits}"),
    ]
    if api_limits is not None:
        rows.append(("an API job", f"{api_limits}"))
    changed = (f"{name} = {value!r}" for name, value in options.items() if value != defaults[name])
    rows.append(("options", ", ".join(changed) or "the default ones"))
    parts = [
        html.heading(resource.resource_id, html.faint(kind), html.state(resource.full_status)),
        html.facts(rows),
    ]
    if known.characterisation is not None:
        figures = figures_as_html(known.characterisation)
        parts.append(html.details("Characterisation", figures, shown=False))
    return html.block(*parts)
