import { fit, join, load, note } from './wall-parts.js';
import { NearParts } from './wall-near.js';
import { goTo, partsOf, remember, rememberedPlace, show, steady } from './wall-place.js';

const AHEAD_PX = 2500;
const STILL_MS = 150;

// The gallery as one wall: its pages come as one scrolls, in both directions, and the address follows, so
// that the same pictures hang at the same height after a reload and on the way back.
class EndlessWall extends HTMLElement {
  connectedCallback() {
    this.keys = this.querySelector('wall-keys');
    const [first] = partsOf(this.keys);
    if (!first) return;
    this.coming = {};
    this.near = new NearParts(this.keys, this.dataset.address);
    this.ends = new IntersectionObserver((seen) => seen.forEach((one) => this.meet(one)), {
      rootMargin: `${AHEAD_PX}px 0px`,
    });
    fit(note(first));
    const place = rememberedPlace();
    if (place && !goTo(place)) this.more('newer').then(() => goTo(place)); // near the end of the gallery
    this.near.add(first);
    this.watch();
    this.listen();
  }

  listen() {
    this.life = new AbortController();
    const { signal } = this.life;
    const cameFrom = () => globalThis.navigation?.activation?.from?.url;
    addEventListener('scroll', () => this.scrolled(), { passive: true, signal });
    addEventListener('pagehide', () => this.remember(), { signal });
    addEventListener('pagereveal', () => show(this.keys, this.dataset.address, cameFrom()), { signal });
    addEventListener('wall-density', () => this.near.refit(), { signal });
    this.addEventListener('wall-edge', ({ detail }) => this.reach(detail));
    this.addEventListener('click', (event) => this.press(event));
  }

  disconnectedCallback() {
    clearTimeout(this.still);
    this.life?.abort();
    this.ends?.disconnect();
    this.near?.stop();
  }

  end(side) {
    return this.querySelector(`.pages[data-side=${side}]`);
  }

  // Nothing is hung above before one scrolls: the head of the page would be gone.
  watch() {
    this.ends.disconnect();
    for (const side of ['newer', 'older']) {
      const end = this.end(side);
      if (end && (side === 'older' || scrollY > 0)) this.ends.observe(end);
    }
  }

  meet({ isIntersecting, target }) {
    if (isIntersecting && this.querySelector('.lost').hidden) this.more(target.dataset.side);
  }

  scrolled() {
    if (!this.hasMoved && scrollY > 0) this.watch();
    this.hasMoved = scrollY > 0;
    clearTimeout(this.still);
    this.still = setTimeout(() => this.remember(), STILL_MS);
  }

  remember() {
    clearTimeout(this.still);
    if (this.still) remember(this.keys, this.dataset.address, !this.end('newer') && scrollY < this.offsetTop);
  }

  press(event) {
    const { side } = event.target.closest('a, button')?.closest('[data-side]')?.dataset ?? {};
    if (!side || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.more(side);
  }

  // An arrow at the last picture that hangs here goes on to the next page.
  async reach({ at, key }) {
    if (await this.more(/Left|Up/.test(key) ? 'newer' : 'older')) this.keys.go(at, key);
  }

  // Brings the next page of a side; says whether it came.
  more(side) {
    this.coming[side] ??= this.bring(side).finally(() => delete this.coming[side]);
    return this.coming[side];
  }

  async bring(side) {
    const end = this.end(side);
    const link = end?.querySelector('a');
    if (!link) return false;
    end.ariaBusy = 'true';
    const part = await load(link.href, side === 'newer' ? partsOf(this.keys)[0] : null).catch(() => null);
    end.ariaBusy = null;
    this.lose(part ? '' : side, end);
    if (!part || !this.isConnected) return false;
    steady(this.keys, () => {
      this.hang(part, side);
      if (part.dataset[side]) link.href = part.dataset[side];
      else end.remove();
    });
    this.watch(); // its end may still be near
    return true;
  }

  hang(part, side) {
    const parts = partsOf(this.keys);
    const [before, next] = side === 'newer' ? [part, parts[0]] : [parts.at(-1), part];
    const goesOn = 'continues' in before.dataset;
    join(before, next);
    if (side === 'newer') next.before(part);
    else before.after(part);
    if (part === before || goesOn !== 'continues' in before.dataset) fit(before);
    if (part === next) fit(part);
    this.near.add(part);
    part.dispatchEvent(new CustomEvent('wall-part', { bubbles: true }));
  }

  lose(side, end) {
    const lost = this.querySelector('.lost');
    lost.hidden = !side;
    if (!side) return;
    lost.dataset.side = side;
    end[side === 'newer' ? 'before' : 'after'](lost);
  }
}

customElements.define('endless-wall', EndlessWall);
