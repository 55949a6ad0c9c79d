"""Small shapes that are repeated: trees, houses in a row, birds, flowers."""

import math
from random import Random

from app.demo.painter.brush import Point, Stencil


def conifer(stencil: Stencil, foot: Point, tall: float, rng: Random) -> None:
    """A fir: tiers of drooping branches, a little uneven."""
    x, y = foot
    half, lean = tall * rng.uniform(0.15, 0.21), rng.uniform(-0.02, 0.02) * tall
    tiers = max(3, min(9, round(tall / 9)))
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        at = (tier + 1) / tiers
        level = y - tall * 0.94 * (1 - at)
        centre = x + lean * (1 - at)
        for side, edge in ((-1, left), (1, right)):
            reach = half * (0.12 + 0.88 * at) * rng.uniform(0.8, 1.1)
            edge.append((centre + side * reach, level + tall * 0.012))
            edge.append((centre + side * reach * 0.55, level - tall * 0.01))
    stencil.polygon([(x + lean, y - tall), *right, *left[::-1]])
    stencil.block(x - tall * 0.014, y - tall * 0.02, tall * 0.028, tall * 0.06)


def tower_block(
    stencils: tuple[Stencil, Stencil | None],
    corner: Point,
    size: tuple[float, float],
    rng: Random,
    pitch: float,
) -> None:
    """A building with one of six roofs; its windows, `pitch` apart, when there is a stencil."""
    unit = pitch * 110
    body, panes = stencils
    (x, y), (width, height) = corner, size
    body.block(x, y, width, height)
    roof = rng.randrange(6)
    if roof == 0:
        body.line([(x + width / 2, y), (x + width / 2, y - unit * rng.uniform(0.02, 0.06))], 1.2)
    elif roof == 1:
        body.block(x + width * 0.2, y - unit * 0.015, width * 0.6, unit * 0.02)
    elif roof == 2:
        body.polygon([(x, y + 1), (x + width, y + 1), (x + width, y - unit * 0.022)])
    elif roof == 3:
        body.block(x + width * 0.15, y - unit * 0.012, width * 0.7, unit * 0.014)
        body.block(x + width * 0.32, y - unit * 0.030, width * 0.36, unit * 0.032)
    elif roof == 4:
        body.polygon([(x, y + 1), (x + width, y + 1), (x + width / 2, y - unit * 0.05)])
    if panes is not None:
        _windows(panes, (x, y), (width, height), rng, max(2.4, pitch))


def _windows(
    panes: Stencil, corner: Point, size: tuple[float, float], rng: Random, pitch: float
) -> None:
    across = max(1, int(size[0] * 0.8 / pitch))
    down = max(1, int((size[1] - pitch) / (pitch * 1.35)))
    left = corner[0] + (size[0] - across * pitch) / 2
    busy = rng.uniform(0.15, 0.6)
    for row in range(min(down, 70)):
        for column in range(across):
            if rng.random() < busy:
                x, y = left + column * pitch, corner[1] + pitch + row * pitch * 1.35
                panes.block(x + pitch * 0.2, y, pitch * 0.55, pitch * 0.75, rng.randint(90, 255))


def bird(stencil: Stencil, centre: Point, span: float, rng: Random) -> None:
    """Two curved wings seen from afar."""
    x, y = centre
    lift = span * rng.uniform(0.18, 0.38)
    for side in (-1, 1):
        wing = []
        for step in range(9):
            at = step / 8
            wing.append((x + side * span * 0.5 * at, y - lift * math.sin(at * 2.3)))
        stencil.line(wing, max(0.7, span * 0.055))


def broadleaf(stencil: Stencil, foot: Point, tall: float, rng: Random) -> None:
    """A round-headed tree: a forked trunk under a heap of leaves."""
    x, y = foot
    stencil.polygon(
        [
            (x - tall * 0.045, y + tall * 0.03),
            (x - tall * 0.016, y - tall * 0.5),
            (x + tall * 0.016, y - tall * 0.5),
            (x + tall * 0.05, y + tall * 0.03),
        ]
    )
    for side in (-1, 1):
        stencil.line(
            [(x, y - tall * 0.28), (x + side * tall * 0.17, y - tall * 0.55)], tall * 0.018
        )
    for _ in range(240):
        turn, away = rng.uniform(0, 6.28), rng.random() ** 0.45
        leaf = tall * rng.uniform(0.018, 0.055)
        at_x = x + math.cos(turn) * away * tall * 0.33
        at_y = y - tall * 0.68 + math.sin(turn) * away * tall * 0.25
        stencil.ellipse(at_x, at_y, leaf, leaf * 0.85)


def bush(stencil: Stencil, foot: Point, size: float, rng: Random) -> None:
    """A small round tree seen from afar."""
    x, y = foot
    for _ in range(4):
        lump = size * rng.uniform(0.45, 0.8)
        stencil.ellipse(
            x + rng.uniform(-0.6, 0.6) * size, y - size * rng.uniform(0.3, 1.1), lump, lump * 0.9
        )


def cat(stencil: Stencil, foot: Point, tall: float) -> None:
    """A cat that sits with its back to the viewer and looks at the sky."""
    x, y = foot
    head = y - tall * 0.80
    stencil.ellipse(x, y - tall * 0.23, tall * 0.27, tall * 0.27)
    stencil.ellipse(x, y - tall * 0.45, tall * 0.185, tall * 0.30)
    stencil.ellipse(x, head, tall * 0.175, tall * 0.15)
    for side in (-1, 1):
        stencil.polygon(
            [
                (x + side * tall * 0.175, head - tall * 0.02),
                (x + side * tall * 0.150, head - tall * 0.24),
                (x + side * tall * 0.02, head - tall * 0.13),
            ]
        )
    tail = []
    for step in range(21):
        at = step / 20
        tail.append(
            (
                x + tall * (0.18 + 0.46 * at - 0.12 * at**3),
                y - tall * (0.04 + 0.02 * math.sin(at * 3) + 0.26 * at**4),
            )
        )
    stencil.line(tail, tall * 0.065)
    stencil.ellipse(*tail[-1], tall * 0.033, tall * 0.033)


def flower(
    stencils: tuple[Stencil, Stencil, Stencil], foot: Point, tall: float, rng: Random
) -> None:
    """A stem with a leaf, a head of petals and its heart, each on a stencil of its own."""
    stems, petals, hearts = stencils
    x, y = foot
    lean = rng.uniform(-0.22, 0.22) * tall
    head = (x + lean, y - tall)
    stems.line([foot, (x + lean * 0.3, y - tall * 0.5), (x + lean, y - tall * 0.95)], tall * 0.022)
    stems.polygon(
        [
            (x + lean * 0.1, y - tall * 0.2),
            (x + tall * 0.16, y - tall * 0.52),
            (x + lean * 0.1 + tall * 0.035, y - tall * 0.22),
        ]
    )
    size, start = tall * rng.uniform(0.11, 0.16), rng.uniform(0, 1.2)
    value = rng.randint(185, 255)
    for petal in range(6):
        turn = start + petal * math.tau / 6
        petals.ellipse(
            head[0] + math.cos(turn) * size * 0.62,
            head[1] + math.sin(turn) * size * 0.42,
            size * 0.52,
            size * 0.42,
            value if petal % 2 else round(value * 0.85),
        )
    hearts.ellipse(*head, size * 0.28, size * 0.22)
