const STIR_PX = 6; // a click is no lasso
const EDGE_PX = 48; // this near to an edge of the window the page moves on
const STEP_PX = 18;
const THINGS = '.hung, a, button, input, label, select, summary, form, nav, [popover]';

// A rectangle that the mouse draws on the ground between the pictures. It tells of the tiles in it whenever
// they change, of none where it is given up by Escape.
export class Lasso {
  constructor(ground, wall, { begin, catch: tell }) {
    Object.assign(this, { wall, start: begin, tell });
    this.box = document.createElement('div');
    this.box.className = 'lasso';
    ground.addEventListener('pointerdown', (event) => this.begin(event));
  }

  begin(event) {
    if (event.pointerType !== 'mouse' || event.button || event.target.closest(THINGS)) return;
    this.pointer = event;
    this.from = { x: event.pageX, y: event.pageY };
    this.until = new AbortController();
    const { signal } = this.until;
    addEventListener('pointermove', (moved) => this.move(moved), { signal });
    for (const ending of ['pointerup', 'pointercancel', 'blur']) addEventListener(ending, () => this.end(), { signal });
    addEventListener('keydown', (pressed) => this.giveUp(pressed), { signal, capture: true });
    addEventListener('selectstart', (selecting) => selecting.preventDefault(), { signal });
  }

  move(event) {
    this.pointer = event;
    const isStill = Math.hypot(event.pageX - this.from.x, event.pageY - this.from.y) < STIR_PX;
    if (this.box.isConnected || isStill) return;
    this.start();
    document.body.append(this.box);
    this.caught = [];
    this.draw();
  }

  // Once a frame: the page may move under a pointer that rests, and grow.
  draw() {
    if (!this.box.isConnected) return;
    const { clientX, clientY } = this.pointer;
    if (clientY < EDGE_PX) scrollBy(0, -STEP_PX);
    else if (clientY > innerHeight - EDGE_PX) scrollBy(0, STEP_PX);
    const [left, right] = [this.from.x, clientX + scrollX].sort((one, other) => one - other);
    const [top, bottom] = [this.from.y, clientY + scrollY].sort((one, other) => one - other);
    const place = { left, top, width: right - left, height: bottom - top };
    for (const [side, px] of Object.entries(place)) this.box.style[side] = `${px}px`;
    this.pull({ left, right, top, bottom });
    requestAnimationFrame(() => this.draw());
  }

  pull({ left, right, top, bottom }) {
    const caught = this.tiles()
      .filter(({ box }) => box.left < right && box.right > left && box.top < bottom && box.bottom > top)
      .map(({ tile }) => tile);
    if (caught.length === this.caught.length && caught.every((tile, at) => tile === this.caught[at])) return;
    this.tell((this.caught = caught));
  }

  // Measured again where the page has grown.
  tiles() {
    const { scrollHeight } = document.documentElement;
    if (this.measured?.at !== scrollHeight) {
      const tiles = [...this.wall.querySelectorAll('.hung:not([hidden])')];
      this.measured = { at: scrollHeight, tiles: tiles.map((tile) => ({ tile, box: onPage(tile) })) };
    }
    return this.measured.tiles;
  }

  giveUp(event) {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    if (this.box.isConnected) this.tell([]);
    this.end();
  }

  end() {
    this.until.abort();
    this.box.remove();
    this.measured = this.caught = null;
  }
}

function onPage(tile) {
  const { left, right, top, bottom } = tile.getBoundingClientRect();
  return { left: left + scrollX, right: right + scrollX, top: top + scrollY, bottom: bottom + scrollY };
}
