// Catches pictures that are dropped, pasted or chosen, and those of this page that are to be started from: what is
// done with them is loaded then. A drop anywhere is caught, so that none leads the tab away.
class DropPicture extends HTMLElement {
  connectedCallback() {
    this.listeners = {
      dragstart: (event) => (this.own = !event.defaultPrevented),
      dragend: () => (this.own = false),
      dragover: (event) => this.hover(event),
      dragleave: (event) => event.relatedTarget ?? this.highlight(false),
      drop: (event) => this.drop(event),
      paste: (event) => this.paste(event),
      change: (event) => this.choose(event.target),
      click: (event) => this.press(event),
    };
    for (const [name, act] of Object.entries(this.listeners)) document.addEventListener(name, act);
  }

  disconnectedCallback() {
    for (const [name, act] of Object.entries(this.listeners)) document.removeEventListener(name, act);
  }

  async run(act, ...given) {
    const work = import('./sources/arrivals.js').then((arrivals) => arrivals[act](this, ...given));
    try {
      await document.querySelector('draft-form').until(work);
    } catch {
      this.querySelector('[role=status]').textContent = this.dataset.unread; // no connection, or an upgrade
    }
  }

  highlight(isOver) {
    document.documentElement.toggleAttribute('data-dropping', isOver);
  }

  // A field takes text by itself, at the place that is pointed at.
  isForField({ target, dataTransfer }) {
    return !dataTransfer.types.includes('Files') && target.closest?.('input, textarea');
  }

  hover(event) {
    if (this.isForField(event)) return;
    event.preventDefault();
    this.highlight(!this.own);
  }

  drop(event) {
    this.highlight(false);
    if (this.isForField(event)) return;
    event.preventDefault();
    if (this.own) return; // a picture of this page, moved a little
    const { files, types } = event.dataTransfer;
    const place = { x: event.clientX, y: event.clientY };
    if (types.includes('Files')) this.run('bring', [...files], place);
    else this.run('write', event.dataTransfer.getData('text/plain').trim());
  }

  // Text that comes with a picture of itself stays text.
  paste(event) {
    const { files, types } = event.clipboardData ?? {};
    if (!files?.length || types.includes('text/plain')) return;
    event.preventDefault();
    this.run('bring', [...files]);
  }

  // Lets the same file be chosen again.
  choose(input) {
    const isSource = input.matches('[data-sources]');
    if (!input.files?.length || !(isSource || this.contains(input))) return;
    this.run(isSource ? 'add' : 'read', [...input.files]);
    input.value = '';
  }

  press(event) {
    const link = event.target.closest('a[data-source]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.run('use', link);
  }
}

customElements.define('drop-picture', DropPicture);
