import { fragment } from './fragment.js';

const PAUSE_MS = 1000;

// How far a verification is: asks again while it runs, and its buttons act in place.
class VerifyProgress extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', this);
    if ('running' in this.dataset) this.timer = setTimeout(() => this.renew(location.pathname), PAUSE_MS);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async handleEvent(event) {
    event.preventDefault();
    clearTimeout(this.timer);
    await this.renew(event.target.action, { method: 'POST' });
  }

  async renew(address, options) {
    try {
      const next = await fragment(address, options);
      const focused = this.contains(document.activeElement);
      this.replaceWith(next);
      if (focused) next.querySelector('button').focus();
    } catch {
      location.reload(); // let the page say what went wrong
    }
  }
}

customElements.define('verify-progress', VerifyProgress);
