import { Combobox } from './combobox.js';

// Suggests how a search may go on: a key asks for its value, anything else is searched at once.
class SearchField extends Combobox {
  get box() {
    return this;
  }

  begin() {
    this.list();
  }

  list() {
    this.search(this.input.value);
  }

  // What is chosen beside the field counts too, as in the trash.
  addressOf(text) {
    const asked = new URLSearchParams(new FormData(this.input.form));
    asked.set('q', text);
    return `${this.dataset.address}?${asked}`;
  }

  choose(option) {
    if (!option) return;
    this.input.value = option.dataset.words;
    if ('goesOn' in option.dataset) return this.list();
    this.close();
    this.input.form.requestSubmit();
  }
}

customElements.define('search-field', SearchField);
