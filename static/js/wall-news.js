import { elements } from './fragment.js';
import { subscribe } from './subscribe.js';

const SOON_MS = 400;

// Tells of pictures that came while the gallery is open, as far as they are asked for; nothing moves until
// one wants to see them. What was done to pictures elsewhere is shown on those that hang here.
class WallNews extends HTMLElement {
  connectedCallback() {
    this.newest = Number(this.dataset.newest);
    this.link = this.querySelector('a');
    this.life = new AbortController();
    const { signal } = this.life;
    const send = subscribe(this.dataset.worker, (text) => this.take(text));
    const update = () => {
      send({ showing: [], newest: null, visible: !document.hidden });
      if (!document.hidden) this.ask(); // nothing was told meanwhile
    };
    document.addEventListener('visibilitychange', update, { signal });
    addEventListener('pageshow', update, { signal });
    addEventListener('pagehide', () => send(null), { signal });
    signal.addEventListener('abort', () => send(null));
    send({ showing: [], newest: null, visible: !document.hidden });
  }

  disconnectedCallback() {
    this.life.abort();
  }

  take(text) {
    for (const one of elements(text)) if (one.matches('.generation')) this.hear(one);
  }

  hear(generation) {
    const plates = new Map([...generation.querySelectorAll('a.plate')].map((plate) => [idIn(plate.href), plate]));
    if ([...plates.keys()].some((id) => id > this.newest)) this.ask();
    for (const tile of document.querySelectorAll(`.hung[data-generation="${generation.dataset.id}"]`)) {
      const plate = plates.get(idIn(tile.querySelector('.plate').href));
      tile.toggleAttribute('data-gone', !plate && !tile.closest('.trash'));
      if (plate) tile.querySelector('.heart').hidden = !('favourite' in plate.dataset);
    }
  }

  ask() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.count(), SOON_MS);
  }

  async count() {
    const answer = await fetch(this.dataset.address).catch(() => null);
    const found = answer?.ok ? await answer.json() : null;
    const fresh = found?.images.filter(({ id }) => id > this.newest).length ?? 0;
    if (!fresh) return;
    const words = this.link.dataset.words.replace('{n}', fresh);
    if (this.link.textContent !== words) this.link.textContent = words;
    this.link.hidden = false;
  }
}

function idIn(address) {
  return Number(/\/images\/(\d+)/.exec(address)[1]);
}

customElements.define('wall-news', WallNews);
