import { flood } from './pixels/flood.js';
import { area, line } from './pixels/shapes.js';

const THIN_PX = 1; // of the picture: points of an outline nearer to each other are one

// Each is one act, from the first point to the last.
class Stroke {
  constructor(levels, point, settings) {
    Object.assign(this, { levels, settings, last: this.sized(point, settings) });
    line(levels, this.last, this.last, settings);
  }

  sized({ x, y, pressure }, { radius }) {
    return { x, y, radius: radius * pressure };
  }

  move(point) {
    const next = this.sized(point, this.settings);
    line(this.levels, this.last, next, this.settings);
    this.last = next;
  }

  end() {}
}

// What encloses something paints only once it is whole.
class Outline {
  constructor(levels, point, settings) {
    Object.assign(this, { levels, settings, points: [point] });
  }

  get outline() {
    return this.points;
  }

  move(point) {
    const last = this.points.at(-1);
    if (Math.hypot(point.x - last.x, point.y - last.y) >= THIN_PX) this.points.push(point);
  }

  end() {
    const { outline } = this;
    if (outline.length > 2) area(this.levels, outline, this.settings);
  }
}

// Of whole pixels.
class Rectangle extends Outline {
  get outline() {
    const [from, to] = [this.points[0], this.points.at(-1)].map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }));
    if (from.x === to.x || from.y === to.y) return [];
    return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
  }

  move(point) {
    this.points[1] = point;
  }
}

class Filling {
  constructor(levels, point) {
    flood(levels, point);
  }

  move() {}

  end() {}
}

const ACTS = { brush: Stroke, eraser: Stroke, rectangle: Rectangle, lasso: Outline, fill: Filling };

export const isBrush = (tool) => ACTS[tool] === Stroke;

export const begin = (tool, ...given) => new ACTS[tool](...given);
