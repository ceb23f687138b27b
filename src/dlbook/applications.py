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
        ValueError: the template is larger than the image, or constant.
    """
    rows, columns = (a - b + 1 for a, b in zip(image.shape, template.shape, strict=True))
    if rows < 1 or columns < 1 or template.min() == template.max():
        raise ValueError(
            f"a template must vary and fit into {tuple(image.shape)}, got "
            f"{tuple(template.shape)} with values from {template.min()} to {template.max()}"
        )
    windows = unfold(image[None, None], template.shape)[0].T  # (rows x columns, h x w)
    windows = windows - windows.mean(dim=1, keepdim=True)
    pattern = template.flatten() - template.mean()
    lengths = windows.norm(dim=1) * pattern.norm()
    return (windows @ pattern / lengths.clamp(min=1e-6)).reshape(rows, columns)


def find(image: Tensor, template: Tensor) -> tuple[int, int]:
    """Point at the window that resembles a template most.

    Args:
        image: (H, W) floats.
        template: (h, w) floats, not constant, no larger than the image.

    Returns:
        row and column of the top left corner of the window.
    """
    similarities = similarity_map(image, template)
    return divmod(int(similarities.argmax()), similarities.shape[1])


def imagine(examples: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Draw new images that have the mean and the covariances of the examples.

    Args:
        examples: (m, h, w) floats, at least 2 images.
        n: how many images to draw.
        generator: equal generators give equal images.

    Returns:
        (n, h, w) floats; values may leave the range of the examples.

    Raises:
        ValueError: there are fewer than 2 examples, which have no covariance.
    """
    if len(examples) < 2:
        raise ValueError(f"imagine needs at least 2 examples, got {len(examples)}")
    pixels = examples.flatten(1)
    centered = (pixels - pixels.mean(dim=0)) / (len(examples) - 1) ** 0.5
    noise = torch.randn(n, len(examples), generator=generator, dtype=pixels.dtype)
    return (pixels.mean(dim=0) + noise @ centered).reshape(n, *examples.shape[1:])


def count_followers(text: str) -> dict[str, Counter]:
    """Count which word follows which.

    Args:
        text: words between blanks.

    Returns:
        for each word that has a follower, how often each word follows it.
    """
    followers = defaultdict(Counter)
    words = text.split()
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
        length: how many words at most; fewer where a word has no follower.
        generator: equal generators give equal texts.

    Returns:
        the words, with blanks between them.

    Raises:
        KeyError: no text follows the first word.
    """
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
        maze: rows of equal length of `.` (free), `#` (wall), and one `G` (goal).
        row: where the agent stands.
        column: where the agent stands.
        action: 0 to 3 for up, right, down, left.

    Returns:
        the new row and column, and the reward: 1 at the goal, 0 elsewhere.
    """
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
        maze: as in `move`; its top left is free.
        episodes: how many walks.
        seed: equal seeds give equal walks.
        gamma: what a reward one move later is worth, from 0 to 1.

    Returns:
        the value of each action, (rows, columns, 4) float64, and the moves of each walk.
    """
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


def _choose(values: list[float], chance: random.Random) -> int:
    """Take the best action, a random one among equals; one time in five any."""
    best = max(values)
    explore = chance.random() < 0.2
    return chance.choice([a for a in range(4) if explore or values[a] == best])
