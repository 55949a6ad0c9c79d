import { boxOf, isEmpty, united, within } from './boxes.js';
import { packed, unpacked } from './runs.js';

const TILE = 128;
export const MOST = 255;

// How much each pixel of a picture may change, a byte each: 255 changes, 0 is kept. Whoever writes says where
// before; what came of it is told as the difference of the tiles, which applied once more takes it back.
export class Levels {
  constructor(width, height, bytes = new Uint8Array(width * height)) {
    Object.assign(this, { width, height, bytes, before: new Map() });
    this.columns = Math.ceil(width / TILE);
    this.sums = new Float64Array(this.columns * Math.ceil(height / TILE));
    this.sums.forEach((_, tile) => this.count(tile));
  }

  get everything() {
    return boxOf(0, 0, this.width, this.height);
  }

  get sum() {
    return this.sums.reduce((sum, one) => sum + one, 0);
  }

  get share() {
    return this.sum / (MOST * this.bytes.length);
  }

  // Keeps what stands in a box, and gives the part of it that is inside.
  touch(box) {
    const inside = within(box, this.width, this.height);
    if (isEmpty(inside)) return null;
    const [left, right] = [inside.left, inside.right - 1].map((x) => Math.floor(x / TILE));
    const [top, bottom] = [inside.top, inside.bottom - 1].map((y) => Math.floor(y / TILE));
    for (let row = top; row <= bottom; row++) {
      for (let tile = row * this.columns + left; tile <= row * this.columns + right; tile++) {
        if (!this.before.has(tile)) this.before.set(tile, this.read(tile));
      }
    }
    return inside;
  }

  // Gives what was changed since the last time, or null.
  settle() {
    const difference = new Map();
    for (const [tile, bytes] of this.before) {
      if (this.differ(tile, bytes)) difference.set(tile, packed(bytes));
    }
    this.before.clear();
    return difference.size ? difference : null;
  }

  // Takes back what has not settled, and gives where.
  revert() {
    let changed = null;
    for (const [tile, bytes] of this.before) {
      this.write(tile, bytes);
      changed = united(changed, this.boxOf(tile));
    }
    this.before.clear();
    return changed;
  }

  apply(difference) {
    let changed = null;
    for (const [tile, runs] of difference) {
      const box = this.boxOf(tile);
      const bytes = unpacked(runs, (box.right - box.left) * (box.bottom - box.top)).slice();
      this.differ(tile, bytes);
      this.write(tile, bytes);
      this.count(tile);
      changed = united(changed, box);
    }
    return changed;
  }

  boxOf(tile) {
    const left = (tile % this.columns) * TILE;
    const top = Math.floor(tile / this.columns) * TILE;
    return within(boxOf(left, top, left + TILE, top + TILE), this.width, this.height);
  }

  read(tile) {
    const { left, top, right, bottom } = this.boxOf(tile);
    const bytes = new Uint8Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) {
      bytes.set(this.bytes.subarray(y * this.width + left, y * this.width + right), (y - top) * (right - left));
    }
    return bytes;
  }

  write(tile, bytes) {
    const { left, top, right, bottom } = this.boxOf(tile);
    for (let y = top; y < bottom; y++) {
      const start = (y - top) * (right - left);
      this.bytes.set(bytes.subarray(start, start + right - left), y * this.width + left);
    }
  }

  // Makes bytes the difference between themselves and the tile, and tells whether there is any.
  differ(tile, bytes) {
    const { left, top, right, bottom } = this.boxOf(tile);
    let [at, sum, any] = [0, 0, 0];
    for (let y = top; y < bottom; y++) {
      for (let place = y * this.width + left, end = y * this.width + right; place < end; place++, at++) {
        const level = this.bytes[place];
        sum += level;
        any |= bytes[at] ^= level;
      }
    }
    this.sums[tile] = sum;
    return any !== 0;
  }

  count(tile) {
    this.sums[tile] = this.read(tile).reduce((sum, level) => sum + level, 0);
  }
}
