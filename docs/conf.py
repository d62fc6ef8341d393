"""Settings of the site, which ``make docs`` builds from the pages of this folder."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aqt_fast

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

project = "aqt-fast"
author = "the authors of aqt-fast"
release = aqt_fast.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_click",
    "sphinx_copybutton",
    "qiskit_sphinx_theme",
    "extensions.links",
    "extensions.option_tables",
    "extensions.public_names",
    "extensions.references",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]

html_theme = "qiskit-ecosystem"
pygments_dark_style = "monokai"
html_title = f"{project} {release}"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False
# Options keep their hyphens, and commands their quotes.
smartquotes = False

# Headings are targets under the names that GitHub gives them, too.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
# Notebooks are stored with their outputs; the tests execute them.
nb_execution_mode = "off"
# Of examples with prompts, what follows the prompts is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

# Each name in a docstring leads somewhere: into the reference, or to what is listed here.
nitpicky = True
nitpick_ignore_regex = [
    # Other packages.
    ("py:.*", r"(collections|concurrent|datetime|enum|numbers|pathlib|re|typing|uuid)\..*"),
    ("py:.*", r"(aqt_connector|httpx|matplotlib|numpy|qiskit|qiskit_aer)\..*"),
    # Their names where a module imports them for type checkers only.
    (
        "py:.*",
        "AerBackendConfiguration|AerBackendProperties|AerSimulator|AuthenticationConfig|"
        "CouplingMap|Executor|JobTimeoutError|Path|QiskitBackendNotFoundError|QuantumCircuit|"
        "ExperimentResult|TranspilerError|datetime",
    ),
    # What public names take from and give to the rooms of the package, and type variables.
    (
        "py:.*",
        r"(aqt_fast\.(\w+\.)*)?(AerExecution|Batch|Besides|Calibration|Checked|Checkpoint|"
        "CloudConnection|Connections|DeviceNoise|DirectConnection|Evaluation|Execution|JobBackend|"
        "JobDirectory|JobRestorer|Part|Place|Primitive|RefuseOperations|ResumableJob|SavedJob|"
        "Snapshot|TakeApart|B_co|JobT|T|W)",
    ),
    # Values that are written out where they are taken.
    ("py:.*", "FidelityKind|Figure|Grouping|ResourceStatus|Status|Variances"),
]


_END_OF_EXAMPLE = re.compile(r"(?ms)^(```(?:pycon|python)\n.*?)\n+```$")


def _adapt(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Lead to the page that has the figures; drop the empty line that doctest needs at the end."""
    text = source[0].replace("](../benches/RESULTS.md", "](figures.md")
    source[0] = _END_OF_EXAMPLE.sub(r"\1\n```", text)


def setup(app: Sphinx) -> None:
    """Take part in reading pages."""
    app.connect("source-read", _adapt)
