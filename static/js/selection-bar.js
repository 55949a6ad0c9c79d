import { MOST, chosen } from './chosen.js';
import { download, fieldsOf, reflect } from './selection-acts.js';
import { idOf } from './wall-select.js';

const STAYING = ['favourite', 'unfavourite', 'add']; // what is selected stays so after these
const COMPARED = { least: 2, most: 4 };
const USED = { least: 1, most: 16 };

// The bar of what is selected: how much that is, and what can be done with it.
class SelectionBar extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('#selection');
    this.done = this.querySelector('act-done');
    this.numbers = new Intl.NumberFormat(document.documentElement.lang);
    document.addEventListener('submit', (event) => this.submit(event));
    this.addEventListener('click', ({ target }) => this.press(target));
    chosen.addEventListener('change', ({ detail }) => this.show(detail.isFull));
    addEventListener('easel-all', () => this.takeAll());
    addEventListener('easel-clear', () => this.clear());
    addEventListener('easel-bar', () => this.form.querySelector('.bar-acts .button').focus());
    addEventListener('easel-act', ({ detail }) => this.byKey(detail));
    addEventListener('pageshow', () => this.show());
    this.asking = this.form.querySelector('#destroying');
    this.asking?.addEventListener('beforetoggle', (event) => this.count(event));
    this.show();
  }

  tiles(only) {
    const isMeant = only ? (id) => only.includes(id) : (id) => chosen.has(id);
    return [...document.querySelectorAll('wall-select .hung:not([hidden])')].filter((tile) => isMeant(idOf(tile)));
  }

  words(text, n) {
    return text.replace('{n}', this.numbers.format(n));
  }

  show(isFull = false) {
    const { size } = chosen;
    const [count] = this.form.querySelectorAll('[role=status]');
    const { full, selected } = this.dataset;
    count.textContent = isFull ? this.words(full, MOST) : this.words(selected, size);
    this.form.toggleAttribute('data-any', size > 0);
    this.form.querySelector('[data-all]').hidden = Boolean(chosen.all);
    const [compare, use, mark] = ['[data-compare]', '[data-use]', '[value$=favourite]'].map((one) => this.form.querySelector(one));
    if (compare) this.offerPage(compare, 'image', size, COMPARED);
    if (use) this.offerPage(use, 'source', size, USED);
    if (mark) this.offerMark(mark, this.tiles());
  }

  // One that takes so many of them.
  offerPage(link, name, size, { least, most }) {
    link.hidden = Boolean(chosen.all) || size < least || size > most;
    if (!link.hidden) link.search = new URLSearchParams([...chosen.ids].map((id) => [name, id]));
  }

  // Where all of them are favourites, it takes that back.
  offerMark(button, tiles) {
    const isMarked = tiles.length === chosen.size && tiles.every(isFavourite);
    button.value = isMarked ? 'unfavourite' : 'favourite';
    button.ariaPressed = String(isMarked);
  }

  press(target) {
    if (target.closest('[data-all]')) this.takeAll();
    if (target.closest('[data-clear]')) this.clear();
  }

  // Whoever was in the bar is led back to what was selected, or to the first picture.
  clear() {
    const isHere = this.form.contains(document.activeElement);
    const [first] = this.tiles();
    chosen.clear();
    const tile = first ?? document.querySelector('.hung:not([hidden])');
    if (isHere) tile?.querySelector('.plate').focus({ preventScroll: true });
  }

  // How many match is counted only now.
  async takeAll() {
    const answer = await fetch(this.form.dataset.count).catch(() => null);
    if (answer?.ok) chosen.takeAll((await answer.json()).total);
    else this.done.tell(this.done.dataset.lost);
  }

  // An act on the tile that has the focus, or on all that are selected.
  byKey({ act, only }) {
    const isThere = this.form.querySelector(act === 'favourite' ? '[value$=favourite]' : `[value=${act}]`);
    if (!isThere) return;
    if (act === 'destroy') this.ask(only);
    else if (only) this.run(act === 'favourite' && this.tiles(only).every(isFavourite) ? 'unfavourite' : act, only);
    else isThere.click();
  }

  // What is destroyed is asked about, whether it is selected or a single one.
  ask(only) {
    this.asked = only;
    this.asking.showPopover();
  }

  count({ newState }) {
    const n = this.asked?.length ?? chosen.size;
    if (newState === 'open') this.asking.querySelector('[value=destroy]').textContent = this.words(this.asking.dataset.words, n);
    else this.asked = null;
  }

  submit(event) {
    const { target: form, submitter } = event;
    const isOfTile = form.matches('.hung > .tile-acts');
    if (form !== this.form && !isOfTile) return;
    event.preventDefault();
    const { value: act, dataset: { album } } = submitter;
    const only = isOfTile ? [Number(form.elements.image.value)] : null;
    if (isOfTile && act === 'destroy') return this.ask(only);
    if (act === 'zip') return download(this.form);
    this.run(act, only ?? this.asked, album && { album });
    this.querySelector(':popover-open')?.hidePopover();
  }

  run(act, only, more) {
    const tiles = this.tiles(only);
    const isLeaving = this.form.dataset.leaving.split(' ').includes(act);
    const isWhole = chosen.all && !only && isLeaving;
    this.done.send(this.form.action, fieldsOf(this.form, act, only, more), (sparesFavourites) => {
      if (isWhole) return this.done.drawAnew() ?? chosen.clear();
      const undo = reflect(act, sparesFavourites ? tiles.filter((tile) => !isFavourite(tile)) : tiles, isLeaving);
      if (only && isLeaving && !chosen.all) chosen.set(only, false, []);
      else if (!only && !STAYING.includes(act)) chosen.clear();
      this.show();
      return undo;
    });
  }
}

function isFavourite(tile) {
  return !tile.querySelector('.heart').hidden;
}

customElements.define('selection-bar', SelectionBar);
