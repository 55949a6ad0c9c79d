const SECOND_FINGER_MS = 300;
const LEAST_PRESSURE = 0.2;
const LINE_PX = 16;
const MIDDLE = 1;
const ERASER_END = 32; // of a pen

// What mouse, pen and fingers do on the canvas: one paints; two fingers, the middle button and the wheel move the
// view. `work` is told in pixels of the canvas.
export class Pointers {
  constructor(stage, work) {
    Object.assign(this, { stage, work, fingers: new Map(), painting: null, dragging: null });
    const heard = {
      pointerdown: this.down, pointermove: this.move, pointerup: this.up, pointercancel: this.cancel,
      pointerleave: this.leave, wheel: this.roll,
    };
    for (const [name, act] of Object.entries(heard)) stage.addEventListener(name, act.bind(this), { passive: false });
  }

  at({ clientX, clientY, pointerType, pressure }) {
    const box = this.stage.getBoundingClientRect();
    const ratio = this.work.ratio;
    const pressed = pointerType === 'pen' && pressure ? LEAST_PRESSURE + (1 - LEAST_PRESSURE) * pressure : 1;
    return { x: (clientX - box.x) * ratio, y: (clientY - box.y) * ratio, pressure: pressed };
  }

  down(event) {
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    if (event.pointerType === 'touch') this.fingers.set(event.pointerId, this.at(event));
    if (this.fingers.size === 2) return this.pinch(event);
    if (this.painting !== null || this.dragging !== null || this.fingers.size > 2) return;
    if (event.button > MIDDLE && !(event.buttons & ERASER_END)) return;
    this.stage.setPointerCapture(event.pointerId);
    if (event.button === MIDDLE) {
      Object.assign(this, { dragging: event.pointerId, last: this.at(event) });
      return;
    }
    Object.assign(this, { painting: event.pointerId, since: event.timeStamp });
    this.work.begin(this.at(event), event.altKey || Boolean(event.buttons & ERASER_END));
  }

  // A second finger soon after the first means that the first was not to paint.
  pinch(event) {
    if (this.painting !== null) {
      if (event.timeStamp - this.since < SECOND_FINGER_MS) this.work.giveUp();
      else this.work.end();
    }
    this.painting = null;
    this.work.hover(null);
  }

  move(event) {
    const at = this.at(event);
    if (this.fingers.has(event.pointerId) && this.fingers.size > 1) return this.spread(event.pointerId, at);
    if (this.dragging === event.pointerId) {
      this.work.pan(at.x - this.last.x, at.y - this.last.y);
      this.last = at;
    } else if (this.painting === event.pointerId) {
      const all = event.getCoalescedEvents?.() ?? [];
      this.work.move((all.length ? all : [event]).map((one) => this.at(one)));
    } else if (this.painting === null && event.pointerType !== 'touch') {
      this.work.hover(at);
    }
  }

  // Two fingers hold two points of the picture.
  spread(finger, at) {
    const before = [...this.fingers.values()];
    this.fingers.set(finger, at);
    const after = [...this.fingers.values()];
    const [from, to] = [before, after].map(([one, other]) => ({
      x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y),
    }));
    this.work.pan(to.x - from.x, to.y - from.y);
    if (from.apart) this.work.zoom(to.apart / from.apart, to);
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.dragging === event.pointerId) this.dragging = null;
    if (this.painting !== event.pointerId) return;
    this.painting = null;
    this.work.end();
    if (event.pointerType === 'touch') this.work.hover(null);
  }

  cancel(event) {
    if (this.painting === event.pointerId) {
      this.painting = null;
      this.work.giveUp();
    }
    this.up(event);
  }

  leave() {
    if (this.painting === null) this.work.hover(null);
  }

  // A wheel looks closer, as do two fingers on a touchpad, which say Ctrl; with Shift or Alt, or sideways, it moves.
  roll(event) {
    event.preventDefault();
    const { ratio } = this.work;
    const [dx, dy] = [event.deltaX, event.deltaY].map((by) => by * ratio * (event.deltaMode ? LINE_PX : 1));
    if (event.ctrlKey) this.work.zoom(Math.exp(-dy / ratio / 100), this.at(event));
    else if (event.shiftKey && !dx) this.work.pan(-dy, 0);
    else if (event.shiftKey || event.altKey || Math.abs(dx) > Math.abs(dy)) this.work.pan(-dx, -dy);
    else this.work.zoom(Math.exp(-dy / ratio * 0.0015), this.at(event));
  }
}
