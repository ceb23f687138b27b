"""What the search looks into: terms with all their names, labs without code."""

from dlbook.press.page.page import Page
from dlbook.press.web import search

GLOSSARY = """# Glossary

<dfn id="relu" data-names="rectifier, rectified linear unit">ReLU</dfn>: the larger of 0 and $s$.

<dfn id="risk">risk</dfn>: the expected loss.
"""
HTML = """<h1 id="glossary">Glossary</h1>
<p><dfn id="relu" data-names="rectifier, rectified linear unit">ReLU</dfn>: the larger of 0
and <span class="arithmatex">\\(s\\)</span>.</p>
<p><dfn id="risk">risk &amp; loss</dfn>: the <em>expected</em> loss.</p>"""


def test_each_term_is_an_entry_under_all_its_names():
    page = Page("reference/glossary.md", GLOSSARY)
    whole, relu, risk = search.terms(HTML, page, "reference/glossary.html")
    assert whole == {
        "location": "reference/glossary.html",
        "title": "Glossary",
        "text": "",
    }
    assert relu["title"] == "ReLU (rectifier, rectified linear unit)"
    assert relu["location"] == "reference/glossary.html#relu"
    assert relu["text"] == "<p>the larger of 0\nand \\(s\\).</p>"
    assert risk["title"] == "risk & loss"
    assert relu["boost"] > search.settings_of("chapters/mlp.md")["boost"]


def test_labs_and_the_api_count_less_and_lists_not_at_all():
    weights = [
        search.settings_of(f"{folder}/knn.md").get("boost", 1.0)
        for folder in ("chapters", "reference", "labs", "reference/api")
    ]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 4
    for name in ("results", "bibliography", "changelog"):
        assert search.settings_of(f"reference/{name}.md") == {"exclude": True}


def test_the_code_of_a_lab_is_passed_over_and_its_prose_is_not():
    text = "[]\n\nCopied!\n<pre>import torch</pre>\n<p>Turn it.</p><ul><li>one</li></ul>"
    entry = {
        "location": "labs/knn.html#a",
        "title": "The border¶",
        "text": text,
        "boost": 0.4,
    }
    assert search.prose_of(entry) == entry | {
        "title": "The border",
        "text": "<p>Turn it.</p>\n<li>one</li>",
    }
    whole = entry | {"location": "labs/knn.html", "title": "Nearest neighbors"}
    assert search.prose_of(whole)["title"] == "Nearest neighbors (lab)"
