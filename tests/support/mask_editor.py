"""The editor of masks over a picture made in the page, and the masks that are meant."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page

WIDTH, HEIGHT = 100, 76
OPEN = """async ({ width, height, mask }) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  context.fillStyle = 'teal';
  context.fillRect(0, 0, width, height);
  const image = await new Promise((done) => canvas.toBlob(done));
  const given = mask && new Blob([Uint8Array.from(atob(mask), (one) => one.charCodeAt())]);
  const sheet = document.querySelector('link[rel=stylesheet]').href;
  const { openMask } = await import(new URL('js/mask/open-mask.js', sheet));
  globalThis.chosen = openMask({ image, width, height, mask: given });
  chosen.catch(() => {});
}"""
TAKE = """async () => {
  const text = async (blob) => {
    const bytes = blob && new Uint8Array(await blob.arrayBuffer());
    return bytes && btoa(String.fromCharCode(...bytes));
  };
  const taken = await chosen;
  return taken && { mask: await text(taken.mask), enlarged: await text(taken.enlarged) };
}"""

Point: TypeAlias = tuple[float, float]
Shape: TypeAlias = Callable[[float, float], bool]  # whether the middle of a pixel is in it


@dataclass(frozen=True)
class MaskEditor:
    """What is open in a page, and how its picture stands in the window."""

    page: Page

    @property
    def dialog(self) -> Locator:
        return self.page.locator('.mask-editor')

    @property
    def status(self) -> str:
        return self.dialog.get_by_role('status').first.inner_text()

    def button(self, name: str) -> Locator:
        return self.dialog.get_by_role('button', name=name, exact=True)

    def set_brush(self, size: int, softness: int = 0) -> None:
        """Set both dials, in pixels of the picture."""
        for name, value, least, most in (('size', size, 1, 64), ('softness', softness, 0, 32)):
            place = math.sqrt((value - least) / (most - least))
            self.dialog.locator(f'[name={name}]').fill(str(round(place * 1000)))

    @cached_property
    def box(self) -> FloatRect:
        """Where the canvas is in the window."""
        box = self.dialog.locator('.easel').bounding_box()
        assert box
        return box

    def at(self, point: Point, scale: float) -> Point:
        """Return where a point of the picture is in the window: it stands in the middle."""
        box = self.box
        left = math.floor((box['width'] - WIDTH * scale + 1) / 2)  # on a whole pixel
        top = math.floor((box['height'] - HEIGHT * scale + 1) / 2)
        return box['x'] + left + point[0] * scale, box['y'] + top + point[1] * scale

    def drag(self, points: Sequence[Point], scale: float) -> None:
        """Paint along some points with the mouse."""
        mouse = self.page.mouse
        mouse.move(*self.at(points[0], scale))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(point, scale))
        mouse.up()

    def shown(self, start: Point, end: Point, scale: float) -> set[tuple[int, ...]]:
        """Return the colours on the screen of a part of the picture."""
        (left, top), (right, bottom) = self.at(start, scale), self.at(end, scale)
        clip = {'x': left, 'y': top, 'width': right - left, 'height': bottom - top}
        seen = Image.open(io.BytesIO(self.page.screenshot(clip=clip)))  # type: ignore[arg-type]
        flat = seen.convert('RGB').tobytes()
        return {tuple(flat[at : at + 3]) for at in range(0, len(flat), 3)}

    def taken(self) -> dict[str, Image.Image | None] | None:
        """Wait until the editor is closed, and return what it gave."""
        given = self.page.evaluate(TAKE)
        return given and {name: picture(text) if text else None for name, text in given.items()}

    def use(self) -> Image.Image:
        """Take the mask, which must be a grey picture."""
        self.button('Use mask').click()
        taken = self.taken()
        assert taken
        mask = taken['mask']
        assert mask
        assert mask.mode == 'L'
        return mask


def open_editor(page: Page, mask: Image.Image | None = None) -> MaskEditor:
    """Open it over a picture of WIDTH x HEIGHT, in a page that has the style sheet."""
    file = io.BytesIO()
    if mask:
        mask.save(file, 'PNG')
    given = base64.b64encode(file.getvalue()).decode()
    page.evaluate(OPEN, {'width': WIDTH, 'height': HEIGHT, 'mask': given})
    page.locator('.mask-editor:not([aria-busy])').wait_for()
    return MaskEditor(page)


def picture(text: str) -> Image.Image:
    made = Image.open(io.BytesIO(base64.b64decode(text)))
    made.load()
    return made


def whitened(mask: Image.Image) -> bytes:
    return mask.point(lambda level: 255 * (level >= 128)).tobytes()


def meant(*shapes: Shape, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """Return a mask with these shapes in it, white."""
    return bytes(
        255 if any(shape(x + 0.5, y + 0.5) for shape in shapes) else 0
        for y in range(size[1])
        for x in range(size[0])
    )


def stroke(points: Sequence[Point], width: float) -> Shape:
    """Return what is within half a width of a line."""
    lines = [*pairwise(points)] or [(points[0], points[0])]

    def is_in(x: float, y: float) -> bool:
        return any(_distance(x, y, *line) <= width / 2 for line in lines)

    return is_in


def rectangle(left: float, top: float, right: float, bottom: float) -> Shape:
    return lambda x, y: left < x < right and top < y < bottom


def _distance(x: float, y: float, begin: Point, end: Point) -> float:
    across, down = end[0] - begin[0], end[1] - begin[1]
    squared = across**2 + down**2
    along = ((x - begin[0]) * across + (y - begin[1]) * down) / squared if squared else 0.0
    part = min(1.0, max(0.0, along))
    return math.hypot(x - begin[0] - part * across, y - begin[1] - part * down)
