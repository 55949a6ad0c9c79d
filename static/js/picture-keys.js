import { fragment } from './fragment.js';

const PAN = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const PAN_PX = 120;

// The page of one picture. Arrows move a picture that is near, and go to its neighbours otherwise; on the
// whole screen the neighbour takes its place here, because a new page would end that.
class PictureKeys extends HTMLElement {
  connectedCallback() {
    addEventListener('keydown', this, true);
    this.addEventListener('click', (event) => this.step(event));
  }

  disconnectedCallback() {
    removeEventListener('keydown', this, true);
  }

  handleEvent(event) {
    const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector('dialog[open]');
    const view = this.querySelector('zoom-view');
    if (!isOurs || !view || event.target.closest('input, textarea, select')) return;
    const wantsAll = event.key === 'Enter' && event.target === document.body;
    if (!wantsAll && !(view.closer && event.key in PAN)) return;
    event.preventDefault();
    if (wantsAll) return document.getElementById('full').click();
    const [right, down] = PAN[event.key];
    view.move(view.x + right * PAN_PX, view.y + down * PAN_PX);
  }

  async step(event) {
    const link = event.target.closest('#newer, #older');
    if (!link || !('full' in document.documentElement.dataset)) return;
    event.preventDefault();
    const next = await fragment(link.href).catch(() => null);
    if (!next) return; // the server is away: what hangs here stays
    if (!next.querySelector('full-screen')) return location.assign(link.href); // nothing to look at
    history.replaceState(null, '', link.href);
    document.title = next.dataset.title;
    this.replaceWith(next);
    next.querySelector(`#${link.id}, #full`)?.focus({ preventScroll: true });
  }
}

customElements.define('picture-keys', PictureKeys);
