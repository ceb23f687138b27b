"""Four applications, each as small as it can be: find, imagine, continue, act.

Sources: C. Shannon, "A mathematical theory of communication", Bell System Technical
Journal 27, 1948, doi:10.1002/j.1538-7305.1948.tb01338.x (text that continues itself);
C. Watkins and P. Dayan, "Q-learning", Machine Learning 8, 1992, doi:10.1007/BF00992698.
"""

import random
from collections import Counter, defaultdict
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import unfold

from dlbook.contract import (
    require_between,
    require_count,
    require_finite,
    require_table,
)

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left, in rows and columns
MAZE = [
    "....#...",
    ".##.#.#.",
    ".#....#.",
    ".#.####.",
    ".#......",
    ".####.#.",
    "......#G",
]


def similarity_map(image: Tensor, template: Tensor) -> Tensor:
    """Compare a template with every window of an image.

    Args:
        image: (H, W) floats.
        template: (h, w) floats, not constant, no larger than the image.

    Returns:
        (H - h + 1, W - w + 1) floats from -1 to 1, the correlation of the template with
        the window whose top left corner lies there; 0 where a window is constant.

    Raises:
        TypeError: image or template are no floats.
        ValueError: the template is larger than the image, or constant.
    """
    require_table(image, "image")
    require_table(template, "template")
    rows, columns = (a - b + 1 for a, b in zip(image.shape, template.shape, strict=True))
    pattern = _centered(template.flatten())
    if rows < 1 or columns < 1 or (not pattern.is_meta and (pattern == 0).all()):
        raise ValueError(
            f"a template must vary and fit into {tuple(image.shape)}, got "
            f"{tuple(template.shape)} with values near {template[0, 0]}"
        )
    # Far from 0, differences would drown; a mean would follow a single bright pixel.
    image = image - image.median()
    windows = unfold(image[None, None], template.shape)[0].T  # (rows x columns, h x w)
    windows = _centered(windows)
    lengths = windows.norm(dim=1) * pattern.norm()
    lengths = lengths.where(lengths > 0, torch.inf)  # a constant window: 0
    return (windows @ pattern / lengths).clamp(-1, 1).reshape(rows, columns)


def _centered(values: Tensor) -> Tensor:
    """Subtract the mean along the last axis; what only rounding tells apart becomes 0."""
    largest = values.abs().amax(dim=-1, keepdim=True)
    centered = values - values.mean(dim=-1, keepdim=True)
    noise = 16 * torch.finfo(values.dtype).eps * largest
    varies = centered.abs().amax(dim=-1, keepdim=True) > noise
    return torch.where(varies, centered / largest, 0)


def find(image: Tensor, template: Tensor) -> tuple[int, int]:
    """Point at the window that resembles a template most.

    Args:
        image: (H, W) floats.
        template: (h, w) floats, not constant, no larger than the image.

    Returns:
        row and column of the top left corner of the window.

    Raises:
        TypeError: image or template are no floats.
        ValueError: the template is larger than the image, or constant, or the image is.
    """
    similarities = similarity_map(image, template)
    if not similarities.is_meta and (similarities == 0).all():
        raise ValueError(f"an image must vary, got values near {image[0, 0]}")
    return divmod(int(similarities.argmax()), similarities.shape[1])


