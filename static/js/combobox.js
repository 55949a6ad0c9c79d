const PAUSE_MS = 120; // between the last key and the search

// ARIA's combobox with a list that the server finds, below a field that takes any text.
export class Combobox extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector('input');
    this.panel = this.querySelector('[popover]');
    this.input.ariaAutoComplete = 'list';
    this.input.addEventListener('input', (event) => event.isTrusted && this.later(this.input.value));
    this.input.addEventListener('keydown', (event) => this.press(event));
    this.input.addEventListener('click', () => this.isOpen || this.begin());
    this.input.addEventListener('blur', () => this.close());
    this.panel.addEventListener('pointerdown', (event) => event.preventDefault()); // the field keeps the focus
    this.panel.addEventListener('click', (event) => this.choose(event.target.closest('[role=option]')));
    if (this.input.value !== this.input.defaultValue) this.later(this.input.value); // typed meanwhile
    this.life = new AbortController();
    addEventListener('resize', () => this.isOpen && this.place(), { signal: this.life.signal }); // as a keyboard comes up
  }

  disconnectedCallback() {
    this.life.abort();
  }

  get box() {
    return this.input.parentElement;
  }

  get isOpen() {
    return this.panel.matches(':popover-open');
  }

  later(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(text), PAUSE_MS);
  }

  async search(text) {
    const asked = (this.asked = Symbol(text));
    const [{ fragment }, { placeBeside }] = await Promise.all([import('./fragment.js'), import('./beside.js')]);
    const found = await fragment(this.addressOf(text)).catch(() => null);
    if (asked !== this.asked || document.activeElement !== this.input) return;
    if (!found) return this.close();
    this.panel.replaceChildren(...found.children);
    this.input.setAttribute('aria-controls', this.panel.querySelector('[role=listbox]').id);
    this.mark(null);
    if (!this.isOpen) this.panel.showPopover();
    this.input.ariaExpanded = 'true';
    this.place = () => placeBeside(this.box, this.panel);
    this.place();
  }

  addressOf(text) {
    return `${this.dataset.address}?${new URLSearchParams({ q: text })}`;
  }

  press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.isOpen) this.list();
    else if (step) this.move(step);
    else if (this.isOpen && event.key === 'Enter' && this.marked) this.choose(this.marked);
    else if (this.isOpen && event.key === 'Escape') this.close();
    else if (event.key === 'Enter') return this.close(); // the form is sent
    else return;
    event.preventDefault();
  }

  move(step) {
    const options = [...this.panel.querySelectorAll('[role=option]')];
    const at = options.indexOf(this.marked);
    this.mark(options.at(at < 0 && step < 0 ? -1 : (at + step) % options.length) ?? null);
  }

  mark(option) {
    if (this.marked) this.marked.ariaSelected = 'false';
    this.marked = option;
    this.input.removeAttribute('aria-activedescendant');
    if (!option) return;
    option.ariaSelected = 'true';
    option.scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', option.id);
  }

  close() {
    clearTimeout(this.timer);
    this.asked = null;
    if (this.isOpen) this.panel.hidePopover();
    this.mark(null);
    this.input.ariaExpanded = 'false';
    this.input.removeAttribute('aria-controls');
  }
}
