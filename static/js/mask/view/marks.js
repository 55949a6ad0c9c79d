const DASHES = [5, 4];
const CROSS_PX = 7;

// What is drawn over the picture while one works: the ring of the brush, what is being outlined. Each line is drawn
// twice, white on black, so that it is seen on any picture.
export class Marks {
  constructor(canvas, viewport) {
    Object.assign(this, { viewport, context: canvas.getContext('2d') });
  }

  draw({ point, radius, softness, outline, frame }) {
    const { width, height, ratio } = this.viewport;
    const { canvas } = this.context;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    else this.context.clearRect(0, 0, width, height);
    if (frame) this.outline(frame, []);
    if (outline) this.outline(outline, DASHES);
    if (!point) return;
    const at = this.viewport.toScreen(point);
    const ring = radius * this.viewport.scale;
    if (radius && ring > 3 * ratio) this.ring(at, ring, softness * this.viewport.scale);
    else this.cross(at, CROSS_PX * ratio);
  }

  ring({ x, y }, radius, softness) {
    const path = new Path2D();
    path.arc(x, y, radius, 0, 2 * Math.PI);
    this.twice(path);
    if (softness < 2 * this.viewport.ratio || softness >= radius) return;
    const core = new Path2D();
    core.arc(x, y, radius - softness, 0, 2 * Math.PI);
    this.twice(core, DASHES);
  }

  cross({ x, y }, length) {
    const path = new Path2D();
    for (const [dx, dy] of [[length, 0], [0, length]]) {
      path.moveTo(x - dx, y - dy);
      path.lineTo(x + dx, y + dy);
    }
    this.twice(path);
  }

  outline(points, dashes) {
    const path = new Path2D();
    for (const point of points) {
      const { x, y } = this.viewport.toScreen(point);
      path.lineTo(x, y);
    }
    path.closePath();
    this.twice(path, dashes);
  }

  twice(path, dashes = []) {
    const { context } = this;
    const { ratio } = this.viewport;
    context.setLineDash([]);
    Object.assign(context, { lineWidth: 3.5 * ratio, strokeStyle: 'rgb(0 0 0 / 60%)' });
    context.stroke(path);
    context.setLineDash(dashes.map((dash) => dash * ratio));
    Object.assign(context, { lineWidth: 1.5 * ratio, strokeStyle: 'white' });
    context.stroke(path);
  }
}
