"""The search of the site finds what students type: the right page is its first hit."""

import json
import re
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
INDEX = SITE / "search" / "search_index.json"
QUERIES = {
    "relu": "glossary.html#relu",
    "chain rule": "glossary.html#chain-rule",
    "overfitting": "glossary.html#over-fitting",
    "overfit": "glossary.html#over-fitting",
    "learning rate": "glossary.html#learning-rate",
    "kernel trick": "glossary.html#kernel",
    "softmax": "glossary.html#softmax",
    "stride": "glossary.html#stride",
    "cross-validation": "glossary.html#cross-validation",
    "cross validation": "glossary.html#cross-validation",
    "k-fold": "glossary.html#cross-validation",
    "hyperparameter": "glossary.html#hyper-parameter",
    "regularization": "chapters/regularization.html",
    "weight decay": "glossary.html#weight-decay",
    "backpropagation": "glossary.html#back-propagation",
    "backprop": "glossary.html#back-propagation",
    "back-propagation": "chapters/backprop.html",
    "train test split": "glossary.html#test-set",
    "validation set": "glossary.html#validation-set",
    "mini-batch": "glossary.html#mini-batch",
    "batch size": "glossary.html#mini-batch",
    "sgd": "glossary.html#sgd",
    "adam": "glossary.html#adam",
    "momentum": "glossary.html#momentum",
    "gradient descent": "chapters/gradient_descent.html",
    "logistic regression": "glossary.html#logistic-regression",
    "cross entropy": "glossary.html#cross-entropy",
    "log loss": "glossary.html#cross-entropy",
    "max pooling": "glossary.html#pooling",
    "padding": "glossary.html#padding",
    "receptive field": "glossary.html#receptive-field",
    "svm": "glossary.html#support-vector-machine",
    "hinge loss": "glossary.html#hinge-loss",
    "mlp": "glossary.html#multi-layer-perceptron",
    "resnet": "glossary.html#residual-network",
    "dropout": "glossary.html#dropout",
    "batchnorm": "glossary.html#batch-normalization",
    "lstm": "glossary.html#lstm",
    "self-attention": "glossary.html#attention",
    "tokenizer": "glossary.html#byte-pairs",
    "perplexity": "glossary.html#perplexity",
    "one-hot": "glossary.html#one-hot",
    "autodiff": "glossary.html#autograd",
    "jacobian": "glossary.html#jacobian",
    "broadcasting": "chapters/broadcasting.html",
    "tensor": "chapters/tensors.html",
    "cuda graph": "glossary.html#cuda-graph",
    "bfloat16": "glossary.html#bfloat16",
    "vc dimension": "glossary.html#vc-dimension",
    "nearest neighbors": "chapters/knn.html",
    "polynomials": "chapters/polynomial.html",
    "universal approximation": "approximation",
    "bias variance": "glossary.html#bias-variance",
    "float32, float64": "glossary.html#dtype",
}


def test_the_first_hit_is_the_right_one(open_page):
    page = open_page("chapters/views.html")
    page.keyboard.press("/")
    wrong = {}
    for query, place in QUERIES.items():
        field = page.locator(".md-search__input")
        field.fill("")
        page.wait_for_selector(".md-search-result__item", state="detached")
        field.fill(query)
        hits = page.locator(".md-search-result__item").first.locator("a")
        hits.first.wait_for()
        links = [hit.get_attribute("href") for hit in hits.all()]
        # a term stands below the glossary, which is named first
        link = links["glossary.html" in links[0]]
        found = re.sub(r"\?h=[^#]*", "", link)
        if place not in found:
            wrong[query] = found
    assert not wrong


@pytest.fixture(scope="module")
def entries():
    return json.loads(INDEX.read_text(encoding="utf-8"))["docs"]


def test_every_term_has_an_entry_under_all_its_names(entries):
    titles = {entry["location"]: entry["title"] for entry in entries}
    assert "overfitting" in titles["reference/glossary.html#over-fitting"]
    assert "backprop" in titles["reference/glossary.html#back-propagation"]


def test_the_index_holds_no_code_of_labs_and_no_lists(entries):
    for entry in entries:
        assert "Copied!" not in entry["text"], entry["location"]
        assert "In [" not in entry["text"], entry["location"]
        assert "¶" not in entry["title"], entry["location"]
    places = {entry["location"].partition("#")[0] for entry in entries}
    for name in ("results", "bibliography", "changelog"):
        assert f"reference/{name}.html" not in places
    labs = [entry for entry in entries if entry["location"].startswith("labs/")]
    assert labs
    assert not [entry["location"] for entry in labs if "import torch" in entry["text"]]
