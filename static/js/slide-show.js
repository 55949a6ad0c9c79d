import { Slides } from './slides.js';
import { keep, kept } from './storage.js';

const SECONDS = 'easel-slideshow';
const STILL_MS = 2500; // then the controls go, until something moves

// The pictures of a search one after another on the whole screen, in their order, from the one in sight on.
// Closing it leads back to the picture that was shown last.
class SlideShow extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector('dialog');
    this.image = this.querySelector('img');
    this.select = this.querySelector('select');
    this.select.value = kept(SECONDS) ?? this.select.value;
    this.addEventListener('click', (event) => this.press(event));
    this.addEventListener('pointermove', () => this.wake());
    this.dialog.addEventListener('keydown', (event) => this.key(event));
    this.dialog.addEventListener('close', () => this.end());
    this.select.addEventListener('change', () => keep(SECONDS, this.select.value) ?? this.wait());
    this.life = new AbortController();
    const { signal } = this.life;
    document.addEventListener('fullscreenchange', () => this.isFull && !document.fullscreenElement && this.dialog.close(), { signal });
    document.addEventListener('visibilitychange', () => this.dialog.open && this.stayAwake(), { signal });
    document.addEventListener('click', ({ target }) => target.closest('[data-slideshow]') && this.begin(), { signal });
  }

  disconnectedCallback() {
    this.life.abort();
  }

  press({ target }) {
    const button = target.closest('button');
    if (!button) return;
    if ('close' in button.dataset) this.dialog.close();
    else if ('pause' in button.dataset) this.pause(!this.paused);
    else this.step(Number(button.dataset.step));
  }

  key(event) {
    this.wake();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.target === this.select || !(step || event.key === ' ')) return;
    event.preventDefault();
    if (step) this.step(step);
    else if (!event.repeat) this.pause(!this.paused);
  }

  async begin() {
    this.slides = new Slides(new URL(this.dataset.address, location), this.first());
    this.shown = null;
    this.dialog.showModal();
    this.dialog.focus(); // no key presses a control by chance
    this.pause(false);
    this.wake();
    this.stayAwake();
    document.documentElement.requestFullscreen?.().then(() => (this.isFull = true), () => {}); // else the window
    await this.step(0);
  }

  // The picture of this page, or the first on the wall that is in sight.
  first() {
    const own = document.querySelector('picture-keys')?.dataset.id;
    const tiles = [...document.querySelectorAll('wall-keys .hung:not([hidden])')];
    return own ?? tiles.find((tile) => tile.getBoundingClientRect().top > 0)?.id.replace('image-', '');
  }

  // Each is shown when it is there whole; those pressed meanwhile count.
  async step(by) {
    clearTimeout(this.timer);
    this.slides.move(by);
    const slide = await this.slides.current().catch(() => null);
    if (!this.dialog.open) return;
    this.querySelector('.lost').hidden = Boolean(slide);
    if (slide && slide !== this.shown) this.show(slide);
    this.wait();
  }

  show(slide) {
    this.shown = slide;
    Object.assign(this.image, { src: slide.url, alt: slide.prompt });
    this.image.getAnimations().forEach((one) => one.cancel());
    const duration = parseFloat(getComputedStyle(this.image).getPropertyValue('--calm'));
    this.image.animate([{ opacity: 0 }, { opacity: 1 }], { duration, easing: 'ease-out' });
    this.slides.prepare();
  }

  pause(paused) {
    this.paused = paused;
    this.querySelector('[data-pause]').ariaPressed = paused;
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    if (!this.paused && this.dialog.open) this.timer = setTimeout(() => this.step(1), this.select.value * 1000);
  }

  wake() {
    delete this.dialog.dataset.still;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => (this.dialog.dataset.still = ''), STILL_MS);
  }

  async stayAwake() {
    this.lock = await navigator.wakeLock?.request('screen').catch(() => null);
    if (!this.dialog.open) this.lock?.release();
  }

  end() {
    clearTimeout(this.timer);
    this.lock?.release();
    this.isFull = false;
    if (document.fullscreenElement) document.exitFullscreen();
    if (this.shown) this.goTo(this.shown.id);
  }

  goTo(id) {
    const tile = document.getElementById(`image-${id}`);
    if (document.querySelector('picture-keys')) {
      if (String(id) !== this.first()) location.replace(`${this.dataset.pages}${id}${this.dataset.query}`);
    } else if (tile) {
      tile.scrollIntoView({ block: 'center', behavior: 'instant' });
      tile.querySelector('a').focus({ preventScroll: true });
    } else {
      const place = new URL(this.dataset.address.replace('.json', ''), location);
      place.searchParams.set('at', id);
      location.replace(`${place}#image-${id}`);
    }
  }
}

customElements.define('slide-show', SlideShow);
