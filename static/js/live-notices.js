import { elements } from './fragment.js';
import { showNotices, subscribe } from './subscribe.js';

// What is noticed, for as long as it is so. Where there is a wall, the wall hears of it.
class LiveNotices extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', this);
    if (document.querySelector('live-wall')) return;
    const send = subscribe(this.dataset.worker, (text) => this.take(text));
    const update = () => send({ showing: [], newest: null, visible: !document.hidden });
    document.addEventListener('visibilitychange', update);
    addEventListener('pageshow', update);
    addEventListener('pagehide', () => send(null));
    update();
  }

  // A notice is closed in place; what it offers to do leads to a page.
  async handleEvent(event) {
    if (!event.target.matches('.closing')) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    const headers = { 'X-Fragment': 'true' };
    const answer = await fetch(event.target.action, { method: 'POST', body, headers }).catch(() => null);
    if (answer?.ok) event.target.closest('.notice').remove();
  }

  take(text) {
    const next = elements(text).find((one) => one.id === this.id);
    if (!next) return;
    showNotices(next);
    // What was to be brought back is there now.
    if (!this.children.length && document.querySelector('.gallery .empty')) location.reload();
  }
}

customElements.define('live-notices', LiveNotices);
