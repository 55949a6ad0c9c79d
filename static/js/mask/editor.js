import { Dials } from './dials.js';
import { Keys } from './keys.js';
import { Pointers } from './pointers.js';
import { begin, isBrush } from './tools.js';
import { Marks } from './view/marks.js';
import { Painting } from './view/painting.js';
import { Viewport } from './view/viewport.js';

const CLOSER = 1.25;
const LEAST_SHARE = 0.005; // below it is told as less than one percent

// The editor of one mask in its dialog: what hands do comes in from pointers and keys, and goes to the sheet.
export class Editor {
  constructor(dialog, sheet) {
    Object.assign(this, { dialog, sheet, act: null, cursor: null, isMoved: true, tool: 'brush' });
    this.enlarging = Promise.resolve();
    this.stage = dialog.querySelector('.easel');
    this.viewport = new Viewport();
    const [canvas, over] = this.stage.querySelectorAll('canvas');
    this.painting = new Painting(canvas, this.viewport);
    this.marks = new Marks(over, this.viewport);
    this.dials = new Dials(dialog, Math.max(sheet.picture.width, sheet.picture.height), () => this.draw());
    new Pointers(over, this);
    new Keys(dialog, over, this);
    dialog.addEventListener('click', ({ target }) => this.press(target.closest('button[value]')?.value));
    dialog.addEventListener('change', ({ target }) => target.name === 'shown' && this.show(target.value === 'plain'));
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.stage);
    this.told();
    this.resize();
  }

  get ratio() {
    return this.viewport.ratio;
  }

  get isChanged() {
    return this.sheet.isChanged;
  }

  close() {
    this.sizes.disconnect();
  }

  resize() {
    const ratio = devicePixelRatio;
    const sides = [this.stage.clientWidth, this.stage.clientHeight];
    const [width, height] = sides.map((side) => Math.max(1, Math.round(side * ratio)));
    this.viewport.resize(width, height, ratio, this.sheet.picture);
    this.moved();
  }

  show(isPlain) {
    this.painting.isPlain = isPlain;
    this.moved();
  }

  press(value) {
    const [what, way] = value?.split(' ') ?? [];
    const acts = {
      tool: () => this.choose(way),
      dial: () => this.dials[way.slice(1)].turn(way.startsWith('+')),
      undo: () => this.turn('undo'),
      redo: () => this.turn('redo'),
      invert: () => this.whole((level) => 255 - level),
      clear: () => this.whole(() => 0),
      zoom: () => this.zoom(way === 'in' ? CLOSER : 1 / CLOSER),
      full: () => this.zoom(this.ratio / this.viewport.scale),
      fit: () => this.fit(),
      shown: () => this.dialog.querySelector('[name=shown]:not(:checked)').click(),
    };
    if (this.act && what !== 'zoom' && what !== 'dial') this.end();
    acts[what]?.();
  }

  choose(tool) {
    this.tool = tool;
    for (const button of this.dialog.querySelectorAll('[value^="tool "]')) {
      button.setAttribute('aria-pressed', button.value === `tool ${tool}`);
    }
    this.draw();
  }

  // Every pixel at once.
  whole(level) {
    const { levels } = this.sheet;
    levels.touch(levels.everything);
    const table = Uint8Array.from({ length: 256 }, (_, one) => level(one));
    for (let at = 0; at < levels.bytes.length; at++) levels.bytes[at] = table[levels.bytes[at]];
    levels.stale.fill(1);
    this.settle();
  }

  turn(way) {
    const { picture } = this.sheet;
    this.sheet[way]();
    if (picture !== this.sheet.picture) this.fit();
    this.draw();
    this.told();
  }

  // One after the other; whoever takes the mask waits for it.
  enlarge(border) {
    this.enlarging = this.enlarging.then(() => this.surround(border));
  }

  async surround(border) {
    const picture = await this.sheet.picture.enlarged(border);
    this.end();
    this.sheet.enlarge(picture, border);
    this.fit();
    this.told();
  }

  begin(at, isOpposite = false) {
    const point = { ...this.viewport.toPicture(at), pressure: at.pressure ?? 1 };
    const settings = { ...this.dials.settings, erases: (this.tool === 'eraser') !== isOpposite };
    this.act = begin(this.tool, this.sheet.levels, point, settings);
    this.cursor = point;
    this.draw();
  }

  // Where keys paint: at the cursor, at first in the middle of what is seen.
  get place() {
    const middle = this.viewport.toPicture({ x: this.viewport.width / 2, y: this.viewport.height / 2 });
    return this.cursor ?? { x: Math.round(middle.x), y: Math.round(middle.y) };
  }

  beginAtCursor() {
    this.begin(this.viewport.toScreen(this.place));
  }

  move(points) {
    if (!this.act) return;
    for (const at of points) {
      this.cursor = { ...this.viewport.toPicture(at), pressure: at.pressure };
      this.act.move(this.cursor);
    }
    this.draw();
  }

  end() {
    if (!this.act) return;
    this.act.end();
    this.act = null;
    this.settle();
  }

  giveUp() {
    if (!this.act) return;
    this.act = null;
    this.sheet.levels.revert();
    this.draw();
  }

  settle() {
    this.sheet.settle();
    this.draw();
    this.told();
  }

  hover(at) {
    if (this.act) return;
    this.cursor = at && this.viewport.toPicture(at);
    this.draw();
  }

  // Moves the cursor of the keys, in pixels of the screen but at least one of the picture.
  step(dx, dy, isPainting) {
    const { picture } = this.sheet;
    const far = (by) => Math.sign(by) * Math.max(1, Math.round(Math.abs(by) / this.viewport.scale));
    const x = Math.max(0, Math.min(picture.width, this.place.x + far(dx)));
    const y = Math.max(0, Math.min(picture.height, this.place.y + far(dy)));
    this.cursor = { x, y, pressure: 1 };
    if (this.viewport.reveal(this.cursor, picture)) this.moved();
    if (isPainting) this.act?.move(this.cursor);
    this.draw();
  }

  pan(dx, dy) {
    this.viewport.move(dx, dy, this.sheet.picture);
    this.moved();
  }

  zoom(factor, at) {
    this.viewport.zoom(factor, this.sheet.picture, at);
    this.moved();
  }

  fit() {
    this.viewport.fit(this.sheet.picture);
    this.moved();
  }

  moved() {
    this.isMoved = true;
    this.dialog.querySelector('.percent').textContent = `${percent(this.viewport.scale / this.ratio)} %`;
    this.draw();
  }

  // Asks for the next frame.
  draw() {
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    if (!this.dialog.isConnected) return; // left since it was asked for
    const { isMoved, sheet, cursor } = this;
    Object.assign(this, { isMoved: false, frame: null });
    const changes = sheet.levels.changes();
    if (isMoved) this.painting.renew(sheet);
    else for (const box of changes) this.painting.paint(sheet.levels, box);
    const { radius, softness } = this.dials.settings;
    this.marks.draw({
      point: cursor,
      radius: isBrush(this.tool) ? radius * (cursor?.pressure ?? 1) : 0,
      softness,
      outline: this.act?.outline,
      frame: this.painting.isPlain && corners(sheet.picture), // black is hard to see on a dark page
    });
  }

  // Says how much will change, and what can be undone.
  told() {
    const { levels, done, undone } = this.sheet;
    const status = this.dialog.querySelector('[role=status]');
    const { share } = levels;
    const words = share === 0 ? 'none' : share === 1 ? 'all' : share < LEAST_SHARE ? 'little' : 'some';
    status.lastElementChild.textContent = status.dataset[words].replace('{n}', percent(Math.min(0.99, share)));
    status.dataset.state = words;
    for (const [name, steps] of [['undo', done], ['redo', undone]]) {
      this.dialog.querySelector(`[value=${name}]`).setAttribute('aria-disabled', !steps.length);
    }
  }
}

const corners = ({ width, height }) => [
  { x: 0, y: 0 }, { x: width, y: 0 }, { x: width, y: height }, { x: 0, y: height },
];

const percent = (share) => Math.round(100 * share);
