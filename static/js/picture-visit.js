import { act, exchange, exchangeActs } from './picture-acts.js';
import { PicturePages, addressOf, beyond } from './picture-pages.js';

const STEPS = { newer: -1, older: 1 };

// A visit to the pictures of one search: each takes the place of the one before, in one entry of the history.
// Presses are counted, so that none is lost while a page is on its way, and all is done in turn.
class PictureVisit extends HTMLElement {
  connectedCallback() {
    this.pages = new PicturePages();
    this.ahead = 0; // steps still to go, towards older pictures
    this.turn = Promise.resolve();
    this.addEventListener('click', (event) => this.press(event));
    this.addEventListener('submit', (event) => this.submit(event));
    this.prepare();
  }

  get page() {
    return this.querySelector('picture-keys');
  }

  press(event) {
    const link = event.target.closest('#newer, #older, .siblings a');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.ahead += STEPS[link.id] ?? 0;
    this.next(() => (link.id ? this.walk() : this.show(link.href)));
  }

  submit(event) {
    const form = event.target;
    if (!form.dataset.act) return;
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = 'true';
    this.next(() => this.act(form));
  }

  next(work) {
    this.turn = this.turn.catch(() => {}).then(work).then(() => this.announce()); // one that failed holds up no other
  }

  // Goes at once as far as was pressed, and again for what was pressed meanwhile.
  async walk() {
    while (this.ahead) {
      const side = this.ahead < 0 ? 'newer' : 'older';
      const way = beyond(this.page, side).slice(0, Math.abs(this.ahead));
      this.ahead -= STEPS[side] * way.length;
      if (!way.length || !(await this.show(way.at(-1)))) this.ahead = 0;
    }
  }

  // Says whether it could be shown.
  async show(address) {
    const next = await this.pages.take(address).catch((error) => error);
    if (next instanceof Element) return this.swap(next, address);
    this.querySelector('zoom-view')?.style.removeProperty('translate');
    if (!(next instanceof TypeError)) location.replace(address); // refused: the server says why
    return false; // it is away: what hangs here stays
  }

  async act(form) {
    const next = await act(form);
    if (next && form.dataset.act === 'favourite') return (this.done = exchangeActs(this.page, next));
    this.pages.forget();
    if (next) this.swap(next, addressOf(next.dataset.id, next));
  }

  swap(next, address) {
    const shown = this.page;
    const isFull = 'full' in document.documentElement.dataset;
    if (isFull && !next.querySelector('#full')) return location.replace(address); // nothing to look at
    history.replaceState(history.state, '', address);
    document.title = `${next.dataset.title} · Easel`;
    exchange(shown, next, isFull ? '#full' : 'h1');
    shown.querySelector('#picture')?.removeAttribute('src'); // it need not come any more
    this.prepare();
    return true;
  }

  prepare() {
    const nearest = Object.keys(STEPS).flatMap((side) => beyond(this.page, side).slice(0, 1));
    if (!this.ahead) this.pages.prepare(this.page, nearest);
  }

  // To the ear: what was done, and what hangs here now.
  announce() {
    const done = this.done ?? this.querySelector('.undo p')?.textContent;
    const place = this.querySelector('.siblings [aria-current] img')?.alt;
    const words = [done, this.page.dataset.title, place].filter(Boolean).join(' · ');
    const news = this.querySelector('[data-news]');
    if (!this.ahead && news.textContent !== words) news.textContent = words;
    this.done = null;
  }
}

customElements.define('picture-visit', PictureVisit);
