"""What looks like the dialect of a page and is not is refused with its line."""

import pytest

from dlbook.checkout import DOCS, ROOT, files
from dlbook.press.page import rules
from dlbook.press.page.dialect import mistakes, understood
from dlbook.press.page.fences import PageError
from dlbook.press.page.page import Page

HEAD = "# Title\n\nText.\n\n"  # what follows stands on line 5
OUTPUT = "<!--pytest-codeblocks:expected-output-->"
CLAIMS = [
    '[3.09 %](claim:knn.mnist_error_k1 "title")',
    "[77](claim:knn.mnist-tied)",
    "[3.09 %]( claim:knn.mnist_error_k1)",
    "[3.09 %](<claim:knn.mnist_error_k1>)",
    "[3.09 %](claim:knn/mnist_error_k1)",
    "[3.09 %](Claim:knn.mnist_error_k1)",
    "[3.09 %](CLAIM:knn.mnist_error_k1)",
    "[3.09 %](claim: knn.mnist_error_k1)",
    "[3.09 %](claim :knn.mnist_error_k1)",
    "[3.09 %]\n(claim:knn.mnist_error_k1)",
    "[3.09\n%](claim:knn.mnist_error_k1)",
    "[9.99 %][c]\n\n[c]: claim:knn.mnist_error_k1",
    "[9.99 %][c]\n\n[c]: <claim:knn.mnist_error_k1>",
    "![3.09 %](claim:knn.mnist_error_k1)",
    "\\[3.09 %](claim:knn.mnist_error_k1)",
    '<a href="claim:knn.mnist_error_k1">3.09 %</a>',
    "<a href='claim:knn.mnist_error_k1'>3.09 %</a>",
    "<claim:knn.mnist_error_k1>",
    "[](claim:knn.mnist_error_k1)",
    "[3.09 %](claim:knn.mnist_error_k1#top)",
    '[3.09 %](claim:knn.mnist_error_k1){ title="x" }',
    "[3.09 %](claim:knn.mnist_error_k1){: .x }",
    "[3.09 %](claim:knn.mnist_error_k1.)",
    "[3.09 %](claim:knn..mnist_error_k1)",
    f"[3.09 %](claim:knn.{'a' * 300})",
]
CITATIONS = [
    "[see @cover1967]",
    "[-@cover1967]",
    "@cover1967",
    "@cover1967 says",
    "(@cover1967)",
    "[@cover1967, p. 3]",
    "[@cover1967; p. 3]",
    "[@doe.2020]",
    "[@cover+1967]",
    "[@cover1967;\n@he2016]",
    "[@cover1967 ]",
    "[ @cover1967]",
    "[@{cover1967}]",
    "[@cover1967; and @he2016]",
    "[^@cover1967]",
    "**@cover1967**",
    "[@cover1967](https://example.org)",
    "[@cover1967]{ .x }",
    "as in [cover1967].",
    "as \\cite{cover1967} says",
]
FOREIGN = [
    "a footnote[^1]",
    "> [!NOTE]\n> Text.",
    ":::{note}\nText.\n:::",
    "::: warning",
    "==marked==",
    "a sign :material-check: and more",
    ":smile:",
    "\\(x^2\\)",
    "\\[x^2\\]",
    "$ x $",
    "$x $ and $ y$",
    "5$",
    "\\emph{so}",
    "[3.09 %](../reference/results.md#knn-mnist_error_k1)",
    "[3.09](results.md)",
    "## The size of $x$",
    "[ok]{++so++} or {--not--}",
    "Press ++ctrl+c++.",
    "- [ ] to do",
    "H~2~O",
    "x^2^",
    '--8<-- "README.md"',
    "{{ config.site_name }}",
    "{% raw %}",
    "*[MLP]: multi-layer perceptron",
    "term\n:   what it is",
    "![](../assets/x.png)",
    '<img src="x.png" alt="x">',
    "<script>alert(1)</script>",
    '<iframe src="https://example.org"></iframe>',
    "[a](javascript:alert(1))",
    "[a](file:///etc/passwd)",
    "see https://example.org",
]
TERMS = [
    "<dfn id='risk'>risk</dfn>",
    "<dfn>risk</dfn>",
    '<dfn id="risk"><em>risk</em></dfn>',
    '<dfn id="risk" class="x">risk</dfn>',
    '<dfn id="the risk">risk</dfn>',
    '<DFN id="risk">risk</DFN>',
    '<dfn id="risk">the\nrisk</dfn>',
]
FENCES = [
    "> ```python\n> print(1 / 0)\n> ```",
    "> text\n>\n>     ```python\n>     1 / 0\n>     ```",
    "- ```python\n  1 / 0\n  ```",
    "1. ```python\n   1 / 0\n   ```",
    "* - ```python\n    1 / 0\n    ```",
    "~~~python\n1 / 0\n~~~",
    "\t```python\n\t1 / 0\n\t```",
    "```x```",
    "``` python\n1 / 0\n```",
    "```Python\n1 / 0\n```",
    "```py\n1 / 0\n```",
    "```python title='a'\n1 / 0\n```",
    "```{.python}\n1 / 0\n```",
    "```pycon\n>>> 1 / 0\n```",
    "```ipython3\n1 / 0\n```",
    "```python3\n1 / 0\n```",
    "```sh\nexit 1\n```",
    "```bash\nexit 1\n```",
    "```\n1 / 0\n```",
    "```listings\nknn.vote\n```",
    "```figures\nknn.convergence\n```",
    "```python\n1 / 0\n````",
    "```python\n1 / 0\n ```",
    "    ```python\n1 / 0\n    ```",
    "```python\n1 / 0\n```.",
    "```python\n1 / 0",
    "```python `\n1 / 0\n```",
]
COMMENTS = [
    "<!--pytest-codeblocks:skip-->",
    "<!-- pytest-codeblocks:expected-output -->",
    "<!--pytest-codeblocks:expected-output-ignore-whitespace-->",
    "<!--pytest-codeblocks:importorskip(torch)-->",
    "<!--pytest-codeblocks:skipif(True)-->",
    "<!--pytest.mark.skip-->",
    "<!-- pytest.mark.xfail -->",
    "<!--PYTEST-CODEBLOCKS:cont-->",
    f"Text {OUTPUT}",
    OUTPUT,
    f"{OUTPUT}\n\n```text\n1\n```",
    f"```python\nprint(1)\n```\n\nand\n\n{OUTPUT}\n\n```text\n1\n```",
    f"```python\nprint(1)\n```\n\n{OUTPUT}\n\nand\n\n```text\n1\n```",
    f"```python\nprint(1)\n```\n\n{OUTPUT}\n\n```python\n2\n```",
    f"```python\nprint(1)\n```\n\n{OUTPUT}\n\n{OUTPUT}\n\n```text\n1\n```",
    "<!--pytest-codeblocks:cont-->\n\n```text\n1\n```",
    "<!--pytest-codeblocks:cont-->",
]
CHARACTERS = [
    "a\x00",
    "a\x0cb",
    "a\x0bb",
    "a\x1bb",
    "a\x85b",
    "a\u2028b",
    "\ufeffa",
    "\uffff",
]


