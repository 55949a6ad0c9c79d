import { fragment } from './fragment.js';

// A generation whose acts (cancel, try again) happen in place.
class LiveGeneration extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', this);
    this.addEventListener('toggle', reveal, true);
  }

  disconnectedCallback() {
    this.removeEventListener('submit', this);
    this.removeEventListener('toggle', reveal, true);
  }

  get unfinished() {
    return ['queued', 'running'].includes(this.dataset.status);
  }

  async handleEvent(event) {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    try {
      this.become(await fragment(event.target.action, { method: 'POST', body }));
    } catch {
      event.target.submit(); // let the page say what went wrong
    }
  }

  // Gives its place to its newer self, and the focus with it.
  become(next) {
    const focused = this.contains(document.activeElement);
    const keepsRoom = 'fresh' in this.dataset && next.dataset.status !== 'done'; // which may be told twice
    if (!next.unfinished && (this.unfinished || keepsRoom)) next.dataset.fresh = '';
    this.replaceWith(next);
    if (focused) ('dismissed' in next.dataset ? next.nextElementSibling : next)?.querySelector('button, a')?.focus();
  }
}

// Details open below their tile, where they may be out of sight.
function reveal({ target }) {
  if (target.open) target.querySelector('.panel')?.scrollIntoView({ block: 'nearest' });
}

customElements.define('live-generation', LiveGeneration);