def imagine(examples: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Draw new images that have the mean and the covariances of the examples.

    Args:
        examples: (M, h, w) floats, at least 2 images.
        n: how many images to draw, at least 1.
        generator: equal generators give equal images.

    Returns:
        (n, h, w) floats; values may leave the range of the examples.

    Raises:
        TypeError: the examples are no floats, or n is no whole number.
        ValueError: they are no images, fewer than 2, which have no covariance, or n is 0.
    """
    require_finite(examples, "examples")
    require_count(n, 1, "n")
    if examples.ndim != 3 or len(examples) < 2:
        raise ValueError(
            f"examples must be (M, h, w), M at least 2, got {tuple(examples.shape)}"
        )
    pixels = examples.flatten(1)
    centered = (pixels - pixels.mean(dim=0)) / (len(examples) - 1) ** 0.5
    noise = torch.randn(n, len(examples), generator=generator, dtype=pixels.dtype)
    return (pixels.mean(dim=0) + noise.to(pixels.device) @ centered).reshape(
        n, *examples.shape[1:]
    )


def count_followers(text: str) -> dict[str, Counter]:
    """Count which word follows which.

    Args:
        text: words between blanks.

    Returns:
        for each word that has a follower, how often each word follows it.

    Raises:
        ValueError: the text has fewer than two words.
    """
    followers = defaultdict(Counter)
    words = text.split()
    if len(words) < 2:
        raise ValueError(f"the text must have two words or more, got {text!r}")
    for word, follower in pairwise(words):
        followers[word][follower] += 1
    return dict(followers)


def continue_text(
    followers: dict[str, Counter], start: str, length: int, generator: torch.Generator
) -> str:
    """Write on from a word, drawing each next word as often as it followed in the text.

    Args:
        followers: from `count_followers`.
        start: the first word.
        length: how many words at most, at least 1; fewer where a word has no follower.
        generator: equal generators give equal texts.

    Returns:
        the words, with blanks between them.

    Raises:
        KeyError: no text follows the first word.
        TypeError: the length is no whole number.
        ValueError: it is below 1.
    """
    require_count(length, 1, "length")
    if start not in followers:
        raise KeyError(f"the text must go on after the start, got {start!r}")
    words = [start]
    while len(words) < length and words[-1] in followers:
        choices = followers[words[-1]]
        weights = torch.tensor(list(choices.values()), dtype=torch.float64)
        drawn = int(torch.multinomial(weights, 1, generator=generator))
        words.append(list(choices)[drawn])
    return " ".join(words)


def move(maze: list[str], row: int, column: int, action: int) -> tuple[int, int, float]:
    """Make one move in a maze; walls and edges stop it.

    Args:
        maze: rows of equal length of `.` (free), `#` (wall), and one `G` (goal); its top
            left is free.
        row: where the agent stands.
        column: where the agent stands.
        action: 0 to 3 for up, right, down, left.

    Returns:
        the new row and column, and the reward: 1 at the goal, 0 elsewhere.

    Raises:
        ValueError: there is no such action, the maze is none, or the agent stands in a wall,
            outside, or at the goal, where the walk is over.
    """
    _require_maze(maze)
    require_between(action, 0, 3, "action")
    require_between(row, 0, len(maze) - 1, "row")
    require_between(column, 0, len(maze[row]) - 1, "column")
    if maze[row][column] != ".":
        raise ValueError(f"a move begins on a free cell, got row {row}, column {column}")
    to_row, to_column = row + MOVES[action][0], column + MOVES[action][1]
    inside = 0 <= to_row < len(maze) and 0 <= to_column < len(maze[0])
    if inside and maze[to_row][to_column] != "#":
        row, column = to_row, to_column
    return row, column, float(maze[row][column] == "G")


def q_learning(
    maze: list[str], episodes: int, seed: int, gamma: float = 0.9
) -> tuple[Tensor, list[int]]:
    """Learn what each action is worth by trying, from rewards alone.

    The agent starts at the top left. It acts at random one time in five, and otherwise
    takes what it believes best. An episode ends at the goal, or after 1000 moves.

    Args:
        maze: as in `move`.
        episodes: how many walks.
        seed: equal seeds give equal walks.
        gamma: what a reward one move later is worth, from 0 to 1.

    Returns:
        the value of each action, (rows, columns, 4) float64, and the moves of each walk;
        1000 where it was broken off.

    Raises:
        TypeError: the number of walks is not whole.
        ValueError: the maze is no rectangle of `.`, `#` and one `G` that is free at its top
            left, there is no walk, or gamma lies outside of 0 to 1.
    """
    _require_maze(maze)
    require_count(episodes, 1, "episodes")
    require_between(gamma, 0, 1, "gamma")
    chance = random.Random(seed)
    q = [[[0.0] * 4 for _ in line] for line in maze]
    walks = []
    for _ in range(episodes):
        row, column, reward, moves = 0, 0, 0.0, 0
        while reward == 0 and moves < 1000:
            values = q[row][column]
            action = _choose(values, chance)
            row, column, reward = move(maze, row, column, action)
            later = 0.0 if reward else gamma * max(q[row][column])
            values[action] += 0.5 * (reward + later - values[action])
            moves += 1
        walks.append(moves)
    return torch.tensor(q, dtype=torch.float64), walks


def _require_maze(maze: list[str]) -> None:
    cells = "".join(maze)
    if not maze or any(len(row) != len(maze[0]) for row in maze):
        raise ValueError(f"the rows of a maze must have one length, got {maze}")
    if set(cells) - set(".#G") or cells.count("G") != 1 or maze[0][:1] != ".":
        raise ValueError(f"a maze must begin with . and have one G, got {maze}")


def _choose(values: list[float], chance: random.Random) -> int:
    """Take the best action, a random one among equals; one time in five any."""
    best = max(values)
    explore = chance.random() < 0.2
    return chance.choice([a for a in range(4) if explore or values[a] == best])
