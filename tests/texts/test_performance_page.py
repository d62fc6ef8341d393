"""The page of performance has no figure that the measured ones do not have."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
MEASURED = "".join(
    (ROOT / "benches" / name).read_text(encoding="utf-8") for name in ("RESULTS.md", "README.md")
)


def numbers(text):
    """All numbers, without blanks and commas between digits."""
    joined = re.sub(r"(?<=\d)[,\s ](?=\d{3}\b)", "", text)
    return set(re.findall(r"\d+(?:\.\d+)?", joined))


def test_every_figure_is_measured():
    """Each number of the page stands in the measured ones, or is no figure."""
    assert numbers(PAGE) - numbers(MEASURED) == set()


def test_commands_exist():
    """Each command is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([\w-]+)", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