def refused(page):
    """Give the lines of the mistakes of a page, however they are found."""
    try:
        return [mistake.line for mistake in mistakes(Page("chapters/word.md", page))]
    except PageError as error:
        return [error.line]


@pytest.mark.parametrize(
    "text", [*CLAIMS, *CITATIONS, *FOREIGN, *TERMS, *FENCES, *COMMENTS, *CHARACTERS]
)
def test_what_almost_belongs_to_the_dialect_is_refused_with_its_line(text):
    last = 5 + text.count("\n")
    found = refused(f"{HEAD}{text}\n\nText.\n")
    assert found
    assert all(5 <= line <= last for line in found)


@pytest.mark.parametrize(
    "place",
    [
        "> {}",
        "- {}",
        "1. {}",
        "    - {}",
        '!!! note "{}"\n\n    Text.',
        '!!! note "Title"\n\n    {}',
        "| head |\n|---|\n| {} |",
        "## {}",
        "[^1]: {}",
        "```figure\nknn.convergence\n{}\n```",
        "```live\nbroadcasting\n{}\n```",
        "*You need:* {} *You get:* more.",
        "<td>{}</td>",
        "text {} text `code` text",
        "`code` {} `code`",
    ],
)
@pytest.mark.parametrize("text", [CLAIMS[0], CITATIONS[0], CITATIONS[2]])
def test_it_is_refused_wherever_it_stands(place, text):
    whole = HEAD + place.format(text)
    line = next(n for n, t in enumerate(whole.split("\n"), start=1) if text in t)
    assert set(refused(whole)) == {line}


