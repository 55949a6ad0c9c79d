import { fragment } from './fragment.js';

const PAUSE_MS = 400;

// The bar of the queue: its acts happen in place, and it follows what the wall hears of.
class QueueBar extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', this);
    addEventListener('easel-changed', () => {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.become(fragment(this.dataset.address)).catch(() => {}), PAUSE_MS);
    });
  }

  handleEvent(event) {
    event.preventDefault();
    const form = event.target;
    this.become(fragment(form.action, { method: 'POST' })).catch(() => form.submit()); // the page says why
  }

  // Shows what is true now. It keeps its room, so that no tile jumps, and the focus its place in the row.
  async become(coming) {
    const next = await coming;
    const at = [...this.querySelectorAll('button')].indexOf(document.activeElement);
    this.style.minBlockSize = `${this.getBoundingClientRect().height}px`;
    this.replaceChildren(...next.childNodes);
    if (at >= 0) [...this.querySelectorAll('button')].slice(0, at + 1).pop()?.focus();
  }
}

customElements.define('queue-bar', QueueBar);
