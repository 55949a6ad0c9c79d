import { elements } from './fragment.js';
import { keep, kept, TAB_FIRST } from './storage.js';
import { Masks } from './sources/masks.js';
import { Order } from './sources/order.js';
import { Settings } from './sources/settings.js';
import { Uploads } from './sources/uploads.js';

const KEY = 'easel-sources';
const MANY = 3; // so many are a nuisance to take out one by one
const idOf = (chip) => Number(chip.dataset.id);

// What the form starts from. The server draws the chips; their order is that of the form. What is not sent yet
// survives a reload, and is joined by what an address brings; what was sent gives way to that.
class SourceList extends HTMLElement {
  connectedCallback() {
    this.form = this.closest('form');
    this.draft = this.closest('draft-form');
    this.settings = new Settings(this.form);
    this.fresh = new Set(); // uploaded here, and nothing made of them
    this.uploads = new Uploads(this);
    this.ready.catch(() => null); // who needs it tries again
    this.form.addEventListener('input', () => this.masks && this.keep());
    this.form.addEventListener('change', ({ target }) => target.matches('[name=model], [name=provider]') && this.asked());
    this.addEventListener('click', ({ target }) => this.ready.then(() => this.press(target)));
    addEventListener('easel-added', () => this.sent());
    addEventListener('easel-changed', () => this.offerResult());
  }

  get ready() {
    this.beginning ??= this.begin().catch((error) => {
      this.beginning = null;
      throw error;
    });
    return this.beginning;
  }

  get row() {
    return this.querySelector('.sources');
  }

  get chips() {
    return [...this.querySelectorAll('.source[data-id]')];
  }

  get ids() {
    return this.chips.map(idOf);
  }

  chipOf(id) {
    return this.querySelector(`.source[data-id='${id}']`);
  }

  async begin() {
    const named = this.ids;
    const isGiven = this.draft.matches('[data-given]');
    const draft = isGiven ? {} : drafted();
    const isOver = isGiven || (named.length && draft.isSent);
    const earlier = isOver ? [] : (draft.pictures ?? []).map(([id]) => id);
    const missing = earlier.filter((id) => !named.includes(id));
    if (missing.length || !this.row) await this.draw(missing);
    for (const id of [...earlier, ...named.filter((one) => !earlier.includes(one))]) this.put(this.chipOf(id));
    this.masks = new Masks(this);
    new Order(this);
    if (!isOver) await this.recall(draft);
    this.isSent = Boolean(draft.isSent && !named.length);
    this.settings.isFitted = !leaveAddress() && this.chips.length > 0;
    if (isGiven) this.show(); // what was typed before stays until something is changed
    else this.changed();
  }

  async recall({ pictures = [], fresh = [], settings }) {
    this.fresh = new Set(fresh);
    for (const [id, mask] of pictures) await this.masks.bring(id, mask);
    if (settings) this.settings.values = settings;
  }

  put(chip) {
    if (chip) this.querySelector('.plain').before(chip);
  }

  async drawn(ids) {
    const asked = [...new FormData(this.form)].filter(([name, value]) => ['model', 'provider'].includes(name) && value);
    const query = new URLSearchParams([...ids.map((id) => ['source', id]), ...asked]);
    const answer = await fetch(`${this.dataset.address}?${query}`);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return elements(await answer.text());
  }

  // Says of the server that will draw what there is to know with a mask.
  async tellServer() {
    const [drawn] = await this.drawn([]).catch(() => []);
    if (drawn) this.querySelector('.of-server').replaceWith(drawn.querySelector('.of-server'));
  }

  // Adds the chips of those pictures that are still there.
  async draw(ids) {
    const [drawn, settings] = await this.drawn(ids);
    this.settings.bring(settings);
    if (this.row) {
      for (const chip of drawn.querySelectorAll('.source[data-id]')) this.chipOf(idOf(chip)) ?? this.put(chip);
      return;
    }
    const sheet = drawn.querySelector('link');
    drawn.querySelector('.sources').hidden = true;
    const isStyled = new Promise((done) => ['load', 'error'].forEach((name) => sheet.addEventListener(name, done)));
    this.append(...drawn.childNodes);
    await isStyled;
  }

  // Gives the chip of a picture of the gallery, drawn where it is not there yet.
  async bring(id) {
    if (!this.chipOf(id)) await this.draw([id]);
    const chip = this.chipOf(id);
    if (!chip) throw new Error(`${id}`); // it is gone
    return chip;
  }

  // Has a picture in the place of its upload.
  async arrive(upload, { id, isNew }) {
    if (isNew) this.fresh.add(id);
    const isThere = Boolean(this.chipOf(id));
    const chip = upload.chip.isConnected && (await this.bring(id));
    if (!upload.chip.isConnected) { // taken out meanwhile
      if (chip && !isThere) chip.remove();
      return this.discard(id);
    }
    upload.chip.after(chip);
    upload.remove();
    this.isSent = false;
    this.changed();
    this.say('added', this.chips.indexOf(chip) + 1);
    return upload.arrived?.(chip);
  }

