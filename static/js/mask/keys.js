import { isOff, latin } from '../key-sheet.js';

const FIELDS = 'input:not([type=checkbox], [type=radio], [type=range]), textarea, select';
const NAMES = { '+': 'Plus', '=': 'Plus', Backspace: 'Delete', BracketLeft: '[', BracketRight: ']' };
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP_PX = 10;
const REPEATS = /^(Plus|-|\[|\]|Shift\+\[|Shift\+\]|Control\+.*)$/;

// Painting without a pointer, on the canvas: arrows move the brush, with Shift the view; Space paints while it is
// held, Enter from one press to the next. Everywhere a key presses what names it in aria-keyshortcuts.
export class Keys {
  constructor(dialog, stage, work) {
    Object.assign(this, { dialog, work, held: null });
    stage.addEventListener('keydown', (event) => this.paint(event));
    stage.addEventListener('keyup', (event) => event.key === this.held && this.held === ' ' && this.lift());
    stage.addEventListener('focus', () => stage.matches(':focus-visible') && work.step(0, 0, false));
    stage.addEventListener('blur', () => this.held && this.lift());
    dialog.addEventListener('keydown', (event) => this.press(event));
  }

  paint(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    if (way) this.go(way, event.shiftKey);
    else if (event.key === ' ' || event.key === 'Enter') event.repeat || this.touch(event.key);
    else if (event.key === 'Escape' && this.held) this.giveUp();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go([x, y], isView) {
    const step = STEP_PX * this.work.ratio;
    if (isView) this.work.pan(-8 * step * x, -8 * step * y);
    else this.work.step(x * step, y * step, Boolean(this.held));
  }

  touch(key) {
    if (this.held) return this.lift();
    this.held = key;
    this.work.beginAtCursor();
  }

  lift() {
    this.held = null;
    this.work.end();
  }

  giveUp() {
    this.held = null;
    this.work.giveUp();
  }

  press(event) {
    const name = spelled(event);
    const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
    if (event.altKey || event.target.closest(FIELDS) || this.dialog.querySelector('dialog[open]')) return;
    if ((event.repeat && !REPEATS.test(name)) || (isLetter && isOff() && !event.target.matches('canvas'))) return;
    const named = [...this.dialog.querySelectorAll('[aria-keyshortcuts]')];
    const meant = named.find((one) => one.getAttribute('aria-keyshortcuts').split(' ').includes(name));
    if (!meant) return;
    event.preventDefault();
    if (meant.getAttribute('aria-disabled') !== 'true') meant.click();
  }
}

function spelled(event) {
  const key = NAMES[event.code] ?? NAMES[event.key] ?? latin(event);
  const isSign = key.length === 1 && !/[a-z[\]]/.test(key);
  const shift = event.shiftKey && !isSign && key !== 'Plus' ? 'Shift+' : '';
  return `${event.ctrlKey || event.metaKey ? 'Control+' : ''}${shift}${key}`;
}
