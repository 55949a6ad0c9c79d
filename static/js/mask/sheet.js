import { Levels, MOST } from './pixels/levels.js';

const MOST_STEPS = 40;

// What is being worked on: a picture, its mask, and the steps that lead back and forth.
export class Sheet {
  constructor(picture, levels) {
    Object.assign(this, { picture, levels, done: [], undone: [], hasForgotten: false });
  }

  get isChanged() {
    return this.done.length > 0 || this.hasForgotten;
  }

  // Ends an act; what changed nothing is no step.
  settle() {
    const difference = this.levels.settle();
    if (difference) this.keep({ difference });
  }

  undo() {
    this.turn(this.done, this.undone);
  }

  redo() {
    this.turn(this.undone, this.done);
  }

  // Takes the picture with a border around it, all of which changes.
  enlarge(picture, border) {
    const bytes = new Uint8Array(picture.width * picture.height).fill(MOST);
    const { width, height, bytes: old } = this.levels;
    for (let y = 0; y < height; y++) {
      bytes.set(old.subarray(y * width, (y + 1) * width), (y + border.top) * picture.width + border.left);
    }
    this.keep({ picture: this.picture, levels: this.levels });
    Object.assign(this, { picture, levels: new Levels(picture.width, picture.height, bytes) });
  }

  keep(step) {
    this.done.push(step);
    this.undone.length = 0;
    if (this.done.length > MOST_STEPS) this.hasForgotten = Boolean(this.done.shift());
  }

  // Frees what the pictures take, which are large.
  close() {
    for (const { picture } of [this, ...this.done, ...this.undone]) picture?.close();
  }

  // Each step leads back to where it came from.
  turn(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push(step);
    if (step.difference) return this.levels.apply(step.difference);
    const { picture, levels } = this;
    Object.assign(this, { picture: step.picture, levels: step.levels });
    Object.assign(step, { picture, levels });
  }
}
