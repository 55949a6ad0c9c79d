const AFTER_MS = 1000;
const phone = matchMedia('(max-width: 40rem)');

// The months beside the wall: the one in sight is marked. On a phone they are one handle at the edge, which
// is dragged like a scrollbar, and leads to the month where it is let go.
class MonthRail extends HTMLElement {
  connectedCallback() {
    this.links = [...this.querySelectorAll('a')];
    this.enter(this.current ?? this.links[0]);
    this.addEventListener('keydown', (event) => this.key(event));
    this.life = new AbortController();
    addEventListener('scroll', () => this.scrolled(), { passive: true, signal: this.life.signal });
    this.addEventListener('pointerdown', (event) => this.hold(event));
    this.addEventListener('pointermove', (event) => this.held && this.drag(event));
    this.addEventListener('pointerup', () => this.release());
    this.addEventListener('pointercancel', () => (this.held = null));
    this.addEventListener('click', (event) => this.dragged && event.preventDefault());
    this.addEventListener('dragstart', (event) => event.preventDefault());
  }

  disconnectedCallback() {
    this.life.abort();
  }

  get current() {
    return this.querySelector('[aria-current]');
  }

  // All months are one stop on the way from field to field.
  enter(link) {
    for (const one of this.links) one.tabIndex = one === link ? 0 : -1;
  }

  key(event) {
    const at = this.links.indexOf(event.target);
    const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: this.links.length - 1 }[event.key];
    if (at < 0 || !this.links[next] || phone.matches) return;
    event.preventDefault();
    this.enter(this.links[next]);
    this.links[next].focus();
  }

  scrolled() {
    this.toggleAttribute('data-seen', true);
    clearTimeout(this.fading);
    this.fading = setTimeout(() => this.held || this.removeAttribute('data-seen'), AFTER_MS);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.held) this.follow();
    });
  }

  follow() {
    const sections = [...document.querySelectorAll('wall-keys section[data-day]')];
    const shown = sections.find((one) => one.getBoundingClientRect().bottom > innerHeight / 4);
    const link = shown && this.links.find((one) => shown.dataset.day.startsWith(one.dataset.month));
    if (link) this.mark(link);
  }

  mark(link) {
    if (link === this.current) return;
    this.current?.removeAttribute('aria-current');
    link.setAttribute('aria-current', 'true');
    if (!this.contains(document.activeElement)) this.enter(link);
    const nav = link.parentElement;
    const [top, bottom] = [link.offsetTop, link.offsetTop + link.offsetHeight];
    if (top < nav.scrollTop || bottom > nav.scrollTop + nav.clientHeight) nav.scrollTop = top - nav.clientHeight / 2;
  }

  hold(event) {
    this.dragged = false;
    if (!phone.matches || !this.current) return;
    this.held = { y: event.clientY, at: this.links.indexOf(this.current) };
    this.setPointerCapture(event.pointerId);
  }

  // The whole height of the window is all months.
  drag({ clientY }) {
    const step = innerHeight / (this.links.length + 1);
    const steps = Math.round((clientY - this.held.y) / step);
    const at = Math.min(this.links.length - 1, Math.max(0, this.held.at + steps));
    this.dragged ||= steps !== 0;
    this.style.setProperty('--moved', `${clientY - this.held.y}px`);
    this.mark(this.links[at]);
  }

  release() {
    if (!this.held) return;
    this.held = null;
    this.style.removeProperty('--moved');
    if (this.dragged) location.assign(this.current.href);
  }
}

customElements.define('month-rail', MonthRail);
