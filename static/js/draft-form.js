import { keep, kept, TAB_FIRST } from './storage.js';

const KEY = 'easel-draft';
const SOURCES = 'easel-sources'; // which its own script keeps
const DOUBLE_MS = 700; // a second press sooner is a double click, and pictures can cost money
const TYPED = '[name]:not(button, [type=hidden])';
const ASKS_FRAGMENT = { 'X-Fragment': 'true', Accept: 'application/json' };
const isTick = (field) => field.type === 'checkbox';
const place = (field) => (isTick(field) ? `${field.name} ${field.value}` : field.name);

// Keeps what is typed through an error, a reload and a crash; a new tab begins with the newest draft of all.
class DraftForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.works = 0;
    const isGiven = 'given' in this.dataset;
    if (!isGiven) this.restore();
    this.hasSources = Boolean(this.querySelector('.sources') || (!isGiven && kept(SOURCES, TAB_FIRST)));
    if (this.hasSources) this.bringSources();
    this.form.addEventListener('input', () => this.keep());
    this.form.addEventListener('submit', (event) => this.send(event));
    this.form.addEventListener('keydown', (event) => this.shortcut(event));
    this.begin();
    addEventListener('pageshow', (event) => event.persisted && this.renewMark());
  }

  bringSources() {
    const ready = import('./source-list.js').then(() => this.querySelector('source-list').ready);
    this.until(ready).catch(() => null); // it is tried again where it is needed
  }

  // Nothing is sent while a part of it is on its way: then it goes afterwards, unless that part did not come.
  async until(work) {
    this.works += 1;
    try {
      return await work;
    } catch (error) {
      if (this.isWaiting) this.offline.hidden = false;
      this.isWaiting = false;
      throw error;
    } finally {
      this.works -= 1;
      if (!this.works) this.sendWaiting();
    }
  }

  sendWaiting() {
    const { isWaiting } = this;
    this.isWaiting = false;
    if (isWaiting && !this.querySelector('.coming, .offer:popover-open')) this.form.requestSubmit();
  }

  get offline() {
    return this.querySelector('.offline');
  }

  get fields() {
    return [...this.form.elements].filter((field) => field.matches(TYPED) && !field.closest('source-list, .of-sources'));
  }

  keep() {
    const typed = this.fields.map((field) => [place(field), isTick(field) ? field.checked : field.value]);
    keep(KEY, JSON.stringify(typed), TAB_FIRST);
    if (!this.hasSources && !this.querySelector('source-list:defined')) keep(SOURCES, '', TAB_FIRST);
  }

  // All that is sent but the mark; of a file, which one it is.
  get contents() {
    const fields = [...new FormData(this.form)].filter(([name]) => name !== 'submission');
    return JSON.stringify(fields.map(([name, value]) => [name, value instanceof File ? value.size && value.lastModified : value]));
  }

  restore() {
    let typed = {};
    try {
      typed = Object.fromEntries(JSON.parse(kept(KEY, TAB_FIRST) ?? '[]') ?? []);
    } catch {
      return; // written by something else
    }
    for (const field of this.fields) {
      const value = typed[place(field)];
      if (isTick(field)) field.checked = value === true;
      else if (typeof value === 'string') field.value = value;
      if (field.matches('select') && field.selectedIndex < 0) field.selectedIndex = 0;
    }
  }

  // Sends without leaving the page where there is a wall to hang the tile on; the next prompt may be typed meanwhile.
  // A session that is over, or an answer that nobody understands, is sent once more as a plain form, which says why.
  async send(event) {
    this.keep();
    if (event.submitter?.matches('.reset-all')) return;
    if (this.works) {
      event.preventDefault();
      this.isWaiting = true;
      return;
    }
    if (!document.querySelector('live-wall')) return;
    event.preventDefault();
    const typed = this.contents;
    if (typed !== this.typed) this.renewMark();
    else if (event.timeStamp - this.sent < DOUBLE_MS) return;
    Object.assign(this, { typed, sent: event.timeStamp });
    const body = new FormData(this.form);
    this.selectPrompt();
    try {
      const answer = await fetch(this.form.action, { method: 'POST', body, headers: ASKS_FRAGMENT });
      const errors = await import('./form-errors.js').catch(() => null); // an upgrade takes it away
      if (!answer.ok) {
        this.sent = -Infinity; // what is mended may go at once
        return (await errors?.showFailure(this.form, answer)) || this.form.submit();
      }
      errors?.clearErrors(this.form);
      dispatchEvent(new CustomEvent('easel-added', { detail: await answer.text() }));
      if (typed === this.typed) this.renewMark();
      this.offline.hidden = true;
    } catch {
      this.offline.hidden = false;
    }
  }

  // At the first wrong field; else in the prompt, which a page after its sending offers to be replaced.
  begin() {
    const wrong = this.form.querySelector('[aria-invalid]');
    if (wrong) wrong.focus();
    else this.selectPrompt(location.hash.startsWith('#generation-') ? 0 : Infinity);
  }

  // On a touch screen without the focus, which would bring its keyboard up.
  selectPrompt(start = 0) {
    const { prompt } = this.form.elements;
    if (matchMedia('(hover: hover)').matches) prompt.focus({ preventScroll: true });
    prompt.setSelectionRange(Math.min(start, prompt.value.length), prompt.value.length);
  }

  // A page that comes back from the browser's cache must not bring its old mark along.
  renewMark() {
    this.form.elements.submission.value = crypto.getRandomValues(new Uint32Array(4)).join('-');
  }

  shortcut(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }
}

customElements.define('draft-form', DraftForm);
