const boxOf = (link) => link.parentElement.getBoundingClientRect(); // the tile's: what is in it may be laid out later

// Arrows go from picture to picture: along the row, or to the nearest one above or below. The picture that
// is opened is marked, so that it grows into its page where the browser shows such things, and the one that
// was looked at last, so that it shrinks into its place again.
class WallKeys extends HTMLElement {
  connectedCallback() {
    addEventListener('keydown', this);
    addEventListener('pageswap', this);
    addEventListener('pagereveal', this);
  }

  disconnectedCallback() {
    removeEventListener('keydown', this);
    removeEventListener('pageswap', this);
    removeEventListener('pagereveal', this);
  }

  get links() {
    return [...this.querySelectorAll('.hung:not([hidden]) > a')];
  }

  handleEvent(event) {
    if (event.type === 'pageswap') this.mark(event.activation?.entry.url);
    else if (event.type === 'pagereveal') this.mark(globalThis.navigation?.activation?.from?.url);
    else if (this.step(event)) event.preventDefault();
  }

  mark(address) {
    const { pathname } = new URL(address ?? '', location);
    for (const link of this.links) {
      const isMeant = link.pathname === pathname;
      link.style.viewTransitionName = isMeant ? 'picture' : '';
      link.parentElement.style.contentVisibility = isMeant ? 'visible' : ''; // it is captured before it is drawn
    }
  }

  // Says whether the key was meant for the wall.
  step({ key, target, ctrlKey, metaKey, altKey, shiftKey, defaultPrevented }) {
    if (ctrlKey || metaKey || altKey || shiftKey || defaultPrevented || !key.startsWith('Arrow')) return false;
    const at = target.closest?.('wall-keys .hung > a') ?? null;
    if (!at && target !== document.body) return false;
    if (at) return this.go(at, key);
    const next = this.entry(key);
    next?.focus();
    return Boolean(next);
  }

  // Beyond the last picture there may be another page.
  go(at, key) {
    const next = this.next(at, key);
    next?.focus();
    if (!next) this.dispatchEvent(new CustomEvent('wall-edge', { bubbles: true, detail: { at, key } }));
    return true;
  }

  // From nowhere: the picture one came from, or the first in sight.
  entry(key) {
    if (key === 'ArrowUp' || key === 'ArrowDown') return null;
    return this.querySelector(':target > a') ?? this.links.find((link) => boxOf(link).bottom > 0);
  }

  next(at, key) {
    const links = this.links;
    const place = links.indexOf(at);
    if (key === 'ArrowLeft') return links[place - 1];
    if (key === 'ArrowRight') return links[place + 1];
    const here = boxOf(at);
    const down = key === 'ArrowDown' ? 1 : -1;
    const boxes = links.map((link) => ({ link, box: boxOf(link) }));
    const beyond = boxes.filter(({ box }) => (box.y - here.y) * down > here.height / 2);
    const row = Math.min(...beyond.map(({ box }) => (box.y - here.y) * down));
    const middle = ({ box }) => Math.abs(box.x + box.width / 2 - here.x - here.width / 2);
    return beyond.filter(({ box }) => (box.y - here.y) * down < row + 8).sort((one, other) => middle(one) - middle(other))[0]?.link;
  }
}

customElements.define('wall-keys', WallKeys);
