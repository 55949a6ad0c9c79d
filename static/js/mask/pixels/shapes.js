import { around } from './boxes.js';
import { MOST } from './levels.js';

// Draws a line between two points as wide as each says, fading inwards over `softness` pixels.
export function line(levels, from, to, { softness, erases }) {
  const steps = Math.min(32, Math.max(1, Math.ceil(Math.abs(to.radius - from.radius))));
  const box = levels.touch(around([from, to], Math.max(from.radius, to.radius) + 1));
  if (!box) return;
  const between = (name, part) => from[name] + (to[name] - from[name]) * part;
  for (let step = 0; step < steps; step++) {
    const parts = [step / steps, (step + 1) / steps];
    const [begin, end] = parts.map((part) => ({ x: between('x', part), y: between('y', part) }));
    new Bar(begin, end, between('radius', parts[1]), softness).draw(levels, box, erases);
  }
}

// All that is no further than a radius from a line. Half a pixel of its edge is on either side.
class Bar {
  constructor(from, to, radius, softness) {
    this.outer = radius + 0.5;
    this.fade = Math.min(softness, radius) + 1;
    Object.assign(this, { x0: from.x, y0: from.y, x1: to.x, y1: to.y });
    this.length = Math.hypot(to.x - from.x, to.y - from.y);
    this.dx = (to.x - from.x) / (this.length || 1);
    this.dy = (to.y - from.y) / (this.length || 1);
  }

  draw(levels, box, erases) {
    const whole = erases ? 0 : MOST;
    for (let y = box.top; y < box.bottom; y++) {
      const rim = this.span(y + 0.5, this.outer, box);
      if (rim.left >= rim.right) continue;
      const core = this.span(y + 0.5, this.outer - this.fade, rim);
      if (core.left >= core.right) core.left = core.right = rim.right;
      this.drawRim(levels, y, rim.left, core.left, erases);
      fill(levels, y, core.left, core.right, whole);
      this.drawRim(levels, y, core.right, rim.right, erases);
    }
  }

  drawRim(levels, y, left, right, erases) {
    const { bytes } = levels;
    const { x0, dx, dy, length, outer } = this;
    const steepness = MOST / this.fade;
    const down = y + 0.5 - this.y0;
    let [first, last] = [right, left];
    for (let x = left, at = y * levels.width + left; x < right; x++, at++) {
      const across = x + 0.5 - x0;
      const along = Math.max(0, Math.min(length, across * dx + down * dy));
      const [away, aside] = [across - along * dx, down - along * dy];
      const level = Math.min(MOST, (outer - Math.sqrt(away * away + aside * aside)) * steepness + 0.5) | 0;
      if (erases ? MOST - level >= bytes[at] : level <= bytes[at]) continue;
      bytes[at] = erases ? MOST - level : level;
      if (x < first) first = x;
      last = x + 1;
    }
    if (first < last) levels.mark(y, first, last);
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
}

function fill(levels, y, left, right, whole) {
  const row = levels.bytes.subarray(y * levels.width, (y + 1) * levels.width);
  while (left < right && row[left] === whole) left++;
  while (left < right && row[right - 1] === whole) right--;
  if (left >= right) return;
  row.fill(whole, left, right);
  levels.mark(y, left, right);
}

// Fills what an outline encloses, where it crosses itself too; its edge fades to both sides.
export function area(levels, points, { softness, erases }) {
  const box = levels.touch(around(points, softness / 2 + 1));
  if (!box) return;
  const width = box.right - box.left;
  const inside = enclosed(points, box, width);
  soften(inside, width, Math.round(softness / 2));
  const { bytes } = levels;
  for (let from = 0, y = box.top; y < box.bottom; y++) {
    for (let at = y * levels.width + box.left, end = at + width; at < end; at++, from++) {
      if (erases) bytes[at] = Math.min(bytes[at], MOST - inside[from]);
      else bytes[at] = Math.max(bytes[at], inside[from]);
    }
    levels.mark(y, box.left, box.right);
  }
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

// The mean of the pixels around each, as far as `reach` to every side; beyond its edges a picture goes on as it ends.
function soften(bytes, width, reach) {
  if (!reach) return;
  for (let start = 0; start < bytes.length; start += width) softenRow(bytes.subarray(start, start + width), reach);
  const source = bytes.slice();
  const height = bytes.length / width;
  const sums = new Int32Array(width);
  const add = (y, sign) => {
    const start = Math.max(0, Math.min(height - 1, y)) * width;
    for (let x = 0; x < width; x++) sums[x] += sign * source[start + x];
  };
  for (let y = -reach; y < reach; y++) add(y, 1);
  for (let y = 0; y < height; y++) {
    add(y + reach, 1);
    for (let x = 0; x < width; x++) bytes[y * width + x] = sums[x] / (2 * reach + 1) + 0.5;
    add(y - reach, -1);
  }
}

function softenRow(row, reach) {
  const wider = new Uint8Array(row.length + 2 * reach).fill(row[0]).fill(row.at(-1), row.length);
  wider.set(row, reach);
  let sum = 0;
  for (let at = 0; at < 2 * reach; at++) sum += wider[at];
  for (let at = 0; at < row.length; at++) {
    sum += wider[at + 2 * reach];
    row[at] = sum / (2 * reach + 1) + 0.5;
    sum -= wider[at];
  }
}
