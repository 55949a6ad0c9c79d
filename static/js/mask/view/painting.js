import { boxOf, isEmpty, within } from '../pixels/boxes.js';

const HALF = 128;
const CHALK = 0xffffffff;
const COAL = 0xff000000;
const PERIOD = 17; // of the hatch along a row: 12 across it
const STROKE = 2.83; // 2 across it
const WHITE = 0.62;
const BLACK = 0.53;

// The picture and its mask on the canvas. What changes is grey and hatched, with a dashed edge: in pixels of the
// screen, at every zoom. Only the boxes that changed are made anew.
export class Painting {
  constructor(canvas, viewport) {
    Object.assign(this, { canvas, viewport, isPlain: false });
    this.context = canvas.getContext('2d');
    this.below = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  }

  // After the view has moved, or another picture is shown.
  renew({ picture, levels }) {
    const { width, height, ratio } = this.viewport;
    if (this.canvas.width !== width || this.canvas.height !== height || !this.image) {
      for (const canvas of [this.canvas, this.below.canvas]) Object.assign(canvas, { width, height });
      this.image = this.context.createImageData(width, height);
      this.data = new Uint32Array(this.image.data.buffer); // a pixel each: alpha, blue, green, red
      this.hatch = hatchOf(ratio);
    }
    this.below.clearRect(0, 0, width, height);
    picture.draw(this.below, this.viewport);
    this.ground = new Uint32Array(this.below.getImageData(0, 0, width, height).data.buffer);
    this.fill(levels, boxOf(0, 0, width, height));
  }

  // A box of the picture.
  paint(levels, box) {
    const { scale, x, y } = this.viewport;
    const margin = 2 * this.unit + 1;
    const shown = boxOf(
      Math.floor(box.left * scale + x) - margin,
      Math.floor(box.top * scale + y) - margin,
      Math.ceil(box.right * scale + x) + margin,
      Math.ceil(box.bottom * scale + y) + margin,
    );
    this.fill(levels, within(shown, this.viewport.width, this.viewport.height));
  }

  get unit() {
    return Math.max(1, Math.round(this.viewport.ratio));
  }

  fill(levels, box) {
    if (isEmpty(box)) return;
    const { left, top, right, bottom } = box;
    const seen = this.sample(levels, box);
    for (let y = top; y < bottom; y++) {
      const from = (y - top + seen.reach) * seen.width + seen.reach;
      const at = y * this.viewport.width + left;
      if (this.isPlain) this.plain(seen, from, at, right - left);
      else this.mark(seen, from, at, right - left, left - this.viewport.x, y - this.viewport.y);
    }
    this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
  }

  // The levels under the pixels of a box and around it, each the mean of four places in it.
  sample(levels, box) {
    const reach = 2 * this.unit;
    const [width, height] = [box.right - box.left + 2 * reach, box.bottom - box.top + 2 * reach];
    const seen = { reach, width, levels: new Uint8Array(width * height), isInside: new Uint8Array(width * height) };
    const { x, y, scale } = this.viewport;
    const columns = places(box.left - reach - x, width, scale, levels.width);
    const rows = places(box.top - reach - y, height, scale, levels.height);
    for (let row = rows.first; row < rows.end; row++) {
      seen.isInside.fill(1, row * width + columns.first, row * width + columns.end);
      const [upper, lower] = [rows.near[row] * levels.width, rows.far[row] * levels.width];
      for (let column = columns.first; column < columns.end; column++) {
        const [near, far] = [columns.near[column], columns.far[column]];
        const { bytes } = levels;
        const sum = bytes[upper + near] + bytes[upper + far] + bytes[lower + near] + bytes[lower + far];
        seen.levels[row * width + column] = (sum + 2) >> 2;
      }
    }
    return seen;
  }

  // The mask as it is sent.
  plain({ levels, isInside }, from, at, count) {
    for (let end = from + count; from < end; from++, at++) {
      this.data[at] = isInside[from] ? COAL | (levels[from] * 0x10101) : 0;
    }
  }

  mark({ levels, width }, from, at, count, x, y) {
    const { data, ground, unit, hatch } = this;
    const dashes = 30 * unit;
    let dash = mod(3 * x + 2 * y, dashes);
    let stripe = mod(x + y, hatch.length);
    for (let end = from + count; from < end; from++, at++) {
      const level = levels[from];
      const isIn = level >= HALF;
      if (isEdge(levels, from, isIn, 2 * unit, width)) {
        data[at] = dash < 18 * unit && isEdge(levels, from, isIn, unit, width) ? CHALK : COAL;
      } else {
        data[at] = level ? changing(ground[at], level, hatch[stripe]) : ground[at];
      }
      if ((dash += 3) >= dashes) dash -= dashes;
      if (++stripe === hatch.length) stripe = 0;
    }
  }
}

// A pixel of the picture without its colour, under a stroke of the hatch, as far as it may change.
function changing(pixel, level, stroke) {
  const red = pixel & 255;
  const green = (pixel >> 8) & 255;
  const blue = (pixel >> 16) & 255;
  const alpha = pixel >>> 24;
  const light = ((red * 77 + green * 151 + blue * 28) >> 8) * 0.75 + 46;
  const grey = stroke > 0 ? light + (255 - light) * stroke : light * (1 + stroke);
  const part = level / 255;
  return (
    (red + (grey - red) * part) |
    ((green + (grey - green) * part) << 8) |
    ((blue + (grey - blue) * part) << 16) |
    ((alpha + (255 - alpha) * part) << 24)
  );
}

function isEdge(levels, at, isIn, by, width) {
  return (
    levels[at + by] >= HALF !== isIn ||
    levels[at - by] >= HALF !== isIn ||
    levels[at + by * width] >= HALF !== isIn ||
    levels[at - by * width] >= HALF !== isIn
  );
}

const mod = (value, by) => ((value % by) + by) % by;

// Which two places of the picture a pixel of the screen stands for, of those that are in it.
function places(start, count, scale, most) {
  const [near, far] = [new Int32Array(count), new Int32Array(count)];
  let [first, end] = [count, 0];
  for (let at = 0; at < count; at++) {
    const middle = Math.floor((start + at + 0.5) / scale);
    if (middle < 0 || middle >= most) continue;
    near[at] = Math.max(0, Math.floor((start + at + 0.25) / scale));
    far[at] = Math.min(most - 1, Math.floor((start + at + 0.75) / scale));
    [first, end] = [Math.min(first, at), at + 1];
  }
  return { near, far, first, end };
}

// How much of a white stroke there is on each pixel of a row, of a black one below 0.
function hatchOf(ratio) {
  const length = Math.round(PERIOD * ratio);
  const covered = (at, start) => {
    const [from, to] = [start * ratio, (start + STROKE) * ratio];
    return Math.max(0, Math.min(at + 1, to) - Math.max(at, from));
  };
  return Float32Array.from({ length }, (_, at) => covered(at, 0) * WHITE || -covered(at, STROKE) * BLACK);
}
