"""The page of all recorded runs: every measured number with where, when and on what."""

from html import escape

from dlbook.checkout import RESULTS, files
from dlbook.runs.record import sections_of


def results_page() -> str:
    """Write the page of all recorded runs from `docs/results/*.json`, as Markdown."""
    parts = [
        "# Results",
        "Every number that a chapter quotes as measured stands here, with where, when and on "
        "what it was measured. The files behind this page are published with the site.",
    ]
    for path in files(RESULTS, "*.json"):
        word = path.stem
        parts.append(f"## {word}")
        parts.append(f"[{word}.json](../results/{word}.json)")
        for run, section in sorted(sections_of(word).items()):
            parts += [f"### {word}: {run} {{ #{word}-run-{run} }}", _origin(section)]
            parts.append(_claims(word, section["claims"]))
    return "\n\n".join(parts) + "\n"


def _origin(section: dict) -> str:
    versions = ", ".join(
        f"{name} {number}" for name, number in section["versions"].items()
    )
    data = "; ".join(
        f"{name}, SHA-256 `{value[:12]}…`" for name, value in section["data"].items()
    )
    return (
        f"`{section['command']}` took {section['seconds']} s on {section['device']}, "
        f"{section['date']}, commit `{section['commit']}`; {versions}; "
        f"data: {data or 'drawn from formulas'}."
    )


def _claims(word: str, claims: dict) -> str:
    rows = [
        "<table><thead><tr><th>claim</th><th>value</th><th>spread</th></tr></thead><tbody>"
    ]
    for name, claim in sorted(claims.items()):
        value = claim["value"]
        values = value if isinstance(value, list) else [value]
        shown = ", ".join(f"{number:.6g}" for number in values[:12])
        if len(values) > 12:
            shown += f", … ({len(values)} values)"
        spread = ", ".join(
            f"{key.replace('_', ' ')} {number:.4g}"
            for key, number in claim["spread"].items()
        )
        rows.append(
            f'<tr id="{word}-{name}"><td><code>{name}</code></td>'
            f"<td>{shown} {escape(claim['unit'])}</td><td>{spread}</td></tr>"
        )
    return "\n".join([*rows, "</tbody></table>"])
