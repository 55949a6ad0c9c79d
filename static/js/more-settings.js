// Counts on the closed chip what is set in More, opens it when something else filled it, and takes settings
// back to automatic: one, or all of the form. Suggests models when their field is gone to.
class MoreSettings extends HTMLElement {
  connectedCallback() {
    this.form = this.closest('form');
    this.form.addEventListener('input', (event) => this.show(event));
    this.form.addEventListener('click', (event) => this.reset(event));
    addEventListener('easel-added', () => this.giveWay());
    this.prepareModels();
    this.show();
  }

  // Most pages are left without a look at the list of models: its script comes when it is wanted.
  prepareModels() {
    const { model } = this.form.elements;
    model.removeAttribute('list');
    const load = () => import('./model-field.js');
    model.addEventListener('focus', load, { once: true });
    model.addEventListener('click', () => load().then(() => model.closest('model-field').begin()), { once: true });
  }

  show(event) {
    const set = [...this.querySelectorAll('.drawer [name]:not([type=checkbox])')].filter((field) => field.value);
    this.querySelector('[data-count]').textContent = set.length ? ` · ${set.length}` : '';
    if (set.length && event?.target === this.form) this.querySelector('details').open = true;
  }

  // On a phone the settings cover the picture that was just asked for.
  giveWay() {
    if (!matchMedia('(max-width: 40rem)').matches) return;
    for (const one of this.form.querySelectorAll('details')) one.open = false;
  }

  reset(event) {
    const { target } = event;
    if (target.matches('.reset')) {
      const field = target.closest('.setting').querySelector('[name]');
      clear(field);
      field.focus();
    } else if (target.matches('.reset-all')) {
      event.preventDefault();
      const settings = '[name]:not(button, [type=hidden], [name=prompt])';
      const meant = [...this.form.elements].filter((field) => field.matches(settings) && !field.closest('source-list'));
      meant.forEach(clear);
    }
  }
}

function clear(field) {
  if (field.type === 'checkbox') field.checked = false;
  else field.value = '';
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

customElements.define('more-settings', MoreSettings);
