const PAUSE_MS = 300; // between the last key and the question

// Fits the fields to what the model in the form takes, as its server's list of models tells it.
class ModelLimits extends HTMLElement {
  connectedCallback() {
    this.form = this.closest('form');
    this.form.addEventListener('input', ({ target }) => target.matches('[name=model], [name=provider]') && this.later());
    if (this.form.elements.model.value !== this.dataset.model) this.fit(); // a draft came back
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fit(), PAUSE_MS);
  }

  async fit() {
    const chosen = new FormData(this.form);
    const query = new URLSearchParams({ model: chosen.get('model'), provider: chosen.get('provider') ?? '' });
    const asked = (this.asked = Symbol(query));
    const limits = await fetch(`${this.dataset.address}?${query}`)
      .then((answer) => (answer.ok ? answer.json() : {}))
      .catch(() => ({}));
    if (asked !== this.asked) return;
    for (const note of this.form.querySelectorAll('.limit')) this.show(note, limits[note.dataset.field]);
  }

  // A limit of null: the field is not taken; of undefined: nothing is known of it.
  show(note, limit) {
    const field = this.form.elements[note.dataset.field];
    const { least = '', most = '', values = [] } = limit ?? {};
    note.textContent = limit === null ? this.dataset.untaken : least || most ? `(${least}–${most})` : '';
    note.hidden = !note.textContent;
    if (field.name === 'n') {
      const top = limit === null ? 1 : Number(most || Infinity);
      for (const option of field.options) option.disabled = Number(option.value) > top;
    } else if (field.matches('[inputmode]')) {
      field.type = least || most ? 'number' : 'text';
      field.min = least;
      field.max = most;
      field.step = 'any';
    } else if (field.list) {
      const known = values.length ? values : this.dataset.qualities.split(' ');
      field.list.replaceChildren(...known.map((value) => new Option(value, value)));
    }
  }
}

customElements.define('model-limits', ModelLimits);