  // Takes a picture of the gallery, or nothing but it.
  async use(id, isAlone) {
    await this.ready;
    this.warn();
    if (isAlone) this.chips.filter((chip) => idOf(chip) !== id).forEach((chip) => this.take(chip));
    const most = Number(this.row.dataset.most);
    if (!this.chipOf(id) && this.chips.length >= most) return this.warn('many', most);
    await this.bring(id);
    this.isSent = false;
    this.changed();
    this.say('added', this.ids.indexOf(id) + 1);
    this.scrollIntoView({ block: 'center' });
    if (matchMedia('(hover: hover)').matches) this.form.elements.prompt.focus();
  }

  press(target) {
    if (target.closest('[data-add]')) this.form.querySelector('[data-sources]').click();
    if (target.closest('[data-edit]')) this.newest.click();
    if (target.closest('[data-mask]')) this.masks.open();
    if (target.closest('[data-unmask]')) this.masks.remove();
    if (target.closest('[data-clear]')) return this.clear();
    const chip = target.closest('[data-remove]')?.closest('.source');
    if (!chip) return null;
    const next = chip.nextElementSibling.querySelector('[data-remove]') ?? this.querySelector('[data-add]');
    this.take(chip);
    this.changed();
    this.say('removed');
    if (this.row.hidden) this.form.querySelector('[data-sources]').focus();
    else next.focus();
    return null;
  }

  clear() {
    for (const chip of this.querySelectorAll('.source:is([data-id], .coming)')) this.take(chip);
    this.changed();
    this.say('cleared');
    this.form.querySelector('[data-sources]').focus();
  }

  take(chip) {
    const upload = chip.matches('.coming') && chip.upload;
    if (upload) upload.remove();
    else chip.remove();
    this.discard(idOf(chip));
  }

  // What was uploaded here and never used goes to the trash.
  discard(id) {
    if (this.chipOf(id) || !this.fresh.delete(id)) return;
    const address = new URL(`images/${id}/deletion`, new URL(this.dataset.address, location));
    fetch(address, { method: 'POST', redirect: 'manual', keepalive: true }).catch(() => null); // then it stays
  }

  moved(chip) {
    this.changed();
    const words = this.row.dataset.moved.replace('{total}', this.chips.length);
    this.querySelector('[data-news]').textContent = words.replace('{n}', this.chips.indexOf(chip) + 1);
  }

  changed() {
    this.show();
    this.keep();
  }

  show() {
    for (const [place, chip] of this.chips.entries()) {
      chip.querySelector('b').textContent = this.words('name', place + 1);
      chip.querySelector('[data-remove]').ariaLabel = this.words('remove', place + 1);
    }
    const isEmpty = !this.querySelector('.source:is([data-id], .coming)');
    const picker = this.form.querySelector('[data-sources]');
    this.row.hidden = isEmpty;
    this.querySelector('.clear').hidden = this.chips.length < MANY;
    if (!isEmpty && document.activeElement === picker) this.querySelector('[data-add]').focus();
    this.settings.show(this.chips.length > 0);
    this.masks.show();
    this.offerResult();
  }

  keep() {
    const pictures = this.ids.map((id) => [id, this.masks.of(id)]);
    const draft = { pictures, fresh: [...this.fresh], isSent: this.isSent, settings: this.settings.values };
    keep(KEY, pictures.length ? JSON.stringify(draft) : '', TAB_FIRST);
  }

  asked() {
    if (this.querySelector('.mask:not([hidden])')) this.tellServer();
  }

  // Kept at once: a form that is sent without a wall leaves the page.
  used() {
    this.fresh.clear();
    if (this.masks) this.keep();
  }

  sent() {
    this.isSent = true;
    if (this.masks) this.keep();
  }

  // What leads to the newest picture that came while the page was open; to the one that was laid back, if any.
  get newest() {
    const newest = document.querySelector('live-generation[data-fresh][data-status=done]');
    return [...(newest?.querySelectorAll('[data-source]') ?? [])].at(-1);
  }

  offerResult() {
    const chip = this.querySelector('.last');
    const link = this.newest;
    if (!chip) return;
    chip.hidden = !link || this.ids.includes(Number(link.dataset.source));
    if (chip.hidden) return;
    const [shown, { src }] = [chip, link.closest('.hung')].map((one) => one.querySelector('img'));
    if (shown.src === src) return;
    shown.src = src;
    this.asked(); // its server may have been found to ignore masks
  }

  words(name, n) {
    return this.row.dataset[name].replace(/\{n(ame)?\}/, () => n);
  }

  say(name, n) {
    this.querySelector('[data-news]').textContent = this.words(name, n);
  }

  // Says in sight what did not work; without a name, nothing did not.
  warn(name, n) {
    const word = this.querySelector('#wrong-source');
    word.textContent = name ? this.words(name, n) : '';
    word.hidden = !name;
    this.querySelector('[data-news]').textContent = word.textContent;
  }
}

function drafted() {
  try {
    return JSON.parse(kept(KEY, TAB_FIRST) || '{}') ?? {};
  } catch {
    return {}; // written by something else
  }
}

// What an address brought is kept with the rest, and would come back with every reload. Says whether it did.
function leaveAddress() {
  const address = new URL(location);
  const isNamed = address.searchParams.has('source');
  for (const name of ['source', 'mask']) address.searchParams.delete(name);
  if (isNamed) history.replaceState(history.state, '', address);
  return isNamed;
}

customElements.define('source-list', SourceList);
