import { MOST } from './levels.js';

const HALF = 128;

// Turns what is joined to a pixel, up to where the mask begins or ends, into its opposite. Its fading edge
// belongs to it, up to the ridge of what encloses it.
export function flood(levels, { x, y }) {
  const { bytes, width, height, everything } = levels;
  const start = Math.floor(y) * width + Math.floor(x);
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  levels.touch(everything);
  levels.stale.fill(1);
  const fills = bytes[start] < HALF;
  const region = new Region(bytes, width, fills ? (level) => level < HALF : (level) => level >= HALF);
  region.spread(start, fills ? MOST : 0);
}

class Region {
  constructor(bytes, width, belongs) {
    Object.assign(this, { bytes, width, belongs, rim: [] });
  }

  // Row by row; what is at the edge is remembered, to be climbed afterwards.
  spread(start, level) {
    const { bytes, width, belongs } = this;
    const open = [start];
    while (open.length) {
      const place = open.pop();
      if (!belongs(bytes[place])) continue;
      const row = place - (place % width);
      let [left, right] = [place, place + 1];
      while (left > row && belongs(bytes[left - 1])) left--;
      while (right < row + width && belongs(bytes[right])) right++;
      bytes.fill(level, left, right);
      if (left > row) this.rim.push(left - 1);
      if (right < row + width) this.rim.push(right);
      for (const beside of [row - width, row + width]) {
        if (beside >= 0 && beside < bytes.length) this.look(beside - row, left, right, open);
      }
    }
    this.climb(level);
  }

  look(offset, left, right, open) {
    let isInside = false;
    for (let at = left + offset; at < right + offset; at++) {
      const belongs = this.belongs(this.bytes[at]);
      if (belongs && !isInside) open.push(at);
      else if (!belongs && this.bytes[at] !== MOST && this.bytes[at] !== 0) this.rim.push(at);
      isInside = belongs;
    }
  }

  climb(level) {
    const { bytes, width, rim } = this;
    const rises = level ? (next, from) => next >= from && next < MOST : (next, from) => next <= from && next > 0;
    while (rim.length) {
      const place = rim.pop();
      const from = bytes[place];
      if (from === 0 || from === MOST) continue;
      bytes[place] = level;
      const column = place % width;
      if (column > 0 && rises(bytes[place - 1], from)) rim.push(place - 1);
      if (column < width - 1 && rises(bytes[place + 1], from)) rim.push(place + 1);
      if (place >= width && rises(bytes[place - width], from)) rim.push(place - width);
      if (place + width < bytes.length && rises(bytes[place + width], from)) rim.push(place + width);
    }
  }
}
