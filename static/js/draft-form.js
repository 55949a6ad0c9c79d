const KEY = 'easel-draft';

// Keeps what is typed in this browser, so that it survives an error, a reload and a crash.
class DraftForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    if ('given' in this.dataset) this.keep();
    else this.restore();
    this.form.addEventListener('input', () => this.keep());
    this.form.addEventListener('keydown', (event) => this.shortcut(event));
    addEventListener('pageshow', (event) => event.persisted && this.renewMark());
  }

  get fields() {
    return [...this.form.elements].filter((field) => field.name && field.name !== 'submission');
  }

  keep() {
    const typed = Object.fromEntries(this.fields.map((field) => [field.name, field.value]));
    try {
      localStorage.setItem(KEY, JSON.stringify(typed));
    } catch {
      // a full or forbidden store costs the draft, nothing else
    }
  }

  restore() {
    let typed = {};
    try {
      typed = JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
    } catch {
      return;
    }
    for (const field of this.fields) {
      if (typeof typed[field.name] === 'string') field.value = typed[field.name];
      if (field.matches('select') && field.selectedIndex < 0) field.selectedIndex = 0;
    }
  }

  // A page that comes back from the browser's cache must not bring its old mark along.
  renewMark() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    this.form.elements.submission.value = Array.from(bytes, (byte) => byte.toString(16)).join('-');
  }

  shortcut(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }
}

customElements.define('draft-form', DraftForm);
