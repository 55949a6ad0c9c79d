const CLOSEST = 32;
const KEPT_PX = 48; // of the picture stay in sight

// Where the picture is on the canvas, in the canvas's own pixels.
export class Viewport {
  constructor() {
    Object.assign(this, { width: 1, height: 1, x: 0, y: 0, scale: 1, ratio: 1, isFitted: true });
  }

  // Takes the size of the canvas; the picture stays in the middle of it.
  resize(width, height, ratio, picture) {
    const [dx, dy] = [(width - this.width) / 2, (height - this.height) / 2];
    Object.assign(this, { width, height, ratio });
    if (this.isFitted) this.fit(picture);
    else this.move(dx, dy, picture);
  }

  // The whole picture, with some room around it on a screen that has some; a small one at most four times as large.
  fit(picture) {
    const room = this.width / this.ratio < 640 ? 0 : 32 * this.ratio;
    const fitting = Math.min((this.width - 2 * room) / picture.width, (this.height - 2 * room) / picture.height);
    this.scale = Math.max(1 / CLOSEST / 4, Math.min(4 * this.ratio, fitting));
    this.x = Math.round((this.width - picture.width * this.scale) / 2);
    this.y = Math.round((this.height - picture.height * this.scale) / 2);
    this.isFitted = true;
  }

  zoom(factor, picture, at = { x: this.width / 2, y: this.height / 2 }) {
    const least = Math.min(this.ratio, 64 / Math.max(picture.width, picture.height));
    const scale = Math.max(least, Math.min(CLOSEST * this.ratio, this.scale * factor));
    const grown = scale / this.scale;
    this.scale = scale;
    this.move((1 - grown) * (at.x - this.x), (1 - grown) * (at.y - this.y), picture);
  }

  move(dx, dy, picture) {
    const held = (value, shown, room) => Math.round(Math.max(KEPT_PX - shown, Math.min(room - KEPT_PX, value)));
    this.x = held(this.x + dx, picture.width * this.scale, this.width);
    this.y = held(this.y + dy, picture.height * this.scale, this.height);
    this.isFitted = false;
  }

  // Moves as far as it takes to see a point of the picture.
  reveal(point, picture) {
    const { x, y } = this.toScreen(point);
    const edge = KEPT_PX * this.ratio;
    const missing = (at, room) => Math.min(0, room - edge - at) + Math.max(0, edge - at);
    const [dx, dy] = [missing(x, this.width), missing(y, this.height)];
    if ((dx || dy) && !this.isFitted) this.move(dx, dy, picture);
    return Boolean(dx || dy);
  }

  toPicture({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  toScreen({ x, y }) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }
}
