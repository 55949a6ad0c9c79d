const MOST = 8;
const TAPS_MS = 350;

// The picture that keys and buttons mean, where there are several.
export const currentView = (place) => place.querySelector('zoom-view[data-current]') ?? place.querySelector('zoom-view');

// A picture that can be looked at from closer: by wheel, click and double tap here, by fingers in
// picture-gestures, by buttons in zoom-tools. One tap shows it whole, and the page again. The wheel with Ctrl
// always belongs to the page.
class ZoomView extends HTMLElement {
  connectedCallback() {
    this.print = this.querySelector('.print');
    Object.assign(this, { scale: 1, x: 0, y: 0, tapped: -TAPS_MS, scrolled: -TAPS_MS });
    this.addEventListener('wheel', (event) => this.roll(event), { passive: false });
    this.addEventListener('click', (event) => this.press(event));
    this.addEventListener('dragstart', (event) => this.closer && event.preventDefault());
    this.sizes = new ResizeObserver(() => this.zoom(this.scale));
    for (const box of [this, this.print]) this.sizes.observe(box);
  }

  disconnectedCallback() {
    this.sizes.disconnect();
    clearTimeout(this.tap);
  }

  get closer() {
    return this.scale > 1;
  }

  // The scale at which one pixel of the picture is one of the page.
  get whole() {
    return this.querySelector('img').getAttribute('width') / this.print.offsetWidth;
  }

  // Grows around a point of the window, or the middle.
  zoom(scale, at = null) {
    const box = this.getBoundingClientRect();
    const x = at ? at.clientX - box.x - box.width / 2 : 0;
    const y = at ? at.clientY - box.y - box.height / 2 : 0;
    const next = Math.max(1, Math.min(Math.max(MOST, 4 * this.whole), scale));
    const grown = next / this.scale;
    this.scale = next;
    this.move(x - (x - this.x) * grown, y - (y - this.y) * grown);
  }

  // Moves the picture as its visitor asks.
  move(x, y) {
    this.place(x, y);
    this.dispatchEvent(new Event('zoomed', { bubbles: true }));
  }

  // Shows the part that another view shows.
  match(other) {
    this.scale = other.scale;
    const [wide, high] = ['offsetWidth', 'offsetHeight'].map((side) => this.print[side] / other.print[side]);
    this.place(other.x * wide, other.y * high);
  }

  // No further than it reaches beyond the edges.
  place(x, y) {
    this.x = within(x, this.print.offsetWidth * this.scale - this.clientWidth);
    this.y = within(y, this.print.offsetHeight * this.scale - this.clientHeight);
    this.print.style.scale = this.scale;
    this.print.style.translate = `${this.x}px ${this.y}px`;
    this.toggleAttribute('data-closer', this.closer);
  }

  toggle(at) {
    this.zoom(this.closer ? 1 : Math.max(2, this.whole), at);
  }

  // A page that can scroll goes on scrolling: only rolling up at its top looks closer.
  roll(event) {
    const scrolls = !this.closer && (event.deltaY >= 0 || scrollY > 0 || event.timeStamp - this.scrolled < TAPS_MS);
    if (scrolls) this.scrolled = event.timeStamp;
    if (scrolls || event.ctrlKey) return;
    event.preventDefault();
    this.zoom(this.scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event);
  }

  // The link still opens in a new tab; Enter on it gives the picture the whole screen, where there is a button for it.
  press(event) {
    const full = document.getElementById('full');
    if (event.ctrlKey || event.metaKey || event.shiftKey || !event.target.closest('.print')) return;
    if (event.detail === 0 && !full) return;
    event.preventDefault();
    if (event.detail === 0) full.click();
    else if ('moved' in this.dataset) delete this.dataset.moved;
    else if (this.dataset.by === 'touch') this.touch(event);
    else if (event.detail === 1) this.toggle(event);
  }

  // One tap waits a moment, whether it becomes two.
  touch(event) {
    const isSecondTap = event.timeStamp - this.tapped < TAPS_MS;
    this.tapped = event.timeStamp;
    clearTimeout(this.tap);
    if (isSecondTap) this.toggle(event);
    else if (!this.closer) this.tap = setTimeout(() => document.getElementById('full')?.click(), TAPS_MS);
  }
}

function within(value, over) {
  const most = Math.max(0, over / 2);
  return Math.max(-most, Math.min(most, value));
}

customElements.define('zoom-view', ZoomView);
