import { around } from './boxes.js';
import { MOST } from './levels.js';

// Writes over a box what `levelAt` says of each row, the brighter of both, or the darker where it erases.
const brighter = (bytes, at, level) => {
  if (level > bytes[at]) bytes[at] = level;
};
const darker = (bytes, at, level) => {
  if (MOST - level < bytes[at]) bytes[at] = MOST - level;
};

// A line between two points as wide as each says, fading inwards over `softness` pixels. Gives where it is.
export function line(levels, from, to, { softness, erases }) {
  const steps = Math.min(32, Math.max(1, Math.ceil(Math.abs(to.radius - from.radius))));
  const radius = Math.max(from.radius, to.radius);
  const box = levels.touch(around([from, to], radius + 1));
  if (!box) return null;
  const at = (part) => from.x + (to.x - from.x) * part;
  const down = (part) => from.y + (to.y - from.y) * part;
  for (let step = 0; step < steps; step++) {
    const [begin, end] = [step / steps, (step + 1) / steps];
    const width = from.radius + (to.radius - from.radius) * (steps > 1 ? end : 1);
    const bar = new Bar(at(begin), down(begin), at(end), down(end), width, softness);
    bar.draw(levels, box, erases ? darker : brighter, erases ? 0 : MOST);
  }
  return box;
}

// All that is no further than a radius from a line. Half a pixel of its edge is on either side.
class Bar {
  constructor(x0, y0, x1, y1, radius, softness) {
    this.outer = radius + 0.5;
    this.fade = Math.min(softness, radius) + 1;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = Math.hypot(dx, dy) || 1;
    Object.assign(this, { x0, y0, x1, y1, dx: dx / length, dy: dy / length, length: Math.hypot(dx, dy) });
  }

  draw(levels, box, write, whole) {
    const { bytes, width } = levels;
    for (let y = box.top; y < box.bottom; y++) {
      const rim = this.span(y + 0.5, this.outer, box);
      const core = this.span(y + 0.5, this.outer - this.fade, rim);
      const row = y * width;
      const [begin, end] = core.left < core.right ? [core.left, core.right] : [rim.right, rim.right];
      for (let x = rim.left; x < begin; x++) write(bytes, row + x, this.level(x + 0.5, y + 0.5));
      bytes.fill(whole, row + begin, row + end);
      for (let x = end; x < rim.right; x++) write(bytes, row + x, this.level(x + 0.5, y + 0.5));
    }
  }

  // The pixels of a row whose middles are within a distance, of those in a box.
  span(y, distance, box) {
    let [left, right] = [Infinity, -Infinity];
    const meet = (x, reach = 0) => {
      left = Math.min(left, x - reach);
      right = Math.max(right, x + reach);
    };
    for (const [x, middle] of distance > 0 ? [[this.x0, this.y0], [this.x1, this.y1]] : []) {
      if (Math.abs(y - middle) <= distance) meet(x, Math.sqrt(distance ** 2 - (y - middle) ** 2));
    }
    for (const side of distance > 0 && this.dy ? [distance, -distance] : []) {
      const along = (y - this.y0 - side * this.dx) / this.dy; // on the edge beside the line
      if (along >= 0 && along <= this.length) meet(this.x0 - side * this.dy + along * this.dx);
    }
    return { left: Math.max(box.left, Math.ceil(left - 0.5)), right: Math.min(box.right, Math.floor(right - 0.5) + 1) };
  }

  level(x, y) {
    const [dx, dy] = [x - this.x0, y - this.y0];
    const along = Math.max(0, Math.min(this.length, dx * this.dx + dy * this.dy));
    const away = Math.hypot(dx - along * this.dx, dy - along * this.dy);
    return Math.max(0, Math.min(1, (this.outer - away) / this.fade)) * MOST + 0.5;
  }
}

// What an outline encloses, where it crosses itself too; its edge fades to both sides. Gives where it is.
export function area(levels, points, { softness, erases }) {
  const box = levels.touch(around(points, softness / 2 + 1));
  if (!box) return null;
  const width = box.right - box.left;
  const inside = enclosed(points, box, width);
  soften(inside, width, Math.round(softness / 2));
  const write = erases ? darker : brighter;
  for (let at = 0, y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++, at++) write(levels.bytes, y * levels.width + x, inside[at]);
  }
  return box;
}

function enclosed(points, box, width) {
  const inside = new Uint8Array(width * (box.bottom - box.top));
  for (let y = box.top; y < box.bottom; y++) {
    const row = (y - box.top) * width - box.left;
    const crossed = crossings(points, y + 0.5);
    for (let [at, winding] = [0, 0]; at < crossed.length - 1; at++) {
      winding += crossed[at].way;
      if (!winding) continue;
      const left = Math.max(box.left, Math.ceil(crossed[at].x - 0.5));
      const right = Math.min(box.right, Math.ceil(crossed[at + 1].x - 0.5));
      if (left < right) inside.fill(MOST, row + left, row + right);
    }
  }
  return inside;
}

function crossings(points, y) {
  const crossed = [];
  points.forEach((from, place) => {
    const to = points[(place + 1) % points.length];
    if (from.y <= y === to.y <= y) return;
    crossed.push({ x: from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x), way: from.y < to.y ? 1 : -1 });
  });
  return crossed.sort((one, other) => one.x - other.x);
}

// The mean of the pixels around each, as far as `reach` to every side.
function soften(bytes, width, reach) {
  const height = bytes.length / width;
  if (!reach) return;
  for (let y = 0; y < height; y++) mean(bytes, y * width, 1, width, reach);
  for (let x = 0; x < width; x++) mean(bytes, x, width, height, reach);
}

function mean(bytes, start, stride, count, reach) {
  const line = new Uint8Array(count + 2 * reach); // beyond its edges a picture goes on as it ends
  for (let at = 0; at < line.length; at++) {
    line[at] = bytes[start + Math.max(0, Math.min(count - 1, at - reach)) * stride];
  }
  let sum = 0;
  for (let at = 0; at < 2 * reach; at++) sum += line[at];
  for (let at = 0; at < count; at++) {
    sum += line[at + 2 * reach];
    bytes[start + at * stride] = sum / (2 * reach + 1) + 0.5;
    sum -= line[at];
  }
}