@pytest.mark.parametrize(
    "start",
    [
        "---\ndescription: words\nhide: [toc]\n---\n\n# Title\n",
        "description: words\n\n# Title\n",
        "",
        "\n# Title\n",
        "Title\n=====\n",
        "## Title\n",
        "#Title\n",
        "# \n",
    ],
)
def test_a_page_begins_with_its_title(start):
    assert refused(start)[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        "[3.09 %](claim:knn.mnist_error_k1) and [3](claim:knn.test_errors.3).",
        "| [3](claim:knn.a) | [@cover1967] |",
        "A claim: it stands. The claim:it is bold to write so.".replace(":it", ": it"),
        "[@cover1967], [@cover1967; @he2016] and ([@cover1967]).",
        "`@decorator`, `` `@x` ``, `[see @x]`, `](claim:x)`, $a @ b$ and a @ b.",
        "Write to ada@example.org, or see <https://example.org/@ada>.",
        "```text\n@x claim:y [-@z]\n~~~\n```",
        "````text\n```python\n````",
        f"```python\nprint(1)\n```\n\n{OUTPUT}\n\n```text\n1\n```",
        f"```python\nprint('@x')\n```\n{OUTPUT}\n```text\n@x\n```",
        "```python\nx = 1\n```\n\n<!--pytest-codeblocks:cont-->\n\n```python\nx\n```",
        '!!! note "Title"\n\n    ```python\n    1\n\n    2\n    ```',
        "- item\n\n    ```python\n    1\n    ```",
        '<dfn id="risk">risk</dfn>: what is lost.',
        "A price of `$5`, `==`, `a == b`, a ratio of 3:4:5, at 12:30, and [1967] or [a].",
        "$a == b$, $$x : y$$, [results](../reference/results.md#knn) and \\$5.",
        "# A heading with `x`",
        "Tabs\tand é, 漢字, 😀 and \u00a0 are characters like others.",
    ],
)
def test_the_dialect_itself_is_taken(text):
    assert not refused(HEAD + text + "\n")


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *files(DOCS, "**/*.md")], ids=lambda p: p.stem
)
def test_no_page_holds_what_almost_belongs_to_the_dialect(path):
    assert not list(mistakes(Page.at(path)))


@pytest.mark.parametrize(
    "text",
    [
        "!!! note “Title”\n\n    Text.",
        "??? success “Solution”\n\n    Text.",
        "=== “Tab”\n\n    Text.",
        "Text { .big",
        "A [text][nowhere] without its address.",
        "A **bold ** word.",
        "A ~~struck~~ word.",
        "A formula $$x",
        "<td>[3](x.html){ .claim }</td>",
        "Text { .claim }",
        "    print(1)",
        "<pre>print(1)</pre>",
        "An error of \\`[9.99 %](claim:knn.mnist_error_k1)\\` here.",
        'It costs 5 $ more, [9.99 %](claim:knn.mnist_error_k1 "t") and 6 $ less.',
        "[9.99 %](claim&#58;knn.mnist_error_k1)",
        "[9.99 %](claim%3Aknn.mnist_error_k1)",
    ],
)
def test_what_markdown_leaves_as_text_is_refused_with_its_line(text):
    (mistake,) = understood(Page("a.md", HEAD + text + "\n"))
    assert 1 <= mistake.line <= 7


def test_two_places_of_one_name_are_refused_with_a_line():
    (mistake,) = understood(Page("a.md", f"{HEAD}## A {{ #x }}\n\n## B {{ #x }}\n"))
    assert (mistake.line, mistake.reason) == (5, "two places are named 'x'")


def test_what_markdown_understands_is_taken():
    page = (
        '# Title\n\n!!! note "Title"\n\n    Text.\n\n    ```python\n    1\n    ```\n\n'
        "`{ .claim }`, `a**b`, `x[i][j]`, $x[i][j]$ and `$$`\n\n"
        "$$\na[1](b)\n$$\n\n```text\n!!! ``` $$\n```\n"
    )
    assert not list(understood(Page("a.md", page)))


@pytest.mark.parametrize(
    "text",
    ["[3](claim:knn.a)", "see [@cover1967]", "@cover1967", "<!--pytest.mark.skip-->"],
)
def test_a_lab_has_no_claims_and_no_citations(text):
    lab = f"# %% [markdown]\n# # Title\n\n# %%\n@decorated\n\n# %% [markdown]\n# {text}\n"
    (mistake,) = rules.mistakes(Page("labs/knn.py", lab))
    assert mistake.line == 8


@pytest.mark.parametrize(
    "start", ["# %% [md]", "#%% [markdown]", "# %%[markdown]", "#%%", "# %% [raw]"]
)
def test_a_cell_of_a_lab_begins_as_all_do(start):
    (mistake,) = rules.mistakes(Page("labs/knn.py", f"# %%\nx = 1\n\n{start}\n# A\n"))
    assert mistake.line == 4


@pytest.mark.parametrize("path", files(DOCS / "labs", "*.py"), ids=lambda p: p.stem)
def test_no_lab_has_any(path):
    assert not rules.mistakes(Page.at(path))
