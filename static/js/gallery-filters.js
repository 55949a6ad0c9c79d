import './search-field.js';
import { elements } from './fragment.js';

const PARTS = ['gallery-count', 'gallery-question', 'gallery-zip', 'gallery-found', 'selection'];
const PLACES = ['at', 'before', 'undo'];

// Filters act at once: what they find takes the place of the wall, and the address follows.
class GalleryFilters extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.shown = filtersOf(location.search);
    this.form.addEventListener('submit', (event) => this.go(event, this.address));
    this.form.addEventListener('change', (event) => event.target.name !== 'q' && this.form.requestSubmit());
    this.querySelector('.clear')?.addEventListener('click', (event) => this.clear(event));
    addEventListener('popstate', this);
  }

  disconnectedCallback() {
    removeEventListener('popstate', this);
  }

  get address() {
    const isSaid = ([name, value]) => value.trim() && !(name === 'sort' && value === 'newest');
    const asked = [...new FormData(this.form)].filter(isSaid);
    const query = new URLSearchParams(asked).toString();
    return query ? `${this.form.action}?${query}` : this.form.action;
  }

  handleEvent() {
    if (filtersOf(location.search) !== this.shown) location.reload();
  }

  clear(event) {
    const { q } = this.form.elements;
    q.value = '';
    q.focus();
    this.go(event, this.address);
  }

  async go(event, address) {
    event.preventDefault();
    const asked = (this.asked = Symbol(address));
    this.setAttribute('aria-busy', 'true');
    const response = await fetch(address).catch(() => null);
    const page = response?.ok ? await response.text() : '';
    if (asked !== this.asked) return;
    const found = page && parts(page);
    if (!found) return location.assign(address);
    history.pushState(null, '', response.url); // a random order has its seed there
    this.shown = filtersOf(location.search);
    for (const part of found) takePlace(part);
    scrollTo({ top: 0, behavior: 'instant' });
    this.removeAttribute('aria-busy');
    const selection = document.getElementById('selection');
    if (selection) (await import('./chosen.js')).chosen.beginAnew(selection.dataset);
    this.dispatchEvent(new CustomEvent('filtered', { bubbles: true }));
  }
}

function filtersOf(search) {
  const asked = new URLSearchParams(search);
  for (const place of PLACES) asked.delete(place);
  return asked.toString();
}

// The parts of a page that show what was found, if it is that page.
function parts(page) {
  const body = document.createElement('div');
  body.append(...elements(page));
  const found = PARTS.map((id) => body.querySelector(`#${id}`)).filter(Boolean);
  return found.length ? found : null;
}

// The bar of a selection stays; its form is about what is shown now.
function takePlace(part) {
  const shown = document.getElementById(part.id);
  if (!(shown instanceof HTMLFormElement)) return shown?.replaceChildren(...part.childNodes);
  Object.assign(shown.dataset, part.dataset);
  shown.querySelectorAll(':scope > input[type=hidden]').forEach((field) => field.remove());
  shown.prepend(...part.querySelectorAll(':scope > input[type=hidden]'));
}

customElements.define('gallery-filters', GalleryFilters);
