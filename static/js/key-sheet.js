import { keep, kept } from './storage.js';

const OFF = 'easel-keys-off';
const NAMES = { '+': 'Plus', '=': 'Plus' };
const REPEATS = /^(Arrow.*|[-+=])$/;
const FIELDS = 'input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]';

// Single keys: each presses what names it in aria-keyshortcuts, the last such on the page; a field is
// focused. The sheet that lists them can turn them off. None works while something is being typed.
class KeySheet extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector('dialog');
    this.tick = this.querySelector('[type=checkbox]');
    this.tick.checked = kept(OFF) !== 'yes';
    this.tick.addEventListener('change', () => keep(OFF, this.tick.checked ? 'no' : 'yes'));
    addEventListener('keydown', this);
    if (!('command' in HTMLButtonElement.prototype)) document.addEventListener('click', (event) => this.open(event));
  }

  open(event) {
    if (event.target.closest('[commandfor=keys]')) this.dialog.showModal();
  }

  handleEvent(event) {
    const key = latin(event);
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(FIELDS) || document.querySelector('dialog[open], :popover-open')) return;
    if ((event.repeat && !REPEATS.test(key)) || (key.length === 1 && isOff())) return;
    const named = [...document.querySelectorAll('[aria-keyshortcuts]')];
    const meant = named.findLast((one) => one.getAttribute('aria-keyshortcuts').split(' ').includes(NAMES[key] ?? key));
    if (!meant) return;
    event.preventDefault();
    if (meant.matches(FIELDS)) meant.focus();
    else meant.click();
  }
}

export function isOff() {
  return !document.querySelector('key-sheet [type=checkbox]').checked;
}

// The letter on a Latin keyboard: F where a Russian one writes а.
export function latin({ key, code }) {
  const isForeign = key.length === 1 && key > '\x7f' && /^Key[A-Z]$/.test(code);
  const letter = isForeign ? code.slice(3) : key;
  return letter.length === 1 ? letter.toLowerCase() : letter;
}

customElements.define('key-sheet', KeySheet);
