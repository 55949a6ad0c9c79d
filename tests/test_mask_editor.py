"""The mask that somebody paints is the one that arrives, pixel for pixel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import watching
from tests.support.mask_editor import (
    HEIGHT,
    WIDTH,
    MaskEditor,
    meant,
    open_editor,
    rectangle,
    stroke,
    whitened,
)
from tests.support.picture_page import still_window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

FIRST = ((20, 20), (45, 30), (35, 55))
SECOND = ((75, 15), (75, 60))
PRESS_AND_USE = (
    "(button) => [button, document.querySelector('[value=use]')].map((one) => one.click())"
)
LITTLE = {'width': 900, 'height': 640}  # scripts draw each pixel of the canvas
FITTED = 4.0  # how large the picture is shown at first


@pytest.fixture(scope='module')
def opened(browser: Browser, easel: Easel) -> Iterator[Page]:
    """One page for all: each test opens an editor of its own in it."""
    with (
        still_window(browser, has_touch=True, viewport=LITTLE) as page,
        watching(page) as complaints,
    ):
        page.goto(f'{easel.url}/prompts')
        yield page
        assert complaints == []


@pytest.fixture
def editor(opened: Page) -> Iterator[MaskEditor]:
    yield open_editor(opened)
    opened.locator('.mask-editor').evaluate_all('(left) => left.forEach((one) => one.remove())')


@pytest.mark.parametrize('scale', [1.0, FITTED])
def test_what_a_mouse_paints_arrives_after_undo_and_redo(editor: MaskEditor, scale: float) -> None:
    if scale == 1:
        editor.page.keyboard.press('1')
    editor.set_brush(10)

    editor.drag(FIRST, scale)
    editor.drag(SECOND, scale)
    editor.drag(((5, 5), (10, 70)), scale)
    for key in ('Control+z', 'Control+z', 'Control+Shift+z'):
        editor.page.keyboard.press(key)

    assert whitened(editor.use()) == meant(stroke(FIRST, 10), stroke(SECOND, 10))


def test_a_wheel_moves_the_view_and_looks_closer(editor: MaskEditor) -> None:
    mouse, keyboard = editor.page.mouse, editor.page.keyboard
    editor.set_brush(20)
    moved = [(x + 10, y - 15) for x, y in SECOND]

    mouse.move(*editor.at((50, 38), FITTED))
    for key, by in (('Shift', -40), ('Alt', 60)):
        keyboard.down(key)
        mouse.wheel(0, by)
        keyboard.up(key)
    editor.drag(moved, FITTED)
    mouse.wheel(0, -100)

    assert editor.dialog.locator('.percent').inner_text() == '465 %'
    assert whitened(editor.use()) == meant(stroke(SECOND, 20))


@pytest.mark.parametrize('scale', [1.0, FITTED])
def test_what_changes_is_grey_and_hatched_at_every_zoom(editor: MaskEditor, scale: float) -> None:
    if scale == 1:
        editor.page.keyboard.press('1')
    editor.page.keyboard.press('r')
    editor.drag(((25, 12), (75, 62)), scale)

    inside = editor.shown((30, 17), (70, 57), scale)
    edge = editor.shown((25, 20), (25 + 1 / scale, 50), scale)
    editor.page.keyboard.press('m')
    plain = editor.shown((30, 17), (70, 57), scale)

    assert {red == green == blue for red, green, blue in inside} == {True}
    assert max(inside)[0] - min(inside)[0] > 80
    assert edge == {(0, 0, 0), (255, 255, 255)}
    assert plain == {(255, 255, 255)}
    assert editor.shown((5, 5), (20, 70), scale) == {(0, 0, 0)}


def test_one_finger_paints_and_two_look_closer(editor: MaskEditor) -> None:
    editor.set_brush(10)
    session = editor.page.context.new_cdp_session(editor.page)
    (x, y), scale = editor.at((WIDTH / 2, HEIGHT / 2), FITTED), FITTED / 2

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{'x': at, 'y': down, 'id': n} for n, (at, down) in enumerate(points)]
        session.send('Input.dispatchTouchEvent', {'type': kind, 'touchPoints': fingers})

    def paint(points: tuple[tuple[int, int], ...], scale: float) -> None:
        for n, point in enumerate(points):
            touch('touchMove' if n else 'touchStart', editor.at(point, scale))
        touch('touchEnd')

    paint(FIRST, FITTED)
    touch('touchStart', (x - 200, y))
    touch('touchStart', (x - 200, y), (x + 200, y))
    touch('touchMove', (x - 100, y), (x + 100, y))
    touch('touchEnd')
    paint(SECOND, scale)

    assert editor.dialog.locator('.percent').inner_text() == '200 %'
    assert whitened(editor.use()) == meant(stroke(FIRST, 10), stroke(SECOND, 10))


def test_a_pen_paints_as_wide_as_it_is_pressed(editor: MaskEditor) -> None:
    editor.set_brush(20)
    session = editor.page.context.new_cdp_session(editor.page)

    for number, kind in enumerate(('mousePressed', 'mouseMoved', 'mouseReleased')):
        x, y = editor.at((30 + 20 * min(number, 1), 38), FITTED)
        pen = {'x': x, 'y': y, 'pointerType': 'pen', 'force': 0.5 if number < 2 else 0}
        button = {'button': 'left', 'buttons': 1, 'clickCount': 1}
        session.send('Input.dispatchMouseEvent', {'type': kind, **pen, **button})

    assert whitened(editor.use()) == meant(stroke(((30, 38), (50, 38)), 12))


def test_keys_alone_paint(editor: MaskEditor) -> None:
    keyboard = editor.page.keyboard
    stage = editor.dialog.locator('canvas').last
    expect(stage).to_be_focused()
    editor.set_brush(20)
    stage.focus()
    keyboard.press('1')  # so that an arrow goes ten pixels

    keyboard.down(' ')
    for key in (*['ArrowLeft'] * 3, *['ArrowDown'] * 2):
        keyboard.press(key)
    keyboard.up(' ')
    keyboard.press('r')
    for key in ('ArrowUp', 'Enter', *['ArrowUp'] * 4, *['ArrowRight'] * 6, 'Enter'):
        keyboard.press(key)
    keyboard.press(']')

    line = stroke(((50, 38), (20, 38), (20, 58)), 20)
    assert whitened(editor.use()) == meant(line, rectangle(20, 8, 80, 48))


def test_every_tool_does_its_part(editor: MaskEditor) -> None:
    editor.set_brush(10)

    for key, points in {
        'r': ((10, 10), (90, 66)),
        'l': ((10, 10), (40, 10), (10, 40)),
        'e': ((50, 50), (80, 50)),
    }.items():
        editor.page.keyboard.press(key)
        if key == 'l':
            editor.page.keyboard.down('Alt')
        editor.drag(points, FITTED)
        editor.page.keyboard.up('Alt')
    editor.page.keyboard.press('f')
    editor.page.mouse.click(*editor.at((1, 1), FITTED))
    editor.page.keyboard.press('i')

    gap = stroke(((50, 50), (80, 50)), 10)
    assert whitened(editor.use()) == meant(gap)


def test_a_soft_rectangle_fades_across_its_edge(editor: MaskEditor) -> None:
    editor.set_brush(20, softness=10)

    editor.page.keyboard.press('r')
    editor.drag(((25, 12), (75, 62)), FITTED)

    row = editor.use().crop((19, 38, 31, 39)).tobytes()
    assert [*row] == [round(255 * within / 11) for within in range(12)]


def test_filling_leaves_no_seam_along_a_soft_edge(editor: MaskEditor) -> None:
    editor.set_brush(30, softness=10)
    editor.drag(((20, 18), (80, 18), (80, 58), (20, 58), (20, 18)), FITTED)

    editor.page.keyboard.press('f')
    editor.page.mouse.click(*editor.at((50, 38), FITTED))

    inside = editor.use().crop((20, 18, 80, 58))
    assert inside.getextrema() == (255, 255)


def test_the_share_that_will_change_is_told(editor: MaskEditor) -> None:
    told = [editor.status]

    for act in ('Invert', 'Clear'):
        editor.button(act).click()
        told.append(editor.status)
    editor.page.keyboard.press('r')
    editor.drag(((0, 0), (50, 38)), FITTED)
    told.append(editor.status)
    editor.button('Clear').click()
    editor.button('Use mask').click()
    taken = editor.taken()

    empty, part = 'No mask: the whole picture may change', '25 % will change'
    assert told == [empty, 'Everything is masked', empty, part]
    assert taken == {'mask': None, 'enlarged': None}


def test_a_soft_mask_comes_back_as_it_was(opened: Page) -> None:
    ramp = Image.frombytes('L', (WIDTH, HEIGHT), bytes(n % 256 for n in range(WIDTH * HEIGHT)))

    assert open_editor(opened, ramp).use().tobytes() == ramp.tobytes()


def test_forty_steps_are_undone_and_redone(editor: MaskEditor) -> None:
    seen = []

    for name in ('Invert', 'Undo', 'Redo'):
        editor.button(name).evaluate('(button) => { for (let n = 0; n < 41; n++) button.click(); }')
        seen.append(editor.status)

    expect(editor.button('Redo')).to_have_attribute('aria-disabled', 'true')
    assert seen == ['Everything is masked'] * 3  # after 41 acts, after the first, after all again
    editor.button('Use mask').click()
    assert editor.taken()


def test_a_larger_canvas_has_a_masked_border(editor: MaskEditor) -> None:
    editor.button('Enlarge').click()
    asked = editor.page.get_by_role('dialog', name='Enlarge the canvas')
    asked.get_by_role('combobox').select_option('1:1')
    asked.get_by_role('spinbutton', name='Left').fill('10')
    asked.get_by_role('button', name='Add the border').evaluate(PRESS_AND_USE)

    taken = editor.taken()

    size = (110, 100)
    assert taken
    assert taken['mask']
    assert taken['enlarged']
    assert taken['enlarged'].size == size
    assert taken['enlarged'].convert('RGB').getcolors() == [(size[0] * size[1], (0, 128, 128))]
    kept = rectangle(10, 12, 110, 88)
    assert taken['mask'].tobytes() == meant(lambda x, y: not kept(x, y), size=size)


def test_leaving_asks_where_something_was_painted(editor: MaskEditor) -> None:
    asked = editor.page.get_by_role('dialog', name='Discard your changes to the mask?')
    editor.button('Invert').click()

    editor.page.keyboard.press('Escape')
    expect(asked).to_be_visible()
    editor.page.keyboard.press('Enter')
    expect(asked).to_be_hidden()
    editor.button('Cancel').click()
    asked.get_by_role('button', name='Discard').click()

    assert editor.taken() is None
    again = open_editor(editor.page)
    again.page.keyboard.press('Escape')
    assert again.taken() is None
