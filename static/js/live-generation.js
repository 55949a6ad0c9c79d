import { fragment } from './fragment.js';

const PAUSE_MS = 1000;

// A generation that is not finished yet looks at itself once a second, and takes its own place anew.
class LiveGeneration extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', this);
    if (this.unfinished) this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.removeEventListener('submit', this);
  }

  get unfinished() {
    return ['queued', 'running'].includes(this.dataset.status);
  }

  async handleEvent(event) {
    event.preventDefault();
    await this.renew(event.target.action, { method: 'POST' });
  }

  async look() {
    if (!document.hidden) await this.renew(`/generations/${this.dataset.id}`);
    if (this.isConnected) this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  async renew(address, options) {
    let next;
    try {
      next = await fragment(address, options);
    } catch {
      return; // the server is away or restarting: what is shown stays, and is asked for again
    }
    const focused = this.contains(document.activeElement);
    next.dataset.fresh = '';
    this.replaceWith(next);
    if (focused) next.querySelector('button, a')?.focus();
  }
}

customElements.define('live-generation', LiveGeneration);
