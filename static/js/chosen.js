import { keep, kept } from './storage.js';

export const MOST = 5000; // as the server takes them
const NAME = 'easel-selection';
const TAB = ['sessionStorage'];

// What is selected of one search: single pictures, or all that match it and were there when the page was
// drawn. It is kept while one pages, opens pictures and comes back. Another search begins anew: an act on
// pictures that are nowhere in sight would be a surprise.
class Chosen extends EventTarget {
  constructor({ question, top }) {
    super();
    this.question = question;
    this.top = Number(top);
    const { ids, all } = this.saved ?? { ids: [], all: null };
    Object.assign(this, { ids: new Set(ids), all });
    addEventListener('pagehide', () => this.save());
  }

  get saved() {
    const { question, ...chosen } = JSON.parse(kept(NAME, TAB) ?? '{}');
    return question === this.question ? chosen : null;
  }

  save() {
    const { question, ids, all } = this;
    if (this.size || this.saved) keep(NAME, JSON.stringify({ question, ids: [...ids], all }), TAB);
  }

  get size() {
    return this.all ? this.all.count : this.ids.size;
  }

  has(id) {
    return this.all ? id <= this.all.top : this.ids.has(id);
  }

  // As single pictures: of all that match only those in sight can be.
  single(inSight) {
    return new Set(this.all ? inSight.filter((id) => this.has(id)) : this.ids);
  }

  set(ids, isIn, inSight) {
    const changed = this.single(inSight);
    for (const id of ids) changed[isIn ? 'add' : 'delete'](id);
    this.replace(changed);
  }

  replace(ids) {
    const isFull = ids.size > MOST;
    if (!isFull) Object.assign(this, { ids, all: null });
    this.dispatchEvent(new CustomEvent('change', { detail: { isFull } }));
  }

  takeAll(count) {
    Object.assign(this, { ids: new Set(), all: { count, top: this.top } });
    this.dispatchEvent(new CustomEvent('change', { detail: { isFull: false } }));
  }

  // Another search is shown, on the same page.
  beginAnew({ question, top }) {
    Object.assign(this, { question, top: Number(top) });
    this.clear();
  }

  clear() {
    this.replace(new Set());
  }
}

export const chosen = new Chosen(document.getElementById('selection').dataset);
