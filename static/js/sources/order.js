const MOVED_PX = 6; // less is a click
const HELD_MS = 400; // a finger that rests takes the chip; one that moves scrolls the row

// Pictures change places by a mouse, by a finger that rests on one first, and by Shift with an arrow.
export class Order {
  constructor(list) {
    Object.assign(this, { list, held: null, dragged: null });
    const listeners = {
      pointerdown: (event) => this.hold(event),
      pointermove: (event) => this.drag(event),
      pointerup: () => this.drop(),
      pointercancel: () => this.drop(),
      keydown: (event) => this.key(event),
    };
    for (const [name, act] of Object.entries(listeners)) list.addEventListener(name, act);
    list.addEventListener('dragstart', (event) => event.preventDefault()); // of the browser's own
    list.addEventListener('contextmenu', (event) => this.held?.isTouch && event.preventDefault());
    list.addEventListener('touchmove', (event) => this.dragged && event.preventDefault(), { passive: false });
    list.addEventListener('click', (event) => this.isEnding && event.preventDefault(), true);
  }

  hold({ target, button, pointerType, pointerId, clientX: x, clientY: y }) {
    const chip = target.closest('.source[data-id]');
    if (!chip || button || target.closest('button') || this.list.chips.length < 2) return;
    const isTouch = pointerType === 'touch';
    this.held = { chip, x, y, pointerId, isTouch };
    if (isTouch) this.held.timer = setTimeout(() => this.begin(), HELD_MS);
  }

  begin() {
    this.dragged = this.held.chip;
    this.from = this.list.chips.indexOf(this.dragged);
    this.dragged.toggleAttribute('data-dragging', true);
    this.list.setPointerCapture(this.held.pointerId);
  }

  drag({ clientX: x, clientY: y, buttons }) {
    if (!this.held) return;
    if (!buttons) return this.drop(); // it was let go elsewhere
    const isFar = Math.hypot(x - this.held.x, y - this.held.y) > MOVED_PX;
    if (!this.dragged && isFar) {
      if (this.held.isTouch) return this.drop();
      this.begin();
    }
    if (!this.dragged) return;
    const over = document.elementsFromPoint(x, y).map((one) => one.closest('.source[data-id]'));
    const other = over.find((chip) => chip && chip !== this.dragged && this.list.contains(chip));
    if (!other) return;
    const { chips } = this.list;
    const { left, width } = other.getBoundingClientRect();
    const isBehind = chips.indexOf(other) > chips.indexOf(this.dragged);
    if (isBehind && x > left + width / 2) other.after(this.dragged);
    else if (!isBehind && x < left + width / 2) other.before(this.dragged);
  }

  drop() {
    clearTimeout(this.held?.timer);
    const { dragged } = this;
    Object.assign(this, { held: null, dragged: null });
    if (!dragged) return;
    dragged.removeAttribute('data-dragging');
    this.isEnding = true; // the click that follows opens nothing
    setTimeout(() => (this.isEnding = false));
    if (this.list.chips.indexOf(dragged) !== this.from) this.list.moved(dragged);
  }

  key(event) {
    const chip = event.target.closest('.source[data-id]');
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!chip || !step || !event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const other = this.list.chips[this.list.chips.indexOf(chip) + step];
    if (!other) return;
    const focused = document.activeElement;
    if (step < 0) other.before(chip);
    else other.after(chip);
    focused.focus();
    this.list.moved(chip);
  }
}
