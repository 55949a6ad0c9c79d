import { boxOf, isEmpty, within } from './boxes.js';
import { packed, unpacked } from './runs.js';

const TILE = 64;
export const MOST = 255;

// How much each pixel of a picture may change, a byte each: 255 changes, 0 is kept. Whoever writes says where
// before, and which part of a row has changed; what came of an act is told as the difference of the tiles, which
// applied once more takes it back.
export class Levels {
  constructor(width, height, bytes = new Uint8Array(width * height)) {
    Object.assign(this, { width, height, bytes, before: new Map() });
    this.columns = Math.ceil(width / TILE);
    this.sums = new Float64Array(this.columns * Math.ceil(height / TILE));
    this.stale = new Uint8Array(this.sums.length);
    this.sums.forEach((_, tile) => (this.sums[tile] = this.differ(tile, this.read(tile)).sum));
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

  // Notes that a part of a row has changed.
  mark(y, left, right) {
    const row = Math.floor(y / TILE) * this.columns;
    this.stale.fill(1, row + Math.floor(left / TILE), row + Math.ceil(right / TILE));
  }

  // Gives the boxes that have changed since the last time: rows of tiles.
  changes() {
    const boxes = [];
    for (let tile = this.stale.indexOf(1); tile >= 0; tile = this.stale.indexOf(1, tile)) {
      const { left, top, bottom } = this.boxOf(tile);
      const rest = this.columns - (tile % this.columns);
      const count = [...this.stale.subarray(tile, tile + rest), 0].indexOf(0);
      boxes.push(boxOf(left, top, this.boxOf(tile + count - 1).right, bottom));
      tile += count;
    }
    this.stale.fill(0);
    return boxes;
  }

  // Ends an act, and gives its difference, or null.
  settle() {
    const difference = new Map();
    for (const [tile, bytes] of this.before) {
      const { sum, isAny } = this.differ(tile, bytes);
      this.sums[tile] = sum;
      if (isAny) difference.set(tile, packed(bytes));
    }
    this.before.clear();
    return difference.size ? difference : null;
  }

  // Takes back what has not settled.
  revert() {
    for (const [tile, bytes] of this.before) {
      const { left, top, right, bottom } = this.boxOf(tile);
      for (let y = top, from = 0; y < bottom; y++, from += right - left) {
        this.bytes.set(bytes.subarray(from, from + right - left), y * this.width + left);
      }
      this.stale[tile] = 1;
    }
    this.before.clear();
  }

  apply(difference) {
    for (const [tile, runs] of difference) {
      const { left, top, right, bottom } = this.boxOf(tile);
      const bytes = unpacked(runs, (right - left) * (bottom - top));
      let [at, sum] = [0, 0];
      for (let y = top; y < bottom; y++) {
        for (let place = y * this.width + left, end = y * this.width + right; place < end; place++) {
          sum += this.bytes[place] ^= bytes[at++];
        }
      }
      this.sums[tile] = sum;
      this.stale[tile] = 1;
    }
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

  // Makes bytes the difference between themselves and the tile; gives what the tile adds up to.
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
    return { sum, isAny: any !== 0 };
  }
}
