"""Valid inputs of `dlbook.features`."""

import torch

from contracts import Contract

SIGNS = {"signs": "signs"}
PAIRS = {"pairs": "classes"}
OUTSIDE = {"pairs": [torch.tensor([[0], [3]]), torch.tensor([0, 1])]}
TRAINING = {
    "step": [0.0, -1.0, float("nan")],
    "epochs": [0],
    "batch": [0, -1],
}


def table(rows=9, columns=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator)


def signs():
    return torch.tensor([1.0, -1, 1, 1, -1, -1, 1, -1, 1])


def pairs():
    return torch.tensor([[0, 2, 1, 1], [1, 2, 0, 2]])


def gram():
    return (1 + table() @ table().T) ** 2


def images():
    return torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))


def choice():
    return {"step": 0.5, "epochs": 2, "batch": 4, "seed": 0}


CONTRACTS = {
    "lift": Contract(make=lambda: {"points": table(columns=2)}),
    "monomials": Contract(
        make=lambda: {"points": table(), "degree": 2}, refused={"degree": [-1]}
    ),
    "draw_pairs": Contract(
        make=lambda: {
            "dimensions": 5,
            "count": 4,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={"dimensions": [0, -1], "count": [-1]},
    ),
    "with_pixels": Contract(
        make=lambda: {"pairs": pairs(), "dimensions": 3},
        labels=PAIRS,
        refused=OUTSIDE | {"dimensions": [0, 2]},
    ),
    "pair_products": Contract(
        make=lambda: {"x": table(), "pairs": pairs()}, labels=PAIRS, refused=OUTSIDE
    ),
    "pair_scores": Contract(
        make=lambda: {"x": table(), "pairs": pairs(), "w": torch.ones(4)},
        labels=PAIRS,
        refused=OUTSIDE,
    ),
    "pair_sums": Contract(
        make=lambda: {"x": table(), "pairs": pairs(), "r": signs()},
        labels=PAIRS,
        refused=OUTSIDE,
    ),
    "train_on_table": Contract(
        make=lambda: {"features": table(), "signs": signs()} | choice(),
        labels=SIGNS,
        refused=TRAINING,
    ),
    "train_on_pairs": Contract(
        make=lambda: {"x": table(), "pairs": pairs(), "signs": signs()} | choice(),
        labels=SIGNS | PAIRS,
        refused=TRAINING | OUTSIDE,
    ),
    "train_logistic": Contract(
        make=lambda: (
            {
                "scores": lambda rows, w: table().to(w)[rows] @ w,
                "sums": lambda rows, r: r @ table().to(r)[rows],
                "width": 3,
                "signs": signs(),
            }
            | choice()
        ),
        labels=SIGNS,
        refused=TRAINING | {"width": [0]},
    ),
    "pair_step": Contract(
        make=lambda: {"x": table(), "pairs": pairs()}, labels=PAIRS, refused=OUTSIDE
    ),
    "fit_logistic": Contract(
        make=lambda: {"points": table(), "signs": signs(), "penalty": 0.01},
        labels=SIGNS,
        refused={
            "penalty": [0.0, -1.0, float("nan")],
            "signs": [torch.ones(9), -torch.ones(9)],
        },
    ),
    "linear_discriminant": Contract(
        make=lambda: {"points": table(), "signs": signs()},
        labels=SIGNS,
        refused={"signs": [torch.ones(9), -torch.ones(9)]},
    ),
    "image_gradients": Contract(make=lambda: {"images": images()}, shifted=("images",)),
    "orientation_histograms": Contract(
        make=lambda: {"images": images(), "cell": 4},
        refused={"cell": [0, 9], "bins": [0, 1]},
        shifted=("images",),
    ),
    "hog": Contract(
        make=lambda: {"images": images(), "cell": 2},
        refused={"cell": [0, 5, 9], "bins": [1]},
        shifted=("images",),
    ),
    "polynomial_kernel": Contract(
        make=lambda: {"x": table(rows=5), "z": table(), "degree": 3},
        refused={"degree": [0, -1]},
    ),
    "kernel_perceptron": Contract(
        make=lambda: {"gram": gram(), "signs": signs(), "epochs": 3},
        labels=SIGNS,
        refused={"epochs": [0]},
    ),
}
