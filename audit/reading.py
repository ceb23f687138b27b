"""Measure what a reader of the built site meets: code that is cut, figures that scroll.

The numbers are those of a designer's review, taken by a script so that they can be taken again.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from playwright.sync_api import Page, sync_playwright

from audit.server import served
from dlbook.runs.record import Claim

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESK, PHONE = {"width": 1280, "height": 850}, {"width": 390, "height": 850}

# A chapter is laid out in parts as they come into sight; a measure needs all of them.
SETTLED = "!document.querySelector('.part:not(.set)')"
OPENED = "document.querySelectorAll('details').forEach(folded => folded.open = true)"
MEASURES = """() => {
  const wide = box => box.scrollWidth > box.clientWidth + 1
  const laid = box => box.getClientRects().length > 0
  const shown = pattern => [...document.querySelectorAll(pattern)].filter(laid)
  const code = shown("article pre > code, article .jp-InputArea-editor pre")
  const outputs = code.filter(e => e.closest(".output"))
  const figure = document.querySelector("article figure")
  return {
    code: code.length - outputs.length,
    cut: code.filter(e => wide(e) && !e.closest(".output")).length,
    outputs: outputs.length,
    outputs_cut: outputs.filter(wide).length,
    figures: shown("article figure img").length,
    figures_scrolling: shown("article figure").filter(wide).length,
    formulas_scrolling: shown("article .formula[role]").filter(wide).length,
    first_figure: figure ? Math.round(figure.getBoundingClientRect().top + scrollY) : -1,
    stops: shown("article :is(a[href], button, input, summary, [tabindex='0'])").length,
  }
}"""


@dataclass(frozen=True)
class View:
    """What was counted on one page at one width.

    Attributes:
        page: its address in the site.
        counts: by name, as the script in the page returns them.
    """

    page: str
    counts: dict[str, int]


def views(page: Page, address: str, names: list[str]) -> list[View]:
    """Open pages one after the other, and count.

    Args:
        page: of a browser, as wide and high as its reader's window.
        address: of the server of the site.
        names: of the pages in the site, such as "chapters/knn.html".

    Returns:
        one view a page, in their order.
    """
    found = []
    for name in names:
        page.goto(f"{address}/{name}")
        page.wait_for_function(SETTLED)
        first = page.evaluate(MEASURES)["first_figure"]  # before anything is opened
        page.evaluate(OPENED)
        found.append(View(name, page.evaluate(MEASURES) | {"first_figure": first}))
    return found


def claims(site: Path, chromium: str) -> dict[str, Claim]:
    """Sum the counts up to the numbers that are recorded.

    Args:
        site: the folder of the built site.
        chromium: the path of the browser.

    Returns:
        claims by name; shares in percent, places in pixels from the top.
    """

    def total(seen: list[View], name: str) -> float:
        return float(sum(view.counts[name] for view in seen))

    chapters, labs = (
        sorted(path.relative_to(site).as_posix() for path in site.glob(f"{kind}/*.html"))
        for kind in ("chapters", "labs")
    )
    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        wide, narrow = (browser.new_page(viewport=window) for window in (DESK, PHONE))
        desk, phone = (views(page, address, chapters) for page in (wide, narrow))
        labs = views(wide, address, labs)
        browser.close()
    first = [view.counts["first_figure"] for view in desk]
    numbers = {
        "code": total(desk, "code"),
        "code_cut_1280": total(desk, "cut"),
        "lab_code_cut_1280": total(labs, "cut"),
        "outputs_cut_1280": total(desk, "outputs_cut"),
        "code_cut_390": total(phone, "cut"),
        "figures": total(phone, "figures"),
        "figures_scrolling_390": total(phone, "figures_scrolling"),
        "formulas_scrolling_1280": total(desk, "formulas_scrolling"),
        "figure_on_first_screen": float(sum(0 <= top < DESK["height"] for top in first)),
        "stops_of_a_chapter": mean(view.counts["stops"] for view in desk),
    }
    return {name: Claim(value, tolerance=1e9) for name, value in numbers.items()}
