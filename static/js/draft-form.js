const KEY = 'easel-draft';
const DOUBLE_MS = 700; // a second press sooner is a double click, and pictures can cost money

const isTick = (field) => field.type === 'checkbox';
const place = (field) => (isTick(field) ? `${field.name} ${field.value}` : field.name);

// Keeps what is typed in this browser, so that it survives an error, a reload and a crash. Each tab has
// its own draft; a new tab begins with the newest.
class DraftForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    if (!('given' in this.dataset)) this.restore();
    this.form.addEventListener('input', () => this.keep());
    this.form.addEventListener('submit', (event) => this.send(event));
    if (matchMedia('(hover: hover)').matches) this.focusPrompt();
    this.form.addEventListener('keydown', (event) => this.shortcut(event));
    addEventListener('pageshow', (event) => event.persisted && this.renewMark());
  }

  get fields() {
    return [...this.form.elements].filter((field) => field.name && field.name !== 'submission');
  }

  keep() {
    const typed = Object.fromEntries(this.fields.map((field) => [place(field), isTick(field) ? field.checked : field.value]));
    try {
      for (const store of [sessionStorage, localStorage]) store.setItem(KEY, JSON.stringify(typed));
    } catch {
      // a full or forbidden store costs the draft, nothing else
    }
  }

  restore() {
    let typed = {};
    try {
      typed = JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? '{}') ?? {};
    } catch {
      return;
    }
    for (const field of this.fields) {
      const value = typed[place(field)];
      if (isTick(field)) field.checked = value === true;
      else if (typeof value === 'string') field.value = value;
      if (field.matches('select') && field.selectedIndex < 0) field.selectedIndex = 0;
    }
  }

  // Sends without leaving the page where there is a wall to hang the tile on; what the server does not
  // take is sent once more as a plain form, so that its page can say why.
  async send(event) {
    this.keep();
    if (!document.querySelector('live-wall')) return;
    event.preventDefault();
    if (event.timeStamp - this.sent < DOUBLE_MS) return;
    this.sent = event.timeStamp;
    const body = new URLSearchParams(new FormData(this.form));
    try {
      const headers = { 'X-Fragment': 'true' };
      const answer = await fetch(this.form.action, { method: 'POST', body, headers });
      if (!answer.ok) return this.form.submit();
      dispatchEvent(new CustomEvent('easel-added', { detail: await answer.text() }));
      this.querySelector('.offline').hidden = true;
      this.renewMark();
    } catch {
      this.querySelector('.offline').hidden = false;
    }
  }

  focusPrompt() {
    const prompt = this.form.elements.prompt;
    prompt.focus({ preventScroll: true });
    prompt.setSelectionRange(prompt.value.length, prompt.value.length);
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
