import { chosen } from './chosen.js';
import { isOff, latin } from './key-sheet.js';
import { Lasso } from './lasso.js';
import { onLongPress } from './long-press.js';

const TYPED = 'textarea, select, input:not([type=checkbox]), [contenteditable]';
const UNDO = 'act-done form:is([action$=undoing], [data-act]) button';

// Pictures are selected by their ticks, with Shift up to another one, by a lasso, by a finger that rests, or by
// keys. The wall listens for all of its tiles; those that come later are shown as they are selected.
class WallSelect extends HTMLElement {
  connectedCallback() {
    this.addEventListener('pointerdown', ({ pointerType, shiftKey }) => Object.assign(this, { pointerType, shiftKey }));
    onLongPress(this, (tile) => this.pick(tile));
    this.addEventListener('click', (event) => this.press(event));
    this.addEventListener('change', ({ target }) => target.name === 'image' && this.tick(target));
    addEventListener('keydown', (event) => this.key(event), true);
    addEventListener('pageshow', () => this.show());
    chosen.addEventListener('change', () => this.show());
    new MutationObserver(() => this.show()).observe(this, { childList: true, subtree: true });
    new Lasso(this.closest('main'), this, {
      begin: () => (this.before = chosen.single(this.inSight)),
      catch: (tiles) => chosen.replace(new Set([...this.before, ...tiles.map(idOf).filter(Boolean)])),
    });
    this.show();
  }

  get ticks() {
    return [...this.querySelectorAll('.hung:not([hidden]) > .tick > input')];
  }

  get inSight() {
    return this.ticks.map(({ value }) => Number(value));
  }

  show() {
    for (const tick of this.ticks) {
      const isIn = chosen.has(Number(tick.value));
      if (tick.checked !== isIn) tick.checked = isIn;
      tick.closest('.hung').toggleAttribute('data-in', isIn); // a thousand `:has(:checked)` would take long
    }
    this.toggleAttribute('data-selecting', chosen.size > 0);
  }

  // A click on a picture opens it; while some are selected, a tap and a click with Shift select it.
  press(event) {
    const tile = event.target.closest('.plate')?.closest('.hung');
    const isTap = event.detail > 0 && this.pointerType === 'touch';
    if (!tile || !chosen.size || !(isTap || event.shiftKey)) return;
    event.preventDefault();
    this.pick(tile);
  }

  pick(tile) {
    tile.querySelector('.tick > input')?.click();
  }

  tick(tick) {
    const ticks = this.ticks;
    const [from, to] = [this.last, tick.value].map((id) => ticks.findIndex(({ value }) => value === id)).sort((one, other) => one - other);
    const many = this.shiftKey && from >= 0 ? ticks.slice(from, to + 1) : [tick];
    chosen.set(many.map(({ value }) => Number(value)), tick.checked, this.inSight);
    this.last = tick.value;
  }

  key(event) {
    this.shiftKey = event.shiftKey;
    if (event.defaultPrevented || event.isComposing || event.target.closest?.(TYPED)) return;
    if (document.querySelector('dialog[open], :popover-open')) return;
    if (this.meant(event, latin(event))) event.preventDefault();
  }

  // Says whether a key was meant for the selection.
  meant({ ctrlKey, metaKey, altKey, shiftKey, repeat, target }, key) {
    if ((ctrlKey || metaKey) && !altKey && key === 'a') return this.extend();
    if ((ctrlKey || metaKey) && !altKey && !shiftKey && key === 'z') return this.undo();
    if (ctrlKey || metaKey || altKey || repeat || (key.length === 1 && isOff())) return false;
    if (key === 'Escape' && chosen.size) return dispatchEvent(new Event('easel-clear'));
    if (key === 'b' && chosen.size) return dispatchEvent(new Event('easel-bar'));
    const tile = target.closest?.('wall-select .hung');
    if (key === 'x' && tile) return this.pick(tile) ?? true;
    if (key === 'u') return this.use(tile && !chosen.has(idOf(tile)) ? tile.querySelector('.use') : null);
    const act = { f: 'favourite', Delete: this.closest('.trash') ? 'destroy' : 'delete' }[key];
    if (!act || !(tile ? idOf(tile) : chosen.size)) return false;
    const only = tile && !chosen.has(idOf(tile)) ? [idOf(tile)] : null;
    return dispatchEvent(new CustomEvent('easel-act', { detail: { act, only } }));
  }

  use(ofTile) {
    const link = ofTile ?? document.querySelector('[data-use]:not([hidden])');
    link?.click();
    return Boolean(link);
  }

  undo() {
    const button = document.querySelector(UNDO);
    button?.click();
    return Boolean(button);
  }

  // All on this page; pressed again, all that match.
  extend() {
    const left = this.inSight.filter((id) => !chosen.has(id));
    if (left.length) chosen.set(left, true, this.inSight);
    else dispatchEvent(new Event('easel-all'));
    return true;
  }
}

export function idOf(tile) {
  return Number(tile.querySelector('.tick > input')?.value);
}

customElements.define('wall-select', WallSelect);
