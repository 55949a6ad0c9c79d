import { currentView } from './zoom-view.js';

const PAN = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const PAN_PX = 120;

// The page of one picture: arrows move a picture that is near, before they go to its neighbours.
class PictureKeys extends HTMLElement {
  connectedCallback() {
    addEventListener('keydown', this, true);
  }

  disconnectedCallback() {
    removeEventListener('keydown', this, true);
  }

  handleEvent(event) {
    const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector('dialog[open]');
    const view = currentView(this);
    if (!isOurs || !view || event.target.closest('input, textarea, select')) return;
    const full = document.getElementById('full');
    const wantsAll = full && event.key === 'Enter' && event.target === document.body;
    if (!wantsAll && !(view.closer && event.key in PAN)) return;
    event.preventDefault();
    if (wantsAll) return full.click();
    const [right, down] = PAN[event.key];
    view.move(view.x + right * PAN_PX, view.y + down * PAN_PX);
  }
}

customElements.define('picture-keys', PictureKeys);
