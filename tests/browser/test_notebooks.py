"""The notebooks of the documentation in a real browser, in JupyterLab's light and dark themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))

# For each text of ours: its contrast by WCAG 2 with what is behind it, and where it stands.
TEXTS = """
() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, alpha, below) => [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map(
      (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ancestors = (element) => element ? [...ancestors(element.parentElement), element] : [];
  const shown = [];
  for (const element of document.querySelectorAll('.aqt-fast *')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3)
      .map((node) => node.textContent.trim()).join(' ').trim();
    if (!own || element.tagName === 'STYLE' || !element.checkVisibility()) continue;
    let behind = [255, 255, 255], opacity = 1;
    for (const it of ancestors(element)) {
      const style = getComputedStyle(it);
      const colour = parse(style.backgroundColor);
      behind = over(colour, colour[3], behind);
      opacity *= Number(style.opacity);
    }
    const style = getComputedStyle(element), colour = parse(style.color);
    const [bright, dark] = [over(colour, colour[3] * opacity, behind), behind]
      .map(luminance).sort((a, b) => b - a);
    shown.push({
      text: own, contrast: (bright + 0.05) / (dark + 0.05), align: style.textAlign,
      number: element.classList.contains('aqt-number') || !!element.closest('.aqt-matrix'),
      behind: luminance(behind),
    });
  }
  return shown;
}
"""


@pytest.fixture
def offline(chromium: Browser, scheme: str) -> Iterator[Page]:
    """A page of a person who prefers the scheme, without a network."""
    context = chromium.new_context(
        viewport={"width": 1000, "height": 900}, color_scheme=scheme, offline=True
    )
    yield context.new_page()
    context.close()


def check(page: Page, scheme: str) -> int:
    """Check that all texts of ours can be read, and are where they belong; return their number."""
    shown = page.evaluate(TEXTS)
    for each in shown:
        assert each["contrast"] >= 4.5, each
        assert (each["behind"] > 0.4) == (scheme == "light"), each
        assert each["align"] in ("left", "start") or each["number"], each
    loaded = page.locator(".aqt-fast").locator("[src], [href], script, iframe, object")
    assert loaded.count() == 0
    for block in page.locator(".aqt-fast").all():
        box = block.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1000
    return len(shown)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_readable(notebook, scheme, offline, tmp_path):
    """Text has contrast on its ground, cells are to the left, nothing is loaded or cut off."""
    content, _ = HTMLExporter(theme=scheme, require_js_url="", mathjax_url="").from_filename(
        str(notebook)
    )
    file = tmp_path / f"{notebook.stem}.html"
    file.write_text(content, encoding="utf-8")
    offline.goto(file.as_uri())
    folder = ROOT / "dist" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    offline.screenshot(path=folder / f"{notebook.stem}-{scheme}.png", full_page=True)
    assert check(offline, scheme) > 100


def test_another_circuit_can_be_folded(offline):
    """Parts are folded and unfolded without a script."""
    notebook = next(path for path in NOTEBOOKS if path.stem == "first_job")
    content, _ = HTMLExporter(require_js_url="", mathjax_url="").from_filename(str(notebook))
    offline.set_content(content)
    results = offline.locator(".aqt-fast details").filter(has_text="Results of 8 of 120 circuits")
    assert not results.locator("table").is_visible()
    results.locator("summary").click()
    assert results.locator("table").is_visible()
