import { element, fragment } from './fragment.js';
import { rememberChange } from './kept-gallery.js';

const FOLLOW_MS = 500;
const GONE = '[hidden], .chosen:not([data-any])';

// Says what was done with pictures, with the form that undoes it, or what has to be answered first. An act on
// many goes on meanwhile: its progress is followed.
class ActDone extends HTMLElement {
  connectedCallback() {
    this.addEventListener('submit', (event) => this.submit(event));
    this.isStale = Boolean(this.querySelector('[data-follow]'));
    if (new URLSearchParams(location.search).has('act')) this.lead();
    this.follow();
  }

  submit(event) {
    const { target: form, submitter } = event;
    event.preventDefault();
    if (form.dataset.act) return this.restore(form);
    const sparesFavourites = submitter.name === 'favourites' && submitter.value === '0';
    const after = form.action.endsWith('undoing') ? () => this.takeBack() : () => this.after(sparesFavourites);
    this.post(form.action, new URLSearchParams(new FormData(form, submitter)), after);
  }

  // The picture that the last page deleted has no tile here: it comes with a new page.
  async restore(form) {
    const answer = await fetch(form.action, { method: 'POST' }).catch(() => null);
    if (!answer) return this.tell(this.dataset.lost);
    const here = new URL(location);
    here.searchParams.delete('undo');
    location.replace(here);
  }

  // `after` shows on the wall what an act did, and returns how to take that back.
  send(address, body, after) {
    this.after = after;
    return this.post(address, body, after);
  }

  async post(address, body, after) {
    if (this.ariaBusy) return;
    this.ariaBusy = 'true';
    const at = document.activeElement;
    try {
      const answer = await fetch(address, { method: 'POST', headers: { 'X-Fragment': 'true' }, body });
      if (answer.status === 401) return location.reload();
      const said = element(await answer.text());
      if (answer.ok) {
        rememberChange();
        this.undo = after();
      }
      this.say(said, isLost(at) || this.contains(at));
    } catch {
      this.tell(this.dataset.lost);
    } finally {
      this.ariaBusy = null;
    }
  }

  takeBack() {
    if (!this.undo?.()) this.drawAnew();
  }

  // The wall is drawn anew when all is done: of an act on all that match it shows a part.
  drawAnew() {
    this.isStale = true;
  }

  say(said, takesFocus) {
    this.replaceChildren(said);
    if (this.isStale && said.matches('[id^=act-]:not([data-follow])')) return this.leave(said.id.replace('act-', ''));
    dispatchEvent(new Event('easel-acted'));
    if (takesFocus) this.lead();
    this.follow();
  }

  lead() {
    const next = this.querySelector('button') ?? document.querySelector('.hung:not([hidden]) > .plate');
    next?.focus({ preventScroll: true });
  }

  leave(act) {
    const here = new URL(location);
    for (const place of ['at', 'before', 'undo']) here.searchParams.delete(place);
    here.searchParams.set('act', act);
    location.replace(here);
  }

  tell(sentence) {
    const word = document.createElement('p');
    word.textContent = sentence;
    this.replaceChildren(word);
  }

  follow() {
    clearTimeout(this.soon);
    const { follow } = this.querySelector('[data-follow]')?.dataset ?? {};
    if (follow) this.soon = setTimeout(() => fragment(follow).then((next) => this.proceed(next), () => this.follow()), FOLLOW_MS);
  }

  // What is said stays as it is while only the bar moves.
  proceed(next) {
    const [bar, moved] = [this, next].map((one) => one.querySelector('progress'));
    if (!bar || !moved) return this.say(next, this.contains(document.activeElement));
    Object.assign(bar, { max: moved.max, value: moved.value });
    this.follow();
  }
}

// Whether what had the focus went, and nothing else took it.
function isLost(before) {
  const { activeElement, body } = document;
  return activeElement === before ? before.closest(GONE) : activeElement === body;
}

customElements.define('act-done', ActDone);
