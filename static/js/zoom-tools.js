import { currentView } from './zoom-view.js';

const STEP = 1.5;

// The buttons below a picture, and how large it is shown: 100 % is a pixel for a pixel.
class ZoomTools extends HTMLElement {
  connectedCallback() {
    this.place = this.closest('compare-view, .stage');
    this.place.addEventListener('zoomed', () => this.tell());
    this.addEventListener('click', (event) => this.press(event.target.closest('button')?.value));
    this.hidden = false;
    customElements.whenDefined('zoom-view').then(() => this.tell());
  }

  get view() {
    return currentView(this.place);
  }

  press(wish) {
    if (wish === 'larger') this.view.zoom(this.view.scale * STEP);
    if (wish === 'smaller') this.view.zoom(this.view.scale / STEP);
    if (wish === 'fit') this.view.zoom(1);
  }

  tell() {
    const { view } = this;
    const shown = Math.round((100 * view.scale) / view.whole);
    this.querySelector('.percent').textContent = `${shown} %`;
  }
}

customElements.define('zoom-tools', ZoomTools);
