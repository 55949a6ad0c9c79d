const STILL_PX = 6;
const SWIPE_PX = 60;

// What hands do to the picture inside: one drags it when it is near, two pinch it, a finger swipes to a
// neighbour when it is not. While the page itself is zoomed, fingers belong to the page.
class PictureGestures extends HTMLElement {
  connectedCallback() {
    this.view = this.querySelector('zoom-view');
    this.points = new Map();
    this.addEventListener('pointerdown', (event) => this.hold(event));
    this.addEventListener('pointermove', (event) => this.drag(event));
    this.addEventListener('pointerup', (event) => this.release(event));
    this.addEventListener('pointercancel', (event) => this.release(event));
    this.yields = () => this.toggleAttribute('data-yields', visualViewport.scale > 1.01);
    visualViewport.addEventListener('resize', this.yields);
  }

  disconnectedCallback() {
    visualViewport.removeEventListener('resize', this.yields);
  }

  hold(event) {
    const print = event.target.closest('zoom-view .print');
    if (!print || event.button || 'yields' in this.dataset) return;
    if (event.isPrimary) this.begin(event);
    this.points.set(event.pointerId, event);
    if (this.points.size > 1) this.far = true;
    if (this.view.closer || event.pointerType === 'touch') print.setPointerCapture(event.pointerId);
  }

  begin(event) {
    this.points.clear(); // a mouse may have been let go of elsewhere
    this.first = event;
    this.far = false;
    this.view.dataset.by = event.pointerType;
    delete this.view.dataset.moved;
  }

  drag(event) {
    const before = this.points.get(event.pointerId);
    if (!before) return;
    this.points.set(event.pointerId, event);
    const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const other = [...this.points.values()].find((point) => point !== event);
    this.far ||= apart(event, this.first) > STILL_PX;
    if (!this.far) return;
    Object.assign(this.view.dataset, { moved: '', held: '' });
    if (other) this.pinch(event, before, other, right, down);
    else if (this.view.closer) this.view.move(this.view.x + right, this.view.y + down);
    else if (event.pointerType === 'touch' && hasNeighbours()) this.view.style.translate = `${event.clientX - this.first.clientX}px`;
  }

  pinch(event, before, other, right, down) {
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    this.view.style.translate = '';
    this.view.move(this.view.x + right / 2, this.view.y + down / 2);
    this.view.zoom((this.view.scale * apart(event, other)) / apart(before, other), middle);
  }

  release(event) {
    if (!this.points.delete(event.pointerId) || this.points.size) return;
    delete this.view.dataset.held;
    const right = event.clientX - this.first.clientX;
    const swiped = event.type === 'pointerup' && this.view.style.translate && Math.abs(right) > SWIPE_PX;
    const neighbour = swiped && document.getElementById(right > 0 ? 'newer' : 'older');
    if (neighbour) neighbour.click();
    else this.view.style.translate = '';
  }
}

function hasNeighbours() {
  return document.querySelector('#newer, #older') !== null;
}

function apart(one, other) {
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
}

customElements.define('picture-gestures', PictureGestures);
